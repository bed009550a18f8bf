"""From what the views saw to the motion of one skeleton: priors, weights and the whole-clip solve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from mocap.ankles import foretell_ankles, missed_landmarks, turned_landmarks
from mocap.attach import Attachment, load_attachment
from mocap.doubt import joint_doubt, made_up
from mocap.feet import Feet, bend_toes, find_stance, put_down, soles_of, with_own_heels
from mocap.glimpse import guessed_depths
from mocap.lively import liveliness
from mocap.observations import Observations
from mocap.progress import Progress, Quiet
from mocap.scene import Scene, Settings, Wrists, scene_of
from mocap.sizing import SIZING_FRAMES, Span, sizing_spans, solve_sizes
from mocap.still import find_stillness
from mocap.together import together
from rigs.contact import Contacts, standing_still
from rigs.motion import Motion
from rigs.solving.body import Body, load_body
from rigs.solving.flips import solve_without_flips
from rigs.solving.ground import soles
from rigs.solving.initial import initial_pose, steady
from rigs.solving.kinematics import Pose, locate
from rigs.solving.solve import SizePrior, Solution, solve, solve_in_windows
from rigs.solving.terms import Term

Floats = NDArray[np.float64]

ADULT = (1.70, 0.12)  # stature and its standard deviation, metres, when nobody gives it
GIVEN_STATURE_SD = 0.015  # metres: shoes, hair, posture
ROUGH = 8  # times the robust scale in the first solve of a stretch, which no gross error may hold back
ROUGH_RATE = 15.0  # frames a second that the first solve of a stretch looks at: it only has to find the way
ROUGH_FRAMES = 10  # and at least so many
ONCE_MORE = 1  # steps with wrists that hands show: the start was solved, and only arms are led elsewhere


@dataclass(frozen=True)
class Animated:
    """A solved person: motion, stature (m), sizes by name (m of stature), and when the feet stand.

    contacts: in the order of `rigs.solving.ground.soles`; None where nobody looked. joint_sd: (T, J) metres
    that each joint may be off, see `mocap.doubt`; None where that is not known. again: solves once more, from
    here, with wrists that were found since; None where that cannot be done.
    """

    motion: Motion
    stature: float
    sizes: dict[str, float]
    contacts: Contacts | None = None
    joint_sd: Floats | None = None
    again: Callable[[Wrists], Animated] | None = None


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
    scene = scene_of(seen, cameras, attachment, body, first.root, guess, settings or Settings())
    scene.feet, scene.triangulated = feet, landmarks[:, attachment.rows]
    scene.guessed = guessed_depths(seen, cameras, landmarks, guess, scene.sd, attachment.rows)
    progress = progress or Quiet()
    progress.start(len(first) if len(scene.spans(len(first))) > 1 else None)
    try:
        return _solved(scene, first, guess, stature, seen, cameras, progress)
    finally:
        progress.done()


def _solved(
    scene: Scene,
    first: Pose,
    guess: float,
    stature: float | None,
    seen: Observations,
    cameras: Cameras,
    progress: Progress,
) -> Animated:
    body = scene.body
    prior = SizePrior.of_stature(body.size_spread, guess, GIVEN_STATURE_SD if stature else ADULT[1])
    sized = _solve_sizes(scene, first, guess, prior)
    sized = replace(sized, sizes=sized.sizes / scene.attachment.short)
    grown = stature or float(np.average(sized.sizes, weights=1 / body.size_spread**2))
    whole = len(first) <= SIZING_FRAMES
    pose = sized.pose if whole else _solve_motion(scene, first, sized.sizes, grown, progress)
    doubt = joint_doubt(scene, pose, sized.sizes, grown)
    if scene.feet != "never":
        stance = find_stance(body, grown, sized.sizes, pose, scene.fps, scene.feet, doubt)
        scene.stillness = find_stillness(body, sized.sizes, pose, scene.fps)
        scene.stance = stance.where(~_unknown_soles(body, grown, doubt))
        scene.lively = liveliness(scene, pose, sized.sizes, grown)
        scene.together = together(seen, cameras, body, scene.attachment, grown, doubt)
        pose = _feet_turned(scene, pose, sized.sizes, grown)
    return _Half(scene, pose, sized.sizes, grown, seen.fps, doubt).solved(progress)


@dataclass(frozen=True, eq=False)
class _Half:
    """A person whose sizes and feet are known: pose (T frames), sizes (G,) m of stature, doubt (T, J) m."""

    scene: Scene
    pose: Pose
    sizes: Floats
    stature: float
    fps: Fraction
    doubt: Floats

    def solved(self, progress: Progress) -> Animated:
        """Solve the second time, with feet held."""
        pose = self.pose if self.scene.stance is None else self._solve(self.scene, self.pose, progress)
        return self._animated(pose)

    def with_wrists(self, pose: Pose, wrists: Wrists) -> Animated:
        """Solve once more from `pose`, with wrists that were found since."""
        return self._animated(self._solve(replace(self.scene, wrists=wrists), pose, Quiet(), ONCE_MORE))

    def _solve(self, scene: Scene, pose: Pose, progress: Progress, steps: int = 12) -> Pose:
        return _solve_planted(scene, pose, self.sizes, self.stature, progress, steps)

    def _animated(self, pose: Pose) -> Animated:
        scene, grown = self.scene, self.stature
        sizes = dict(zip(scene.body.size_names, self.sizes.tolist(), strict=True))
        motion = Motion(scene.body.skeleton(self.sizes), pose.rotations, pose.root, self.fps)
        if scene.feet == "ground":
            motion = put_down(motion, grown)
        if scene.feet != "never":
            motion = bend_toes(motion, grown)
        again = partial(self.with_wrists, pose)
        return Animated(motion, grown, sizes, self._contacts(motion), self.doubt, again)

    def _contacts(self, motion: Motion) -> Contacts | None:
        """What stands in the solved motion; if feet are to be planted always, what was held."""
        stance = self.scene.stance
        if stance is None:
            return None
        if self.scene.feet == "always":
            return stance.contacts
        soles_at = soles_of(motion, self.stature)
        fps = float(self.fps)
        standing = with_own_heels(stance.standing, soles_at, stance.contacts, fps)
        found = standing_still(soles_at, standing, stance.contacts, fps)
        unknown = _unknown_soles(self.scene.body, self.stature, self.doubt)
        return Contacts(np.where(unknown, np.nan, found.level))


def _unknown_soles(body: Body, stature: float, doubt: Floats) -> NDArray[np.bool_]:
    """Whether each sole (T, 4) is made up, as nobody saw it."""
    return made_up(doubt[:, soles(body, stature)[0].joint])


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
    """Solve motion and sizes together on the best seen stretches (the whole, in a short clip)."""

    def stretch(span: Span, sizes: Floats, prior: SizePrior) -> tuple[Solution, list[Term]]:
        solved = _solve_stretch(scene, first, span, sizes, stature, prior)
        return solved, scene.terms(*span, stature, scene.settings.robust)

    sizes = np.full(len(scene.body.size_names), stature)
    return solve_sizes(scene.chain, sizing_spans(scene, len(first)), stretch, sizes, prior)


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
    near = (pose, found.sizes, fine, prior)
    return solve_without_flips(scene.chain, *near, fps=scene.fps, steps=20, tolerance=3e-3)


def _solve_motion(scene: Scene, first: Pose, sizes: Floats, stature: float, progress: Progress) -> Pose:
    def window(start: int, stop: int) -> Pose:
        return _solve_stretch(scene, first, (start, stop), sizes, stature).pose

    return solve_in_windows(scene.spans(len(first)), window, partial(progress.advance, ""))


def _solve_planted(
    scene: Scene, pose: Pose, sizes: Floats, stature: float, progress: Progress, steps: int
) -> Pose:
    def window(start: int, stop: int) -> Pose:
        terms = scene.terms(start, stop, stature, scene.settings.robust)
        before = pose[start:stop]
        near = (before, sizes, terms)
        return solve_without_flips(scene.chain, *near, fps=scene.fps, steps=steps, tolerance=1e-2).pose

    return solve_in_windows(scene.spans(len(pose)), window, partial(progress.advance, ""))


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
