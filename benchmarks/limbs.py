"""How true limbs, head, trunk and shoulders are, on landmark pairs with truth and on takes of rendered clips.

    python benchmarks/limbs.py PAIRS_FOLDER [--every 1] [--known] [--each] [--clip clip.take truth.npz]...

Means over frames, and over left and right. mm: error of joint centres. direction: between a solved and the
true segment (degrees); trunk from the middle of the hips to that of the shoulders, hips and shoulders from
right to left, collar from the base of the neck to the shoulder joint. flexion: of knee and elbow (degrees).
head: how far it is turned to a side, tilted up or down, and leant over too much, about the true head; trunk
twisted: from the hips' to the shoulders' line (degrees); sizes of the errors, and of what lasts through a
clip. lively: acceleration of joints over the truth's. length: of bones over the truth, less one (per cent),
its size. --known: the stature is given. --each: every snippet has its own lines.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from calibration.camera import Cameras
from calibration.triangulate import triangulate
from mocap.animate import Animated, animate
from mocap.observations import Observations
from mocap.refiner import load_refiner
from mocap.swaps import repair_swaps
from mocap.take import Take
from rigs import quat

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from pairs import TO_Y_UP, loader, read_pairs
from solve_time import observations

SIDES = {"Left": "l", "Right": "r"}
JOINTS = {
    "Arm": ("upperarm", "shoulder"),
    "ForeArm": ("lowerarm", "elbow"),
    "Hand": ("hand", "wrist"),
    "UpLeg": ("thigh", "hip"),
    "Leg": ("calf", "knee"),
    "Foot": ("foot", "ankle"),
}  # our name, the rig's, and people's
LIMBS = {
    "upper arm": ("Arm", "ForeArm"),
    "forearm": ("ForeArm", "Hand"),
    "thigh": ("UpLeg", "Leg"),
    "shin": ("Leg", "Foot"),
}
MOST_TURNED = 80.0  # degrees, of a head from the chest: true ones beyond are faults of the motion capture
FLEXED = {"elbow": ("Arm", "ForeArm", "Hand"), "knee": ("UpLeg", "Leg", "Foot")}
Joints = dict[str, np.ndarray]


@dataclass(frozen=True)
class Clip:
    """What views saw, the cameras, true joints (T, 3) m y up by our names, the head's rotations (T, 3, 3)."""

    name: str
    seen: Observations
    cameras: Cameras
    stature: float
    truth: Joints
    head: np.ndarray


def main() -> None:
    """Print what the pairs give, and each clip."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--known", action="store_true")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--clip", type=Path, nargs=2, action="append", default=[])
    given = parser.parse_args()
    rows = []
    for clip in list(of_pairs(given.pairs))[:: given.every]:
        rows.append(figures(clip, solved(clip, given.known)))
        if given.each:
            show(clip.name, rows[-1:])
    show(f"held-out clips ({len(rows)})", rows)
    for take, truth in given.clip:
        clip = of_take(take, truth)
        show(clip.name, [figures(clip, solved(clip, given.known))])


def of_pairs(folder: Path) -> Iterator[Clip]:
    """The snippets of held-out people, keypoints refined."""
    names = loader(folder).JOINTS
    for pair in read_pairs(folder, "val", load_refiner("blazepose")):
        s = pair.snippet
        title = f"{s['meta']['person']} {s['meta']['take']}"
        head = heads(names, s["rot"])
        yield Clip(title, pair.seen, pair.cameras, pair.stature, by_our_names(names, s["joints"]), head)


def of_take(take: Path, truth: Path) -> Clip:
    """The only person of a rendered clip."""
    seen, cameras = observations(Take.open(take))
    seen, _ = repair_swaps(seen, cameras)
    with np.load(truth) as z:
        names = [str(n) for n in z["p0_joint_names"]]
        head = heads(names, z["p0_rotations"])
        joints = by_our_names(names, z["p0_positions"])
        return Clip(take.stem, seen, cameras, float(z["p0_stature"]), joints, head)


def heads(names: list[str], rotations: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) of a head, y up; NaN where the neck is turned as none can."""
    chest, head = (rotations[:, names.index(name)] for name in ("spine_03", "head"))
    far = length(turn(np.swapaxes(chest, 1, 2) @ head)) > np.deg2rad(MOST_TURNED)
    return np.where(far[:, None, None], np.nan, TO_Y_UP @ head @ TO_Y_UP.T)


def by_our_names(names: list[str], joints: np.ndarray) -> Joints:
    """Joints (T, J, 3) of the rig, z up, as ours."""
    rows = {f"{side}{our}": f"{rig}_{s}" for our, (rig, _) in JOINTS.items() for side, s in SIDES.items()}
    rows["Neck"] = "neck_01"
    return {our: joints[:, names.index(rig)].astype(float) @ TO_Y_UP.T for our, rig in rows.items()}


def solved(clip: Clip, known: bool) -> Animated:
    """Solve a clip as a capture does."""
    scale = max(0.02 * float(np.nanmedian(clip.seen.heights())), 2.0)
    seen = clip.seen
    landmarks, _ = triangulate(clip.cameras, seen.pixels, seen.confidence**2, scale_px=scale)
    return animate(seen, clip.cameras, landmarks, clip.stature if known else None)


