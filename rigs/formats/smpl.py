"""The bodies SMPL, SMPL-H and SMPL-X: their joints, and from a user's model file where these rest.

The model files are the user's own: their licences forbid us to ship them, and commercial use. Only joints
are needed here, and those are linear in the shape: J = J_regressor (v_template + shapedirs betas); for so
little the package smplx, which brings torch, is not imported. Source: Loper et al., "SMPL: A Skinned
Multi-Person Linear Model", 2015; Pavlakos et al., 2019, for SMPL-X; Romero et al., 2017, for SMPL-H.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rigs.errors import FormatError
from rigs.formats.arrays import read_arrays
from rigs.quat import FloatArray

_BODY = {
    "pelvis": "", "left_hip": "pelvis", "right_hip": "pelvis", "spine1": "pelvis", "left_knee": "left_hip",
    "right_knee": "right_hip", "spine2": "spine1", "left_ankle": "left_knee", "right_ankle": "right_knee",
    "spine3": "spine2", "left_foot": "left_ankle", "right_foot": "right_ankle", "neck": "spine3",
    "left_collar": "spine3", "right_collar": "spine3", "head": "neck", "left_shoulder": "left_collar",
    "right_shoulder": "right_collar", "left_elbow": "left_shoulder", "right_elbow": "right_shoulder",
    "left_wrist": "left_elbow", "right_wrist": "right_elbow",
}  # fmt: skip
_FINGERS = {
    f"{side}_{finger}{n}": f"{side}_{finger}{n - 1}" if n > 1 else f"{side}_wrist"
    for side in ("left", "right")
    for finger in ("index", "middle", "pinky", "ring", "thumb")
    for n in (1, 2, 3)
}
# joints in the models' order, each with its parent
BODIES = {
    "smplx": {**_BODY, "jaw": "head", "left_eye_smplhf": "head", "right_eye_smplhf": "head", **_FINGERS},
    "smplh": {**_BODY, **_FINGERS},
    "smpl": {**_BODY, "left_hand": "left_wrist", "right_hand": "right_wrist"},
}
GENDERS = ("neutral", "male", "female")

_TREE = "kintree_table"
_KEYS = ("v_template", "shapedirs", "J_regressor", _TREE)
_SHAPES = {"smpl": 10, "smplh": 16, "smplx": 16}  # betas that AMASS has, where the model has as many
_EXPRESSIONS = 100  # of shapedirs of a whole SMPL-X, after its shapes; a small one has 10 of each
_LENGTH_SD = 1e-3  # metres that a bone's length may be off, beside betas of deviation 1
_STEPS = 20


@dataclass(frozen=True, eq=False)
class BodyModel:
    """Where the joints of a body model rest: template (J, 3) metres, slopes (J, 3, B) a unit of each beta."""

    body: str
    template: FloatArray
    slopes: FloatArray

    def joints(self, betas: FloatArray) -> FloatArray:
        """Return the joints (J, 3) at rest of the shape betas (B,)."""
        return self.template + self.slopes @ betas

    def fitted(self, lengths: dict[str, float]) -> FloatArray:
        """Return the betas (B,) whose bones are as long as these, by least squares; 0 where nothing tells.

        Args:
            lengths: joint to metres from its parent.
        """
        order = list(BODIES[self.body])
        ends = np.array([order.index(name) for name in lengths])
        starts = np.array([order.index(BODIES[self.body][name]) for name in lengths])
        wanted, betas = np.array(list(lengths.values())), np.zeros(self.slopes.shape[2])
        for _ in range(_STEPS):  # Gauss and Newton: lengths are nearly linear in the shape
            joints = self.joints(betas)
            bones = joints[ends] - joints[starts]
            found = np.linalg.norm(bones, axis=1)
            slopes = np.einsum("ni,nib->nb", bones / found[:, None], self.slopes[ends] - self.slopes[starts])
            rows = np.concatenate([slopes / _LENGTH_SD, np.eye(len(betas))])
            left = np.concatenate([(wanted - found) / _LENGTH_SD, -betas])
            betas = betas + np.linalg.lstsq(rows, left, rcond=None)[0]
        return betas


def body_of(names: tuple[str, ...]) -> str | None:
    """Return which body has joints of these names, the one with most of them; None if none."""
    return next((body for body, joints in BODIES.items() if set(joints) <= set(names)), None)


def read_body_model(path: str | PathLike[str], body: str, gender: str = "neutral") -> BodyModel:
    """Read the joints of a body model.

    Args:
        path: an .npz file of the model, or a folder with them, named as they come: ``SMPLX_NEUTRAL.npz``,
            also in ``smplx/``, or ``smplh/neutral/model.npz``.
        body: "smpl", "smplh" or "smplx".
        gender: "neutral", "male" or "female"; which file of a folder.

    Raises:
        FormatError: there is none, it is a pickle, or it is no model of that body.
    """
    file = _model_file(Path(path), body, gender)
    arrays = read_arrays(file, _KEYS)
    missing = [key for key in _KEYS if key not in arrays]
    if missing:
        raise FormatError(f"cannot read {file}: it has no {missing[0]}, so it is no body model; give one")
    _check(file, body, arrays)
    regressor, vertices, shapes = arrays["J_regressor"], arrays["v_template"], arrays["shapedirs"]
    used = shapes[:, :, : _shape_count(body, shapes.shape[2])].astype(float)
    template, slopes = regressor @ vertices, np.einsum("jv,vib->jib", regressor, used)
    if not (np.isfinite(template).all() and np.isfinite(slopes).all()):
        raise FormatError(f"cannot read {file}: it has numbers that are not finite; fetch it again")
    return BodyModel(body, template, slopes)


def _shape_count(body: str, columns: int) -> int:
    """Return how many columns of shapedirs are shapes we use; of SMPL-X the last ones are expressions."""
    if body == "smplx":
        columns = columns - _EXPRESSIONS if columns > _EXPRESSIONS else min(columns, 10)
    return min(columns, _SHAPES[body])


def _model_file(path: Path, body: str, gender: str) -> Path:
    if gender not in GENDERS:
        raise FormatError(f"there is no {gender!r} body model; choose one of {', '.join(GENDERS)}")
    if path.is_dir():
        name = f"{body.upper()}_{gender.upper()}"
        stems = [path / name, path / body / name, path / body / gender / "model", path / gender / "model"]
        files = [stem.with_suffix(suffix) for suffix in (".npz", ".pkl") for stem in stems]
        found = next((file for file in files if file.is_file()), None)
        if found is None:
            raise FormatError(f"{path} has no {name}.npz, nor {body}/{name}.npz; give the file itself")
        path = found
    if path.suffix.lower() != ".npz":
        raise FormatError(
            f"cannot read {path}: only .npz is read, as a pickle can run code; "
            "convert it as docs/formats.md says"
        )
    return path


def _check(path: Path, body: str, arrays: dict[str, NDArray]) -> None:
    """Refuse a model of another size, or whose joints hang from others than those of the body do."""
    order = list(BODIES[body])
    regressor, vertices, shapes, tree = (arrays[k] for k in ("J_regressor", "v_template", "shapedirs", _TREE))
    odd = [key for key in _KEYS if arrays[key].dtype.kind not in "fiu"]
    if odd:
        raise FormatError(
            f"cannot read {path}: its {odd[0]} are not numbers, so it is no body model; give one"
        )
    wide = regressor.shape[-1] if regressor.ndim else 0
    if regressor.shape != (len(order), wide) or vertices.shape != (wide, 3) or shapes.shape[:-1] != (wide, 3):
        raise FormatError(
            f"cannot read {path} as {body.upper()}: its J_regressor is {regressor.shape} and its v_template "
            f"{vertices.shape}; a model of {len(order)} joints is needed"
        )
    parents = [order.index(parent) for parent in BODIES[body].values() if parent]
    if tree.shape != (2, len(order)) or tree[0, 1:].tolist() != parents:
        raise FormatError(f"cannot read {path} as {body.upper()}: its kintree_table is that of another body")
