"""Calibrating the views: lenses and places of the cameras, from a board in their videos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import Board, Sightings
from calibration.boards.markers import without_shift
from calibration.camera import Camera
from calibration.errors import LensError
from calibration.footage import match_footage
from calibration.lens.intrinsics import Lens, calibrate_lens, given_lens
from calibration.places.check import left_out_error
from calibration.places.clock import find_lags, on_one_clock
from calibration.places.extrinsics import Rig, calibrate_places
from calibration.places.world import Placed, put_in_world
from mocap import boardreport
from mocap.boardfilm import Film, Found, find_boards
from mocap.calibrated import Calibrated
from mocap.cameras import lens_of
from mocap.config import CaptureConfig, View
from mocap.lens import camera_with_field_of_view
from mocap.progress import Progress, Quiet
from mocap.video import VideoInfo, probe, read_frames

Floats = NDArray[np.float64]
Follow = Callable[[str], Progress]

_IMAGES = 24  # of each view, for a first idea of its lens; all views together are adjusted with all images
_SAMPLED_AGAIN = 0.25  # of the time between images: views further out of time than that are put right


def calibrate_board(
    config: CaptureConfig, board: Board, *, progress: Follow = lambda stage: Quiet()
) -> Calibrated:
    """Find lenses and places of all cameras of a views file from a board in their videos.

    Args:
        config: the views.
        board: which is filmed.
        progress: given "finding the board" as that begins, answers who follows it.

    Raises:
        MocapError, calibration.CalibrationError: bad input, or views that do not determine the cameras.
    """
    videos = [probe(view.video) for view in config.views]
    films = [Film(view.name, view.video, view.offset or 0.0) for view in config.views]
    found = find_boards(films, board, progress=progress("finding the board"))
    lenses, notes = _lenses(config, videos, found, progress)
    notes = [*found.notes, *notes]
    found = replace(found, sightings=tuple(map(partial(_unshifted, found.board), found.sightings, lenses)))
    offsets, said = _offsets(config, lenses, found)
    rig, times, corners, offsets = _rig(lenses, found, offsets)
    placed = put_in_world(rig.cameras, rig.boards, times, found.board)
    missed = left_out_error(placed.cameras, corners, found.board)
    return _told(lenses, rig, placed, missed, offsets, [*notes, *said, placed.note])


def _unshifted(board: Board, seen: Sightings, lens: Lens) -> Sightings:
    return replace(seen, corners=without_shift(seen.corners, board, lens.shift))


def _lenses(
    config: CaptureConfig, videos: Sequence[VideoInfo], found: Found, progress: Follow
) -> tuple[list[Lens], list[str]]:
    """Each view's lens by itself: as given, from images of its own, or from its video; and notes."""
    own = _footage(config, found.board, progress)
    lenses, notes = [], []
    for view, video, seen in zip(config.views, videos, found.sightings, strict=True):
        if view.name in own:
            camera = calibrate_lens(own[view.name], found.board)
            lens, note = _from_footage(camera, view, video, seen, found.board)
        else:
            lens, note = _lens(view, video, seen, found.board)
        lenses.append(lens)
        notes += note + _left_out(view, lens, own.get(view.name))
    return lenses, notes


def _left_out(view: View, lens: Lens, footage: Sightings | None) -> list[str]:
    """Name the images that did not help; of a film, in which the board comes and goes, only the bad ones."""
    bad = [f"view {view.name}: {label} left out, {rms:.2f} px" for label, rms in lens.dropped]
    if footage is None or view.footage is None or not view.footage.is_dir():
        return bad
    empty = [label for label, count in zip(footage.labels, footage.seen, strict=True) if not count]
    return bad + [f"view {view.name}: {label} left out, no whole board was found in it" for label in empty]


def _footage(config: CaptureConfig, board: Board, progress: Follow) -> dict[str, Sightings]:
    films = [Film(view.name, view.footage) for view in config.views if view.footage is not None]
    if not films:
        return {}
    found = find_boards(films, board, progress=progress("finding the board for the lenses"))
    return {s.name: s for s in found.sightings}


def footage_lenses(
    config: CaptureConfig, videos: Sequence[VideoInfo], progress: Follow = lambda stage: Quiet()
) -> tuple[dict[str, Camera], list[str]]:
    """Calibrate the lenses of views that have a film, or images, of the board for that; and notes.

    Args:
        config: views and board.
        videos: what is known of each view's own file, for whose pixels the lenses are.
        progress: given "finding the board for the lenses" as that begins.

    Raises:
        MocapError, calibration.CalibrationError: images that do not determine a lens.
    """
    if config.board is None:
        return {}, []
    own = _footage(config, config.board, progress)
    cameras, notes = {}, []
    for view, video in zip(config.views, videos, strict=True):
        if view.name in own:
            lens = calibrate_lens(own[view.name], config.board)
            cameras[view.name], said = fitted_to(lens.camera, video)
            notes += [f"view {view.name}: lens from {lens.used} images, {lens.rms:.2f} px", *said]
            notes += _left_out(view, lens, own[view.name])
    return cameras, notes


