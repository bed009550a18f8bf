"""A made-up capture: a body moved by known angles, seen by a ring of known cameras, as films and keypoints.

The landmarks sit on the body exactly where the solve believes them, so whatever differs from the truth is the
solve's own doing: its priors, which pull as hard as they would on a real detector's scatter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import yaml
from av.video.stream import VideoStream

from calibration.camera import Camera, Cameras
from calibration.files import write_aniposelib
from mocap.attach import load_attachment
from mocap.bodyguess import load_guess
from mocap.keypoints import load_layout
from mocap.observations import Observations
from rigs import quat
from rigs.motion import Motion
from rigs.solving.body import load_body
from rigs.solving.kinematics import Chain, Pose, locate
from tests.calibration.synthetic import ring

STATURE = 1.75
LAYOUT = load_layout("blazepose33")
SIZE = (720, 540)
AT_THE_JOINT = 0.01  # of stature: centres of joints sit by so much beside them at most
SURE = 0.99  # confidence of every keypoint


@dataclass(frozen=True)
class Person:
    """Joints (T, J, 3) and landmarks (T, 33, 3) in metres, world y up."""

    joints: np.ndarray
    landmarks: np.ndarray

    def moved(self, x: float, z: float) -> Person:
        shift = np.array([x, 0.0, z])
        return Person(self.joints + shift, self.landmarks + shift)


def marching(frames: int, fps: Fraction | float = 30, stature: float = STATURE) -> Person:
    """Someone who walks at 0.4 m/s along z, swinging limbs once a second, bending knees and elbows."""
    body = load_body()
    t = np.arange(frames) / float(fps)
    swing = np.sin(2 * np.pi * t)
    turn = np.zeros((frames, len(body.names), 3))
    for side, sign in (("Left", 1.0), ("Right", -1.0)):  # mirrored turns about y and z change their sign
        turn[:, body.index(f"{side}UpLeg"), 0] = -0.35 * sign * swing
        turn[:, body.index(f"{side}Leg"), 0] = 0.4 + 0.3 * sign * swing
        turn[:, body.index(f"{side}Arm"), 2] = -1.2 * sign  # hanging, away from the body
        turn[:, body.index(f"{side}ForeArm"), 1] = -sign * (0.5 + 0.2 * sign * swing)
    turn[:, 0, 1] = 0.2 * np.sin(np.pi * t)
    root = np.stack([0.1 * np.sin(np.pi * t), np.full(frames, 0.54 * stature), 0.4 * t - 0.3], axis=-1)
    posed = Chain(body).place(Pose(root, quat.from_rotvec(turn)), np.full(len(body.size_names), stature))
    attachment = load_attachment(LAYOUT, body)
    landmarks = np.full((frames, len(LAYOUT), 3), np.nan)
    landmarks[:, attachment.rows] = locate(posed, attachment.points(stature))
    return Person(posed.positions, landmarks)


def body_joints(motion: Motion) -> np.ndarray:
    """Where the joints of `Person` are in a motion that has fingers as well: (T, J, 3) m."""
    rows = [motion.skeleton.index(name) for name in load_body().names]
    return np.asarray(motion.world()[0][:, rows])


def observed(seen_by: Cameras, people: Sequence[Person], fps: Fraction = Fraction(30)) -> Observations:
    """What each camera sees of its person."""
    pixels = np.stack([c.project(p.landmarks) for c, p in zip(seen_by, people, strict=True)])
    return Observations(seen_by.names, LAYOUT, pixels, np.full(pixels.shape[:-1], SURE), fps)


def beside(seen: Observations, cameras: Cameras, person: Person) -> Observations:
    """The same with the centres of the person's joints beside the landmarks, as sure; no others are seen."""
    whole = load_layout(f"{seen.layout.name}_centres")
    attachment, count = load_attachment(whole, load_body()), len(whole) - len(seen.layout)
    where = np.full((seen.frames, count, 3), np.nan)
    for row, joint, offset in zip(attachment.rows, attachment.joint, attachment.offsets, strict=True):
        if row >= len(seen.layout) and np.linalg.norm(offset, axis=-1).sum() < AT_THE_JOINT:
            where[:, row - len(seen.layout)] = person.joints[:, joint]
    pixels = np.stack([camera.project(where) for camera in cameras])
    sight = np.where(np.isfinite(pixels).all(axis=-1), SURE, 0.0)
    world = None if seen.world is None else np.full((*sight.shape, 3), np.nan)
    return replace(
        seen,
        layout=whole,
        pixels=np.concatenate([seen.pixels, pixels], axis=2),
        confidence=np.concatenate([seen.confidence, sight], axis=2),
        world=None if seen.world is None else np.concatenate([seen.world, world], axis=2),
    )


