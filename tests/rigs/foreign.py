"""Small characters in the manner of many programs: their names and trees, on the bones of our human."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.motion import Motion
from rigs.recognition.standing import standing_human
from rigs.skeleton import Skeleton

PARENTS = {
    "Spine": "Hips", "Spine1": "Spine", "Spine2": "Spine1", "Neck": "Spine2", "Head": "Neck",
    "Shoulder": "Spine2", "Arm": "Shoulder", "ForeArm": "Arm", "Hand": "ForeArm",
    "UpLeg": "Hips", "Leg": "UpLeg", "Foot": "Leg", "ToeBase": "Foot",
}  # fmt: skip
SIDES = ("Left", "Right")
Extra = tuple[str, str, str]  # name, parent, role where it is


def character(
    trunk: Mapping[str, str],
    limbs: Mapping[str, tuple[str, str]],
    extra: Sequence[Extra] = (),
    parents: Mapping[str, str] = {},
) -> Clip:
    """Return a character of one frame, in a T-pose.

    trunk: our names to its own; limbs: ours without the side to its left and right ones; extra: joints that
    play no part; parents: its joints to those from which they hang, where that is not as usual.
    """
    roles = dict(trunk)
    for part, names in limbs.items():
        roles |= dict(zip((f"{side}{part}" for side in SIDES), names, strict=True))
    places, _ = standing_human()
    where = {name: places[role] for role, name in roles.items()}
    where |= {name: places.get(role, np.zeros(3)) for name, _, role in extra}
    hung: dict[str, str | None] = {name: _parent(role, roles) for role, name in roles.items()}
    hung |= {name: parent or None for name, parent, _ in extra} | dict(parents)
    order = _depth_first(hung)
    index = {name: j for j, name in enumerate(order)}
    up = np.array([index[hung[name] or ""] if hung[name] else -1 for name in order])
    at = np.array([where[name] for name in order])
    offsets = at - np.where(up[:, None] < 0, 0.0, at[up])
    skeleton = Skeleton(tuple(order), up, offsets)
    return Clip("hero", Motion(skeleton, quat.identity(1, len(order)), at[:1], Fraction(30)))


def finger_names(pattern: str, words: Sequence[str], numbers: Sequence[object] = (1, 2, 3)) -> dict[str, str]:
    """Names of the fingers of one hand: a pattern with {word} and {number}, by our names without the side."""
    return {
        f"Hand{ours}{k}": pattern.format(word=word, number=number)
        for ours, word in zip(("Thumb", "Index", "Middle", "Ring", "Pinky"), words, strict=True)
        for k, number in enumerate(numbers, start=1)
    }


def both(left: str, right: str, names: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Names of both sides: patterns with a {} where the name stands."""
    return {part: (left.format(name), right.format(name)) for part, name in names.items()}


def expected(trunk: Mapping[str, str], limbs: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """The roles that should be found."""
    return {**trunk, **{side + part: name for part, names in limbs.items()
                        for side, name in zip(SIDES, names, strict=True)}}  # fmt: skip


def _parent(role: str, roles: Mapping[str, str]) -> str | None:
    side = next((s for s in SIDES if role.startswith(s)), "")
    part: str | None = role.removeprefix(side)
    while part is not None:
        if part.startswith("Hand") and part[-1:].isdigit():
            part = "Hand" if part.endswith("1") else f"{part[:-1]}{int(part[-1]) - 1}"
        else:
            part = PARENTS.get(part)
        for above in (f"{side}{part}", str(part)):
            if above in roles:
                return roles[above]
    return None


def _depth_first(hung: Mapping[str, str | None]) -> list[str]:
    order: list[str] = []
    stack = [name for name, parent in hung.items() if parent is None]
    while stack:
        order.append(stack.pop())
        stack += reversed([name for name, parent in hung.items() if parent == order[-1]])
    return order
