"""Calibrating the views from the person who moves in them: `mocap calibrate` without a board."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from calibration.camera import Cameras
from calibration.triangulate import reproject_error
from mocap.calibrated import Calibrated
from mocap.config import CaptureConfig
from mocap.errors import CalibrateError
from mocap.gates import agreement, require_agreement, weak_geometry
from mocap.pipeline import place_only
from mocap.placing import Placed
from mocap.progress import Progress, Quiet
from mocap.selfcal import triangulated
from mocap.swaps import repair_swaps

Follow = Callable[[str], Progress]


def calibrate_people(
    config: CaptureConfig,
    take: Path,
    *,
    detector: str,
    workers: int | None = None,
    incomplete: bool = False,
    progress: Follow = lambda stage: Quiet(),
) -> Calibrated:
    """Find where the cameras stand from one person whom they all film, or hold a calibration against them.

    Args:
        config: two views or more; a calibration in it is refined where that helps.
        take: where detections are kept; a capture into it goes on from there.
        detector: a name of `mocap.detect`.
        workers: detection processes.
        incomplete: whether videos that cannot be read to their end will do.
        progress: given "detecting" as that begins, answers who follows it.

    Raises:
        MocapError, calibration.CalibrationError: bad input, or cameras that cannot be found.
    """
    where = config.source.name if config.source else "the views file"
    if len(config.views) < 2:
        raise CalibrateError(
            f"{where}: one view, and no board: a lone camera is calibrated with a board only"
        )
    placed = place_only(
        config, take, detector=detector, workers=workers, incomplete=incomplete, progress=progress
    )
    assert placed.cameras is not None
    return _calibrated(placed, placed.cameras)


def _calibrated(placed: Placed, cameras: Cameras) -> Calibrated:
    seen, _ = repair_swaps(placed.seen, cameras)
    landmarks = triangulated(seen, cameras)
    warnings = placed.warnings + require_agreement(seen, agreement(seen, cameras, landmarks))
    warnings += weak_geometry(seen, cameras, landmarks)
    off = reproject_error(cameras, landmarks, np.where(seen.confidence[..., None] > 0.5, seen.pixels, np.nan))
    errors = [float(np.nanmedian(view)) if np.isfinite(view).any() else float("nan") for view in off]
    feet = [seen.layout.index(f"{side}_ankle") for side in ("left", "right")]
    record = {
        "method": "people",
        "median_px": dict(zip(cameras.names, errors, strict=True)),
        **placed.record,
        "notes": placed.notes,
        "warnings": warnings,
    }
    return Calibrated(
        cameras,
        _plain(record),
        _table(placed, cameras, errors),
        placed.notes,
        warnings,
        offsets=placed.offsets.tolist(),
        points=landmarks[:, feet].reshape(-1, 3),
        errors_px=errors,
    )


def _table(placed: Placed, cameras: Cameras, errors: list[float]) -> list[str]:
    """A line for each view."""
    turns = placed.record["calibration"].get("turn_sd_deg", {})
    wide = max(len("view"), *(len(name) for name in cameras.names))
    head = f"{'px':>6} {'fov deg':>9} {'± deg':>6}  {'x':>7} {'y':>7} {'z m':>7} {'offset s':>9}"
    rows = [f"{'view':<{wide}}  {head}"]
    for v, camera in enumerate(cameras):
        degrees = np.rad2deg(2 * np.arctan(camera.size[0] / 2 / camera.K[0, 0]))
        place = " ".join(f"{x:7.2f}" for x in camera.centre)
        sure = f"{turns[camera.name]:6.2f}" if camera.name in turns else f"{'':>6}"
        rows.append(
            f"{camera.name:<{wide}}  {errors[v]:6.2f} {degrees:9.1f} {sure}  {place} {placed.offsets[v]:9.4f}"
        )
    return rows


def _plain(value: Any) -> Any:
    """The same for JSON: plain numbers, and None for what is not known."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
