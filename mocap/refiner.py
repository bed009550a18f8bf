"""Keypoints moved to where a detector's landmarks truly are in the image, with how far they may be off.

A detector errs with pose and view: the hip of a person seen from the side, a wrist behind the trunk. Small
networks per detector, trained on its output beside the truth, foretell that error from one view alone: from
the landmarks about their box, their confidences, the detector's 3D guess and how all of them move within
half a second before and after. Sides that the detector exchanged stay exchanged.
Each is a perceptron on each frame, then convolutions over time (van den Oord et al. 2016), and runs on plain
matrix products; what they say is averaged. How they were made stands in `docs/refiner.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mocap.centred import with_centres, with_their_sides
from mocap.detect.parts import read_keypoints
from mocap.keypoints import Indices, Keypoints2D
from mocap.observations import Observations
from mocap.swaps import exchange, repair_swaps
from mocap.take import Take
from mocap.weights import gelu, over_time, read_weights

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

RATE = 30.0  # frames a second of what the network was trained on
STEPS = (1, 2)  # frames at that rate, before and after, whose movement it sees
DILATIONS = (1, 3, 9)  # of its convolutions, frames
REACH = sum(DILATIONS) + max(STEPS)  # frames before and after that matter
MOVE, SPREAD = 0.1, 0.04  # of the box: units of the network's corrections and of its spread
CHUNK = 2000  # frames at once
GUESS, MOVEMENT, FARTHEST, EDGE = 3.0, 3.0, 2.0, 4.0  # scales and bounds of what goes in
LEAST_BOX = 1.0  # pixels
FAINT = 0.05  # least confidence with which a landmark counts for the box


@dataclass(frozen=True, eq=False)
class Layers:
    """Weights: of the frames' layer (F, H), of each convolution (3 H, M) and back (M, H), of the outputs.

    mean, deviation: (F,) of the features. The outputs (H, 3 J) are J corrections x, y and J logarithms of the
    spread.
    """

    mean: Singles
    deviation: Singles
    first: Singles
    first_bias: Singles
    wide: tuple[Singles, ...]
    wide_bias: tuple[Singles, ...]
    back: tuple[Singles, ...]
    back_bias: tuple[Singles, ...]
    last: Singles
    last_bias: Singles

    def __call__(self, features: Singles) -> Singles:
        """Return (T, 3 J) for features (T, F) of consecutive frames."""
        hidden = gelu((features - self.mean) / self.deviation @ self.first + self.first_bias)
        hidden = over_time(hidden, DILATIONS, self.wide, self.wide_bias, self.back, self.back_bias)
        return np.asarray(hidden @ self.last + self.last_bias)


@dataclass(frozen=True, eq=False)
class Network:
    """Networks that were trained apart and are asked together: as their errors differ, the mean errs less."""

    members: tuple[Layers, ...]

    def __call__(self, features: Singles) -> Singles:
        """Return (T, 3 J) for features (T, F) of consecutive frames."""
        return np.asarray(sum(member(features) for member in self.members) / np.float32(len(self.members)))


def refine_keypoints(view: Keypoints2D, network: Network) -> Keypoints2D:
    """Move the landmarks of every person in a view, and say how far each may be off.

    Args:
        view: as detected, one person on one place of the P axis; with the detector's 3D guess.
        network: of `load_refiner`, for the detector that it came from.

    Returns:
        The same frames, with `spread` and `detected`.
    """
    if view.world is None or not len(view):
        return view
    view = with_their_sides(view)
    points, spread = view.points.copy(), np.full(view.confidence.shape, np.nan)
    for person in range(view.people):
        points[:, person], spread[:, person] = _refined_person(view, person, network)
    return with_centres(replace(view, points=points, spread=spread, detected=view.points))


def refine_views(views: Mapping[str, Keypoints2D], detector: str) -> dict[str, Keypoints2D]:
    """Refine what a detector saw in all views; unchanged where no network was trained for it.

    Args:
        views: by name; each place of the P axis is one person throughout.
        detector: name in `mocap.detect`.
    """
    network = load_refiner(detector)
    return {name: refine_keypoints(view, network) if network else view for name, view in views.items()}


def read_refined(take: Take) -> dict[str, Keypoints2D]:
    """Read the keypoints of a take's views as a capture uses them.

    Raises:
        TakeError: a file is missing or damaged.
    """
    manifest = take.manifest()
    names = [view["name"] for view in manifest["views"]]
    return refine_views(
        {name: read_keypoints(take, name) for name in names}, manifest["arguments"]["detector"]
    )


@lru_cache
def load_refiner(detector: str) -> Network | None:
    """Return the network for a detector of `mocap.detect`; None where none was trained.

    Raises:
        MocapError: the file of the package is damaged.
    """
    arrays = read_weights(detector)
    return None if arrays is None else network_of(arrays)


def network_of(arrays: Mapping[str, NDArray[Any]]) -> Network:
    """Return the networks whose weights `arrays` holds, by the names that `scripts/fit_refiner.py` gives.

    The arrays' first axis is of the networks.
    """
    known = {name: arrays[name].astype(np.float32) for name in arrays}
    count = len(known["mean"])
    return Network(tuple(_layers({name: known[name][k] for name in known}) for k in range(count)))


def _layers(one: Mapping[str, Singles]) -> Layers:
    """One network's weights by their names."""

    def many(name: str) -> tuple[Singles, ...]:
        return tuple(one[f"{name}{k}"] for k in range(len(DILATIONS)))

    begin = one["mean"], one["deviation"], one["first"], one["first_bias"]
    middle = many("wide"), many("wide_bias"), many("back"), many("back_bias")
    return Layers(*begin, *middle, one["last"], one["last_bias"])


