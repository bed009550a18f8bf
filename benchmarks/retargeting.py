"""A take put onto every rig there is, and onto characters given: what feet, knees and limbs do there.

python benchmarks/retargeting.py TAKE [CHARACTER_FILE ...]

Per character: how long its legs are to the source's; of planted balls and heels, on the target's own soles,
the 95th percentile of the distance from their plant's mean (mm) and the mean speed (mm/s), before and after
feet are planted; the deepest sole (mm); the largest step of a knee (degrees a frame, the source's beside it)
and the largest within three frames of either end of a plant; how far hips give way along the floor and up or
down (mm, root mean square); and angles between limbs of the target and the source's (degrees): the largest
of any limb before feet are planted; then mean and 95th percentile of thighs and of shins, of legs whose foot
stands and of others; and the share (%) of all these that is above half a degree.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from mocap.people import people_in, read_beside, read_motion_of
from mocap.take import Take
from rigs.contact import plants
from rigs.formats import read_clips
from rigs.human import performer_rig
from rigs.library import load_rig, rig_names
from rigs.motion import Motion
from rigs.recognition.recognise import recognise
from rigs.retargeting.foothold import feet_of, soles_of
from rigs.retargeting.perform import Performance, perform
from rigs.retargeting.pose import WorldPose
from rigs.retargeting.retarget import leg_scale
from rigs.rig import Rig

LIMBS = tuple(
    (side + a, side + b)
    for side in ("Left", "Right")
    for a, b in (("Arm", "ForeArm"), ("ForeArm", "Hand"), ("UpLeg", "Leg"), ("Leg", "Foot"))
)
LEGS = [2, 3, 6, 7]  # left thigh and shin, right thigh and shin
NEAR = 3  # frames about the end of a plant


def main() -> None:
    """Print a line for each character."""
    take = Take.open(Path(sys.argv[1]))
    characters = [load_rig(name) for name in rig_names()]
    characters += [recognise(read_clips(path)[0]) for path in sys.argv[2:]]
    for person in people_in(take):
        motion, level = read_motion_of(take, person), read_beside(take, person).contacts.level
        source = performer_rig(motion, level)
        step = knee_steps(motion, source, level)[0]
        print(f"person {person}, {len(motion)} frames; the source's knees step by {step:.1f}")
        print(
            "character       legs  drift mm        skate mm/s      lowest   knee step, at plants  hips mm  "
            "limbs deg: before  thigh, shin standing     thigh, shin in the air    above 0.5"
        )
        for target in characters:
            print(line(motion, level, source, target))


def line(motion: Motion, level: np.ndarray, source: Rig, target: Rig) -> str:
    """Figures of one character."""
    scale = leg_scale(source, target)
    loose = perform(motion, source, target, Performance(foot_lock="never"), level)
    held = perform(motion, source, target, Performance(), level)
    a, b = soles(loose.motion, target, level), soles(held.motion, target, level)
    step, at_plants = knee_steps(held.motion, target, level)
    turned = limbs_turned(motion, source, held.motion, target)[:, LEGS]
    stands = np.isfinite(level[:, :2]) | np.isfinite(level[:, 2:])
    legs = [of for where in (stands, ~stands) for of in (turned[:, ::2][where], turned[:, 1::2][where])]
    given = held.motion.world()[0] - loose.motion.world()[0]
    aside, rise = (
        root_mean_square(given[:, target.skeleton.index(target.roles["Hips"]), axes])
        for axes in ([0, 2], [1])
    )
    return (
        f"{target.name:14s} {scale:5.2f}  {a[0]:5.1f} -> {b[0]:5.2f}  {a[1]:5.0f} -> {b[1]:5.1f}  "
        f"{b[2]:6.1f}  {step:5.1f} {at_plants:5.1f}           {1e3 * aside:3.0f} {1e3 * rise:3.0f}  "
        f"{limbs_turned(motion, source, loose.motion, target).max():10.3f}       "
        + "  ".join(f"{of.mean():5.2f} {np.percentile(of, 95):5.2f}" for of in legs)
        + f"  {100 * (turned > 0.5).mean():5.0f}"
    )


def root_mean_square(moves: np.ndarray) -> float:
    """Of the lengths of moves (T, N)."""
    return float(np.sqrt((moves**2).sum(axis=1).mean()))


def soles(motion: Motion, rig: Rig, level: np.ndarray) -> tuple[float, float, float]:
    """Drift p95 (mm), mean speed (mm/s) of planted points, and the lowest sole (mm)."""
    points, heights = soles_of(rig, WorldPose.of(motion))
    drift, speed = [], []
    for plant in plants(np.isfinite(level)):
        path = points[plant.frames, plant.point]
        drift.append(np.linalg.norm(path - path.mean(axis=0), axis=1))
        speed.append(np.linalg.norm(np.diff(path, axis=0), axis=1) * float(motion.fps))
    lowest = float((points[..., 1] - heights).min())
    return (
        1e3 * float(np.percentile(np.concatenate(drift), 95)),
        1e3 * float(np.concatenate(speed).mean()),
        1e3 * lowest,
    )


def knee_steps(motion: Motion, rig: Rig, level: np.ndarray) -> tuple[float, float]:
    """Largest step of a knee's bend from frame to frame (degrees), anywhere and about ends of plants."""
    pose, down = WorldPose.of(motion), np.isfinite(level)
    steps, near = [], []
    for k, foot in enumerate(feet_of(rig)):
        upper = pose.positions[:, foot.limb.middle] - pose.positions[:, foot.limb.upper]
        lower = pose.positions[:, foot.limb.end] - pose.positions[:, foot.limb.middle]
        cosine = (upper * lower).sum(axis=1) / np.linalg.norm(upper, axis=1) / np.linalg.norm(lower, axis=1)
        step = np.abs(np.diff(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))))
        ends = np.flatnonzero((down[1:, k::2] != down[:-1, k::2]).any(axis=1))
        about = np.unique(np.clip(ends[:, None] + np.arange(-NEAR, NEAR + 1), 0, len(step) - 1))
        steps.append(step.max())
        near.append(step[about].max() if len(about) else 0.0)
    return float(max(steps)), float(max(near))


def limbs_turned(a: Motion, source: Rig, b: Motion, target: Rig) -> np.ndarray:
    """Angles (T, limb) in degrees between limbs of both."""
    cosine = (_limbs(a, source) * _limbs(b, target)).sum(axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def _limbs(motion: Motion, rig: Rig) -> np.ndarray:
    at, index = motion.world()[0], motion.skeleton.index
    bones = np.stack([at[:, index(rig.roles[b])] - at[:, index(rig.roles[a])] for a, b in LIMBS], axis=1)
    return bones / np.linalg.norm(bones, axis=-1, keepdims=True)


if __name__ == "__main__":
    main()
