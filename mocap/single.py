"""One view of a person while the motion is solved: the data, the camera, and the steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from calibration.camera import Camera
from calibration.surroundings.edges import Edges
from calibration.surroundings.manhattan import Surroundings, find_surroundings
from mocap.animate import ADULT, Animated
from mocap.attach import Attachment, load_attachment
from mocap.bodyguess import Guess, angles_off_axis, facing_the_eye, in_camera_axes, load_guess, place
from mocap.camerawork import steadied
from mocap.feet import Feet, Stance, bend_toes, between_steps, find_stance, put_down
from mocap.floor import SLOPE_SD, fit_floor, levelling, support_height
from mocap.footing import Footing
from mocap.lens import zoomed
from mocap.lift.lifter import Lifted, lift_view
from mocap.lift.points import SOLES, START, points_of
from mocap.observations import Observations
from mocap.progress import Progress
from mocap.scene import EVIDENCE_RATE, Scene, Settings
from mocap.sizing import Span, sizing_spans, solve_sizes
from mocap.upright import camera_tilt, up_of, world_axes
from rigs import quat
from rigs.motion import Motion
from rigs.solving.body import Body, load_body
from rigs.solving.evidence import Shape
from rigs.solving.ground import soles
from rigs.solving.initial import initial_pose, steady
from rigs.solving.kinematics import Chain, Points, Pose, locate
from rigs.solving.solve import SizePrior, Solution, solve, solve_in_windows
from rigs.solving.terms import Term

Floats = NDArray[np.float64]

SMOOTH = 0.15  # seconds, standard deviation: of the path it starts from
FLOOR_SD = 0.05  # metres by which a floor found from one person may be off under another
PERSON_SD = np.deg2rad(4.0)  # by which the up that the person tells may be off
TOLD_SD = np.deg2rad(0.5)  # by which the up that the surroundings tell may be off
LENGTH_SD = 0.2  # share by which an assumed focal length may be off
EDGE = 0.1  # seconds within the ends of a plant in which it is not sure
FEET_OFF = 0.074  # of stature, by which feet are off: how they move and how high is believed by a third
ROUGH_RATE, ROUGH_FRAMES = 15.0, 10  # frames a second that it looks at, and at least so many
ROUGH = 4.0  # times the robust scales in the first solve, which must find its way
STEPS, TOLERANCE, NEAR = 12, 2e-3, 5e-3  # of the others; the last where the start was solved before
# Frames' worth of evidence on the sizes that a clip gives at most, as the errors of one view last. Chosen on
# held-out people, where 2 and 20 are alike.
LASTING = 20
KNOWN_STATURE_SD = 1e-3  # metres: one view does not tell the stature, only proportions
DRIFT = 0.12  # metres by which the floor may seem to rise and sink
SWAY = 0.03  # likewise before a camera that turns, which whoever holds it also moves a little
# Times the accelerations of the body definition, once feet are held: less than several views', which look
# closer. At 21 one view's walk and dance accelerate by 1.1 times as much as they should.
PLANTED_LIVELINESS = 16.5


@dataclass(frozen=True)
class SingleSettings:
    """How strongly the solve from one view believes what; chosen on held-out people of the landmark pairs.

    solve: as with several views; lift: whether a lifter is asked, where there is one; lift_sd, lift_robust:
    of what it says, times its spread and in deviations; guess_sd, guess_robust: likewise of the detector's 3D
    guess, which counts without a lifter; floor_sd (m), floor_scale: of a standing sole; balance_sd (of
    stature), balance_scale: of where the weight acts, off the feet that stand.
    """

    solve: Settings = field(default_factory=lambda: Settings(planted_liveliness=PLANTED_LIVELINESS))
    lift: bool = True
    lift_sd: float = 2.0
    lift_robust: float = 3.0
    guess_sd: float = 1.2
    guess_robust: float = 3.0
    floor_sd: float = 0.03
    balance_sd: float = 0.03
    balance_scale: float = 3.0
    floor_scale: float = 2.0


@dataclass
class Single:
    """One view's data and the camera, which moves while the world is found, unless it is `posed`.

    up: (3,) the world's up in the camera's axes, if something but the person tells it.
    """

    seen: Observations
    camera: Camera
    stature: float
    settings: SingleSettings
    progress: Progress
    feet: Feet
    posed: bool = False
    turns: Floats | None = None
    up: Floats | None = None
    body: Body = field(init=False)
    attachment: Attachment = field(init=False)
    guess: Guess = field(init=False)
    given: Observations = field(init=False)  # as it was seen, where the camera turns
    image: Floats = field(init=False)  # (T, J, 2)
    turned: Floats = field(init=False)  # (T, J, 3) see `facing_the_eye`
    below: Floats = field(init=False)  # (T,)
    lifted: Lifted | None = field(init=False)
    stance: Stance | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.body = load_body()
        self.attachment = load_attachment(self.seen.layout, self.body)
        self.guess = load_guess(self.seen.layout)
        self.given = raw = self.seen
        assert raw.world is not None
        if self.turns is not None:
            self.seen = steadied(raw, self.camera, self.turns)
        self.image = self.camera.undistort(self.seen.pixels[0])
        right, self.below = angles_off_axis(self.image, self.seen.layout)
        self.turned = facing_the_eye(raw.world[0], right)
        self.sizes = np.full(len(self.body.size_names), self.stature)
        up = self.rotation[:, 1] if self.posed else self.up
        told = up if self.turns is None else None
        self.lifted = lift_view(raw, self.camera, told) if self.settings.lift else None
        if self.lifted is not None and self.turns is not None:
            self.lifted = self.lifted.turned(self.turns)

    @property
    def fps(self) -> float:
        """Frames a second."""
        return float(self.seen.fps)

    @property
    def rotation(self) -> Floats:
        """Camera from world (3, 3)."""
        return self.camera.camera_from_world[:3, :3]

    @property
    def upright(self) -> Floats:
        """The world's up (3,) in the camera's axes, as the person tells it."""
        if self.lifted is None:
            return up_of(*camera_tilt(self.turned, self.below, self.seen.layout))
        return self.lifted.upright

    def look_around(self, edges: Edges, known: bool) -> tuple[Single, Surroundings | None]:
        """Return the same before a lens, and with an up, that straight edges tell, and what these told.

        Args:
            edges: in the camera's axes.
            known: whether the lens is known, and only up is asked for.
        """
        told = find_surroundings(edges, self.upright, PERSON_SD, 0.0 if known else LENGTH_SD)
        if told is None:
            return self, None
        camera = self.camera if known else zoomed(self.camera, told.zoom, told.bend)
        given = (self.stature, self.settings, self.progress, self.feet, self.posed, self.turns)
        return Single(self.given, camera, *given, told.up), told

    def stand_camera(self) -> None:
        """Put the camera at the origin, upright."""
        self._pose_camera(world_axes(self.upright if self.up is None else self.up), np.zeros(3))

    def shape(self) -> Floats:
        """The detector's guess (T, J, 3) in metres and camera axes."""
        up = self.rotation[:, 1]
        tilt = float(np.arctan2(-up[2], -up[1]))
        shape = in_camera_axes(self.guess, self.turned, self.below, tilt)
        return shape * self.guess.scale * self.stature

    def first(self) -> Pose:
        """The pose in which the solve starts: the body's shape where its image is, on a steady path."""
        if self.lifted is None:
            shape, rows = self.shape(), self.attachment.start
            weight = np.where(np.isfinite(self.guess.sd), self.seen.confidence[0] ** 2, 0.0)
            where = place(shape, self.image, weight)
        else:
            shape, rows = self.lifted.points * self.stature, START
            where = self.lifted.hips * self.stature
        path = gaussian_filter1d(steady(where, self.fps), max(SMOOTH * self.fps, 0.5), axis=0, mode="nearest")
        start = self.camera.camera_from_world[:3, 3]
        points = (steady(shape, self.fps) + path[:, None] - start) @ self.rotation
        return initial_pose(self.body, {joint: points[:, row] for joint, row in rows.items()}, self.fps)

    def solve_roughly(self, first: Pose) -> Pose:
        """Solve the clip from `first`, with robust scales so wide that it finds its way."""
        frames = len(first)
        every = max(1, min(round(self.fps / ROUGH_RATE), frames // ROUGH_FRAMES))
        scene = replace(self._scene(first).thinned(0, frames, every), feet=self.feet)
        points, shape, sd, scale = self._evidence()
        thin, shape, sd = first[::every], shape[::every], sd[::every] / np.sqrt(every)

        def window(start: int, stop: int) -> Pose:
            terms = scene.terms(start, stop, self.stature, self.settings.solve.robust * ROUGH)
            terms.append(Shape(points, shape[start:stop], sd[start:stop], scale * ROUGH))
            return solve(scene.chain, thin[start:stop], self.sizes, terms, steps=8, tolerance=1e-2).pose

        left = frames

        def tell(solved: int) -> None:
            nonlocal left
            self.progress.advance("", min(every * solved, left))
            left -= every * solved

        return solve_in_windows(scene.spans(len(thin)), window, tell).at(np.arange(frames) / every)

    def solve(self, before: Pose) -> Pose:
        """Solve the clip, on the floor, from where it was solved before."""
        scene, terms = self._scene(before), self._terms(before)

        def window(start: int, stop: int) -> Pose:
            part, wanted = before[start:stop], terms(start, stop)
            return solve(scene.chain, part, self.sizes, wanted, steps=STEPS, tolerance=NEAR, near=True).pose

        return solve_in_windows(scene.spans(len(before)), window, partial(self.progress.advance, ""))

    def solve_with_sizes(self, first: Pose) -> Pose:
        """Solve the clip from `first`, and how large the bones are, on the floor."""
        scene, frames = self._scene(first), len(first)
        spans, terms_of = sizing_spans(scene, frames), self._terms(first)

        def stretch(span: Span, sizes: Floats, prior: SizePrior) -> tuple[Solution, list[Term]]:
            part, terms = first[slice(*span)], terms_of(*span)
            return solve(scene.chain, part, sizes, terms, prior, steps=STEPS, tolerance=TOLERANCE), terms

        prior = SizePrior.of_stature(self.body.size_spread, self.stature, KNOWN_STATURE_SD)
        often = sum(stop - start for start, stop in spans) * self._frame_weight / LASTING
        firm = SizePrior(prior.mean, prior.precision * max(often, 1.0))
        solved = solve_sizes(scene.chain, spans, stretch, self.sizes, firm)
        self.sizes = solved.sizes
        if spans == [(0, frames)]:
            self.progress.advance("", frames)
            return solved.pose
        return self.solve(first)

    def _terms(self, first: Pose) -> Callable[[int, int], list[Term]]:
        """What frames [start, stop) of a solve from `first` should agree with."""
        scene, (points, shape, sd, scale) = self._scene(first), self._evidence()
        settings = self.settings
        footing = Footing(self.body, self.stature, self.sizes, first, self.fps, self._frame_weight)
        slowness = None if self.stance is None else footing.slowness(settings.solve)

        def terms(start: int, stop: int) -> list[Term]:
            seen = scene.terms(start, stop, self.stature, settings.solve.robust)
            seen.append(Shape(points, shape[start:stop], sd[start:stop], scale))
            seen.append(footing.floor(settings.floor_sd, settings.floor_scale))
            if self.stance is not None and slowness is not None:
                stands = np.isfinite(self.stance.contacts.level[start:stop])
                seen.append(footing.slow_feet(slowness[start : stop - 1], settings.solve))
                seen.append(footing.balance(start, stands, settings.balance_sd, settings.balance_scale))
            return seen

        return terms

    def level(self, pose: Pose) -> Pose:
        """Turn and lift world and camera so that the feet stand on y = 0."""
        slope_sd = SLOPE_SD if self.up is None else (TOLD_SD, TOLD_SD)
        _, right, back = fit_floor(self._lowest(pose), self.fps, slope_sd)
        pose = self._move_world(pose, levelling(right, back), np.zeros(3))
        height, _, _ = fit_floor(self._lowest(pose), self.fps)
        return self._move_world(pose, np.eye(3), np.array([0.0, -height, 0.0]))

    def stand(self, pose: Pose) -> Pose:
        """Make the person larger and farther, or smaller and nearer, so that he stands on y = 0.

        That looks the same. By how much is what the floor says and what is usual, by their certainty: a low
        camera tells little.
        """
        eye = self.camera.centre
        height, _, _ = fit_floor(self._lowest(pose), self.fps)
        above = max(float(eye[1]), 1e-3)
        usual, told = ADULT[1] / ADULT[0], FLOOR_SD / above
        share = 1 + (above / max(above - height, 1e-3) - 1) * usual**2 / (usual**2 + told**2)
        self.stature, self.sizes = self.stature * share, self.sizes * share
        return Pose(eye + (pose.root - eye) * share, pose.rotations)

    def settle(self, pose: Pose) -> Pose:
        """Bring the floor to y = 0 exactly."""
        height, _, _ = fit_floor(self._lowest(pose), self.fps)
        return self._move_world(pose, np.eye(3), np.array([0.0, -height, 0.0]))

    def centre(self, pose: Pose) -> Pose:
        """Bring the person's start over the origin."""
        start = np.median(pose.root[: max(1, round(0.5 * self.fps))], axis=0)
        return self._move_world(pose, np.eye(3), np.array([-start[0], 0.0, -start[2]]))

    def grounded(self, pose: Pose) -> tuple[Pose, list[str]]:
        """Hold the feet to the floor if it seems to rise and sink, as it does under a camera that moves."""
        support = support_height(self._lowest(pose), pose.root[:, 1], self.fps)
        drift = float(np.ptp(np.percentile(support, [5, 95])))
        if drift < (DRIFT if self.turns is None else SWAY):
            return pose, []
        down = Pose(pose.root - support[:, None] * (0.0, 1.0, 0.0), pose.rotations)
        self._follow(pose, down)
        return down, [
            f"the floor seems to rise and sink by {drift:.2f} m: the camera moves or its field of view is"
            " wrong; the feet were put on the floor"
        ]

    def plant(self, pose: Pose) -> Pose:
        """Find when the feet stand, and solve again with feet that stand held."""
        doubt = np.full((len(pose), len(self.body.names)), FEET_OFF * self.stature)
        told = 0.0 if self.lifted is None else np.nan_to_num(self.lifted.stands[:, SOLES])
        stance = find_stance(self.body, self.stature, self.sizes, pose, self.fps, self.feet, doubt, told)
        points, _ = soles(self.body, self.stature)
        where = locate(Chain(self.body).place(pose, self.sizes), points)
        self.stance = replace(stance.where(~between_steps(stance.contacts, where, self.fps)), edge=EDGE)
        return self.solve(pose)

    def animated(self, pose: Pose) -> Animated:
        """The result."""
        motion = Motion(self.body.skeleton(self.sizes), pose.rotations, pose.root, self.seen.fps)
        if self.feet == "ground":
            motion = put_down(motion, self.stature)
        if self.feet != "never":
            motion = bend_toes(motion, self.stature)
        sizes = dict(zip(self.body.size_names, self.sizes.tolist(), strict=True))
        return Animated(motion, self.stature, sizes, self.stance.contacts if self.stance else None)

    def _follow(self, seen: Pose, moved: Pose) -> None:
        """Take what was seen of a pose for a sight of another."""
        scene, chain, points = self._scene(seen), Chain(self.body), self.attachment.points(self.stature)
        here, there = (scene.imaged(locate(chain.place(p, self.sizes), points))[0] for p in (seen, moved))
        self.image = self.image.copy()
        self.image[:, self.attachment.rows] += there - here

    def _lowest(self, pose: Pose) -> Floats:
        """The lower sole of each frame (T, 3), as far above the floor as a sole that stands is below it."""
        points, heights = soles(self.body, self.stature)
        where = locate(Chain(self.body).place(pose, self.sizes), points)
        where[..., 1] -= heights
        return where[np.arange(len(where)), where[..., 1].argmin(axis=1)]

    def _move_world(self, pose: Pose, turn: Floats, shift: Floats) -> Pose:
        """Move person and camera alike: p -> turn @ p + shift."""
        rotation = self.rotation @ turn.T
        self._pose_camera(rotation, self.camera.camera_from_world[:3, 3] - rotation @ shift)
        rotations = pose.rotations.copy()
        rotations[:, 0] = quat.multiply(quat.from_matrix(turn), rotations[:, 0])
        return Pose(pose.root @ turn.T + shift, rotations)

    def _pose_camera(self, rotation: Floats, translation: Floats) -> None:
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation, translation
        self.camera = replace(self.camera, camera_from_world=pose)

    def _scene(self, first: Pose) -> Scene:
        rows, where = self.attachment.rows, self.camera.camera_from_world
        depth = first.root @ where[2, :3] + where[2, 3]
        confidence, focal = self.seen.confidence[0][:, rows], self.camera.K[0, 0]
        spread = None if self.seen.spread is None else self.seen.spread[0][:, rows]
        sd = self.attachment.image_sd(confidence, self.stature, depth, focal, spread)
        seen = self.image[None][:, :, rows]
        return Scene(
            self.body,
            self.attachment,
            self.rotation[None],
            where[None, :3, 3],
            seen,
            sd[None],
            self.fps,
            self.settings.solve,
            feet=self.feet,
            stance=self.stance,
            slant=None if self.seen.slant is None else self.seen.slant[:, :, rows],
        )

    @property
    def _frame_weight(self) -> float:
        return min(1.0, EVIDENCE_RATE / self.fps)

    def _evidence(self) -> tuple[Points, Floats, Floats, float]:
        """The body's shape: its points, where they are (T, N, 3) m in world axes, sd (T, N), robust scale.

        What is said of the depth is what counts: across the line of sight the image knows better.
        """
        weight = np.sqrt(self._frame_weight)
        if self.lifted is not None:
            points = points_of(self.body, self.attachment, self.stature)
            sd = self.lifted.along * self.stature * self.settings.lift_sd / weight
            sd = np.where(np.isfinite(sd), sd, np.inf)
            return points, self.lifted.points * self.stature @ self.rotation, sd, self.settings.lift_robust
        rows = self.attachment.rows
        shape = self.shape()[:, rows] @ self.rotation
        sd = np.broadcast_to(
            self.guess.sd[rows] * self.stature * self.settings.guess_sd / weight, shape.shape[:2]
        )
        return self.attachment.points(self.stature), shape, sd, self.settings.guess_robust