def _from_footage(
    lens: Lens, view: View, video: VideoInfo, seen: Sightings, board: Board
) -> tuple[Lens, list[str]]:
    camera, notes = fitted_to(lens.camera, video)
    known = given_lens(camera, seen, board)
    kept = replace(known, dropped=lens.dropped, sd=lens.sd, coverage=lens.coverage)
    return kept, [
        f"view {view.name}: lens from {lens.used} images of {view.footage}, {lens.rms:.2f} px",
        *notes,
    ]


def fitted_to(camera: Camera, video: VideoInfo) -> tuple[Camera, list[str]]:
    """The camera for the pixels of a video, and a note if it was adapted.

    Args:
        camera: calibrated with images of another source.
        video: that it filmed.

    Raises:
        calibration.FootageError: the sizes cannot be reconciled.
    """
    images = []
    if video.size != camera.size:
        images = [f.image for f in read_frames(video.path, 0, 24) if f.image is not None and f.index % 8 == 0]
    footage = match_footage(camera, video.size, images)
    return footage.camera, [f"{camera.name}: {footage.note}"] if footage.note else []


def _lens(view: View, video: VideoInfo, seen: Sightings, board: Board) -> tuple[Lens, list[str]]:
    given, notes = lens_of(view, video)
    if given is not None:
        return given_lens(replace(given, name=view.name), seen, board), notes
    try:
        lens = calibrate_lens(seen, board, most=_IMAGES, strict=view.fov is not None)
    except LensError as error:
        if view.fov is None:
            raise
        camera = camera_with_field_of_view(view.name, video.size, view.fov)
        return given_lens(camera, seen, board), [f"{error}; its field of view was taken as given"]
    return lens, []


def _offsets(config: CaptureConfig, lenses: list[Lens], found: Found) -> tuple[list[float], list[str]]:
    """Seconds to add to each view's times: as given, or as the board's motion tells; and notes."""
    if len(config.views) < 2 or any(view.offset is not None for view in config.views):
        return [view.offset or 0.0 for view in config.views], []
    lags = find_lags([lens.camera for lens in lenses], found.sightings, found.board)
    earliest = min(lag.seconds for lag in lags)
    notes = [
        f"view {view.name}: began {lag.seconds - earliest:.2f} s after the first, as the board's motion tells"
        for view, lag in zip(config.views, lags, strict=True)
        if any(lag.found for lag in lags)
    ]
    return [lag.seconds - earliest for lag in lags], notes


def _rig(lenses: list[Lens], found: Found, offsets: list[float]) -> tuple[Rig, Floats, Floats, list[float]]:
    """The rig, and the times and corners that it is from; once more if views turn out to be out of time."""
    times, corners = on_one_clock(found.sightings, offsets)
    rig = calibrate_places(lenses, corners, times, found.board)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    if np.abs(rig.times).max() > _SAMPLED_AGAIN * step:
        offsets = [offset + float(more) for offset, more in zip(offsets, rig.times, strict=True)]
        times, corners = on_one_clock(found.sightings, offsets)
        rig = calibrate_places(lenses, corners, times, found.board)
    return rig, times, corners, [o + float(more) for o, more in zip(offsets, rig.times, strict=True)]


def _told(
    lenses: list[Lens], rig: Rig, placed: Placed, missed: Floats, offsets: list[float], notes: list[str]
) -> Calibrated:
    rows = boardreport.rows(lenses, rig, placed, missed, offsets)
    warnings = boardreport.warnings(rows, lenses, rig, placed)
    names = placed.cameras.names
    record = {
        "method": "board",
        "scatter_px": round(rig.scale, 4),
        "floor_known": placed.floor,
        "lenses": "estimated together" if rig.joint else "each by itself, or as given",
        "views": rows,
        "pairs": [
            {"views": [names[p.a], names[p.b]], "shared": p.shared, "agreeing": p.agreeing} for p in rig.pairs
        ],
        "notes": notes,
        "warnings": warnings,
    }
    return Calibrated(
        placed.cameras,
        record,
        boardreport.table(rows),
        notes,
        warnings,
        offsets=offsets,
        errors_px=[row["rms_px"] for row in rows],
        sd=np.repeat(np.asarray(rig.centre_sd, float)[:, None] / np.sqrt(3), 3, axis=1),
    )
