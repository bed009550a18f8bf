"""Motions of people in a take: one file a person, arrays only."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from mocap.errors import MocapError
from mocap.take import Take
from rigs.motion import Motion
from rigs.skeleton import Skeleton


def motion_file(person: int) -> str:
    """Name of the file of a person's motion (1, 2, ...) in the take."""
    return f"people/{person}.motion.npz"


def write_motion_to(take: Take, person: int, motion: Motion) -> None:
    """Keep a person's motion in the take."""
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
    )


def read_motion_of(take: Take, person: int) -> Motion:
    """Read a person's motion from a take.

    Raises:
        MocapError: the take has no such person.
    """
    people = people_in(take)
    if person not in people:
        raise MocapError(
            f"take {take.folder}: no person {person}; it has {', '.join(map(str, people)) or 'none'}"
        )
    a = take.read_arrays(motion_file(person))
    tips = dict(zip(a["tip_names"].tolist(), a["tips_m"], strict=True))
    skeleton = Skeleton(tuple(a["names"].tolist()), a["parents"], a["offsets_m"], tips)
    return Motion(skeleton, a["rotations_wxyz"], a["root_m"], Fraction(int(a["fps"][0]), int(a["fps"][1])))


def people_in(take: Take) -> list[int]:
    """Numbers of the people whose motion the take has."""
    files = (take.folder / "people").glob("*.motion.npz")
    return sorted(int(f.name.split(".")[0]) for f in files if f.name.split(".")[0].isdigit())
