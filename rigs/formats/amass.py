"""Motion of a body model as AMASS keeps it: axis angles of all joints, the body's translation and shape.

Source: Mahmood et al., "AMASS: Archive of Motion Capture as Surface Shapes", 2019, and its files, z up.
"""

from __future__ import annotations

import logging
from os import PathLike

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats.finite import check_finite
from rigs.formats.from_rest import turned_from_rest
from rigs.formats.replacing import replacing
from rigs.formats.smpl import BODIES, GENDERS, body_of, read_body_model
from rigs.quat import FloatArray

log = logging.getLogger(__name__)

_BETAS = {"smpl": 10, "smplh": 16, "smplx": 16}  # as many as AMASS has
_Z_UP = quat.from_rotvec([np.pi / 2.0, 0.0, 0.0])  # (x, y, z) -> (x, -z, y)


def write_amass(
    path: str | PathLike[str], clip: Clip, model: str | PathLike[str] | None = None, gender: str = "neutral"
) -> None:
    """Write one character whose joints are SMPL's, SMPL-H's or SMPL-X's.

    Arrays: ``poses`` (T, 72, 156 or 165) axis angles from the body's rest pose, the first three of the pelvis
    in the world; ``trans`` (T, 3) metres, which the body is moved by: the pelvis is at its place at rest, of
    that shape, plus this; ``betas`` (10, or 16), ``mocap_framerate``, ``gender``; z up.

    Args:
        path: the file; one that is there is replaced.
        clip: T frames.
        model: the user's model file, or the folder of them; betas are then fitted to the bones' lengths, and
            the pelvis is where it belongs. Without it betas are zero and ``trans`` is the pelvis itself.
        gender: "neutral", "male" or "female".

    Raises:
        FormatError: other joints, a number that is not finite, a model that cannot be read, or a file that
            cannot be written.
    """
    body = body_of(clip.motion.skeleton.names)
    if body is None:
        raise FormatError(
            f"cannot write {path}: {clip.name!r} has not the joints of SMPL; export to such a rig"
        )
    if gender not in GENDERS:
        raise FormatError(f"cannot write {path} of gender {gender!r}; choose one of {', '.join(GENDERS)}")
    check_finite(path, clip.motion)
    betas, pelvis = np.zeros(_BETAS[body]), np.zeros(3)
    if model is None:
        log.warning("%s: no body model is given, so betas are 0 and trans is where the pelvis is", path)
    else:
        betas, pelvis = _shape(path, clip, body, model, gender)
    positions, _ = clip.motion.world()
    placed = quat.rotate(_Z_UP, positions[:, clip.motion.skeleton.index("pelvis")])
    arrays = {
        "poses": _poses(clip, body),
        "trans": placed - pelvis,
        "betas": betas,
        "mocap_framerate": np.array(float(clip.motion.fps)),
        "gender": np.array(gender),
    }
    if body == "smplx":  # as AMASS names them in its files of this body
        arrays |= {"mocap_frame_rate": arrays["mocap_framerate"], "surface_model_type": np.array(body)}
    with replacing(path, "wb") as file:
        np.savez(file, **arrays)


def _poses(clip: Clip, body: str) -> FloatArray:
    """Return axis angles (T, 3 J) from the rest pose, of joints in their parents, the pelvis in the world."""
    names, turned = clip.motion.skeleton.names, turned_from_rest(clip)
    poses = []
    for name, parent in BODIES[body].items():
        before = turned[:, names.index(parent)] if parent else quat.conjugate(_Z_UP)
        poses.append(quat.to_rotvec(quat.multiply(quat.conjugate(before), turned[:, names.index(name)])))
    return np.concatenate(poses, axis=1)


def _shape(
    path: object, clip: Clip, body: str, model: str | PathLike[str], gender: str
) -> tuple[FloatArray, FloatArray]:
    """Return betas, filled up with zeros, and where the pelvis rests in the model's own axes, (3,) metres."""
    names = clip.motion.skeleton.names
    rest = clip.resting.world()[0][0]
    lengths = {
        name: float(np.linalg.norm(rest[names.index(name)] - rest[names.index(parent)]))
        for name, parent in BODIES[body].items()
        if parent
    }
    found = read_body_model(model, body, gender)
    shape = found.fitted(lengths)
    order, joints = list(BODIES[body]), found.joints(shape)
    off = {
        name: float(np.linalg.norm(joints[order.index(name)] - joints[order.index(BODIES[body][name])]))
        - length
        for name, length in lengths.items()
    }
    worst = max(off, key=lambda name: abs(off[name]))
    log.info("%s: bones of the body model are within %.1f mm (%s)", path, 1e3 * abs(off[worst]), worst)
    return np.pad(shape, (0, _BETAS[body] - len(shape))), joints[0]
