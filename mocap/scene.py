"""What a person's motion is solved from: what the views saw, what is believed, and the terms of the solve."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from mocap.ankles import Ankles, Network, load_network
from mocap.attach import NEAREST, Attachment
from mocap.feet import Feet, Stance
from mocap.lift.points import points_of
from mocap.observations import Observations
from mocap.still import Stillness
from mocap.together import Together
from mocap.unseen import unseen_terms
from rigs.solving.body import Body
from rigs.solving.ground import soles
from rigs.solving.kinematics import Chain, Points
from rigs.solving.solve import windows
from rigs.solving.terms import Acceleration, Depth, Limits, Near, Planted, Reprojection, Rest, Term

Floats = NDArray[np.float64]

EVIDENCE_RATE = 30.0  # frames a second that count as independent observations
BONE_AXIS_RADIUS = 0.1  # metres: a point this far off a bone shows its turning to the acceleration prior
WINDOW, OVERLAP = 12.0, 2.0  # seconds


@dataclass(frozen=True)
class Settings:
    """How strongly the solve believes what; the defaults were chosen on held-out people."""

    liveliness: float = 10.0  # times the accelerations of the body definition
    planted_liveliness: float = 28.0  # the same once feet that stand, and what keeps still, are held
    robust: float = 2.5  # deviations of an observation that begin to count less
    plant_sd: float = 0.06  # m/s of a standing foot
    plant_scale: float = 3.0
    unseen: float = 1.0  # times the deviations of a body that nobody looks at


@dataclass(frozen=True, eq=False)
class Wrists:
    """Where hands show the left and right wrist: at (T, 2, 3) m, sd (T, 2) m, infinite where they do not."""

    at: Floats
    sd: Floats

    def term(self, body: Body, start: int, stop: int, frame_weight: float) -> Near:
        """Return the pull on frames [start, stop)."""
        hands = np.array([body.index(f"{side}Hand") for side in ("Left", "Right")])
        points = Points(hands, np.zeros((2, len(body.names), 3)))
        return Near(points, self.at[start:stop], self.sd[start:stop], frame_weight)


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
    lively: Floats | None = None  # (T, J) times the liveliness, once it is known how much of motion is noise
    stance: Stance | None = None  # once it is known when feet stand
    stillness: Stillness | None = None  # what keeps still
    ankles: Ankles | None = None  # and how feet are turned
    wrists: Wrists | None = None  # where hands are, once they were looked at
    together: Together | None = None  # what lifters say, where images tell too little
    slant: Floats | None = None  # (V, T, N, 2) which way each is rather off; any if None
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
        if self.lively is not None:
            density = density * np.tile(self.lively[start + 1 : stop - 1], 3)
        return [
            Reprojection(
                points,
                self.rotation,
                self.translation,
                self.seen[:, window],
                self.sd[:, window] / np.sqrt(weight),
                robust * np.sqrt(weight),
                None if self.slant is None else self.slant[:, window],
            ),
            *self._guess_terms(points, window, weight, robust),
            Acceleration(carried, density, self.fps),
            Limits(self.body, frame_weight=weight),
            Rest(self.body, frame_weight=weight),
            *unseen_terms(self.body, stop - start, self.fps, weight, self.settings.unseen),
            *self._foot_terms(start, stop, stature, weight),
            *([self.stillness.term(start, stop, self.fps, weight)] if self.stillness else []),
            *([self.wrists.term(self.body, start, stop, weight)] if self.wrists else []),
            *self._lifted_terms(start, stop, stature, weight),
        ]

    def thinned(self, start: int, stop: int, every: int) -> Scene:
        """Return every so manieth of frames [start, stop), each for as many, and nothing of feet."""
        frames = slice(start, stop, every)
        seen, sd = self.seen[:, frames], self.sd[:, frames]
        fps, every = self.fps / every, self.every * every
        guessed = self.guessed and (self.guessed[0][:, frames], self.guessed[1][:, frames])
        slant = None if self.slant is None else self.slant[:, frames]
        thin = replace(self, seen=seen, sd=sd, slant=slant, fps=fps, every=every, feet="never")
        return replace(
            thin, guessed=guessed, lively=None, stance=None, stillness=None, ankles=None, together=None
        )

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

    def _lifted_terms(self, start: int, stop: int, stature: float, weight: float) -> list[Term]:
        if self.together is None:
            return []
        points = points_of(self.body, self.attachment, stature)
        return self.together.term(points, stature, start, stop, weight)

    def _foot_terms(self, start: int, stop: int, stature: float, weight: float) -> list[Term]:
        points, _ = soles(self.body, stature)
        if self.stance is not None:
            turned = [self.ankles.term(start, stop, weight)] if self.ankles else []
            return [*self.stance.terms(points, start, stop, self.fps, weight), *turned]
        if self.feet == "never":
            return []
        return [Planted(points, self.settings.plant_sd, self.fps, self.settings.plant_scale, weight)]


def scene_of(
    seen: Observations,
    cameras: Cameras,
    attachment: Attachment,
    body: Body,
    root: Floats,
    stature: float,
    settings: Settings,
) -> Scene:
    """Set up a scene of what V views saw of one person.

    Args:
        seen: the views.
        cameras: theirs.
        attachment: of the landmarks on the body.
        body: of the person.
        root: (T, 3) m, about where the person is; how far, tells how large landmarks scatter in the images.
        stature: m.
        settings: how strongly the solve believes what.
    """
    rotation = np.stack([c.camera_from_world[:3, :3] for c in cameras])
    translation = np.stack([c.camera_from_world[:3, 3] for c in cameras])
    rows = attachment.rows
    image = np.stack([c.undistort(p) for c, p in zip(cameras, seen.pixels[:, :, rows], strict=True)])
    depth = np.einsum("vj,tj->vt", rotation[:, 2], root) + translation[:, 2:]
    focal = np.array([c.K[0, 0] for c in cameras])[:, None]
    spread = None if seen.spread is None else seen.spread[:, :, rows]
    sd = attachment.image_sd(seen.confidence[:, :, rows], stature, depth, focal, spread)
    slant = None if seen.slant is None else seen.slant[:, :, rows]
    scene = Scene(body, attachment, rotation, translation, image, sd, float(seen.fps), settings, slant=slant)
    if seen.spread is not None:  # refined: their detector's habits are known, and its feet's among them
        scene.network = load_network(seen.layout.name)
    return scene


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
