"""MOT, motions of OpenSim: angles and places of a model's joints, as a tab-separated table.

Source: OpenSim documentation, "Motion (.mot) Files".
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats.coordinates import MODELS, coordinates
from rigs.formats.finite import check_finite
from rigs.formats.replacing import replacing
from rigs.formats.rows import rows

_DIGITS = 8  # of seconds, degrees and metres


def write(path: str | PathLike[str], clips: Sequence[Clip], model: str = "rajagopal") -> None:
    """Write one character's joint angles in degrees and its pelvis in metres, the first frame at time 0.

    A person who faces +z here faces +x there. See `rigs.formats.coordinates` for names, axes and signs.

    Args:
        path: the file; one that is there is replaced.
        clips: one character whose roles are known, or whose joints have our names.
        model: "rajagopal", or "gait2392", where knees bend below zero and there are no arms.

    Raises:
        FormatError: an unknown model, a role that it needs is missing, a number is not finite, or the file
            cannot be written.
    """
    if model not in MODELS:
        raise FormatError(f"cannot write {path} for the model {model!r}; choose one of {', '.join(MODELS)}")
    (clip,) = clips
    check_finite(path, clip.motion)
    found = coordinates(path, clip, model)
    moving = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
    columns = [values if name in moving else np.degrees(values) for name, values in found.items()]
    table = np.column_stack([np.arange(len(clip.motion)) / float(clip.motion.fps), *columns])
    frames, width = table.shape
    with replacing(path) as file:
        file.write(
            f"{Path(path).stem}\nversion=1\nnRows={frames}\nnColumns={width}\ninDegrees=yes\nendheader\n"
        )
        file.write("\t".join(["time", *found]) + "\n")
        file.writelines(rows(table, [_DIGITS] * width, "\t"))
