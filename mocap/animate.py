"""From what the views saw to the motion of one skeleton: priors, weights and the whole-clip solve."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from mocap.ankles import (
    Ankles,
    Network,
    foretell_ankles,
    load_network,
    missed_landmarks,
    turned_landmarks,
)
from mocap.attach import NEAREST, Attachment, load_attachment
from mocap.doubt import joint_doubt, made_up
from mocap.feet import Feet, Stance, bend_toes, find_stance, put_down
from mocap.glimpse import guessed_depths
from mocap.observations import Observations
from mocap.progress import Progress, Quiet
from mocap.still import Stillness, find_stillness
from mocap.unseen import unseen_terms
from rigs.body import Body, load_body
from rigs.contact import Contacts
from rigs.ground import soles
from rigs.initial import initial_pose, steady
from rigs.kinematics import Chain, Points, Pose, locate
from rigs.motion import Motion
from rigs.solve import SizePrior, Solution, posterior, solve, solve_in_windows, windows
from rigs.terms import Acceleration, Depth, Limits, Planted, Reprojection, Rest, Term

Floats = NDArray[np.float64]

EVIDENCE_RATE = 30.0  # frames a second that count as independent observations
ADULT = (1.70, 0.12)  # stature and its standard deviation, metres, when nobody gives it
GIVEN_STATURE_SD = 0.015  # metres: shoes, hair, posture
BONE_AXIS_RADIUS = 0.1  # metres: a point this far off a bone shows its turning to the acceleration prior
WINDOW, OVERLAP = 12.0, 2.0  # seconds
SIZING_FRAMES = 300  # most frames in which the sizes are solved with the motion
SIZING_STRETCHES = 3  # over which they are spread in a longer clip
ROUGH = 8  # times the robust scale in the first solve of a stretch, which no gross error may hold back
ROUGH_RATE = 15.0  # frames a second that the first solve of a stretch looks at: it only has to find the way
ROUGH_FRAMES = 10  # and at least so many
NEW_IN_STRETCH = 0.3  # of a stretch's information on sizes: a detector's errors come again


@dataclass(frozen=True)
class Settings:
    """How strongly the solve believes what; the defaults were chosen on held-out people."""

    liveliness: float = 10.0  # times the accelerations of the body definition
    planted_liveliness: float = 17.0  # the same once feet that stand, and what keeps still, are held
    robust: float = 2.5  # deviations of an observation that begin to count less
    plant_sd: float = 0.06  # m/s of a standing foot
    plant_scale: float = 3.0
    unseen: float = 1.0  # times the deviations of a body that nobody looks at


@dataclass(frozen=True)
class Animated:
    """A solved person: motion, stature (m), sizes by name (m of stature), and when the feet stand.

    contacts: in the order of `rigs.ground.soles`; None where nobody looked. joint_sd: (T, J) metres that each
    joint may be off, see `mocap.doubt`; None where that is not known.
    """

    motion: Motion
    stature: float
    sizes: dict[str, float]
    contacts: Contacts | None = None
    joint_sd: Floats | None = None


@dataclass
class Scene:
    """Everything the terms of one window need, for all frames."""

    body: Body
    attachment: Attachment
    rotation: Floats  # (V, 3, 3) camera from world
    translation: Floats  # (V, 3)
    seen: Floats  # (V, T, N, 2) undistorted x/z, y/z
    sd: Floats  # (V, T, N)
    fps: float
    settings: Settings
    feet: Feet = "auto"
    triangulated: Floats | None = None  # (T, N, 3) m, the landmarks
    guessed: tuple[Floats, Floats] | None = None  # depths (V, T, N) m and their sd, as the detector guesses
    network: Network | None = None  # that tells how ankles are turned
    stance: Stance | None = None  # once it is known when feet stand
    stillness: Stillness | None = None  # what keeps still
    ankles: Ankles | None = None  # and how feet are turned
    every: int = 1  # frames of the clip for which each stands
    chain: Chain = field(init=False)

    def __post_init__(self) -> None:
        self.chain = Chain(self.body)

    @property
    def frames(self) -> int:
        """T."""
        return self.seen.shape[1]

    def spans(self, frames: int) -> list[tuple[int, int]]:
        """Return the windows [start, stop) in which that many frames are solved."""
        return windows(frames, round(WINDOW * self.fps), round(OVERLAP * self.fps))

    def terms(self, start: int, stop: int, stature: float, robust: float) -> list[Term]:
        """Return the terms for frames [start, stop) of a person of `stature`."""
        weight, points = self._frame_weight, self.attachment.points(stature)
        window = slice(start, stop)
        carried, density = _carried_points(self.body, self._liveliness)
        return [
            Reprojection(
                points,
                self.rotation,
                self.translation,
                self.seen[:, window],
                self.sd[:, window] / np.sqrt(weight),
                robust * np.sqrt(weight),
            ),
            *self._guess_terms(points, window, weight, robust),
            Acceleration(carried, density, self.fps),
            Limits(self.body, frame_weight=weight),
            Rest(self.body, frame_weight=weight),
            *unseen_terms(self.body, stop - start, self.fps, weight, self.settings.unseen),
            *self._foot_terms(start, stop, stature, weight),
            *([self.stillness.term(start, stop, self.fps, weight)] if self.stillness else []),
        ]

    def thinned(self, start: int, stop: int, every: int) -> Scene:
        """Return every so manieth of frames [start, stop), each for as many, and nothing of feet."""
        frames = slice(start, stop, every)
        seen, sd = self.seen[:, frames], self.sd[:, frames]
        fps, every = self.fps / every, self.every * every
        guessed = self.guessed and (self.guessed[0][:, frames], self.guessed[1][:, frames])
        thin = replace(self, seen=seen, sd=sd, fps=fps, every=every, feet="never")
        return replace(thin, guessed=guessed, stance=None, stillness=None, ankles=None)

    @property
    def _frame_weight(self) -> float:
        """What a frame counts for; neighbours share their detector's error, and may stand for others."""
        return self.every * min(1.0, EVIDENCE_RATE / (self.fps * self.every))

    def imaged(self, world: Floats) -> Floats:
        """Return where the views see points (T, N, 3) m: (V, T, N, 2) undistorted x/z, y/z."""
        camera = world @ self.rotation.swapaxes(1, 2)[:, None] + self.translation[:, None, None]
        return np.asarray(camera[..., :2] / np.maximum(camera[..., 2:], NEAREST))

    @property
    def _liveliness(self) -> float:
        return self.settings.liveliness if self.stance is None else self.settings.planted_liveliness

    def _guess_terms(self, points: Points, window: slice, weight: float, robust: float) -> list[Term]:
        if self.guessed is None:
            return []
        depth, sd = (a[:, window] for a in self.guessed)
        some = np.isfinite(depth).any(axis=(0, 1))  # mostly none, and then nothing is to be paid
        few, sd = Points(points.joint[some], points.offsets[some]), sd[..., some] / np.sqrt(weight)
        found = Depth(few, self.rotation, self.translation, depth[..., some], sd, robust * np.sqrt(weight))
        return [found] if some.any() else []

    def _foot_terms(self, start: int, stop: int, stature: float, weight: float) -> list[Term]:
        points, _ = soles(self.body, stature)
        if self.stance is not None:
            turned = [self.ankles.term(start, stop, weight)] if self.ankles else []
            return [*self.stance.terms(points, start, stop, self.fps, weight), *turned]
        if self.feet == "never":
            return []
        return [Planted(points, self.settings.plant_sd, self.fps, self.settings.plant_scale, weight)]