@dataclass(frozen=True, eq=False)
class Stretch:
    """One person in frames of one view, evenly about `RATE` apart.

    points (T, J, 2) px, confidence (T, J), world (T, J, 3) m, size (width, height), dt seconds.
    """

    points: Floats
    confidence: Floats
    world: Floats
    size: tuple[int, int]
    dt: float

    @classmethod
    def of(cls, seen: Observations, rows: Indices, size: tuple[int, int], step: int = 1) -> Stretch:
        """Take every `step`th frame, those of `rows`, of one view."""
        assert seen.world is not None
        points, sight, world = (a[0, rows] for a in (seen.pixels, seen.confidence, seen.world))
        return cls(points, sight, world, size, step / float(seen.fps))

    def mirrored(self, mirror: Indices) -> Stretch:
        """Return the same in a mirror."""
        flip = np.array([-1.0, 1.0])
        points = (self.points * flip + np.array([self.size[0] - 1.0, 0.0]))[:, mirror]
        world = self.world[:, mirror] * np.array([-1.0, 1.0, 1.0])
        return replace(self, points=points, confidence=self.confidence[:, mirror], world=world)

    def slice(self, start: int, stop: int) -> Stretch:
        """Return the frames [start, stop)."""
        points, sight, world = (a[start:stop] for a in (self.points, self.confidence, self.world))
        return Stretch(points, sight, world, self.size, self.dt)

    def box(self) -> tuple[Floats, Floats]:
        """Centre (T, 2) and root mean square radius (T,) of the landmarks, pixels, by their confidence."""
        weight = np.maximum(self.confidence, FAINT) * (self.confidence > 0)
        share = (weight / np.maximum(weight.sum(axis=1, keepdims=True), FAINT))[..., None]
        centre = (np.nan_to_num(self.points) * share).sum(axis=1)
        off = np.nan_to_num(self.points - centre[:, None])
        radius = np.sqrt(((off**2).sum(axis=-1, keepdims=True) * share).sum(axis=(1, 2)))
        return centre, np.maximum(radius, LEAST_BOX)

    def features(self) -> Singles:
        """What the network sees (T, F); zeros in frames in which nobody was seen."""
        centre, radius = self.box()
        frames, here = len(self.points), (self.confidence > 0)
        unit = radius[:, None, None]
        placed = np.nan_to_num((self.points - centre[:, None]) / unit)
        shape = np.nan_to_num(self.world)
        shape = GUESS * (shape - shape.mean(axis=1, keepdims=True))
        walls = np.concatenate([centre, np.array(self.size) - centre], axis=1) / radius[:, None]
        columns = [placed, self.confidence, shape, *(self._moved(d, unit) for k in STEPS for d in (-k, k))]
        flat = [c.reshape(frames, -1) for c in (*columns, np.clip(walls, 0, EDGE) / 2 - 1)]
        found = np.concatenate(flat, axis=1)
        return np.where(here.any(axis=1, keepdims=True), found, 0.0).astype(np.float32)

    def _moved(self, by: int, unit: Floats) -> Floats:
        """How far each landmark is from where it is `by` frames on, as if at `RATE`."""
        other = np.clip(np.arange(len(self.points)) + by, 0, len(self.points) - 1)
        away = np.nan_to_num((self.points[other] - self.points) / unit) / (self.dt * RATE)
        return np.asarray(MOVEMENT * np.clip(away, -FARTHEST, FARTHEST))


