"""Measure the proportions of bodies as a detector sees them, and how it errs in a view for a whole clip.

    python scripts/fit_bones.py PAIRS_FOLDER NETWORK > mocap/landmarks/blazepose33_bones.yaml

For PAIRS_FOLDER see `pairs.py`; NETWORK is what `fit_refiner.py` wrote. The landmarks are triangulated with
the true cameras, as detected and as refined. For pairs of landmarks on one bone, the median length of each
clip over the stature gives the mean and its scatter from clip to clip; the scatter in time gives by how much
it gives. The views' residuals, fitted with the patterns of `calibration.adjust.habits`, give the
habits: what the two halves of a clip have in common, so that noise is none; triangulating takes 3 of the 8
numbers that four views see, so what is left is brought back to 8 / 5 (deviations by its root). Only the
training people are used, but for the habits of refined landmarks: those are measured on people whom the
network does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pairs import Pair, folder_argument, read_network, read_pairs

from calibration.adjust.habits import Habits
from mocap.keypoints import load_layout
from mocap.refiner import Network

LANDMARKS = [
    "nose", "left_ear", "mouth_left", "left_shoulder", "left_elbow", "left_wrist", "left_index", "left_pinky",
    "left_hip", "left_knee", "left_ankle", "left_heel", "left_foot_index",
]  # fmt: skip
# "other" is the same landmark on the other side.
BONES = [
    ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"), ("left_wrist", "left_index"),
    ("left_wrist", "left_pinky"), ("left_index", "left_pinky"), ("left_elbow", "left_index"),
    ("left_elbow", "left_pinky"), ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
    ("left_shoulder", "left_hip"), ("left_shoulder", "right_hip"), ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"), ("left_ankle", "left_heel"), ("left_ankle", "left_foot_index"),
    ("left_heel", "left_foot_index"), ("left_knee", "left_heel"), ("left_knee", "left_foot_index"),
    ("left_ear", "right_ear"), ("nose", "left_ear"), ("nose", "mouth_left"), ("mouth_left", "mouth_right"),
    ("left_ear", "mouth_left"), ("left_ear", "mouth_right"), ("left_ear", "left_shoulder"),
    ("left_ear", "right_shoulder"), ("left_ear", "left_hip"), ("left_ear", "right_hip"),
]  # fmt: skip
HIGH, LOW = ("left_shoulder", "right_shoulder"), ("left_ankle", "right_ankle")
GIVE = 0.4  # of the scatter in time: the rest is the image scatter of both ends, which the pixels pay for
SEEN = 0.5  # confidence of what the habits are fitted to
OFF = 0.05  # of the stature: residuals beyond are failures, not habits
UNTOLD = (8 / 5) ** 0.5
LEAST_LASTING = 0.25  # of a habit's variance: where few clips tell too little to say what lasts
LEAST_SEEN = 0.5  # of a clip, by the view that sees the person least

HEADER = """\
# The body as BlazePose sees it, for calibration from a moving person; written by scripts/fit_bones.py.
# detected, refined: of landmarks as detected, and as refined.
# bones: [landmark, landmark, length, its deviation from person to person, by how much it gives in time];
# the length in units of stature, the others as shares of it. Left side only; the right is its mirror image.
# habits: how the detector errs in a view for a whole clip; order and units as in calibration.adjust.habits.
"""


def main() -> int:
    """Measure and print the YAML."""
    parser = folder_argument(__doc__)
    parser.add_argument("network", type=Path)
    asked = parser.parse_args()
    network = read_network(asked.network)
    detected = list(clips(asked.pairs, "train"))
    known, new = (list(clips(asked.pairs, split, network)) for split in ("train", "val"))
    table = {
        "layout": "blazepose33",
        "landmarks": LANDMARKS,
        "detected": {"bones": [bone(detected, *pair) for pair in BONES], "habits": habits(detected)},
        "refined": {"bones": [bone(known, *pair) for pair in BONES], "habits": habits(new)},
    }
    print(HEADER + yaml.safe_dump(table, sort_keys=False, width=110, default_flow_style=None), end="")
    return 0


def clips(folder: Path, split: str, refiner: Network | None = None) -> Iterator[Clip]:
    """The clips that all four views see."""
    for pair in read_pairs(folder, split, refiner):
        if pair.seen.visible().mean(axis=1).min() >= LEAST_SEEN:
            yield Clip(pair, pair.triangulated())


@dataclass(frozen=True)
class Clip:
    """A pair with its triangulated landmarks (T, J, 3) m."""

    pair: Pair
    points: np.ndarray

    def between(self, start: int, stop: int | None) -> Clip:
        """Return the frames [start, stop)."""
        seen = self.pair.seen.each(lambda values: values[:, start:stop])
        return Clip(replace(self.pair, seen=seen), self.points[start:stop])


def bone(clips: list[Clip], one: str, other: str) -> list[Any]:
    """Row of the table: names, mean length, deviation between clips, give."""
    layout = load_layout("blazepose33")
    a, b = layout.index(one), layout.index(other)
    lengths, scatters = [], []
    for clip in clips:
        sides = [(a, b), (int(layout.mirror[a]), int(layout.mirror[b]))]
        both = [np.linalg.norm(clip.points[:, i] - clip.points[:, j], axis=-1) for i, j in sides]
        length = np.concatenate(both)[np.isfinite(np.concatenate(both))] / clip.pair.stature
        if len(length) > 30:
            lengths.append(np.median(length))
            scatters.append(1.48 * np.median(np.abs(length - lengths[-1])))
    mean = float(np.exp(np.mean(np.log(lengths))))
    give = GIVE * float(np.median(scatters)) / mean
    return [one, other, round(mean, 4), round(float(np.std(np.log(lengths))), 3), round(give, 4)]


def habits(clips: list[Clip]) -> dict[str, Any]:
    """Deviations and expectations of the habits, over all views of all clips."""
    *values, elevation = np.concatenate([habits_of(clip) for clip in clips]).T
    slope, level = np.polyfit(elevation, values[1], 1)
    flat = np.median(values[-1])
    return {
        "sd": np.round(UNTOLD * lasting(clips), 4).tolist(),
        "above": [round(float(UNTOLD**2 * level), 4), round(float(UNTOLD**2 * slope), 3)],
        "perspective": round(float(UNTOLD**2 * flat), 3),
        "high": list(HIGH),
        "low": list(LOW),
    }


def lasting(clips: list[Clip]) -> np.ndarray:
    """(COUNT,) deviations of what the habits of both halves of a clip have in common."""
    halves: list[list[np.ndarray]] = [[], []]
    for clip in clips:
        middle = clip.pair.seen.frames // 2
        both = [habits_of(clip.between(0, middle)), habits_of(clip.between(middle, None))]
        if len(both[0]) == len(both[1]):
            for half, rows in zip(halves, both, strict=True):
                half.append(rows)
    off = [without_expectation(np.concatenate(half)) for half in halves]
    common, all_of_it = (off[0] * off[1]).mean(axis=0), (off[0] ** 2 + off[1] ** 2).mean(axis=0) / 2
    return np.sqrt(np.maximum(common, LEAST_LASTING * all_of_it))


def without_expectation(rows: np.ndarray) -> np.ndarray:
    """Habits (N, COUNT) about their mean, that of seeing from above about what the elevation foretells."""
    values = rows[:, :-1].copy()
    values[:, 1] -= np.polyval(np.polyfit(rows[:, -1], values[:, 1], 1), rows[:, -1])
    return np.asarray(values - values.mean(axis=0))


def habits_of(clip: Clip) -> np.ndarray:
    """(V, COUNT + 1) habits that fit each view's residuals best, and its elevation, radians."""
    layout, seen = load_layout("blazepose33"), clip.pair.seen
    left = [layout.index(name) for name in LANDMARKS]
    used = sorted({*left, *layout.mirror[left].tolist()})
    points = filled(clip.points[:, used])
    place = [np.array([used.index(layout.index(n)) for n in names]) for names in (HIGH, LOW)]
    model = Habits(np.ones(7), clip.pair.stature, *place, above=(0.0, 1.0))
    rows = []
    for v, cam in enumerate(clip.pair.cameras):
        patterns = model.patterns(cam, points)
        miss = seen.pixels[v][:, used] - cam.project(points)
        far = np.linalg.norm(miss, axis=-1) > OFF * np.abs(patterns[:, :, 0, 4])
        good = (seen.confidence[v][:, used] > SEEN) & np.isfinite(miss).all(axis=-1) & ~far
        good &= np.isfinite(clip.points[:, used]).all(axis=-1)
        if np.sum(good) > 300:
            scale = 1 / patterns[:, :, :1, 4][good][:, :, None]
            design = (patterns[good] * scale).reshape(-1, 7)
            fit = np.linalg.lstsq(design, (miss[good] * scale[..., 0]).reshape(-1), rcond=None)[0]
            rows.append([*fit, model.expected(cam, points)[1]])
    return np.array(rows).reshape(-1, 8)


def filled(points: np.ndarray) -> np.ndarray:
    """Points with the middle of the others where one is unknown, so that the body has a middle."""
    middle = np.nanmedian(points, axis=1, keepdims=True)
    middle = np.where(np.isfinite(middle), middle, np.nanmedian(middle, axis=0, keepdims=True))
    return np.where(np.isfinite(points), points, middle)


if __name__ == "__main__":
    raise SystemExit(main())
