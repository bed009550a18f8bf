"""A given calibration held against the footage, and moved where that plainly foretells the footage better.

Cameras get nudged and files get old. What a moving person's keypoints say about the poses is weighed here
against what the calibration says: poses are fitted to one half of the clip and judged on the other half, each
camera by what the others foretell. Lenses stay: letting focal lengths and centres go as well foretold a real
clip no better (11.8 px both).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.adjust.bundle import Bundle, adjust
from calibration.adjust.freedom import Freedom
from calibration.adjust.gauge import into_world_of
from calibration.adjust.projection import ROTATION, TRANSLATION
from calibration.camera import Camera, Cameras
from calibration.leaveout import SCALE, LeftOut, leave_one_out, summary
from calibration.rotation import to_rotvec
from calibration.triangulate import triangulate

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

NOISE = 0.012  # scatter of a sure landmark in the image, of the person's height (BlazePose: 0.014 to 0.018)
WIDTHS = (8.0, 4.0, 2.0)  # scatters at which a landmark begins to lose its say, from round to round
ALIKE = 25.0  # landmarks that err alike (in time, and by the side they are seen from): one counts 1/25
TURN, SHIFT = 0.02, 0.05  # radians and metres by which a calibration may well be off
POINTS, FRAMES = 600, 240  # at most; three times as many: 0.1 px less miss
BLOCKS = 8  # of the clip, in time: fitted to every second one, judged on the others
# Share by which the held-out miss must fall, less two deviations. Exact cameras of 41 rendered clips gain
# 0.06 (at most 0.16, less two deviations) because landmarks err by the side they are seen from, and 3D would
# then be 0.9 mm worse; one camera knocked by 1 degree gains 0.40, by 0.5 degrees 0.25, and 3D is 9 and 2.5 mm
# better.
LEAST_GAIN = 0.18
LEAST_FRAMES = 5 * BLOCKS
PLAIN = 0.01  # of the person's height: exact cameras seem to be 0.004 off, 0.008 the worst of four


@dataclass(frozen=True)
class Move:
    """How far one camera went.

    Args:
        name: of the camera.
        px: median distance between where it saw the person's landmarks before and after.
        share: the same, of the person's height in its images.
        angle: radians.
        distance: metres.
    """

    name: str
    px: float
    share: float
    angle: float
    distance: float

    def __str__(self) -> str:
        """Say it in a sentence."""
        return (
            f"{self.name} is {self.px:.0f} px ({100 * self.share:.1f} % of the person's height) off: its pose"
            f" was moved by {np.degrees(self.angle):.1f} degrees and {1000 * self.distance:.0f} mm"
        )


@dataclass(frozen=True, eq=False)
class Refined:
    """A calibration after it was held against the footage.

    Args:
        cameras: the refined ones where that helped, else the given ones, in the world of the given ones.
        helped: whether they were refined.
        before: what the given cameras foretell of each other, one left out.
        after: what the fitted ones do, whether or not they were taken.
        gain: share by which the median of that fell in frames that were not fitted; NaN if not tried.
        gain_sd: its standard deviation over blocks of time.
        moves: of each camera to where it was fitted, taken or not; none if not tried.
        words: all this in sentences.
    """

    cameras: Cameras
    helped: bool
    before: LeftOut
    after: LeftOut
    gain: float
    gain_sd: float
    moves: tuple[Move, ...]
    words: tuple[str, ...]


def refine(cameras: Cameras, pixels: Array, weights: Array, size_px: Array) -> Refined:
    """Move cameras to where a person's landmarks say they are, if that foretells them plainly better.

    Args:
        cameras: V, as given.
        pixels: (V, T, J, 2) the person's landmarks, NaN where unseen; sides put right.
        weights: (V, T, J) confidence in [0, 1], 0 = unseen.
        size_px: (V,) the person's typical height in each view's images.

    Returns:
        The cameras to use, and why. Fewer than three cameras, or a short or poorly seen clip, are left alone.
    """
    seen = _Seen.of(pixels, weights, size_px)
    if len(cameras) < 3:
        return _left_alone(cameras, "the calibration was not judged: that needs three cameras")
    if seen.usable().sum() < LEAST_FRAMES:
        short = f"fewer than {LEAST_FRAMES} frames in which three cameras see the person"
        return _left_alone(cameras, f"the calibration was not judged: {short}")
    gain, gain_sd = _held_out_gain(cameras, seen)
    fitted, structure = _fit(cameras, seen)
    before, after = (summary(seen.left_out(c)) for c in (cameras, fitted))
    helped = gain - 2 * gain_sd > LEAST_GAIN
    moves = _moves(cameras, fitted, structure, seen.size)
    words = _words(helped, before, after, moves)
    return Refined(fitted if helped else cameras, helped, before, after, gain, gain_sd, moves, words)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What was seen: pixels (V, T, J, 2), weights (V, T, J), the person's height in each view (V,)."""

    pixels: Array
    weights: Array
    size: Array

    @classmethod
    def of(cls, pixels: Array, weights: Array, size: Array) -> _Seen:
        """At most FRAMES frames, evenly spread over those that three cameras see."""
        trust = np.where(np.isfinite(pixels).all(axis=-1), np.nan_to_num(weights), 0.0)
        seen = cls(np.where(trust[..., None] > 0, pixels, np.nan), np.clip(trust, 0.0, 1.0), size)
        usable = np.flatnonzero(seen.usable())
        picked = np.linspace(0, len(usable) - 1, min(len(usable), FRAMES)).round().astype(int)
        return seen.frames(usable[picked])

    def usable(self) -> NDArray[np.bool_]:
        """(T,) whether three cameras see half of the landmarks or more."""
        share = (self.weights > 0).mean(axis=2)
        return np.asarray((share >= 0.5).sum(axis=0) >= 3)

    def frames(self, rows: Rows) -> _Seen:
        return replace(self, pixels=self.pixels[:, rows], weights=self.weights[:, rows])

    def left_out(self, cameras: Cameras) -> Array:
        """(V, T, J) what each camera is missed by when the others foretell it, pixels."""
        return leave_one_out(cameras, self.pixels, self.weights, SCALE * float(np.median(self.size)))


