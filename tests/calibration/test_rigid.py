"""A body with rigid bones brings its cameras back, and says how well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import Cameras
from calibration.adjust.border import Bordered
from calibration.adjust.freedom import Freedom
from calibration.adjust.habits import COUNT, Habits
from calibration.adjust.projection import FOCAL, PARAMETERS, ROTATION, moved
from calibration.adjust.rigid import Bones, adjust_rigid
from calibration.rotation import from_rotvec, to_rotvec
from tests.calibration.synthetic import ring

STICK = np.array(  # hips, knees, ankles, shoulders, elbows, head; metres, y up
    [[0.1, 0.9, 0], [-0.1, 0.9, 0], [0.12, 0.5, 0.03], [-0.12, 0.5, -0.03], [0.12, 0.1, -0.05],
     [-0.12, 0.1, 0.05], [0.19, 1.4, 0], [-0.19, 1.4, 0], [0.3, 1.15, 0.1], [-0.3, 1.15, -0.1],
     [0.0, 1.65, 0.08]]
)  # fmt: skip
PAIRS = np.array(
    [[0, 1], [0, 2], [1, 3], [2, 4], [3, 5], [6, 7], [0, 6], [1, 7], [0, 7], [1, 6], [6, 8], [7, 9], [6, 10],
     [7, 10], [0, 10], [1, 10]]
)  # fmt: skip
KIND = np.array([0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8])
HIGH, LOW = np.array([6, 7]), np.array([4, 5])


def walk(rng: np.random.Generator, frames=30) -> np.ndarray:
    """The stick figure turning and swinging its shins and arms while it goes around: (T, J, 3)."""
    out = np.empty((frames, len(STICK), 3))
    for t, phase in enumerate(np.linspace(0, 2 * np.pi, frames)):
        body = STICK.copy()
        for joint, end in ((2, 4), (3, 5), (6, 8), (7, 9)):
            swing = from_rotvec(rng.normal(0, 0.4, 3))
            body[end] = body[joint] + swing @ (body[end] - body[joint])
        turn = from_rotvec([0.1 * np.sin(3 * phase), 2 * phase, 0.1 * np.cos(3 * phase)])
        out[t] = body @ turn.T + [0.8 * np.sin(phase), 0.0, 0.8 * np.cos(phase)]
    return out


def bones(sd=0.03, size=1e-4, give=0.005) -> Bones:
    axis = STICK[PAIRS[:, 0]] - STICK[PAIRS[:, 1]]
    length = np.array([np.linalg.norm(axis, axis=1)[list(KIND).index(k)] for k in range(9)])
    return Bones(PAIRS, KIND, np.full(len(PAIRS), give), length, np.eye(9) * sd**2 + size**2)


def held(views: int, **free) -> Freedom:
    freedom = Freedom.of(views, **free)
    freedom.sd[0, :6] = 0.0
    return freedom


def disturbed(cameras: Cameras, rng, turn=0.03, shift=0.1, focal=0.0) -> Cameras:
    steps = np.zeros((len(cameras), PARAMETERS))
    steps[1:, :3] = rng.normal(0, turn, (len(cameras) - 1, 3))
    steps[1:, 3:6] = rng.normal(0, shift, (len(cameras) - 1, 3))
    steps[:, FOCAL] = rng.normal(0, focal, (len(cameras), 1))
    return Cameras(tuple(moved(c, s) for c, s in zip(cameras, steps, strict=True)))


def turns(found: Cameras, true: Cameras) -> np.ndarray:
    pairs = [
        (f.camera_from_world[:3, :3], t.camera_from_world[:3, :3]) for f, t in zip(found, true, strict=True)
    ]
    return np.array([to_rotvec(f @ t.T) for f, t in pairs])


def random_system(rng) -> tuple[Bordered, np.ndarray, np.ndarray]:
    """A system of 4 shared unknowns and 3 frames of 6, and the same written out."""
    rows = rng.normal(size=(60, 4 + 18))
    for t in range(3):
        rows[20 * t : 20 * (t + 1), [4 + k for k in range(18) if k // 6 != t]] = 0.0
    matrix, right = rows.T @ rows, rng.normal(size=22)
    system = Bordered.empty(4, 3, 6)
    system.corner[:], system.right[:] = matrix[:4, :4], right[:4]
    for t in range(3):
        own = slice(4 + 6 * t, 10 + 6 * t)
        system.edge[t], system.block[t], system.right_block[t] = matrix[:4, own], matrix[own, own], right[own]
    return system, matrix, right


def test_elimination_gives_the_whole_systems_solution_and_covariance():
    system, matrix, right = random_system(np.random.default_rng(0))
    shared, own = system.step(0.0)
    np.testing.assert_allclose(
        np.concatenate([shared, own.ravel()]), np.linalg.solve(matrix, right), rtol=1e-6
    )
    np.testing.assert_allclose(system.covariance(), np.linalg.inv(matrix)[:4, :4], rtol=1e-6)


def test_exact_observations_bring_cameras_and_lenses_back():
    rng, truth = np.random.default_rng(1), ring(4, distortion=())
    points = walk(rng, 12)
    start = disturbed(truth, rng, focal=0.05)
    nearby = points + rng.normal(0, 0.03, points.shape)
    found = adjust_rigid(
        start, nearby, truth.project(points), 1.0, bones(), held(4, focal=100.0), tolerance=1e-9
    )
    assert np.nanmax(found.error) < 0.01
    assert np.degrees(np.abs(turns(found.cameras, truth)).max()) < 0.01
    focal = [f.K[0, 0] / t.K[0, 0] for f, t in zip(found.cameras, truth, strict=True)]
    np.testing.assert_allclose(focal, 1.0, atol=2e-4)
    np.testing.assert_allclose(found.lengths, bones().length, rtol=2e-4)


@pytest.mark.slow
def test_noise_leaves_errors_as_large_as_the_covariance_says():
    rng, truth = np.random.default_rng(2), ring(4)
    points = walk(rng)
    pixels = truth.project(points) + rng.normal(0, 3.0, (4, *points.shape[:2], 2))
    pixels[1, ::4, 3] = np.nan
    pixels[2, 3::7, 6] += 150.0
    found = adjust_rigid(disturbed(truth, rng, 0.01, 0.03), points, pixels, 3.0, bones(), held(4, focal=0.05))
    off = turns(found.cameras, truth)[1:]
    assert np.all(np.abs(off) < 4 * found.sd[1:, ROTATION] + 1e-6)
    focal = np.log([f.K[0, 0] / t.K[0, 0] for f, t in zip(found.cameras, truth, strict=True)])
    assert np.all(np.abs(focal) < 4 * found.sd[:, FOCAL.start])
    assert np.all(found.sd[:, FOCAL.start] < 0.03)
    assert np.isnan(found.error[1, ::4, 3]).all()
    assert np.nanmedian(found.error[2, 3::7, 6]) > 100.0


@pytest.mark.slow
def test_bones_and_proportions_help_two_cameras():
    rng, truth = np.random.default_rng(3), ring(5)
    two = Cameras((truth[0], truth[1]))
    points = walk(rng, 20)
    pixels = two.project(points) + rng.normal(0, 3.0, (2, *points.shape[:2], 2))
    spread = {}
    for give, sd in ((0.005, 0.03), (10.0, 10.0)):
        found = adjust_rigid(two, points, pixels, 3.0, bones(sd=sd, give=give), held(2, pose=1.0))
        spread[give] = found.sd[1, ROTATION].max()
    assert spread[0.005] < 0.75 * spread[10.0]


@pytest.mark.slow
def test_observations_that_are_alike_count_less():
    rng, truth = np.random.default_rng(4), ring(3)
    points = walk(rng, 15)
    pixels = truth.project(points) + rng.normal(0, 1.0, (3, *points.shape[:2], 2))
    loose = replace(bones(), covariance=np.eye(9) * 1e-10)  # lengths known: only observations are left
    one, nine = (
        adjust_rigid(truth, points, pixels, 1.0, loose, held(3), alike=k, robust=100.0, tolerance=1e-9).sd
        for k in (1.0, 9.0)
    )
    np.testing.assert_allclose(nine[1:, :6], 3 * one[1:, :6], rtol=1e-2)


def habits(**expected) -> Habits:
    return Habits(np.array([0.02, 0.03, 0.01, 0.02, 0.003, 0.003, 0.15]), 1.75, HIGH, LOW, **expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_turning_a_far_body_moves_it_as_the_patterns_say(axis):
    """Near by, the patterns leave out what a turn does to the perspective: it has a habit of its own."""
    cam, points, angle = ring(1, radius=400.0, distortion=())[0], walk(np.random.default_rng(5), 3), 1e-4
    seen = points @ cam.camera_from_world[:3, :3].T + cam.camera_from_world[:3, 3]
    middle = np.median(seen, axis=1, keepdims=True)
    turn = from_rotvec(angle * np.array([[0, 1.0, 0], [-1.0, 0, 0], [0, 0, 1.0]])[axis])
    turned = (seen - middle) @ turn.T + middle
    at_home = replace(cam, camera_from_world=np.eye(4))
    step = (at_home.project(turned) - at_home.project(seen)) / angle
    pattern = habits().patterns(cam, points)[..., axis]
    np.testing.assert_allclose(pattern, step, atol=0.01 * np.abs(step).max())


def test_a_habit_of_one_view_is_not_blamed_on_its_camera():
    rng, truth = np.random.default_rng(6), ring(4, distortion=())
    points = walk(rng, 40)
    model = habits()
    pixels = truth.project(points) + rng.normal(0, 1.0, (4, *points.shape[:2], 2))
    own = np.array([0.06, -0.09, 0.0, 0.0, 0.0, 0.0, 0.0])
    pixels[2] += model.patterns(truth[2], points) @ own
    without, found = (
        adjust_rigid(truth, points, pixels, 1.0, bones(), held(4), habits=h, robust=20.0)
        for h in (None, model)
    )
    np.testing.assert_allclose(found.habits[2, :2], own[:2], rtol=0.2)
    assert np.abs(turns(found.cameras, truth)).max() < 0.5 * np.abs(turns(without.cameras, truth)).max()
    assert not without.habits.any()
    assert without.habits.shape == (4, COUNT)


def test_a_camera_from_above_is_expected_to_see_less_from_above():
    cam, points = ring(1)[0], walk(np.random.default_rng(7), 4)
    high = replace(cam, camera_from_world=cam.camera_from_world @ lowered(1.5))
    model = habits(above=(0.01, 0.1), perspective=0.08)
    low, above = model.expected(cam, points), model.expected(high, points)
    assert above[1] > low[1] + 0.02
    assert low[6] == 0.08


def lowered(by: float) -> np.ndarray:
    """The world moved down, as a camera sees it that was raised."""
    pose = np.eye(4)
    pose[1, 3] = -by
    return pose


def test_points_to_start_from_must_be_known():
    truth, points = ring(2), walk(np.random.default_rng(8), 3)
    points[1, 2] = np.nan
    with pytest.raises(ValueError, match="must all be known"):
        adjust_rigid(truth, points, truth.project(points), 1.0, bones(), held(2))
