"""A rig drawn as a tree of text: joints, the parts that they play, what twists and follows."""

from __future__ import annotations

from rigs.recognition.stand import pose_kind, resting_positions
from rigs.rig import Rig


def draw_rig(rig: Rig) -> list[str]:
    """Return the lines of a rig's tree, a line of what it is above it."""
    heights = [float(position[1]) for position in resting_positions(rig).values()]
    unit = f"{rig.unit:g} m"
    head = (
        f"{rig.name}: {len(rig.skeleton)} joints, {len(rig.roles)} parts, {pose_kind(rig)}, "
        f"{max(heights) - min(heights):.2f} m from lowest to highest joint, unit {unit}, {rig.up} up"
    )
    notes = _notes(rig)
    width = max(len(line) for line, _ in _branches(rig, 0, "", "")) + 2
    rows = [f"{line:<{width}}{notes.get(joint, '')}".rstrip() for line, joint in _branches(rig, 0, "", "")]
    return [head, *rows]


def _branches(rig: Rig, joint: int, first: str, further: str) -> list[tuple[str, str]]:
    """The lines below a joint and its own, each with the joint's name."""
    name = rig.skeleton.names[joint]
    rows = [(first + name, name)]
    children = rig.skeleton.children(joint)
    for child in children:
        last = child == children[-1]
        rows += _branches(
            rig, child, further + ("└─ " if last else "├─ "), further + ("   " if last else "│  ")
        )
    return rows


def _notes(rig: Rig) -> dict[str, str]:
    notes = {joint: role for role, joint in rig.roles.items()}
    for joint, twist in rig.twists.items():
        notes.setdefault(joint, f"(twist of {twist.role}, {twist.share:+.2f})")
    for joint, where in rig.follows.items():
        notes.setdefault(joint, f"(follows {where})")
    if rig.root is not None:
        notes.setdefault(rig.root, "(root)")
    return notes
