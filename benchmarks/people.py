"""How well people are told apart, and how well each is solved: a take of rendered people against their truth.

    python benchmarks/people.py two_meet.take two_meet/truth.npz

Who a detection truly is: the person whose joints in that image are nearest, if they are near. Counted are
detections of each person by the name that they were given, and identity changes: frames in which a name goes
from one true person to another in a view. Recall: of the frames in which a person's joints are in a view's
image, half of them at least, the share in which he was detected, as it was first and after the views that
lost him were looked at again; those whom somebody hides count too. The error is that of the twelve limb
joints, mean over all frames, at the offset in time that fits best.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from calibration.camera import Cameras
from calibration.files import read_calibration
from mocap.associate import associate
from mocap.crowd import Crowd, gather
from mocap.detect.base import Sought
from mocap.detect.parts import keypoints_file, read_keypoints
from mocap.keypoints import Keypoints2D
from mocap.people import first_frame, people_in, read_motion_of
from mocap.seek import seek
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
    offsets, cameras = [sync[n]["offset_s"] for n in names], read_calibration(opened.path("cameras.toml"))
    labels = associate(views, offsets, cameras)
    for v, (name, seen) in enumerate(zip(names, views, strict=True)):
        _report_view(name, labels.who[v], _named(seen, true, v), true)
    first = gather(dict(zip(names, views, strict=True)), offsets, cameras)
    again = looked_again(opened, first, offsets, cameras)
    for v, name in enumerate(names):
        _report_recall(
            name,
            v,
            [[crowd.views[k][name] for crowd in (first, again)] for k in range(len(first.views))],
            true,
        )
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


def looked_again(take: Take, first: Crowd, offsets: list[float], cameras: Cameras) -> Crowd:
    """Everybody with what the capture found when it looked again; nothing new is detected."""

    def kept(sought: Mapping[str, Sought]) -> dict[str, Keypoints2D]:
        return {
            n: read_keypoints(take, f"{n}.again") for n in sought if take.has(keypoints_file(f"{n}.again"))
        }

    return seek(first, offsets, cameras, kept)


def _report_recall(name: str, view: int, people: list[list[Keypoints2D]], true: dict[str, Any]) -> None:
    for first, again in people:
        named = _named(first, true, view)
        k = int(np.bincount(named[named >= 0], minlength=1).argmax())
        frames = np.arange(len(first)) + int(true["first_frame"][view])
        inside = frames < int(true["n_frames"])
        image = _image(true, k, view)[frames[inside]]
        within = ((image >= 0) & (image < true["size"][view])).all(axis=-1).mean(axis=-1) >= 0.5
        share = [
            100 * (seen.confidence[inside][within] > 0).any(axis=(1, 2)).mean() for seen in (first, again)
        ]
        who = str(true["person_names"][k])
        found = f"{share[0]:.0f} % found at first, {share[1]:.0f} % in the end"
        click.echo(f"{name}: {who} in the image for {within.sum()} frames, {found}")


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
    best: tuple[float, str, str] = (np.inf, "nobody", "")
    for k, name in enumerate(true["person_names"]):
        joints = _joints(true, k) @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
        for shift in SHIFTS:
            at = np.arange(len(found)) + first_frame(take, person) + shift
            inside = (at >= 0) & (at < len(joints))
            if inside.sum() > len(found) // 2:
                off = 1000 * np.linalg.norm(found[inside] - joints[at[inside]], axis=-1)
                best = min(best, (float(off.mean()), str(name), _by_joint(off)))
    click.echo(f"person {person} is {best[1]}: {best[0]:.1f} mm, {len(found)} frames; {best[2]}")


def _by_joint(off: np.ndarray) -> str:
    """Means over both sides of errors (T, 12), and what 95 % stay below."""
    means = off.mean(axis=0).reshape(2, -1).mean(axis=0)
    each = ", ".join(f"{joint} {mean:.0f}" for joint, mean in zip(JOINTS, means, strict=True))
    return f"{each}; 95 % below {np.percentile(off, 95):.0f}"


if __name__ == "__main__":
    main()
