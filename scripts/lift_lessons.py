"""Gather what `fit_lifter.py` learns from into one file: pairs of detections and truth, and motions beside.

    python scripts/lift_lessons.py PAIRS_FOLDER MOTION.npz [MOTION.npz ...] OUT.npz

For PAIRS_FOLDER see `pairs.py`. A MOTION file holds motion capture as `motionset.py` beside it reads it; the
takes of its split "train" are put onto our body, but for those that held-out people of the pairs perform and
those of HELD_BACK, which clips with truth show. All places are y up, in statures of the person.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from fit_landmarks import Truth
from guises import LAYOUT, attached
from pairs import Pair, loader, read_pairs

from mocap.attach import load_attachment
from mocap.lift.points import JOINTS, PARTS
from mocap.swaps import repair_swaps
from rigs.solving.body import load_body
from rigs.solving.initial import initial_pose
from rigs.solving.kinematics import Chain, Points, locate

HELD_BACK = ("05_02", "06_10", "07_01", "08_03")
RATE = 30.0
MARKERS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe")  # of a motion set, for PARTS


def main() -> None:
    """Read, and write one file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path)
    parser.add_argument("motion", type=Path, nargs="+")
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    held_out = {str(pair.snippet["meta"]["take"]) for pair in read_pairs(asked.pairs, "val")}
    arrays: dict[str, np.ndarray] = {}
    for split in ("train", "val"):
        arrays |= {f"{split}_{name}": a for name, a in gathered(asked.pairs, split).items()}
    clips = [clip for path in asked.motion for clip in motions(path, held_out)]
    arrays["motion"] = np.concatenate(clips).astype(np.float16)
    arrays["motion_length"] = np.array([len(clip) for clip in clips])
    np.savez_compressed(asked.out, **arrays)


def gathered(folder: Path, split: str) -> dict[str, np.ndarray]:
    """Arrays of all snippets of a split, one after the other.

    length (S,), stature (S,), rotation (S, 4, 3, 3) and translation (S, 4, 3): cameras, in statures; usable
    (S, 4); points (T, 14 + J, 3): joints and places of landmarks; contact (T, 4); of each view image
    (4, T, J, 2), confidence (4, T, J) and world (4, T, J, 3) as detected, sides put right by the view alone.
    """
    rows = [of_pair(pair, folder) for pair in read_pairs(folder, split, repaired=False)]
    out = {
        key: np.stack([row[key] for row in rows]) for key in ("stature", "rotation", "translation", "usable")
    }
    out["length"] = np.array([len(row["points"]) for row in rows])
    for key, axis in (("points", 0), ("contact", 0), ("image", 1), ("confidence", 1), ("world", 1)):
        out[key] = np.concatenate([row[key] for row in rows], axis=axis)
    return out


def of_pair(pair: Pair, folder: Path) -> dict[str, Any]:
    """The arrays of one snippet."""
    body = load_body()
    truth = Truth(pair.snippet, body, loader(folder))
    places = attached(truth, load_attachment(LAYOUT, body))
    joints = np.stack([truth.joint(name) for name in JOINTS], axis=1)
    seen = [alone(pair, v) for v in range(len(pair.cameras))]
    poses = np.stack([c.camera_from_world for c in pair.cameras])
    image, sight, world = (np.stack(column) for column in zip(*seen, strict=True))
    return {
        "stature": np.float32(pair.stature),
        "rotation": poses[:, :3, :3].astype(np.float32),
        "translation": (poses[:, :3, 3] / pair.stature).astype(np.float32),
        "usable": np.arange(len(pair.cameras)) != pair.bad_view(),
        "points": (np.concatenate([joints, places], axis=1) / pair.stature).astype(np.float32),
        "contact": pair.snippet["contact"].astype(bool),
        "image": np.clip(np.nan_to_num(image), -8, 8).astype(np.float16),
        "confidence": np.round(255 * sight).astype(np.uint8),
        "world": np.nan_to_num(world).astype(np.float16),
    }


def alone(pair: Pair, view: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What one view saw, as one that is alone has its sides put right."""
    seen = repair_swaps(pair.seen.select([view]), None)[0]
    assert seen.world is not None
    return pair.cameras[view].undistort(seen.pixels[0]), seen.confidence[0], seen.world[0]


def motions(path: Path, held_out: set[str]) -> Iterator[np.ndarray]:
    """Our body in the poses of a motion set: (T, 14 + J, 3)."""
    sys.path.insert(0, str(path.parent))
    from motionset import LANDMARKS, MotionSet

    body = load_body()
    attachment = load_attachment(LAYOUT, body)
    centres = Points(
        np.array([body.index(name) for name in JOINTS]), np.zeros((len(JOINTS), len(body.names), 3))
    )
    known = MotionSet(str(path))
    for k in range(len(known)):
        take = str(known.clip_name[k]).split("#")[0]
        if str(known.clip_split[k]) != "train" or take in held_out or take in HELD_BACK:
            continue
        marks = known.landmarks(k)
        joints = {
            side + ("Toe" if part == "ToeBase" else part): marks[
                :, LANDMARKS.index(f"{side[0].lower()}_{mark}")
            ]
            for part, mark in zip(PARTS, MARKERS, strict=True)
            for side in ("Left", "Right")
        }
        leg = np.linalg.norm(joints["LeftUpLeg"] - joints["LeftLeg"], axis=1)
        leg += np.linalg.norm(joints["LeftLeg"] - joints["LeftFoot"], axis=1)
        ours = np.linalg.norm(body.offsets[[body.index("LeftLeg"), body.index("LeftFoot")]], axis=1).sum()
        pose = initial_pose(body, joints, RATE)
        pose.root[:] *= ours / np.median(leg)
        posed = Chain(body).place(pose, np.ones(len(body.size_names)))
        points = np.concatenate([locate(posed, centres), locate(posed, attachment.points(1.0))], axis=1)
        yield points - points[:, :1].mean(axis=0) * np.array([1.0, 0.0, 1.0])


if __name__ == "__main__":
    main()
