"""NPZ, NumPy's archive: our arrays of one character, or those of AMASS for one with a body model's joints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats.amass import write_amass
from rigs.formats.arrays import read_arrays
from rigs.formats.finite import check_finite
from rigs.formats.replacing import replacing
from rigs.formats.smpl import body_of
from rigs.formats.whole import Parts, clip_of

LAYOUTS = ("arrays", "amass")


def write(
    path: str | PathLike[str],
    clips: Sequence[Clip],
    layout: str | None = None,
    contacts: ArrayLike | None = None,
    model: str | PathLike[str] | None = None,
    gender: str = "neutral",
) -> None:
    """Write one character.

    Args:
        path: the file; one that is there is replaced.
        clips: one character.
        layout: "arrays", which `read` takes, or "amass"; None: amass for a character whose joints are named
            as those of SMPL, SMPL-H or SMPL-X.
        contacts: (T, 4) metres, heights of what carries left ball, right ball, left heel and right heel, NaN
            where it does not stand; for "arrays".
        model: the user's body model, for "amass": see `rigs.formats.amass.write_amass`.
        gender: "neutral", "male" or "female", for "amass".

    Raises:
        FormatError: an unknown layout, contacts of another shape, a number that is not finite, what
            `write_amass` refuses, or a file that cannot be written.
    """
    (clip,) = clips
    if layout is None:
        layout = "amass" if body_of(clip.motion.skeleton.names) else "arrays"
    if layout not in LAYOUTS:
        raise FormatError(f"cannot write {path} in the layout {layout!r}; choose one of {', '.join(LAYOUTS)}")
    if layout == "amass":
        write_amass(path, clip, model, gender)
        return
    check_finite(path, clip.motion)
    arrays = _arrays(clip)
    if contacts is not None:
        arrays["contact_level_m"] = np.asarray(contacts, float)
        if arrays["contact_level_m"].shape != (len(clip.motion), 4):
            raise FormatError(
                f"cannot write {path}: contacts have the shape {arrays['contact_level_m'].shape}; "
                f"give ({len(clip.motion)}, 4)"
            )
    with replacing(path, "wb") as file:
        np.savez(file, **arrays)


def read(path: str | PathLike[str]) -> list[Clip]:
    """Read the one character of the layout "arrays".

    Raises:
        FormatError: the file is missing, damaged or of another layout, or its arrays do not agree.
    """
    arrays = read_arrays(path)
    if "poses" in arrays and "trans" in arrays:
        raise FormatError(
            f"cannot read {path}: AMASS files have no skeleton; read one of the layout 'arrays'"
        )
    return [clip_of(path, _parts(path, arrays))]


def _arrays(clip: Clip) -> dict[str, NDArray[Any]]:
    motion, skeleton = clip.motion, clip.motion.skeleton
    assert clip.rest is not None  # made whole by Clip
    moved = sorted(motion.translations)
    positions, _ = motion.world()
    return {
        "name": np.array(clip.name),
        "names": np.array(skeleton.names),
        "parents": skeleton.parents,
        "offsets_m": skeleton.offsets,
        "tip_names": np.array(list(skeleton.tips), str),
        "tips_m": np.array(list(skeleton.tips.values())).reshape(-1, 3),
        "rest_wxyz": clip.rest,
        "rotations_wxyz": motion.rotations,
        "root_m": motion.root,
        "positions_m": positions,
        "moved_joints": np.array(moved, np.int64),
        "moved_offsets_m": np.array([motion.translations[j] for j in moved]).reshape(-1, len(motion), 3),
        "fps": np.array([motion.fps.numerator, motion.fps.denominator]),
        "first_frame": np.array(clip.first),
        "role_names": np.array(list(clip.roles), str),
        "role_joints": np.array(list(clip.roles.values()), str),
    }


def _parts(path: object, arrays: Mapping[str, NDArray[Any]]) -> Parts:
    try:
        _check_kinds(arrays)
        moved = arrays["moved_joints"].tolist()
        return Parts(
            name=str(arrays["name"]),
            names=arrays["names"].tolist(),
            parents=arrays["parents"],
            offsets=arrays["offsets_m"],
            tips=dict(zip(arrays["tip_names"].tolist(), arrays["tips_m"], strict=True)),
            rest=arrays["rest_wxyz"],
            rotations=arrays["rotations_wxyz"],
            root=arrays["root_m"],
            fps=arrays["fps"].tolist(),
            first=int(arrays["first_frame"]),
            translations=dict(zip(moved, arrays["moved_offsets_m"], strict=True)),
            roles=dict(zip(arrays["role_names"].tolist(), arrays["role_joints"].tolist(), strict=True)),
        )
    except KeyError as error:
        raise FormatError(
            f"cannot read {path}: it has no array {error}, so it is no motion of ours"
        ) from error
    except (ValueError, TypeError) as error:
        raise FormatError(f"cannot read {path}: {error}; export it again") from error


_KINDS = {
    **dict.fromkeys(("name", "names", "tip_names", "role_names", "role_joints"), "U"),
    **dict.fromkeys(("parents", "moved_joints", "fps", "first_frame"), "iu"),
    **dict.fromkeys(("offsets_m", "tips_m", "rest_wxyz", "rotations_wxyz", "root_m", "moved_offsets_m"), "f"),
}
_SCALARS = ("name", "first_frame")


def _check_kinds(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Refuse arrays that are not names, whole numbers or numbers as theirs must be."""
    for name, kinds in _KINDS.items():
        found = arrays[name]
        if found.dtype.kind not in kinds or (found.ndim == 0) != (name in _SCALARS):
            raise ValueError(f"the array {name} is of type {found.dtype} and shape {found.shape}")
