"""By how much the network of joint centres is off on average, from people whom `pixels/watch.py` watched.

What it says of four views is solved, and held against the true points: where on the bones its centres sit is
fitted by least squares in the images, and bones are short by as much as they are solved short with that. Both
are of all people alike; what one person differs by is 4 per cent of a bone's length, and nobody knows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import numpy as np

from calibration.camera import Camera, Cameras
from calibration.triangulate import triangulate
from mocap.animate import Animated, animate
from mocap.attach import Attachment
from mocap.centred import ALIKE, sight_of
from mocap.detect.centres import CENTRES
from mocap.keypoints import load_layout
from mocap.observations import Observations
from rigs import quat
from rigs.solving.body import MIRROR
from rigs.solving.slant import inverse_shape

LAYOUT = load_layout("blazepose33_centres")
FOCAL = 1000.0  # of the cameras that stand for those that watched, px
Y_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # world z up from the world of the solve
NOTHING = 1e4  # px by which landmarks may be off that nobody detected
SOFT = 2.5  # deviations at which an observation begins to count less
LIKELY = 0.004  # of stature: how far a centre may sit off its joint
# Centre -> the bones that carry it. Arms have no row: there nothing comes out that is more than its error.
BONES = {
    "centre_pelvis": ("Hips",),
    "centre_spine_01": ("Spine",),
    "centre_spine_02": ("Spine1",),
    "centre_spine_03": ("Spine2",),
    "centre_neck_01": ("Neck",),
    "centre_head": ("Head",),
    "left_centre_thigh": ("Hips", "LeftUpLeg"),
    "left_centre_calf": ("LeftUpLeg", "LeftLeg"),
    "left_centre_foot": ("LeftLeg", "LeftFoot"),
    "left_centre_ball": ("LeftFoot",),
    "left_centre_toe": ("LeftFoot",),
    "centre_nose_tip": ("Head",),
    "left_centre_eye": ("Head",),
    "left_centre_ear": ("Head",),
    "centre_head_top": ("Head",),
}
# Size group -> the centres at its ends, and our joints there. Those that are solved right have no row.
ENDS = {
    "shin": (("calf", "foot"), ("Leg", "Foot")),
    "foot": (("foot", "ball"), ("Foot", "ToeBase")),
    "forearm": (("lowerarm", "hand"), ("ForeArm", "Hand")),
}


@dataclass(frozen=True, eq=False)
class Watched:
    """One person: cameras, true points (N, 40, 3) m y up, what was said (V, N, 40, 5) in x/z and y/z."""

    cameras: Cameras
    points: np.ndarray
    said: np.ndarray

    def solved(self, attachment: Attachment) -> Animated:
        """Solve the poses; they are so far apart in time that no motion joins them."""
        seen = self._observations()
        scale = 0.02 * float(np.nanmedian(seen.heights()))
        landmarks, _ = triangulate(self.cameras, seen.pixels, seen.confidence**2, scale_px=scale)
        with patch("mocap.animate.load_attachment", lambda *_: attachment):
            return animate(seen, self.cameras, landmarks, feet="never")

    def _observations(self) -> Observations:
        first, same = len(LAYOUT.detector), np.array(LAYOUT.same)
        places, spread = FOCAL * self.said[..., :2], FOCAL * ALIKE * self.said[..., 2]
        extent = np.ptp(places, axis=2).max(axis=-1)[..., None]
        shape = (*spread.shape[:2], len(LAYOUT))
        pixels, off = np.full((*shape, 2), np.nan), np.full(shape, np.nan)
        confidence, slant = np.zeros(shape), np.zeros((*shape, 2))
        pixels[:, :, first:], off[:, :, first:] = places, spread
        confidence[:, :, first:] = sight_of(spread, extent)
        slant[:, :, first:] = self.said[..., 3:]
        pixels[:, :, same[:, 0]], off[:, :, same[:, 0]] = pixels[:, :, same[:, 1]], NOTHING
        confidence[:, :, same[:, 0]] = confidence[:, :, same[:, 1]]
        return Observations(
            self.cameras.names, LAYOUT, pixels, confidence, Fraction(1, 4), spread=off, slant=slant
        )


def read_watched(path: Path) -> Iterator[Watched]:
    """People of a file of `pixels/watch.py`."""
    with np.load(path, allow_pickle=False) as file:
        rows = zip(*(file[name] for name in ("points", "turn", "eye", "said")), strict=True)
        for points, turns, eyes, said in rows:
            cameras = [_camera(k, turn, eye) for k, (turn, eye) in enumerate(zip(turns, eyes, strict=True))]
            yield Watched(Cameras(tuple(cameras)), points.astype(float) @ Y_UP, said)


def _camera(number: int, turn: np.ndarray, eye: np.ndarray) -> Camera:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = turn @ Y_UP, -turn @ eye
    middle = np.diag([FOCAL, FOCAL, 1.0])
    return Camera(f"cam{number}", (2000, 2000), middle, np.zeros(0), pose)


def offsets(people: list[Watched], attachment: Attachment) -> dict[str, dict[str, np.ndarray]]:
    """How far centres of the left side are off: name -> bone -> (3,) in its frame, units of stature."""
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for person in people:
        solved = person.solved(attachment)
        frames = quat.to_matrix(solved.motion.world()[1])
        for name, bones in BONES.items():
            for side in ("left", "right") if name.startswith("left") else ("",):
                information, pull = _pull(person, solved, frames, name, bones, side)
                before = found.get(name, (np.eye(len(pull)) / LIKELY**2, np.zeros(len(pull))))
                found[name] = before[0] + information, before[1] + pull
    fitted = {name: np.linalg.solve(*both).reshape(-1, 3) for name, both in found.items()}
    for name, rows in fitted.items():
        if not name.startswith("left"):
            rows[:, 0] = 0.0  # nobody is lopsided on average
    return {name: dict(zip(BONES[name], rows, strict=True)) for name, rows in fitted.items()}


def _pull(
    person: Watched, solved: Animated, frames: np.ndarray, name: str, bones: tuple[str, ...], side: str
) -> tuple[np.ndarray, np.ndarray]:
    """Information (3 B, 3 B) and gradient (3 B,) of a centre's offset on B bones, from all views."""
    mirror = MIRROR if side == "right" else np.ones(3)
    rows = [solved.motion.skeleton.index(bone.replace("Left", side.title() or "Left")) for bone in bones]
    at = CENTRES.index(name.removeprefix("left_").removeprefix("centre_") + (f"_{side[0]}" if side else ""))
    carried = np.concatenate([frames[:, row] * mirror for row in rows], axis=-1) * solved.stature
    information, pull = np.zeros((3 * len(rows), 3 * len(rows))), np.zeros(3 * len(rows))
    for camera, said in zip(person.cameras, person.said[:, :, at], strict=True):
        pose = camera.camera_from_world
        x, y, z = (person.points[:, at] @ pose[:3, :3].T + pose[:3, 3]).T
        none = np.zeros_like(z)
        image = np.stack([1 / z, none, -x / z**2, none, 1 / z, -y / z**2], axis=-1).reshape(-1, 2, 3)
        change = image @ pose[:3, :3] @ carried
        xx, xy, yy = inverse_shape(said[:, 3:])
        weight = np.stack([xx, xy, xy, yy], axis=-1).reshape(-1, 2, 2) / (said[:, 2] ** 2)[:, None, None]
        residual = said[:, :2] - np.stack([x / z, y / z], axis=-1)
        square = np.einsum("ni,nij,nj->n", residual, weight, residual)
        weight *= ((SOFT**2 / (SOFT**2 + square)) ** 2)[:, None, None]
        information += np.einsum("nia,nij,njb->ab", change, weight, change)
        pull += np.einsum("nia,nij,nj->a", change, weight, residual)
    return information, pull


def short(people: list[Watched], attachment: Attachment) -> dict[str, float]:
    """Size group -> length as solved over length as it is, the mean over people."""
    shares: dict[str, list[float]] = {group: [] for group in ENDS}
    for person in people:
        motion = person.solved(attachment).motion
        places, index = motion.world()[0], motion.skeleton.index
        for group, (true, ours) in ENDS.items():
            for side in ("Left", "Right"):
                true_length, solved_length = (
                    np.linalg.norm(at[:, a] - at[:, b], axis=-1).mean()
                    for at, (a, b) in (
                        (person.points, [CENTRES.index(f"{name}_{side[0].lower()}") for name in true]),
                        (places, [index(side + name) for name in ours]),
                    )
                )
                shares[group].append(solved_length / true_length)
    return {group: float(np.mean(values)) for group, values in shares.items()}
