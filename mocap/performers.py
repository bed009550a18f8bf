"""Who moves: people of a take, or the character of a motion file, ready to be put onto another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mocap.errors import MocapError
from mocap.people import first_frame, people_in, read_beside, read_motion_of
from mocap.take import Take, newest_take
from rigs.clip import Clip
from rigs.formats import read_clips
from rigs.human import performer_rig
from rigs.library import load_rig, rig_names
from rigs.motion import Motion
from rigs.recognition.mapping import read_map
from rigs.recognition.recognise import recognise, recognise_moving
from rigs.rig import Rig


@dataclass(frozen=True, eq=False)
class Performer:
    """A motion and who made it.

    level: (T, 4) metres of what carries left and right ball, left and right heel, NaN where they do not
    stand;
    None: nobody looked. first: frame on the common clock on which the motion begins.
    """

    name: str
    motion: Motion
    rig: Rig
    level: NDArray[np.float64] | None = None
    first: int = 0


def people_of(folder: Path | None, person: int | None = None, every: bool = False) -> dict[int, Performer]:
    """Return the people of a take by number.

    Args:
        folder: the take; None = the newest one below the current folder.
        person: whom, from 1; None = the only one.
        every: all people.

    Raises:
        MocapError: no take, no such person, or several and none named.
    """
    take = Take.open(folder) if folder is not None else newest_take(Path())
    people = people_in(take)
    if not people:
        raise MocapError(f"take {take.folder} has no motion: run `mocap capture` again")
    if person is None and not every and len(people) > 1:
        numbers = ", ".join(map(str, people))
        raise MocapError(f"take {take.folder} has {len(people)} people: say --person {numbers}, or --all")
    return {number: _person(take, number) for number in (people if every else [person or people[0]])}


def _person(take: Take, number: int) -> Performer:
    motion, contacts = read_motion_of(take, number), read_beside(take, number).contacts
    level = None if contacts is None else contacts.level
    rig = performer_rig(motion, level)
    standing = replace(motion, skeleton=rig.skeleton)
    return Performer(f"Person{number}", standing, rig, level, first_frame(take, number))


def characters_of(path: Path, mapped: Path | None = None) -> dict[int, Performer]:
    """Return the characters of a motion file, numbered from 1.

    Args:
        path: the file.
        mapped: a file of which joint plays which part, where it is not to be found by names.

    Raises:
        rigs.RigError: the file cannot be read, or it is not known which joint plays which part.
    """
    known = read_map(mapped) if mapped is not None else None
    return {
        number: _moving(clip, *recognise_moving(clip, known))
        for number, clip in enumerate(read_clips(path), start=1)
    }


def _moving(clip: Clip, rig: Rig, motion: Motion) -> Performer:
    return Performer(clip.name, motion, rig, None, clip.first)


def character(rig: str, mapped: Path | None = None) -> Rig:
    """Return a rig of ours by its name, or that of a character's file.

    Raises:
        MocapError: there is neither such a rig nor such a file.
        rigs.RigError: the file cannot be read, has several characters, or its joints play unknown parts.
    """
    if rig in rig_names():
        return load_rig(rig)
    path = Path(rig)
    if not path.suffix:
        raise MocapError(f"no rig {rig!r}: use one of {', '.join(rig_names())}, or a file with a character")
    clips = read_clips(path)
    return recognise(clips[0], read_map(mapped) if mapped is not None else None)