def _held_out_gain(cameras: Cameras, seen: _Seen) -> tuple[float, float]:
    """Share by which the miss falls in blocks that were not fitted, and its deviation over the blocks."""
    blocks = np.array_split(np.arange(seen.pixels.shape[1]), BLOCKS)
    before = seen.left_out(cameras)
    after = np.full(before.shape, np.nan)
    for side in (0, 1):
        fitted, _ = _fit(cameras, seen.frames(np.concatenate(blocks[side::2])))
        other = np.concatenate(blocks[1 - side :: 2])
        after[:, other] = seen.frames(other).left_out(fitted)
    gains = np.array([1 - np.nanmedian(after[:, b]) / np.nanmedian(before[:, b]) for b in blocks])
    return float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(BLOCKS))


def _fit(cameras: Cameras, seen: _Seen) -> tuple[Cameras, Array]:
    """Cameras fitted to the landmarks, in the world of the given ones; and where landmarks were (N, 3).

    Distortion is taken out of the pixels first: lenses stay, and straight ones are four times as fast.
    """
    thinned = seen.frames(_thin(seen.weights))
    straight = Cameras(tuple(_straight(c) for c in cameras))
    pixels = np.stack([_straightened(c, p) for c, p in zip(cameras, thinned.pixels, strict=True)])
    moved, good = straight, np.zeros((0, 3))
    for width in WIDTHS:
        found = _round(moved, replace(thinned, pixels=pixels), width)
        moved = found.cameras
        near = found.error[:, :, 0] < width * NOISE * seen.size[:, None]
        good = found.structure[near.sum(axis=0) >= 3]
    world = into_world_of(straight, moved, good)
    placed = zip(cameras, world.cameras(moved), strict=True)
    return Cameras(tuple(replace(c, camera_from_world=m.camera_from_world) for c, m in placed)), world.points(
        good
    )


def _thin(weights: Array) -> Rows:
    """Frames, evenly spread, that together have POINTS landmarks at most."""
    frames = weights.shape[1]
    count = int(((weights > 0).sum(axis=0) >= 2).sum())
    kept = min(frames, max(1, frames * POINTS // max(count, 1)))
    return np.linspace(0, frames - 1, kept).round().astype(np.intp)


def _straight(camera: Camera) -> Camera:
    return replace(camera, distortion=np.zeros(0), model="pinhole")


def _straightened(camera: Camera, pixels: Array) -> Array:
    return np.asarray(camera.undistort(pixels) @ camera.K[:2, :2].T + camera.K[:2, 2])


def _round(cameras: Cameras, seen: _Seen, width: float) -> Bundle:
    """Triangulate with the cameras as they are, then move cameras and points together."""
    noise = NOISE * seen.size[:, None, None]
    sd = noise / np.maximum(seen.weights, 0.05)
    typical = NOISE * float(np.median(seen.size))
    trust = np.where(seen.weights > 0, (typical / sd) ** 2, 0.0)
    points, _ = triangulate(cameras, seen.pixels, trust, width * typical)
    known = np.isfinite(points).all(axis=-1)
    freedom = Freedom.of(len(cameras))
    freedom.sd[:, ROTATION], freedom.sd[:, TRANSLATION] = TURN, SHIFT
    wide = np.sqrt(ALIKE)
    return adjust(
        cameras,
        points[known],
        seen.pixels[:, known][:, :, None],
        (wide * sd)[:, known][:, :, None],
        freedom,
        robust=width / wide,
        steps=12,
        tolerance=1e-4,
    )


def _moves(given: Cameras, fitted: Cameras, points: Array, size: Array) -> tuple[Move, ...]:
    moves = []
    for before, after, height in zip(given, fitted, size, strict=True):
        px = float(np.nanmedian(np.linalg.norm(before.project(points) - after.project(points), axis=-1)))
        turn = to_rotvec(after.camera_from_world[:3, :3] @ before.camera_from_world[:3, :3].T)
        distance = float(np.linalg.norm(after.centre - before.centre))
        moves.append(Move(before.name, px, px / float(height), float(np.linalg.norm(turn)), distance))
    return tuple(moves)


def _left_alone(cameras: Cameras, why: str) -> Refined:
    nothing = LeftOut(0, np.nan, np.nan, np.nan, (np.nan,) * len(cameras))
    return Refined(cameras, False, nothing, nothing, np.nan, np.nan, (), (why,))


def _words(helped: bool, before: LeftOut, after: LeftOut, moves: tuple[Move, ...]) -> tuple[str, ...]:
    figures = f"each camera is foretold by the others to {before.median:.1f} px"
    if not helped:
        return (f"the calibration stands: {figures}, and no better to speak of if cameras are moved",)
    first = f"the calibration was refined: {figures} as given, {after.median:.1f} px as refined"
    return (first, *(str(move) for move in moves if move.share > PLAIN))
