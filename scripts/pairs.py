"""Pairs of a detector's output and truth, as the scripts that fit something to them read them.

A folder of pairs holds `blazepose_pairs.npz` and its `load.py`: what BlazePose saw of rendered people in four
calibrated views, and where their joints truly were.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from calibration.camera import Camera, Cameras
from calibration.triangulate import triangulate
from mocap.keypoints import Keypoints2D, load_layout
from mocap.observations import Observations
from mocap.refiner import Network, network_of, refine_keypoints
from mocap.swaps import repair_swaps

RATE = 30
NAMES = ("a", "b", "c", "d")
TO_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
SCALE = 0.02  # of the person's height in the image: robust scale of triangulation
# The detector follows something else for the whole snippet in one view: take, person, view.
KNOWN_BAD = ("13_38", "p14", 2)


@dataclass(frozen=True)
class Pair:
    """A snippet: as the loader gives it, what the views saw with sides put right, and its true cameras.

    The cameras' world has y up, as ours; the snippet's own arrays have z up.
    """

    snippet: dict[str, Any]
    seen: Observations
    cameras: Cameras

    @property
    def stature(self) -> float:
        """Metres."""
        return float(self.snippet["stature"])

    def bad_view(self) -> int | None:
        """A view in which the detector follows something else."""
        meta = self.snippet["meta"]
        return KNOWN_BAD[2] if (str(meta["take"]), meta["person"]) == KNOWN_BAD[:2] else None

    def triangulated(self) -> np.ndarray:
        """(T, J, 3) m, robustly."""
        scale = max(SCALE * float(np.nanmedian(self.seen.heights())), 2.0)
        return triangulate(self.cameras, self.seen.pixels, self.seen.confidence**2, scale_px=scale)[0]


def loader(folder: Path) -> Any:
    """Return the module that comes with the pairs."""
    sys.path.insert(0, str(folder))
    import load

    return load


def read_pairs(
    folder: Path, split: str | None, refiner: Network | None = None, repaired: bool = True
) -> Iterator[Pair]:
    """Give the snippets of a split ("train", "val", all), refined if a network is given, sides put right."""
    for snippet in loader(folder).load(folder / "blazepose_pairs.npz", split=split):
        cameras = Cameras(tuple(_camera(snippet, v, name) for v, name in enumerate(NAMES)))
        seen = _seen(snippet, cameras, refiner)
        yield Pair(snippet, repair_swaps(seen, cameras)[0] if repaired else seen, cameras)


def read_network(path: Path) -> Network:
    """Read the weights that `fit_refiner.py` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return network_of(arrays)


def folder_argument(document: str | None) -> argparse.ArgumentParser:
    """Return a parser that knows the folder of pairs."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=document, formatter_class=plain)
    parser.add_argument("pairs", type=Path)
    return parser


def _seen(snippet: dict[str, Any], cameras: Cameras, refiner: Network | None) -> Observations:
    layout, times = load_layout("blazepose33"), np.arange(len(snippet["joints"])) / RATE
    views = []
    for camera, keypoints, world in zip(cameras, snippet["kp2d"], snippet["world"], strict=True):
        known = np.isfinite(keypoints[..., 0])
        sight = np.where(known, np.clip(np.nan_to_num(keypoints[..., 2]), 1e-3, 1.0), 0.0)
        points = np.where(known[..., None], keypoints[..., :2], np.nan)
        view = Keypoints2D(layout, points[:, None], sight[:, None], times, camera.size, world[:, None])
        views.append(refine_keypoints(view, refiner) if refiner else view)
    points, sight, world = (
        np.stack([getattr(v, n)[:, 0] for v in views]) for n in ("points", "confidence", "world")
    )
    seen = Observations(NAMES, layout, points, sight, Fraction(RATE), world)
    spread = [v.spread[:, 0] for v in views if v.spread is not None]
    before = [v.detected[:, 0] for v in views if v.detected is not None]
    return replace(seen, spread=np.stack(spread), detected=np.stack(before)) if spread else seen


def _camera(snippet: dict[str, Any], v: int, name: str) -> Camera:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = snippet["R"][v].astype(float) @ TO_Y_UP.T, snippet["t"][v]
    width, height = (int(n) for n in snippet["size"][v])
    return Camera(name, (width, height), snippet["K"][v].astype(float), np.zeros(0), pose)