def film(
    path: Path,
    frames: int,
    fps: Fraction | int = 30,
    size: tuple[int, int] = SIZE,
    stamps: Sequence[int] | None = None,
) -> Path:
    """Write a grey video; `stamps`, in frames, leave some out."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options={"preset": "ultrafast"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = 1 / Fraction(fps)
        grey = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
        for i in stamps or range(frames):
            frame = av.VideoFrame.from_ndarray(grey, format="yuv420p")
            frame.pts, frame.time_base = i, 1 / Fraction(fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def give(
    video: Path,
    pixels: np.ndarray,
    confidence: float | np.ndarray = SURE,
    world: np.ndarray | None = None,
) -> None:
    """Write keypoints (T, 33, 2) beside a video, for the detector `given`; its 3D guess (T, 33, 3) too."""
    trust = np.broadcast_to(confidence, pixels.shape[:-1])
    guess = {} if world is None else {"world": world}
    path = video.with_suffix(".keypoints.npz")
    np.savez(path, layout="blazepose33", points=pixels, confidence=trust, **guess)


def guess(camera: Camera, landmarks: np.ndarray, stature: float = STATURE) -> np.ndarray:
    """What BlazePose guesses of landmarks (T, 33, 3) in space, but for the half of the tilt it takes out."""
    scale = load_guess(LAYOUT).scale * stature
    middle = np.nanmean(landmarks[:, [LAYOUT.index("left_hip"), LAYOUT.index("right_hip")]], axis=1)[:, None]
    turned = (landmarks - middle) @ camera.camera_from_world[:3, :3].T / scale
    return np.nan_to_num(turned)  # all landmarks or none


def write_scene(
    folder: Path,
    person: Person,
    fps: Fraction | int = 30,
    *,
    others: Mapping[str, Person] | None = None,
    seen_by: Cameras | None = None,
    calibrated: Cameras | None = None,
    late: Mapping[str, int] | None = None,
    view_fields: Mapping[str, object] | None = None,
    **fields: object,
) -> Path:
    """Write films, keypoints, calibration and views file of a scene; returns the views file.

    Args:
        folder: made where it is missing.
        person: whom all see,
        fps: of the films.
        others: but these views somebody else.
        seen_by: the cameras that filmed.
        calibrated: the cameras in the calibration file, if others.
        late: frames by which the films of these views begin later.
        view_fields: more of every view.
        fields: more of the views file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seen_by, missing = seen_by or ring(), {0, *(late or {}).values()}
    films = {k: film(folder / "film.mp4", len(person.landmarks) - k, fps).read_bytes() for k in missing}
    for camera in seen_by:
        video, first = folder / f"{camera.name}.mp4", (late or {}).get(camera.name, 0)
        video.write_bytes(films[first])
        landmarks = (others or {}).get(camera.name, person).landmarks[first:]
        give(video, camera.project(landmarks), world=guess(camera, landmarks))
    write_aniposelib(folder / "calibration.toml", calibrated or seen_by)
    views = [{"name": name, "video": f"{name}.mp4", **(view_fields or {})} for name in seen_by.names]
    table = {"calibration": "calibration.toml", "views": views, **fields}
    (folder / "cams.yaml").write_text(yaml.safe_dump(table))
    return folder / "cams.yaml"
