"""Joint centres looked at closer: in several squares about each person, laid by who knows where he is.

A square that holds all of a person shows his feet small, and what the network says of a joint changes with
the square. So each joint is looked for in those squares that show it large and whole, and what they say is
averaged by how sure each is. Where the joints are expected counts as well: a picture alone often leaves it
open which leg is the left one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from mocap.detect.base import Detection
from mocap.detect.centres import CENTRES, CLOSER_NETWORKS, CentreNetworks, version_of
from mocap.detect.cover import Cover
from mocap.keypoints import load_layout
from mocap.video import Frame

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LOOKING = 4  # the version of this file
SQUARES = ("whole", "upper", "lower")
BELOW_KNEES = ("calf", "foot", "ball", "heel", "toe")  # not in the upper square; the knee is at its edge
HIPS = ("pelvis", "thigh")  # in both


def _shown() -> Bools:
    """(L, C) in which squares each centre is looked for."""
    parts = [name[:-2] if name[-2:] in ("_l", "_r") else name for name in CENTRES]
    low, hips = (np.isin(parts, names) for names in (BELOW_KNEES, HIPS))
    return np.stack([np.ones(len(CENTRES), bool), ~low, low | hips])


SHOWN = _shown()


class CloserLooks:
    """The networks of `mocap.detect.centres` in squares that somebody else places.

    Each frame is looked at by itself, so resuming is exact.

    Args:
        regions: (T, P, L + C, 4) for every frame, P people, the squares of `SQUARES`, each as of
            `mocap.detect.centres.squares_about`; NaN = not looked at. Then where each of `CENTRES` is
            expected, x and y, and by how much it may be elsewhere, px, and 0; NaN = anywhere.
        cover: what to paint over for the look at person p in frame t, which is look t P + p.
    """

    def __init__(self, regions: Floats, cover: Cover | None = None) -> None:
        self.layout = load_layout("blazepose33_centres")
        self.version = f"{version_of(CLOSER_NETWORKS)} closer {_LOOKING}"
        self.regions, self.cover = regions, cover or Cover.nothing()

    def detect(self, frames: Iterable[Frame]) -> Iterator[Detection]:
        """Give the centres of everybody in each frame, on the P axis of the regions; no landmarks.

        Raises:
            DetectError: onnxruntime is missing; says how to install it.
        """
        networks = CentreNetworks(CLOSER_NETWORKS)
        for frame in frames:
            at = np.full((self.regions.shape[1], len(CENTRES), 5), np.nan)
            if frame.image is not None and frame.index < len(self.regions):
                for person, where in enumerate(self.regions[frame.index]):
                    squares, expected = where[: len(SQUARES)], where[len(SQUARES) :, :3]
                    laid = np.isfinite(squares).all(axis=1)
                    if laid.any():
                        image = self.cover.over(frame.image, frame.index * len(at) + person)
                        looks = [networks.look_in(image, square, expected) for square in squares[laid]]
                        at[person] = averaged(np.stack(looks), SHOWN[laid])
            yield self._detection(frame, at)

    def _detection(self, frame: Frame, centres: Floats) -> Detection:
        """Nobody's landmarks, and centres (P, C, 5)."""
        points = np.full((len(centres), len(self.layout), 2), np.nan)
        points[:, -len(CENTRES) :] = centres[..., :2]
        confidence = np.isfinite(points).all(axis=-1).astype(float)
        return Detection(frame.index, frame.time, points, confidence, centres=centres)


def averaged(looks: Floats, shown: Bools | Floats) -> Floats:
    """What several looks say together, each by how sure it is.

    Errors of looks at the same image are alike, so averages are taken to be as far off as one of them, and by
    as much more as they disagree.

    Args:
        looks: (L, ..., 5) x, y, how far each may be off (px) and its slant; NaN = not seen.
        shown: (L, ...) what each look counts.

    Returns:
        (..., 5), NaN where no look counts.
    """
    spread = looks[..., 2]
    counts = np.where(np.isfinite(spread), shown, 0.0)
    weight = counts / np.where(counts > 0, spread, 1.0) ** 2
    total = weight.sum(axis=0)
    share = (weight / np.where(total > 0, total, 1.0))[..., None]
    known = np.where((counts > 0)[..., None], looks, 0.0)
    mean = (share * known).sum(axis=0)
    apart = ((known[..., :2] - mean[..., :2]) ** 2).sum(axis=-1, keepdims=True) / 2
    mean[..., 2:3] = np.sqrt((share * (known[..., 2:3] ** 2 + apart)).sum(axis=0))
    mean[total == 0] = np.nan
    return np.asarray(mean)
