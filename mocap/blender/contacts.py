"""When feet stand: markers in the action, to see and snap to; properties, to drive and retarget by."""

from __future__ import annotations

from typing import Any

import numpy as np

from rigs.contact import Contacts
from rigs.quat import FloatArray
from rigs.stance import SOLES

from .curves import Curves

_SHORT = {"LeftBall": "L ball", "RightBall": "R ball", "LeftHeel": "L heel", "RightHeel": "R heel"}


def write_contacts(target: Any, curves: Curves, contacts: Contacts, frames: FloatArray) -> None:
    """Keep contacts of T frames on an armature.

    Each point gets two custom properties, keyed where they change: `contact_LeftBall`, 1 where it stands, and
    `contact_height_LeftBall`, metres of what carries it; and markers in the action, as "L ball down".
    """
    for k, sole in enumerate(SOLES):
        down = contacts.down[:, k].astype(float)
        height = np.where(contacts.down[:, k], contacts.level[:, k], 0.0)
        for name, values in ((_flag(sole), down), (_height(sole), height)):
            target[name] = float(values[0])
            keys = np.flatnonzero(np.diff(values, prepend=np.nan) != 0.0)
            curves.write(f'["{name}"]', values[keys], frames[keys], "Contacts", steps=True)
    for plant in contacts.plants:
        _mark(curves.action, f"{_SHORT[SOLES[plant.point]]} down", frames[plant.start])
        if plant.stop < len(frames):
            _mark(curves.action, f"{_SHORT[SOLES[plant.point]]} up", frames[plant.stop])


def has_contacts(target: Any) -> bool:
    """Whether an armature holds contacts."""
    return all(_flag(sole) in target and _height(sole) in target for sole in SOLES)


def contacts_now(target: Any) -> list[float]:
    """Return the heights of what carries each point in the scene's frame, NaN where it does not stand."""
    return [float(target[_height(s)]) if target[_flag(s)] > 0.5 else float("nan") for s in SOLES]


def _flag(sole: str) -> str:
    return f"contact_{sole}"


def _height(sole: str) -> str:
    return f"contact_height_{sole}"


def _mark(action: Any, name: str, frame: float) -> None:
    action.pose_markers.new(name).frame = round(float(frame))
