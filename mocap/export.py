"""From a take to animation files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mocap.errors import MocapError
from mocap.people import first_frame, people_in, read_motion_of
from mocap.take import Take, newest_take
from rigs.clip import Clip
from rigs.formats import write_clips

IMPORT_HINT = {
    ("bvh", "cm"): "centimetres, y up: in Blender import with Scale 0.01, other tools take it as it is",
    ("bvh", "m"): "metres, y up: in Blender import with Scale 1",
}


def export(
    target: Path,
    take: Path | None = None,
    person: int | None = None,
    every: bool = False,
    unit: str = "cm",
    say: Callable[[str], None] = lambda line: None,
) -> list[Path]:
    """Write the motion of a take's people to animation files.

    Args:
        target: the file; its suffix says the format.
        take: the take folder; None = the newest one below the current folder.
        person: whom, from 1; None = the only one.
        every: all people; with several, `OUT_1.bvh`, `OUT_2.bvh`, ...
        unit: "cm" or "m" in the file.
        say: told a line about each person who was not there from the first frame on.

    Returns:
        The files that were written.

    Raises:
        MocapError: no take, no such person, or several and none named.
        rigs.RigError: an unknown suffix, or a file that cannot be written.
    """
    source = Take.open(take) if take is not None else newest_take(Path())
    people = people_in(source)
    if not people:
        raise MocapError(f"take {source.folder} has no motion: run `mocap capture` again")
    if person is None and not every and len(people) > 1:
        numbers = ", ".join(map(str, people))
        raise MocapError(f"take {source.folder} has {len(people)} people: say --person {numbers}, or --all")
    chosen = people if every else [person or people[0]]
    targets = {number: _target(target, number, len(chosen)) for number in chosen}
    for number, path in targets.items():
        write_clips(path, [Clip(f"person {number}", read_motion_of(source, number))], unit=unit)
        if first := first_frame(source, number):
            say(f"person {number} comes in frame {first} of the take: {path.name} begins there")
    return list(targets.values())


def _target(target: Path, person: int, people: int) -> Path:
    return target if people == 1 else target.with_name(f"{target.stem}_{person}{target.suffix}")