def animate(
    seen: Observations,
    cameras: Cameras,
    landmarks: Floats,
    stature: float | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
    feet: Feet = "auto",
) -> Animated:
    """Solve one skeleton's motion from all views at once.

    Args:
        seen: V views of one person.
        cameras: the V cameras, in the same order.
        landmarks: (T, J, 3) m, triangulated; where the solve starts. NaN where unknown.
        stature: metres, if known.
        settings: weights; None = defaults.
        progress: told after each window; a clip of one window has no total.
        feet: "auto" holds feet that stand, "always" whenever they are low and slow, "never" does nothing for
            feet, "ground" is "auto" with the lower foot always on the floor.

    Returns:
        The motion of the joint centres, in the world of the cameras, with the person's sizes.

    Raises:
        MocapError: nothing is known of where the landmarks sit on the body.
    """
    body = load_body()
    attachment = load_attachment(seen.layout, body)
    calm = steady(landmarks, float(seen.fps))
    starts = {joint: calm[:, row] for joint, row in attachment.start.items()}
    first = initial_pose(body, starts, float(seen.fps))
    guess = stature or _stature(body, landmarks, attachment)
    scene = _scene(seen, cameras, attachment, body, first.root, guess, settings or Settings())
    scene.feet, scene.triangulated = feet, landmarks[:, attachment.rows]
    scene.guessed = guessed_depths(seen, cameras, landmarks, guess, scene.sd, attachment.rows)
    progress = progress or Quiet()
    progress.start(len(first) if len(scene.spans(len(first))) > 1 else None)
    try:
        return _solved(scene, first, guess, stature, seen.fps, progress)
    finally:
        progress.done()


