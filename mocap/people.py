"""Motions of people in a take: one file a person, arrays only, and a record of who there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mocap.errors import MocapError, TakeError
from mocap.take import Take
from rigs.contact import Contacts
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.skeleton import Skeleton
from rigs.stance import SOLES

Floats = NDArray[np.float64]
Made = TypeVar("Made")

_RECORD = "people.json"  # a motion that it does not name was left behind by an older capture


def motion_file(person: int) -> str:
    """Name of the file of a person's motion (1, 2, ...) in the take."""
    return f"people/{person}.motion.npz"


def points_file(person: int) -> str:
    """Name of the file of a person's triangulated landmarks in the take."""
    return "points.npz" if person == 1 else f"people/{person}.points.npz"


@dataclass(frozen=True, eq=False)
class Beside:
    """What is kept beside a motion of T frames and J joints, where it is known.

    contacts: when the feet stand; hands_seen: (T, 2) whether left and right hand were seen; joint_sd: (T, J)
    metres that each joint may be off.
    """

    contacts: Contacts | None = None
    hands_seen: NDArray[np.bool_] | None = None
    joint_sd: Floats | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As the file has it."""
        out: dict[str, NDArray[Any]] = {}
        if self.contacts is not None:
            out |= {"contact_points": np.array(SOLES), "contact_level_m": self.contacts.level}
        if self.hands_seen is not None:
            out |= {"hands_seen": self.hands_seen}
        if self.joint_sd is not None:
            out |= {"joint_sd_m": self.joint_sd}
        return out


def write_people(
    take: Take,
    motions: Mapping[int, Motion],
    there: Mapping[int, Mapping[str, Any]] | None = None,
    beside: Mapping[int, Beside] | None = None,
) -> None:
    """Keep people's motions, by number from 1, in the take; they are all that it then has.

    Args:
        take: a take that is being captured.
        motions: by person.
        there: by person, when he was there: see `mocap.quality.present`.
        beside: by person, what else is known.

    Raises:
        TakeError: the disk is full, or the take cannot be written.
    """
    for person, motion in motions.items():
        _write_motion(take, person, motion, (beside or {}).get(person, Beside()))
    presence = {str(person): dict(when) for person, when in (there or {}).items()}
    take.write_json(_RECORD, {"people": sorted(motions), "there": presence})


def _write_motion(take: Take, person: int, motion: Motion, beside: Beside) -> None:
    skeleton = motion.skeleton
    take.write_arrays(
        motion_file(person),
        names=np.array(skeleton.names),
        parents=skeleton.parents,
        offsets_m=skeleton.offsets,
        tip_names=np.array(list(skeleton.tips)),
        tips_m=np.array(list(skeleton.tips.values())).reshape(-1, 3),
        rotations_wxyz=motion.rotations,
        root_m=motion.root,
        fps=np.array([motion.fps.numerator, motion.fps.denominator]),
        **beside.arrays(),
    )


def read_motion_of(take: Take, person: int) -> Motion:
    """Read a person's motion from a take.

    Raises:
        MocapError: the take has no such person, or a file of it is damaged.
    """
    return _read(take, person, _motion)


def read_beside(take: Take, person: int) -> Beside:
    """Read what is kept beside a person's motion; contacts in the order of `rigs.solving.ground.soles`.

    Raises:
        MocapError: the take has no such person, or a file of it is damaged.
    """
    return _read(take, person, _beside)


def _read(take: Take, person: int, made: Callable[[Mapping[str, Any]], Made]) -> Made:
    people = people_in(take)
    if person not in people:
        raise MocapError(
            f"take {take.folder}: no person {person}; it has {', '.join(map(str, people)) or 'none'}"
        )
    try:
        return made(take.read_arrays(motion_file(person)))
    except (KeyError, IndexError, ValueError, TypeError, ZeroDivisionError, RigError) as error:
        raise TakeError(
            f"{take.path(motion_file(person))} is no motion ({error}): run `mocap capture` again"
        ) from error


def _beside(a: Mapping[str, Any]) -> Beside:
    frames = len(a["root_m"])
    level = _shaped(a, "contact_level_m", (frames, len(SOLES)))
    seen = _shaped(a, "hands_seen", (frames, 2))
    sd = _shaped(a, "joint_sd_m", (frames, len(a["names"])))
    return Beside(None if level is None else Contacts(level), None if seen is None else seen > 0, sd)


def _shaped(a: Mapping[str, Any], name: str, shape: tuple[int, int]) -> Floats | None:
    """An array of a motion's file, None if it has none."""
    if name not in a:
        return None
    values = np.asarray(a[name], float)
    if values.shape != shape:
        raise ValueError(f"{name} of shape {values.shape}")
    return values


def _motion(a: Mapping[str, Any]) -> Motion:
    tips = dict(zip(a["tip_names"].tolist(), a["tips_m"], strict=True))
    skeleton = Skeleton(tuple(a["names"].tolist()), a["parents"], a["offsets_m"], tips)
    return Motion(skeleton, a["rotations_wxyz"], a["root_m"], Fraction(int(a["fps"][0]), int(a["fps"][1])))


def first_frame(take: Take, person: int) -> int:
    """The frame of the take with which a person's motion begins."""
    there = take.read_json(_RECORD).get("there", {})
    first = there.get(str(person), {}).get("first_frame", 0) if isinstance(there, dict) else 0
    return first if isinstance(first, int) else 0


def people_in(take: Take) -> list[int]:
    """Numbers of the people whose motion the take has.

    Raises:
        TakeError: the record is damaged.
    """
    if not take.has(_RECORD):
        return []
    record = take.read_json(_RECORD)
    people = record.get("people") if isinstance(record, dict) else None
    if not isinstance(people, list) or not all(isinstance(p, int) and p > 0 for p in people):
        raise TakeError(f"{take.path(_RECORD)} is no record of people: run `mocap capture` again")
    return sorted(people)
