"""The whole-clip solve: it finds a known motion, shrugs off what is wrong, and never makes things worse."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from rigs.errors import RigError
from rigs.solving.body import load_body
from rigs.solving.kinematics import Chain, Points, Pose, Posed
from rigs.solving.normal import Normal
from rigs.solving.solve import SizePrior, Solution, posterior, solve, solve_in_windows, windows
from rigs.solving.terms import Acceleration, Limits, Reprojection, Rest, Term
from tests.synth import STATURE, apart, dropped, imaged, landmarks, noisy, outlying, ring, sized, walking

BODY = load_body()
CHAIN = Chain(BODY)
POINTS = landmarks(BODY)
NOISE = 0.004  # of normalised image coordinates: 14 mm at 3.5 m
MILLIMETRE = 1e-3


@dataclass(frozen=True)
class Clip:
    """A known walk and how far off its start is."""

    pose: Pose
    start: Pose
    sizes: np.ndarray
    fps: float = 30.0

    def terms(self, seen: np.ndarray, sd: float = NOISE, scale: float = 3.0, views: int = 4) -> list[Term]:
        weight = min(1.0, 30.0 / self.fps)
        rotation, translation = ring(views)
        spread = np.full(seen.shape[:-1], sd / np.sqrt(weight))
        density = np.full(len(POINTS), 5.0)  # 27 m/s^2 within 30 Hz: far above a walk's
        return [
            Reprojection(POINTS, rotation, translation, seen, spread, scale),
            Acceleration(POINTS, density, self.fps),
            Limits(BODY, frame_weight=weight),
            Rest(BODY, frame_weight=weight),
        ]

    def seen(self, views: int = 4) -> np.ndarray:
        return imaged(CHAIN, self.pose, self.sizes, POINTS, views)

    def error(self, solution: Solution) -> float:
        """Root mean square distance of the joints, metres."""
        off = apart(self.pose, solution.pose, CHAIN, self.sizes, solution.sizes)
        return float(np.sqrt((off**2).mean()))


def clip(frames: int = 40, fps: float = 30.0) -> Clip:
    rng = np.random.default_rng(11)
    pose = walking(BODY, frames, fps)
    step = np.tile(rng.normal(0.0, 0.15, CHAIN.freedoms), (frames, 1))
    return Clip(
        pose, CHAIN.move(pose, step), sized(BODY) * np.linspace(0.95, 1.05, len(BODY.size_names)), fps
    )


@pytest.fixture(scope="module")
def walk() -> Clip:
    return clip()


def solved(walk: Clip, seen: np.ndarray, views: int = 4, **options: float) -> Solution:
    return solve(CHAIN, walk.start, walk.sizes, walk.terms(seen, views=views), tolerance=1e-5, **options)


def test_a_noisy_walk_is_recovered_better_than_a_frame_alone_could(walk: Clip) -> None:
    seen = noisy(walk.seen(), NOISE, np.random.default_rng(0))
    # A point that four views see at 3.5 m from all around is known to sd * 3.5 / sqrt(2) in each of three
    # coordinates: 17 mm. 66 points share 55 freedoms in every frame, and smoothness joins the frames.
    alone = NOISE * 3.5 / np.sqrt(2) * np.sqrt(3)
    assert walk.error(solved(walk, seen)) < alone * np.sqrt(CHAIN.freedoms / (3 * len(POINTS)))


def test_without_noise_only_the_priors_pull(walk: Clip) -> None:
    assert walk.error(solved(walk, walk.seen())) < 2 * MILLIMETRE


def test_sizes_are_recovered_within_their_own_deviations(walk: Clip) -> None:
    prior = SizePrior.of_stature(np.full(len(BODY.size_names), 0.06), STATURE, 0.1)
    terms = walk.terms(noisy(walk.seen(), NOISE, np.random.default_rng(1)))
    solution = solve(CHAIN, walk.start, sized(BODY), terms, prior, tolerance=1e-6, steps=40)
    known = posterior(CHAIN, solution, terms, prior)
    sd = np.sqrt(np.diag(np.linalg.inv(known.precision)))
    assert (np.abs(solution.sizes - walk.sizes) < 4 * sd).all()  # once in 1500 by chance, for ten sizes
    assert sd[BODY.size_names.index("thigh")] < 0.01  # and it is not for knowing nothing
    assert walk.error(solution) < 10 * MILLIMETRE


def test_the_posterior_holds_what_the_prior_and_the_stretch_say(walk: Clip) -> None:
    prior = SizePrior.of_stature(np.full(len(BODY.size_names), 0.06), STATURE, 0.1)
    terms = walk.terms(walk.seen())
    solution = solve(CHAIN, walk.start, walk.sizes, terms, prior)
    nothing, half, all_ = (posterior(CHAIN, solution, terms, prior, share) for share in (0.0, 0.5, 1.0))
    np.testing.assert_allclose(nothing.precision, prior.precision)
    np.testing.assert_allclose(half.precision, (prior.precision + all_.precision) / 2)
    said = np.linalg.eigvalsh(all_.precision - prior.precision)
    assert said.min() > -1e-12 * said.max()  # of a size that no bone has, nothing
    assert prior.cost(prior.mean) == 0


def test_a_view_that_is_wrong_in_every_third_point_is_outvoted(walk: Clip) -> None:
    rng = np.random.default_rng(2)
    clean = noisy(walk.seen(), NOISE, rng)
    spoiled = outlying(clean, view=1, share=0.3, reach=0.4, rng=rng)
    held = walk.error(solved(walk, spoiled))
    # 30 % of a quarter of the evidence is gone, which costs 1 - 1 / sqrt(1 - 0.075) = 4 % of the error; the
    # outliers that pull at all are those within a few scales, 12 mm, of the 1.4 m they are thrown
    assert held < 1.04 * walk.error(solved(walk, clean)) + 0.5 * MILLIMETRE


def test_a_view_that_sees_nothing_changes_nothing(walk: Clip) -> None:
    seen = noisy(walk.seen(), NOISE, np.random.default_rng(3))
    blind = seen.copy()
    blind[3] = np.nan
    rotation, translation = ring(4)
    terms = walk.terms(blind)
    fewer = [
        Reprojection(POINTS, rotation[:3], translation[:3], seen[:3], np.full(seen[:3].shape[:-1], NOISE))
    ]
    with_it = solve(CHAIN, walk.start, walk.sizes, terms)
    without = solve(CHAIN, walk.start, walk.sizes, [*fewer, *terms[1:]])
    assert with_it.steps == without.steps
    np.testing.assert_allclose(with_it.pose.rotations, without.pose.rotations, atol=1e-9)


def test_one_view_with_gaps_gives_a_finite_pose(walk: Clip) -> None:
    seen = dropped(walk.seen(), 0.5, np.random.default_rng(4))
    seen[1:] = np.nan
    seen[:, 10:20] = np.nan  # and a third of a second of nothing
    solution = solved(walk, seen)
    assert np.isfinite(solution.pose.rotations).all()
    np.testing.assert_allclose(np.linalg.norm(solution.pose.rotations, axis=-1), 1.0, atol=1e-12)


def test_the_same_motion_is_smoothed_alike_at_every_rate() -> None:
    """A weak detector's walk is flattened; at 30, 60 and 120 fps by as much."""
    swings = {}
    for fps in (30, 60, 120):
        walk = clip(int(1.5 * fps) + 1, float(fps))
        terms = walk.terms(walk.seen(), sd=20 * NOISE, scale=1e3)
        pose = solve(CHAIN, walk.pose, walk.sizes, terms, tolerance=1e-9, steps=30).pose
        at = CHAIN.place(pose, walk.sizes).positions - CHAIN.place(walk.pose, walk.sizes).positions
        swings[fps] = at[:: fps // 30][10:-10]
    bias = np.sqrt((swings[120] ** 2).sum(axis=-1).mean())
    assert bias > 2 * MILLIMETRE  # there is something to agree on
    # Second differences see w^2 as w^2 (1 - (w dt)^2 / 12), their squares twice as wrong: 3 % at 30 fps for
    # the 2 Hz of a walk's second harmonic, a quarter of it at 60 fps. Sums over frames count both ends in
    # full, dt / 2 more at each than the integral: 1 / fps of the clip's one and a half seconds.
    for fps in (30, 60):
        differ = np.sqrt(((swings[fps] - swings[120]) ** 2).sum(axis=-1).mean())
        assert differ < bias * ((2 * np.pi * 2 / fps) ** 2 / 6 + 1 / fps / 1.5)


@pytest.mark.parametrize("frames", [1, 2, 3, 17, 90, 91, 100, 301, 1000])
@pytest.mark.parametrize(("length", "overlap"), [(60, 10), (60, 29), (30, 1)])
def test_windows_cover_every_frame_and_overlap(frames: int, length: int, overlap: int) -> None:
    spans = windows(frames, length, overlap)
    assert spans[0][0] == 0
    assert spans[-1][1] == frames
    assert all(stop - start <= length * 3 // 2 for start, stop in spans)
    for (_, stop), (start, _) in pairwise(spans):
        assert stop - start >= overlap


def test_windows_of_the_truth_join_to_the_truth(walk: Clip) -> None:
    pose = walking(BODY, 200)
    joined = solve_in_windows(windows(200, 60, 20), lambda start, stop: pose[start:stop])
    np.testing.assert_allclose(joined.root, pose.root, atol=1e-12)
    np.testing.assert_allclose(joined.rotations, pose.rotations, atol=1e-12)


def test_windows_leave_no_seam() -> None:
    """The blend begins a quarter of the overlap from a window's end, where the end is hardly felt."""
    frames, length, overlap = 110, 50, 30
    walk = clip(frames)
    seen = noisy(walk.seen(), NOISE, np.random.default_rng(5))

    def window(start: int, stop: int) -> Pose:
        part = Clip(walk.pose[start:stop], walk.start[start:stop], walk.sizes)
        return solve(
            CHAIN, part.start, walk.sizes, part.terms(seen[:, start:stop]), tolerance=1e-13, steps=99
        ).pose

    whole = window(0, frames)
    off = apart(solve_in_windows(windows(frames, length, overlap), window), whole, CHAIN, walk.sizes)
    # A point's smoothing kernel decays as exp(-n / (sqrt(2) L)) with L^4 = fps^3 / density^2 / (evidence a
    # frame): 0.6 frames for a point that four views know to 10 mm. Seven frames of margin leave 1e-4 of an
    # end's change of at most the 10 mm; the solves themselves stop within a thousandth of a millimetre.
    reach = (30**3 / 5.0**2 / (2 / (3.5 * NOISE) ** 2)) ** 0.25
    margin = overlap / 4
    assert off.max() < 10 * MILLIMETRE * np.exp(-margin / (np.sqrt(2) * reach)) + 1e-3 * MILLIMETRE


def test_the_cost_never_rises_and_the_solve_stops(walk: Clip) -> None:
    terms = walk.terms(noisy(walk.seen(), NOISE, np.random.default_rng(6)))
    start = sum(t.cost(CHAIN.place(walk.start, walk.sizes)) for t in terms)
    costs = [solve(CHAIN, walk.start, walk.sizes, terms, steps=n, tolerance=0).cost for n in (0, 1, 2, 4)]
    assert costs[0] == pytest.approx(start)
    assert costs == sorted(costs, reverse=True)
    done = solve(CHAIN, walk.start, walk.sizes, terms, steps=100, tolerance=1e-9)
    assert done.steps < 100
    assert solve(CHAIN, done.pose, walk.sizes, terms, tolerance=1e-6).steps == 1


def test_a_near_start_takes_fewer_steps_to_the_same_end(walk: Clip) -> None:
    rng = np.random.default_rng(6)
    terms = walk.terms(noisy(walk.seen(), NOISE, rng))
    done = solve(CHAIN, walk.start, walk.sizes, terms, steps=100, tolerance=1e-9)
    start = CHAIN.move(done.pose, rng.normal(0.0, 0.005, (len(done.pose), CHAIN.freedoms)))
    far, near = (solve(CHAIN, start, walk.sizes, terms, tolerance=1e-3, near=flag) for flag in (False, True))
    assert near.steps < far.steps
    assert near.cost < far.cost * (1 + 1e-3)  # what the steps that were saved were foreseen to gain


class Saddle:
    """A term whose matrix is not positive definite, as no sum of squares is, to try the way out."""

    def cost(self, posed: Posed) -> float:
        return float((posed.pose.root**2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        normal.blocks[0] -= np.eye(CHAIN.freedoms)
        normal.gradient[:, :3] += 2 * posed.pose.root


class Pit:
    """A term whose cost is not a number anywhere but at the start."""

    def __init__(self) -> None:
        self.calls = 0

    def cost(self, posed: Posed) -> float:
        self.calls += 1
        return 1.0 if self.calls == 1 else np.nan

    def add(self, posed: Posed, normal: Normal) -> None:
        normal.blocks[0] += np.eye(CHAIN.freedoms)
        normal.gradient += 1.0


@pytest.mark.parametrize("term", [Saddle(), Pit()])
def test_a_hopeless_step_leaves_the_start(walk: Clip, term: Term) -> None:
    solution = solve(CHAIN, walk.start, walk.sizes, [term])
    np.testing.assert_array_equal(solution.pose.rotations, walk.start.rotations)
    assert np.isfinite(solution.cost)


def test_a_start_with_gaps_is_refused_in_one_line(walk: Clip) -> None:
    rotations = walk.start.rotations.copy()
    rotations[7, BODY.index("LeftArm"), 2] = np.nan
    with pytest.raises(RigError, match="frame 7, joint LeftArm: the pose to start from is not finite; fill"):
        solve(CHAIN, Pose(walk.start.root, rotations), walk.sizes, [])
    with pytest.raises(RigError, match=r"sizes .* must be finite"):
        solve(CHAIN, walk.start, walk.sizes * np.nan, [])


def test_no_frames_are_solved_at_once() -> None:
    empty = walking(BODY, 3)[:0]
    solution = solve(CHAIN, empty, sized(BODY), [Limits(BODY), Rest(BODY)])
    assert len(solution.pose) == solution.steps == 0


def test_points_may_be_few(walk: Clip) -> None:
    """Two points do not say where a body is; the solve still ends, near where it began."""
    points = Points(POINTS.joint[:2], POINTS.offsets[:2])
    rotation, translation = ring(4)
    term = Reprojection(points, rotation, translation, walk.seen()[:, :, :2], np.full((4, 40, 2), NOISE))
    solution = solve(CHAIN, walk.start, walk.sizes, [term])
    assert np.isfinite(solution.pose.rotations).all()
    assert term.cost(CHAIN.place(solution.pose, walk.sizes)) < 1.0