def _solved(
    scene: Scene, first: Pose, guess: float, stature: float | None, fps: Fraction, progress: Progress
) -> Animated:
    body = scene.body
    prior = SizePrior.of_stature(body.size_spread, guess, GIVEN_STATURE_SD if stature else ADULT[1])
    sized = _solve_sizes(scene, first, guess, prior)
    grown = stature or float(np.average(sized.sizes, weights=1 / body.size_spread**2))
    whole = len(first) <= SIZING_FRAMES
    pose = sized.pose if whole else _solve_motion(scene, first, sized.sizes, grown, progress)
    doubt = joint_doubt(scene, pose, sized.sizes, grown)
    if scene.feet != "never":
        stance = find_stance(body, grown, sized.sizes, pose, scene.fps, scene.feet)
        scene.stillness = find_stillness(body, sized.sizes, pose, scene.fps)
        scene.stance = stance.where(~made_up(doubt[:, soles(body, grown)[0].joint]))
        pose = _feet_turned(scene, pose, sized.sizes, grown)
        pose = _solve_planted(scene, pose, sized.sizes, grown, progress)
    sizes = dict(zip(body.size_names, sized.sizes.tolist(), strict=True))
    motion = Motion(body.skeleton(sized.sizes), pose.rotations, pose.root, fps)
    if scene.feet == "ground":
        motion = put_down(motion, grown)
    if scene.feet != "never":
        motion = bend_toes(motion, grown)
    return Animated(motion, grown, sizes, scene.stance.contacts if scene.stance else None, doubt)


def _feet_turned(scene: Scene, pose: Pose, sizes: Floats, stature: float) -> Pose:
    """Say how the feet are turned, if that can be foretold, and turn them.

    What was seen of them turns too: it would else pull the ankles away from where they are.
    """
    if scene.network is None or scene.triangulated is None:
        return pose
    posed = scene.chain.place(pose, sizes)
    missed = missed_landmarks(posed, stature, scene.attachment, scene.triangulated)
    scene.ankles = foretell_ankles(posed, stature, missed, scene.fps, scene.network)
    turned = scene.ankles.applied(pose)
    there = turned_landmarks(posed, scene.chain.place(turned, sizes), stature, scene.attachment)
    here = locate(posed, scene.attachment.points(stature))
    scene.seen = scene.seen + (scene.imaged(there) - scene.imaged(here))
    return turned


def _solve_sizes(scene: Scene, first: Pose, stature: float, prior: SizePrior) -> Solution:
    """Solve motion and sizes together on the best seen stretches (the whole, in a short clip).

    Each stretch begins with what the ones before it say of the sizes. The pose is that of the last stretch.
    """
    sizes = np.full(len(scene.body.size_names), stature)
    spans = _sizing_spans(scene, len(first))
    solved = _solve_stretch(scene, first, spans[0], sizes, stature, prior)
    for before, span in pairwise(spans):
        terms = scene.terms(*before, stature, scene.settings.robust)
        prior = posterior(scene.chain, solved, terms, prior, NEW_IN_STRETCH)
        solved = _solve_stretch(scene, first, span, solved.sizes, stature, prior)
    return solved