def figures(clip: Clip, found: Animated) -> dict[str, float]:
    """All figures, by group and name."""
    positions, rotations = found.motion.world()
    index = found.motion.skeleton.index
    ours = {name: positions[:, index(name)] for name in clip.truth}
    head = turn(np.swapaxes(clip.head, 1, 2) @ quat.to_matrix(rotations[:, index("Head")]))
    return {
        **{f"mm {k}": 1000 * v for k, v in placed(ours, clip.truth).items()},
        **{f"direction {k}": v for k, v in directed(ours, clip.truth).items()},
        **{f"flexion {k}": v for k, v in flexed(ours, clip.truth).items()},
        **both("head turned", head[:, 1]),
        **both("head tilted", head[:, 0]),
        **both("head leant", head[:, 2]),
        **both("trunk twisted", twist(ours) - twist(clip.truth)),
        **{f"lively {k}": v for k, v in lively(ours, clip.truth).items()},
        **{f"length {k}": 100 * v for k, v in lengths(ours, clip.truth).items()},
        "length stature": 100 * (found.stature / clip.stature - 1),
    }


def placed(ours: Joints, true: Joints) -> dict[str, float]:
    """Mean error (m) of joints, and of all limb joints."""
    miss = {
        n: [float(length(ours[s + j] - true[s + j]).mean()) for s in SIDES] for j, (_, n) in JOINTS.items()
    }
    each = {name: float(np.mean(values)) for name, values in miss.items()}
    return {"all": float(np.mean(list(each.values()))), **each}


def directed(ours: Joints, true: Joints) -> dict[str, float]:
    """Mean angle (degrees) between segments."""
    a, b = segments(ours), segments(true)
    return {
        name: float(np.mean([angle(x, y).mean() for x, y in zip(a[name], b[name], strict=True)]))
        for name in a
    }


def segments(joints: Joints) -> dict[str, list[np.ndarray]]:
    """Vectors (T, 3) m along the body, of each side where there are two."""
    hips, shoulders = ([joints[f"{side}{name}"] for side in SIDES] for name in ("UpLeg", "Arm"))
    return {
        "trunk": [(shoulders[0] + shoulders[1] - hips[0] - hips[1]) / 2],
        "hips": [hips[0] - hips[1]],
        "shoulders": [shoulders[0] - shoulders[1]],
        "collar": [shoulder - joints["Neck"] for shoulder in shoulders],
        **{name: [joints[side + b] - joints[side + a] for side in SIDES] for name, (a, b) in LIMBS.items()},
    }


def flexed(ours: Joints, true: Joints) -> dict[str, float]:
    """Mean size of the error (degrees) of elbows' and knees' bend."""
    out = {}
    for name, chain in FLEXED.items():
        bends = [[bend(*(joints[side + j] for j in chain)) for side in SIDES] for joints in (ours, true)]
        out[name] = float(np.abs(np.subtract(*bends)).mean())
    return out


def bend(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Angle (T,) degrees by which the way from a over b to c bends."""
    return angle(b - a, c - b)


def twist(joints: Joints) -> np.ndarray:
    """Angle (T,) from the line of the hips to that of the shoulders about the trunk, radians."""
    parts = segments(joints)
    up = parts["trunk"][0] / length(parts["trunk"][0])[:, None]
    hips, shoulders = (parts[name][0] for name in ("hips", "shoulders"))
    hips, shoulders = (line - (line * up).sum(axis=-1, keepdims=True) * up for line in (hips, shoulders))
    return np.arctan2((np.cross(hips, shoulders) * up).sum(axis=-1), (hips * shoulders).sum(axis=-1))


def lively(ours: Joints, true: Joints) -> dict[str, float]:
    """Mean acceleration of joints over the truth's."""
    out = {}
    for name, (_, title) in JOINTS.items():
        sizes = [[length(np.diff(j[s + name], n=2, axis=0)).mean() for s in SIDES] for j in (ours, true)]
        out[title] = float(np.mean(sizes[0]) / np.mean(sizes[1]))
    return out


def lengths(ours: Joints, true: Joints) -> dict[str, float]:
    """Solved length of bones over the true one, less one."""
    a, b = segments(ours), segments(true)
    names = ("hips", "shoulders", "trunk", *LIMBS)
    return {
        n: float(np.mean([length(x).mean() for x in a[n]]) / np.mean([length(x).mean() for x in b[n]])) - 1
        for n in names
    }


def both(name: str, error: np.ndarray) -> dict[str, float]:
    """Mean size of an error (T,) rad, and of its mean, degrees."""
    degrees = np.rad2deg(error)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a clip in which every frame is left out
        return {name: float(np.nanmean(np.abs(degrees))), f"{name} lasting": float(np.nanmean(degrees))}


def turn(matrices: np.ndarray) -> np.ndarray:
    """Rotation vectors (T, 3) of rotations (T, 3, 3)."""
    return quat.to_rotvec(quat.from_matrix(matrices))


def length(vectors: np.ndarray) -> np.ndarray:
    """Lengths of vectors (..., 3)."""
    return np.asarray(np.linalg.norm(vectors, axis=-1))


def angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angles (...) between vectors (..., 3), degrees."""
    cosine = (a * b).sum(axis=-1) / length(a) / length(b)
    return np.asarray(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))


def show(title: str, rows: list[dict[str, float]]) -> None:
    """Print the figures of clips, a line for each group."""
    click.echo(title)
    groups: dict[str, list[str]] = {}
    for name in rows[0]:
        group, what = name.split(" ", 1)
        signed = group == "length" or name.endswith("lasting")
        value = np.nanmean([abs(row[name]) if signed else row[name] for row in rows])
        groups.setdefault(group, []).append(f"{what} {value:.2f}")
    for group, parts in groups.items():
        click.echo(f"  {group:10s} " + "  ".join(parts))


if __name__ == "__main__":
    main()
