"""How well people are told apart, and how well each is solved: a take of rendered people against their truth.

    python benchmarks/people.py two_meet.take two_meet/truth.npz

Who a detection truly is: the person whose joints in that image are nearest, if they are near. Counted are
detections of each person by the name that they were given, and identity changes: frames in which a name goes
from one true person to another in a view. The error is that of the twelve limb joints, mean over all frames,
at the offset in time that fits best.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import click
import numpy as np

from calibration.files import read_calibration
from mocap.associate import associate
from mocap.detect.parts import read_keypoints
from mocap.keypoints import Keypoints2D
from mocap.people import first_frame, people_in, read_motion_of
from mocap.take import Take

JOINTS = {
    "shoulder": ("Arm", "upperarm"),
    "elbow": ("ForeArm", "lowerarm"),
    "wrist": ("Hand", "hand"),
    "hip": ("UpLeg", "thigh"),
    "knee": ("Leg", "calf"),
    "ankle": ("Foot", "foot"),
}
NEAR = 0.2  # of the person's height in the image
SHIFTS = range(-8, 9)  # frames


@click.command()
@click.argument("take", type=click.Path(path_type=Path))
@click.argument("truth", type=click.Path(path_type=Path))
def main(take: Path, truth: Path) -> None:
    """Measure identities and errors of TAKE against TRUTH (npz of the benchmark)."""
    opened, true = Take.open(take), dict(np.load(truth))
    names = [view["name"] for view in opened.manifest()["views"]]
    views = [read_keypoints(opened, name) for name in names]
    sync = opened.read_json("quality.json")["sync"]
    labels = associate(
        views, [sync[name]["offset_s"] for name in names], read_calibration(opened.path("cameras.toml"))
    )
    for v, (name, seen) in enumerate(zip(names, views, strict=True)):
        _report_view(name, labels.who[v], _named(seen, true, v), true)
    for person in people_in(opened):
        _report_error(opened, person, true)


def _named(seen: Keypoints2D, true: dict[str, Any], view: int) -> np.ndarray:
    """(T, P) the true person of each detection, -1 = nobody near."""
    rows = [seen.layout.index(f"{side}_{joint}") for side in ("left", "right") for joint in JOINTS]
    out = np.full(seen.points.shape[:2], -1)
    frames = np.arange(len(seen)) + int(true["first_frame"][view])
    inside = frames < int(true["n_frames"])
    images = [_image(true, k, view)[frames[inside]] for k in range(len(true["person_names"]))]
    points = seen.points[inside][:, :, rows]
    off = np.stack([np.median(np.linalg.norm(points - i[:, None], axis=-1), axis=-1) for i in images])
    tall = np.stack([np.ptp(i[..., 1], axis=1) for i in images])[:, :, None]
    share = np.where(np.isfinite(off), off / tall, np.inf)
    out[inside] = np.where(share.min(axis=0) < NEAR, share.argmin(axis=0), -1)
    return out


def _joints(true: dict[str, Any], person: int) -> np.ndarray:
    """(T, 12, 3) m, z up."""
    names = [str(name) for name in true[f"p{person}_joint_names"]]
    rows = [names.index(f"{bone}_{side}") for side in "lr" for _, bone in JOINTS.values()]
    return np.asarray(true[f"p{person}_positions"][:, rows], dtype=np.float64)


def _image(true: dict[str, Any], person: int, view: int) -> np.ndarray:
    """(T, 12, 2) pixels."""
    import cv2

    joints = _joints(true, person)
    turn, _ = cv2.Rodrigues(true["R"][view])
    flat, _ = cv2.projectPoints(
        joints.reshape(-1, 3), turn, true["t"][view], true["K"][view], true["dist"][view]
    )
    return flat.reshape(*joints.shape[:2], 2)


def _report_view(name: str, who: np.ndarray, named: np.ndarray, true: dict[str, Any]) -> None:
    people = [str(p) for p in true["person_names"]]
    pairs = Counter(zip(who[named >= 0].tolist(), named[named >= 0].tolist(), strict=True))
    shown = ", ".join(f"{people[k]} as {label}: {n}" for (label, k), n in sorted(pairs.items()))
    click.echo(f"{name}: {shown}; identity changes {_changes(who, named)}")


def _changes(who: np.ndarray, named: np.ndarray) -> int:
    total = 0
    for label in np.unique(who[who >= 0]):
        mine = named[(who == label) & (named >= 0)]
        total += int((np.diff(mine) != 0).sum())
    return total


def _report_error(take: Take, person: int, true: dict[str, Any]) -> None:
    motion = read_motion_of(take, person)
    bones = [f"{side}{bone}" for side in ("Left", "Right") for bone, _ in JOINTS.values()]
    found = motion.world()[0][:, [motion.skeleton.index(bone) for bone in bones]]
    best = (np.inf, "nobody")
    for k, name in enumerate(true["person_names"]):
        joints = _joints(true, k) @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
        for shift in SHIFTS:
            at = np.arange(len(found)) + first_frame(take, person) + shift
            inside = (at >= 0) & (at < len(joints))
            if inside.sum() > len(found) // 2:
                off = float(np.linalg.norm(found[inside] - joints[at[inside]], axis=-1).mean())
                best = min(best, (off, str(name)))
    click.echo(f"person {person} is {best[1]}: {1000 * best[0]:.1f} mm, {len(found)} frames")


if __name__ == "__main__":
    main()