def _refined_person(view: Keypoints2D, person: int, network: Network) -> tuple[Floats, Floats]:
    """Points (T, J, 2) and spread (T, J) of a person, whose exchanged sides are put right meanwhile.

    They are exchanged again in the end: whoever sees more than one view knows better.
    """
    sided, swaps = repair_swaps(_alone(view, person), None)
    points, spread = sided.pixels[0].copy(), np.full(sided.confidence[0].shape, np.nan)
    step, mirror = _step(view), view.layout.mirror
    for phase in range(step):
        rows = np.arange(phase, len(view), step)
        one = Stretch.of(sided, rows, view.size, step)
        points[rows], spread[rows] = _refined(one, network, mirror)
    back = exchange(replace(sided, pixels=points[None], spread=spread[None]), swaps)
    assert back.spread is not None
    return back.pixels[0], back.spread[0]


def _alone(view: Keypoints2D, person: int) -> Observations:
    """One person in one view, frame by frame."""
    assert view.world is not None
    rate = Fraction(1 / _interval(view)).limit_denominator(1001)
    pixels, confidence, world = (a[None, :, person] for a in (view.points, view.confidence, view.world))
    return Observations(("",), view.layout, pixels, confidence, rate, world)


def _refined(one: Stretch, network: Network, mirror: Indices) -> tuple[Floats, Floats]:
    """Points (T, J, 2) and spread (T, J), chunk by chunk; NaN where unseen."""
    frames, parts = len(one.points), []
    for start in range(0, frames, CHUNK):
        first, stop = max(0, start - REACH), min(frames, start + CHUNK)
        piece = one.slice(first, min(frames, stop + REACH))
        parts.append([a[start - first : stop - first] for a in _both_ways(piece, network, mirror)])
    move, spread = (np.concatenate(a) for a in zip(*parts, strict=True))
    return one.points + move, np.where(one.confidence > 0, spread, np.nan)


def _both_ways(one: Stretch, network: Network, mirror: Indices) -> tuple[Floats, Floats]:
    """Corrections (T, J, 2) and spread (T, J), pixels: the mean of the image's and its mirror image's."""
    move, spread = _foretold(one, network)
    other, other_spread = _foretold(one.mirrored(mirror), network)
    move = (move + other[:, mirror] * np.array([-1.0, 1.0])) / 2
    return move, np.sqrt(spread * other_spread[:, mirror])


def _foretold(one: Stretch, network: Network) -> tuple[Floats, Floats]:
    """Corrections (T, J, 2) and spread (T, J), pixels, of the image as it is."""
    out = network(one.features()).astype(float)
    landmarks, (_, radius) = one.points.shape[1], one.box()
    move, spread = out[:, : 2 * landmarks].reshape(-1, landmarks, 2), np.exp(out[:, 2 * landmarks :])
    return move * (MOVE * radius)[:, None, None], spread * (SPREAD * radius)[:, None]


def _interval(view: Keypoints2D) -> float:
    """Seconds from frame to frame."""
    return float(np.median(np.diff(view.times))) if len(view) > 1 else 1 / RATE


def _step(view: Keypoints2D) -> int:
    """Every how many frames a view is taken to come near to `RATE`."""
    return max(1, round(1 / (RATE * _interval(view))))
