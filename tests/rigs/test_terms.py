"""Each term's gradient and matrix are those of its residuals, written down again here and differenced.

The matrix of a term is J^T W J with the robust weights W held; its gradient that of the cost. So one set of
residuals and weights, independent of the code, tells both.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from rigs import quat
from rigs.solving.balance import Balance, masses
from rigs.solving.body import load_body
from rigs.solving.composite import fold
from rigs.solving.ground import soles
from rigs.solving.kinematics import Chain, Points, Pose, Posed, locate
from rigs.solving.normal import Normal
from rigs.solving.plants import Held, Stood
from rigs.solving.robust import robust_cost, robust_weight
from rigs.solving.terms import (
    Acceleration,
    Depth,
    Limits,
    Near,
    Planted,
    Relaxed,
    Reprojection,
    Rest,
    Shape,
    Steady,
    Term,
    Turned,
)
from tests.synth import ring

FRAMES, STEP = 4, 1e-5
BODY = load_body()
CHAIN = Chain(BODY)
SIZES = 1.7 * np.linspace(0.9, 1.1, len(BODY.size_names))

Residuals = Callable[[Posed], tuple[np.ndarray, np.ndarray]]  # (K, d) and the weights (K,) of each row of d


@dataclass
class Case:
    term: Term
    residuals: Residuals
    scale: float = np.inf  # of the robust cost


def a_pose() -> Pose:
    rng = np.random.default_rng(5)
    still = Pose(np.tile([0.0, 0.95, 0.0], (FRAMES, 1)), quat.identity(FRAMES, len(BODY.names)))
    return CHAIN.move(still, rng.normal(0.0, 0.4, (FRAMES, CHAIN.freedoms)))


def some_points(count: int) -> Points:
    rng = np.random.default_rng(6)
    offsets = np.zeros((count, len(BODY.names), 3))
    for n in range(count):
        offsets[n, rng.permutation(len(BODY.names))[: n % 3]] = rng.normal(0.0, 0.1, (n % 3, 3))
    joint = rng.integers(len(BODY.names), size=count)
    stiff = np.arange(3, count)  # carried by their own joints' bones, one bare as it is
    offsets[stiff] = 0.0
    offsets[stiff[1:], joint[stiff[1:]]] = rng.normal(0.0, 0.1, (max(count - 4, 0), 3))
    return Points(joint, offsets)


def weighted(residual: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    return residual, (scale**2 / (scale**2 + (residual**2).sum(axis=-1))) ** 2


def reprojection(radius: float = 3.5, slanted: bool = False) -> Case:
    """Three views, gaps, residuals within the robust scale and far beyond; a small ring has points behind."""
    rng = np.random.default_rng(7)
    points, (rotation, translation) = some_points(7), ring(3, radius)
    sd = rng.uniform(0.02, 0.2, (3, FRAMES, 7))
    seen = rng.normal(0.0, 0.3, (3, FRAMES, 7, 2))
    seen[0, 1, 2, 0], sd[1, 0, 3] = np.nan, np.inf
    seen[:, :, 5], seen[2] = np.nan, np.nan
    slant = rng.uniform(-0.6, 0.6, seen.shape) * slanted
    p, q = slant[..., 0], slant[..., 1]
    shape = np.stack([1 + p, q, q, 1 - p], axis=-1).reshape(*p.shape, 2, 2)
    whiten = np.linalg.cholesky(np.linalg.inv(shape)).swapaxes(-1, -2)
    slant[np.isnan(seen)] = np.nan

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        camera = np.einsum("vij,tnj->vtni", rotation, locate(posed, points)) + translation[:, None, None]
        depth = np.maximum(camera[..., 2:], 0.05)
        residual = (whiten @ (camera[..., :2] / depth - seen)[..., None])[..., 0] / sd[..., None]
        return weighted(residual[np.isfinite(seen).all(axis=-1) & np.isfinite(sd)], 1.5)

    found = Reprojection(points, rotation, translation, seen, sd, 1.5, slant if slanted else None)
    return Case(found, residuals, 1.5)


def shape() -> Case:
    rng = np.random.default_rng(8)
    points, guess = some_points(6), rng.normal(size=(FRAMES, 6, 3))
    sd = rng.uniform(0.2, 1.0, (FRAMES, 6))
    guess[1, 2], sd[2, 4] = np.nan, np.inf
    known = np.isfinite(guess).all(axis=-1) & np.isfinite(sd)

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        rows = []
        for t, here in enumerate(known):
            away, spread = (locate(posed, points)[t] - guess[t])[here], sd[t, here]
            rows.append((away - np.average(away, axis=0, weights=spread**-2)) / spread[:, None])
        return weighted(np.concatenate(rows), 2.0)

    return Case(Shape(points, guess, sd, 2.0), residuals, 2.0)


def depth() -> Case:
    """Guesses in three views, gaps, residuals within the robust scale and beyond."""
    rng = np.random.default_rng(12)
    points, (rotation, translation) = some_points(6), ring(3)
    sd, guess = rng.uniform(0.1, 0.5, (3, FRAMES, 6)), rng.normal(3.5, 0.6, (3, FRAMES, 6))
    guess[0, 1, 2], sd[1, 0, 3], guess[2, :, 4] = np.nan, np.inf, np.nan

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        camera = np.einsum("vij,tnj->vtni", rotation, locate(posed, points)) + translation[:, None, None]
        residual = ((camera[..., 2] - guess) / sd)[np.isfinite(guess) & np.isfinite(sd)]
        return weighted(residual[:, None], 1.5)

    return Case(Depth(points, rotation, translation, guess, sd, 1.5), residuals, 1.5)


def acceleration() -> Case:
    points, density, fps = some_points(6), np.linspace(1.0, 4.0, 6), 30.0

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        at = locate(posed, points)
        faster = (at[2:] - 2 * at[1:-1] + at[:-2]) * fps**2
        return flat(faster / density[:, None] / np.sqrt(fps))

    return Case(Acceleration(points, density, fps), residuals)


def about() -> Case:
    points, rng = some_points(6), np.random.default_rng(12)
    shared = rng.normal(0.0, 0.02, (FRAMES, 6, 3))

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        at = locate(posed, points) - shared
        return flat((at[2:] - 2 * at[1:-1] + at[:-2]) * 30.0**1.5 / 2.0)

    return Case(Acceleration(points, np.full(6, 2.0), 30.0, shared), residuals)


def acceleration_at_times() -> Case:
    points, density = some_points(6), np.random.default_rng(16).uniform(1.0, 4.0, (FRAMES - 2, 6))

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        at = locate(posed, points)
        return flat((at[2:] - 2 * at[1:-1] + at[:-2]) * 30.0**1.5 / density[..., None])

    return Case(Acceleration(points, density, 30.0), residuals)


def near() -> Case:
    points, where = some_points(5), np.random.default_rng(13).normal(0.0, 1.0, (FRAMES, 5, 3))
    sd = np.linspace(0.1, 0.3, 5)

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        return flat((locate(posed, points) - where) / sd[:, None] * np.sqrt(0.5))

    return Case(Near(points, where, sd, 0.5), residuals)


def near_at_times() -> Case:
    points, where = some_points(5), np.random.default_rng(14).normal(0.0, 1.0, (FRAMES, 5, 3))
    sd = np.random.default_rng(15).uniform(0.1, 0.3, (FRAMES, 5))
    sd[1, 2:], sd[3, 0] = np.inf, np.inf

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        return flat((locate(posed, points) - where) / sd[..., None])

    return Case(Near(points, where, sd), residuals)


def steady() -> Case:
    density = np.linspace(0.5, 3.0, len(BODY.names))
    density[0] = np.inf

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        angle = by_freedom(posed)
        return flat(np.diff(angle, n=2, axis=0) * 60.0**1.5 / density[BODY.freedom_joint])

    return Case(Steady(density, 60.0), residuals)


def planted() -> Case:
    points, fps, share = some_points(5), 60.0, 0.5

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        speed = np.diff(locate(posed, points), axis=0) * fps / 20.0
        residual, weight = weighted(speed.reshape(-1, 3), 2.0)
        return residual * np.sqrt(share), weight

    return Case(Planted(points, 20.0, fps, 2.0, share), residuals, 2.0 * np.sqrt(share))


def held() -> Case:
    points, hold = some_points(5), np.random.default_rng(9).uniform(0.0, 2.0, (FRAMES - 1, 5))
    hold[1, 2] = 0.0

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        speed = np.diff(locate(posed, points), axis=0) * 60.0 / 0.5
        return flat(speed * np.sqrt(hold)[..., None])

    return Case(Held(points, hold, 0.5, 60.0), residuals)


def stood() -> Case:
    points, rng = some_points(5), np.random.default_rng(10)
    height, lowest = rng.normal(1.0, 0.3, (FRAMES, 5)), np.full(5, 1.0)
    height[:2, 1], height[1:, 3] = np.nan, np.nan

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        at = locate(posed, points)[..., 1]
        stands = np.isfinite(height)
        return flat(
            np.where(stands, at - np.where(stands, height, 0.0), np.fmin(at - 1.0, 0.0)) / 0.2 * 0.5**0.5
        )

    return Case(Stood(points, height, lowest, 0.2, 0.5), residuals)


def limits() -> Case:
    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        angle = by_freedom(posed)
        return flat((angle - np.clip(angle, *BODY.limits.T)) / np.deg2rad(3.0) * np.sqrt(0.5))

    return Case(Limits(BODY, frame_weight=0.5), residuals)


def rest() -> Case:
    relaxed = np.random.default_rng(11).normal(0.0, 0.2, (len(BODY.names), 3))
    term = Rest(replace(BODY, relaxed=relaxed))

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        away, rows = by_freedom(posed).copy(), []
        for j in range(len(BODY.names)):
            away[:, BODY.freedom_joint == j] -= relaxed[j, : (BODY.freedom_joint == j).sum()]
        for j, name in enumerate(BODY.names):
            mine = away[:, BODY.freedom_joint == j]
            rows.append(mine / BODY.rest_sd[j, : mine.shape[1]])
            if BODY.like_joint[j] >= 0:
                assert name in ("Spine1", "Spine2", "Head")
                other = away[:, BODY.freedom_joint == BODY.like_joint[j]]
                rows.append((mine - other) / BODY.like_sd[j])
        return flat(np.concatenate(rows, axis=1))

    return Case(term, residuals)


def relaxed() -> Case:
    hanging = {"Arm": [0, 0, -78], "ForeArm": [15], "UpLeg": [0, 0, 0], "Leg": [3], "Foot": [-10, 7, 9]}
    rows, rest, rates = [], [], []
    for side, mirror in (("Left", 1), ("Right", -1)):
        for name, angles in hanging.items():
            rows += np.flatnonzero(BODY.freedom_joint == BODY.index(side + name)).tolist()
            rest += [angle if axis == 0 else mirror * angle for axis, angle in enumerate(angles)]
            rates += [230 if name == "Foot" else 573] * len(angles)

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        angle = by_freedom(posed)[:, rows]
        rate = np.diff(angle, axis=0) * 60.0 / (3.0 * np.deg2rad(rates))
        return flat(np.concatenate([(angle - np.deg2rad(rest)) / 2.0, rate]) * np.sqrt(0.5))

    return Case(Relaxed(BODY, 60.0, 2.0, 3.0, 0.5), residuals)


def turned() -> Case:
    joints, rng = np.array([BODY.index("LeftFoot"), BODY.index("RightFoot")]), np.random.default_rng(11)
    rotations = quat.from_rotvec(rng.normal(0.0, 0.5, (FRAMES, 2, 3)))
    sd = rng.uniform(0.05, 0.2, (FRAMES, 2, 3))

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        local = posed.pose.rotations[:, joints]
        off = quat.to_rotvec(quat.multiply(quat.conjugate(rotations), local))
        return flat(off / sd * np.sqrt(0.5))

    return Case(Turned(joints, rotations, sd, 0.5), residuals)


def balance() -> Case:
    """Nobody, the left foot, the right one and both stand; the point between both that is nearest is held."""
    stands = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 1], [1, 0, 0, 1]], bool)
    start, scale = CHAIN.place(a_pose(), SIZES), 2.0
    term = Balance(BODY, 1.7, start, stands, 30.0, 0.1, scale)
    share = np.array([masses(BODY)[name] for name in BODY.names])

    def sides(posed: Posed) -> np.ndarray:
        at = locate(posed, soles(BODY, 1.7)[0])[..., [0, 2]]
        return np.stack([(at[:, 0] + at[:, 2]) / 2, (at[:, 1] + at[:, 3]) / 2], axis=1)

    def acts(posed: Posed) -> np.ndarray:
        return np.asarray(np.einsum("tji,j->ti", posed.positions, share)[:, [0, 2]] + term.ahead)

    left, right = sides(start).swapaxes(0, 1)
    line = (right - left)[3]
    between = float(np.clip((acts(start)[3] - left[3]) @ line / (line @ line), 0, 1))
    part = np.array([0.0, 1.0, between])[:, None]

    def residuals(posed: Posed) -> tuple[np.ndarray, np.ndarray]:
        left, right = sides(posed).swapaxes(0, 1)
        under = left[1:] + part * (right - left)[1:]
        return weighted((acts(posed)[1:] - under) / 0.1, scale)

    return Case(term, residuals, scale)


def by_freedom(posed: Posed) -> np.ndarray:
    rotvec = quat.to_rotvec(posed.pose.rotations)[:, BODY.freedom_joint]
    return (rotvec * BODY.freedom_axis).sum(axis=-1)


def flat(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return rows.reshape(-1, 1), np.ones(rows.size)


CASES = {
    "reprojection": reprojection,
    "slanted reprojection": lambda: reprojection(slanted=True),
    "behind a camera": lambda: reprojection(0.3),
    "depth": depth,
    "shape": shape,
    "acceleration": acceleration,
    "acceleration about a motion": about,
    "acceleration that differs from frame to frame": acceleration_at_times,
    "near": near,
    "near at times": near_at_times,
    "steady": steady,
    "planted": planted,
    "held": held,
    "stood": stood,
    "limits": limits,
    "rest": rest,
    "relaxed": relaxed,
    "turned": turned,
    "balance": balance,
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


def test_the_cost_is_that_of_the_residuals(case: Case) -> None:
    posed = CHAIN.place(a_pose(), SIZES)
    square = (case.residuals(posed)[0] ** 2).sum(axis=-1)
    bounded = square / (1 + square / case.scale**2)
    assert case.term.cost(posed) == pytest.approx(0.5 * bounded.sum(), rel=1e-12)


def numeric(residuals: Residuals, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """J^T W J and J^T W r of all unknowns, J by central differences."""
    frames, unknowns = len(pose), len(pose) * CHAIN.freedoms
    residual, weight = residuals(CHAIN.place(pose, SIZES))
    jacobian = np.empty((residual.size, unknowns + len(SIZES)))
    for k, e in enumerate(STEP * np.eye(unknowns + len(SIZES))):
        ahead, behind = (
            residuals(
                CHAIN.place(
                    CHAIN.move(pose, s[:unknowns].reshape(frames, -1)),
                    SIZES + s[unknowns:],
                )
            )[0]
            for s in (e, -e)
        )
        jacobian[:, k] = (ahead - behind).reshape(-1) / (2 * STEP)
    heavy = jacobian * np.repeat(weight, residual.shape[1])[:, None]
    return heavy.T @ jacobian, heavy.T @ residual.reshape(-1)


def dense(normal: Normal) -> tuple[np.ndarray, np.ndarray]:
    frames, freedoms = normal.gradient.shape
    end = frames * freedoms
    matrix = np.zeros((end + len(SIZES),) * 2)
    for s, block in enumerate(normal.blocks):
        for t in range(frames - s):
            rows, columns = (slice(k * freedoms, (k + 1) * freedoms) for k in (t, t + s))
            matrix[rows, columns] = np.triu(block[t]) if s == 0 else block[t]
    matrix[:end, end:] = normal.border.reshape(end, -1)
    matrix[end:, end:] = np.triu(normal.corner)
    matrix = np.triu(matrix) + np.triu(matrix, 1).T
    return matrix, np.concatenate([normal.gradient.reshape(-1), normal.size_gradient])


def linearised(term: Term, pose: Pose, sizes: int = len(SIZES)) -> Normal:
    normal, posed = Normal(len(pose), CHAIN.freedoms, sizes), CHAIN.place(pose, SIZES)
    term.add(posed, normal)
    fold(posed, normal)
    return normal


def test_gradient_and_matrix_are_those_of_the_residuals(case: Case) -> None:
    expected, pull = numeric(case.residuals, a_pose())
    matrix, gradient = dense(linearised(case.term, a_pose()))
    # central differences of smooth residuals: STEP^2 of third derivatives, and rounding / STEP
    np.testing.assert_allclose(gradient, pull, atol=1e-7 * np.abs(pull).max())
    np.testing.assert_allclose(matrix, expected, atol=1e-7 * np.abs(expected).max())


def test_without_sizes_the_frames_are_the_same(case: Case) -> None:
    held, free = linearised(case.term, a_pose(), sizes=0), linearised(case.term, a_pose())
    scale = max(np.abs(block).max() for block in free.blocks)
    np.testing.assert_allclose(held.gradient, free.gradient, atol=1e-14 * np.abs(free.gradient).max())
    for a, b in zip(held.blocks, free.blocks, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-14 * scale)


@pytest.mark.parametrize("frames", [1, 2])
def test_a_clip_too_short_to_move_is_no_fault(frames: int) -> None:
    still = Held(some_points(5), np.ones((frames - 1, 5)), 0.1, 30.0)
    for term in (acceleration().term, steady().term, planted().term, still, relaxed().term):
        normal = linearised(term, a_pose()[:frames])
        assert np.isfinite(normal.gradient).all()
    for term in (acceleration().term, steady().term):
        assert not linearised(term, a_pose()[:frames]).gradient.any()


def test_the_robust_cost_is_bounded_and_its_slope_is_the_weight() -> None:
    square, scale, step = np.logspace(-3, 8, 40), 2.5, 1e-6
    assert (robust_cost(square, scale) < scale**2).all()
    slope = robust_cost(square * (1 + step), scale) - robust_cost(square * (1 - step), scale)
    # rounding: 2e-16 of the cost over 2 step square, and the cost is at most the square
    np.testing.assert_allclose(slope / (2 * step * square), robust_weight(square, scale), atol=2e-10)
    np.testing.assert_allclose(robust_weight(np.zeros(1), scale), 1.0)


def test_a_shape_that_is_moved_as_a_whole_costs_the_same() -> None:
    points, guess, sd = some_points(6), np.ones((FRAMES, 6, 3)), np.full((FRAMES, 6), 0.3)
    term, moved = Shape(points, guess, sd), Shape(points, guess + np.array([3.0, -2.0, 5.0]), sd)
    posed = CHAIN.place(a_pose(), SIZES)
    assert moved.cost(posed) == pytest.approx(term.cost(posed), rel=1e-12)


def test_nothing_seen_is_no_evidence() -> None:
    rotation, translation = ring(2)
    points = some_points(4)
    blind = Reprojection(
        points, rotation, translation, np.full((2, FRAMES, 4, 2), np.nan), np.ones((2, FRAMES, 4))
    )
    still = Shape(points, np.full((FRAMES, 4, 3), np.nan), np.ones((FRAMES, 4)))
    for term in (blind, still):
        assert term.cost(CHAIN.place(a_pose(), SIZES)) == 0
        matrix, gradient = dense(linearised(term, a_pose()))
        assert not matrix.any()
        assert not gradient.any()
