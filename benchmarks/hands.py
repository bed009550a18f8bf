"""How well fingers are solved: takes of rendered people against their truth, beside a hand that is relaxed.

    python benchmarks/hands.py walk.take truth.npz [dance.take truth.npz]...

Of the five fingertips: error of the place about the wrist (mm), in all frames and in those in which the hand
was seen; the same with the palms laid onto each other; and how far the palm is turned (degrees). Once as
solved, once with the fingers relaxed and the hand in line with the forearm.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from calibration.align import lay_onto
from mocap.handsight import Sight, Wrist
from mocap.handsolve import hand_points, solve_hand
from mocap.people import first_frame, people_in, read_beside, read_motion_of
from mocap.take import Take
from rigs import quat
from rigs.motion import Motion
from rigs.solving.body import load_body
from rigs.solving.kinematics import Chain, Pose, locate

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
TIPS, PALM = [4, 8, 12, 16, 20], [0, 5, 9, 13, 17]
UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])
HEADS = ("tips", "where seen", "on the palm", "where seen", "palm turned")


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def main(files: tuple[Path, ...]) -> None:
    """Measure pairs of a TAKE and its TRUTH (npz of the benchmark)."""
    click.echo(f"{'':34s}{'seen':>6s}" + "".join(f"{head:>13s}" for head in HEADS))
    for folder, truth in zip(files[::2], files[1::2], strict=True):
        take, true = Take.open(folder), dict(np.load(truth))
        for person in people_in(take):
            for label, seen, ours, real in hands(take, person, true):
                figures = "".join(f"{value:13.1f}" for value in errors(ours, real, seen))
                click.echo(f"{folder.stem:14s} {label:19s}{100 * seen.mean():5.0f}%{figures}")


def hands(
    take: Take, person: int, true: dict[str, Any]
) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Of each hand a label, when it was seen (T,), and 21 landmarks (T, 21, 3) m, ours and true."""
    motion, first = read_motion_of(take, person), first_frame(take, person)
    seen = read_beside(take, person).hands_seen
    assert seen is not None
    number = nearest(motion, first, true)
    for side, name in enumerate(("Left", "Right")):
        real = true_hand(true, number, name[0].lower())[first : first + len(motion)]
        for way, points in (("solved", solved(motion, name)), ("relaxed", relaxed(motion, name))):
            label = f"{true['person_names'][number]} {name.lower()} {way}"
            yield label, seen[: len(real), side], points[: len(real)], real


def errors(ours: np.ndarray, real: np.ndarray, seen: np.ndarray) -> list[float]:
    """The columns of the table."""
    ours, real = ours - ours[:, :1], real - real[:, :1]
    moves = [lay_onto(a[PALM], b[PALM], np.ones(len(PALM)))[0] for a, b in zip(ours, real, strict=True)]
    onto = np.stack([move.points(a) for move, a in zip(moves, ours, strict=True)])
    rotations = np.stack([move.rotation for move in moves])
    turned = np.rad2deg(np.arccos(np.clip((np.trace(rotations, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    away = [1000 * np.linalg.norm((p - real)[:, TIPS], axis=-1).mean(axis=1) for p in (ours, onto)]
    some = seen if seen.any() else np.ones_like(seen)
    return [float(np.mean(v)) for v in (away[0], away[0][some], away[1], away[1][some], turned)]


def solved(motion: Motion, side: str) -> np.ndarray:
    """The 21 landmarks (T, 21, 3) m of a hand of a motion."""
    positions, rotations = motion.world()
    points = [positions[:, motion.skeleton.index(f"{side}Hand")]]
    for finger in FINGERS:
        rows = [motion.skeleton.index(f"{side}Hand{finger.capitalize()}{k}") for k in (1, 2, 3)]
        tip = motion.skeleton.tips[f"{side}Hand{finger.capitalize()}3"]
        points += [positions[:, row] for row in rows]
        points.append(positions[:, rows[-1]] + quat.rotate(rotations[:, rows[-1]], tip))
    return np.stack(points, axis=1)


def relaxed(motion: Motion, side: str) -> np.ndarray:
    """The same of a relaxed hand in line with the forearm, of the same size."""
    positions, rotations = motion.world()
    hand, arm = (motion.skeleton.index(f"{side}{bone}") for bone in ("Hand", "ForeArm"))
    body = load_body("hand", mirrored=side == "Right")
    knuckle = motion.skeleton.index(f"{side}HandMiddle1")
    share = np.linalg.norm(body.offsets[body.index("HandMiddle1")])
    size = float(np.linalg.norm(motion.skeleton.offsets[knuckle]) / share)
    at, turned = positions[:, hand], rotations[:, arm]
    found = solve_hand(
        Wrist(side == "Left", at, turned, turned, size, True, float(motion.fps)), Sight.nothing(len(at))
    )
    posed = Chain(body).place(Pose(at, found.rotations), np.full(1, size))
    return locate(posed, hand_points(body, size))


def true_hand(true: dict[str, Any], person: int, side: str) -> np.ndarray:
    """The 21 true landmarks (T, 21, 3) m, y up."""
    joints = [str(name) for name in true[f"p{person}_joint_names"]]
    marks = [str(name) for name in true[f"p{person}_landmark_names"]]
    at, skin = true[f"p{person}_positions"], true[f"p{person}_landmarks"]
    points = [at[:, joints.index(f"hand_{side}")]]
    for finger in FINGERS:
        points += [at[:, joints.index(f"{finger}_0{k}_{side}")] for k in (1, 2, 3)]
        points.append(skin[:, marks.index(f"{finger}_tip_{side}")])
    return np.asarray(np.stack(points, axis=1) @ UP)


def nearest(motion: Motion, first: int, true: dict[str, Any]) -> int:
    """Number of the true person whose wrists are nearest."""
    ours = motion.world()[0][:, motion.skeleton.index("LeftHand")]
    off = []
    for k in range(len(true["person_names"])):
        real = true_hand(true, k, "l")[first : first + len(motion), 0]
        off.append(np.linalg.norm(ours[: len(real)] - real, axis=-1).mean())
    return int(np.argmin(off))


if __name__ == "__main__":
    main()