def _solve_stretch(
    scene: Scene,
    first: Pose,
    span: tuple[int, int],
    sizes: Floats,
    stature: float,
    prior: SizePrior | None = None,
) -> Solution:
    """Solve frames [start, stop) of `first` leniently, then strictly; the sizes too if there is a prior."""
    start, stop = span
    every = max(1, min(round(scene.fps / ROUGH_RATE), (stop - start) // ROUGH_FRAMES))
    thin, robust = scene.thinned(start, stop, every), scene.settings.robust
    rough = thin.terms(0, thin.frames, stature, ROUGH * robust)
    found = solve(scene.chain, first[start:stop:every], sizes, rough, prior, steps=8, tolerance=0.1)
    pose = found.pose.at(np.arange(stop - start) / every)
    fine = scene.terms(start, stop, stature, robust)
    return solve(scene.chain, pose, found.sizes, fine, prior, steps=20, tolerance=3e-3, near=True)


def _sizing_spans(scene: Scene, frames: int) -> list[tuple[int, int]]:
    """The whole of a short clip; of a long one the stretch of each third in which most is seen."""
    if frames <= SIZING_FRAMES:
        return [(0, frames)]
    sight = np.concatenate([[0.0], np.cumsum((1 / scene.sd**2).sum(axis=(0, 2)))])
    edges = np.linspace(0, frames, SIZING_STRETCHES + 1).astype(int)
    spans = []
    for low, high in pairwise(edges):
        count = min(SIZING_FRAMES // SIZING_STRETCHES, high - low)
        best = low + int(np.argmax(sight[low + count : high + 1] - sight[low : high + 1 - count]))
        spans.append((best, best + count))
    return spans


def _solve_motion(scene: Scene, first: Pose, sizes: Floats, stature: float, progress: Progress) -> Pose:
    def window(start: int, stop: int) -> Pose:
        return _solve_stretch(scene, first, (start, stop), sizes, stature).pose

    return solve_in_windows(scene.spans(len(first)), window, partial(progress.advance, ""))


def _solve_planted(scene: Scene, pose: Pose, sizes: Floats, stature: float, progress: Progress) -> Pose:
    def window(start: int, stop: int) -> Pose:
        terms = scene.terms(start, stop, stature, scene.settings.robust)
        before = pose[start:stop]
        return solve(scene.chain, before, sizes, terms, steps=12, tolerance=1e-2, near=True).pose

    return solve_in_windows(scene.spans(len(pose)), window, partial(progress.advance, ""))


def _scene(
    seen: Observations,
    cameras: Cameras,
    attachment: Attachment,
    body: Body,
    root: Floats,
    stature: float,
    settings: Settings,
) -> Scene:
    rotation = np.stack([c.camera_from_world[:3, :3] for c in cameras])
    translation = np.stack([c.camera_from_world[:3, 3] for c in cameras])
    rows = attachment.rows
    image = np.stack([c.undistort(p) for c, p in zip(cameras, seen.pixels[:, :, rows], strict=True)])
    depth = np.einsum("vj,tj->vt", rotation[:, 2], root) + translation[:, 2:]
    focal = np.array([c.K[0, 0] for c in cameras])[:, None]
    spread = None if seen.spread is None else seen.spread[:, :, rows]
    sd = attachment.image_sd(seen.confidence[:, :, rows], stature, depth, focal, spread)
    scene = Scene(body, attachment, rotation, translation, image, sd, float(seen.fps), settings)
    if seen.spread is not None:  # refined: their detector's habits are known, and its feet's among them
        scene.network = load_network(seen.layout.name)
    return scene


def _stature(body: Body, landmarks: Floats, attachment: Attachment) -> float:
    """Guess the stature from the limbs' median lengths, within what people are."""
    ratios = []
    for upper, lower in (("UpLeg", "Leg"), ("Leg", "Foot"), ("Arm", "ForeArm"), ("ForeArm", "Hand")):
        for side in ("Left", "Right"):
            a, b = (landmarks[:, attachment.start[side + n]] for n in (upper, lower))
            share = np.linalg.norm(body.offsets[body.index(side + lower)])
            ratios.append(np.linalg.norm(b - a, axis=-1) / share)
    lengths = np.array([np.nanmedian(r) for r in ratios if np.isfinite(r).any()])
    return float(np.clip(np.median(lengths), 1.0, 2.2)) if len(lengths) else ADULT[0]


def _carried_points(body: Body, liveliness: float) -> tuple[Points, Floats]:
    """Joints, and two points off each bone's axis, with the density of their acceleration."""
    joints = len(body.names)
    offsets = np.zeros((3 * joints, joints, 3))
    for j in range(joints):
        along = (
            body.offsets[np.argmax(body.parents == j)]
            if (body.parents == j).any()
            else body.tips[body.names[j]]
        )
        off = [axis for axis in range(3) if axis != np.argmax(np.abs(along))]
        offsets[joints + j, j, off[0]] = BONE_AXIS_RADIUS
        offsets[2 * joints + j, j, off[1]] = BONE_AXIS_RADIUS
    density = np.tile(body.acceleration, 3) / np.sqrt(3 * EVIDENCE_RATE) * liveliness
    return Points(np.tile(np.arange(joints), 3), offsets), density
