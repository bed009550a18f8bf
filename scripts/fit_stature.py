"""Fit how a person's stature follows from distances between triangulated landmarks.

    python scripts/fit_stature.py FOLDER       FOLDER has blazepose_pairs.npz and its loader load.py

Prints mocap/landmarks/stature.yaml, and what people left out of the fit get, on stderr.
"""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from calibration import Camera, Cameras
from calibration.triangulate import triangulate
from mocap.keypoints import load_layout
from mocap.observations import Observations
from mocap.stature import _length
from mocap.swaps import repair_swaps

LENGTHS = {
    "knee to ankle": ("knee", "ankle"),
    "hip to knee": ("hip", "knee"),
    "middle shoulder to middle hip": ("middle shoulder", "middle hip"),
    "middle ear to middle shoulder": ("middle ear", "middle shoulder"),
}
RIDGE = 3e-4  # pulls all lengths towards the same say; about the variance of a length's ratio to stature
KNOWN_BAD = ("13_38", "p14")  # the detector follows something else for the whole snippet


def main() -> int:
    """Fit, and print the YAML."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("pairs", type=Path)
    folder = parser.parse_args().pairs
    sys.path.insert(0, str(folder))
    import load as pairs

    rows, statures, people = [], [], []
    for snippet in pairs.load(folder / "blazepose_pairs.npz", rotations=False):
        meta = snippet["meta"]
        if (meta["take"], meta["person"]) != KNOWN_BAD:
            rows.append(lengths(snippet))
            statures.append(float(snippet["stature"]))
            people.append(meta["person"])
    known = np.isfinite(rows).all(axis=1)
    ratio, who = np.array(rows)[known] / np.array(statures)[known, None], np.array(people)[known]
    off = np.concatenate([ratio[who == w] @ weights(ratio[who != w]) - 1 for w in np.unique(who)])
    print(f"left-out people: rms {100 * np.sqrt(np.mean(off**2)):.2f} %", file=sys.stderr)
    table = {name: round(float(w), 3) for name, w in zip(LENGTHS, weights(ratio), strict=True)}
    print(yaml.safe_dump({"metres_per_metre": table}, sort_keys=False), end="")
    return 0


def weights(ratio: np.ndarray) -> np.ndarray:
    """Weights of the lengths (N, K) over stature, so that their sum is 1 with the least scatter."""
    typical = ratio.mean(axis=0)
    off = ratio / typical - 1
    share = np.linalg.solve(off.T @ off / len(off) + RIDGE * np.eye(off.shape[1]), np.ones(off.shape[1]))
    return np.asarray(share / share.sum() / typical)


def lengths(snippet: dict[str, Any]) -> list[float]:
    """Median lengths of one snippet, triangulated with its true cameras."""
    layout = load_layout("blazepose33")
    pixels = snippet["kp2d"][..., :2].astype(float)
    sight = np.where(np.isfinite(pixels[..., 0]), np.nan_to_num(snippet["kp2d"][..., 2].astype(float)), 0.0)
    pixels = np.where((sight > 0)[..., None], pixels, np.nan)
    seen = Observations(("1", "2", "3", "4"), layout, pixels, sight, Fraction(30))
    cameras = Cameras(tuple(camera(snippet, v) for v in range(4)))
    repaired, _ = repair_swaps(seen, cameras)
    scale = max(0.02 * float(np.nanmedian(seen.heights())), 2.0)
    landmarks, _ = triangulate(cameras, repaired.pixels, repaired.confidence**2, scale_px=scale)
    return [_length(landmarks, layout, *ends) for ends in LENGTHS.values()]


def camera(snippet: dict[str, Any], v: int) -> Camera:
    """One true camera; the world's axes do not matter here."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = snippet["R"][v], snippet["t"][v]
    size = (int(snippet["size"][v][0]), int(snippet["size"][v][1]))
    return Camera(str(v), size, snippet["K"][v].astype(float), np.zeros(0), pose)


if __name__ == "__main__":
    raise SystemExit(main())
