"""The parts of a body by our names: which there are, which a character must have, and maps that name them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

from rigs.errors import RigError
from rigs.recognition.standing import standing_human
from rigs.recognition.tree import Tree

MOST_SPINES, MOST_NECKS = 10, 5
PARTS = (
    *standing_human()[0],
    *(f"Spine{k}" for k in range(3, MOST_SPINES)),
    *(f"Neck{k}" for k in range(1, MOST_NECKS)),
)
NEEDED = {
    "hips": ("Hips",),
    "spine": ("Spine",),
    "left leg": ("LeftUpLeg", "LeftLeg", "LeftFoot"),
    "right leg": ("RightUpLeg", "RightLeg", "RightFoot"),
    "left arm": ("LeftArm", "LeftForeArm", "LeftHand"),
    "right arm": ("RightArm", "RightForeArm", "RightHand"),
}


_HANGING = (
    ("Hips", "Spine"),
    ("Spine", "Head"),
    *(
        (upper if upper in ("Hips", "Spine") else side + upper, side + lower)
        for side in ("Left", "Right")
        for upper, lower in (
            ("Hips", "UpLeg"),
            ("UpLeg", "Leg"),
            ("Leg", "Foot"),
            ("Foot", "ToeBase"),
            ("Spine", "Arm"),
            ("Shoulder", "Arm"),
            ("Arm", "ForeArm"),
            ("ForeArm", "Hand"),
        )
    ),
)


def missing(roles: Collection[str]) -> list[str]:
    """Return what a character of these parts lacks to be moved, in words."""
    lacking = [
        f"{part} ({', '.join(role for role in needed if role not in roles)})"
        for part, needed in NEEDED.items()
        if not set(needed) <= set(roles)
    ]
    return lacking if "Head" in roles or "Neck" in roles else [*lacking, "Head or Neck"]


def check_map(mapped: Mapping[str, str], joints: Collection[str] | None = None) -> None:
    """Check a map from our names to a character's joints; "" says that it has no such part.

    Raises:
        RigError: it names a part that we have not, a joint that is not among `joints`, or one joint twice.
    """
    seen: dict[str, str] = {}
    for role, joint in mapped.items():
        if role not in PARTS:
            raise RigError(f"the map has a part {role!r}, which there is not{near(role, PARTS)}")
        if joint and joints is not None and joint not in joints:
            raise RigError(
                f"the map says that {role} is the joint {joint!r}, which the character has not"
                f"{near(joint, joints)}"
            )
        if joint and joint in seen:
            raise RigError(f"the map has the joint {joint!r} as {seen[joint]} and as {role}; keep one")
        seen[joint] = role


def check_tree(roles: Mapping[str, int], tree: Tree, names: Sequence[str]) -> None:
    """Check that the parts of a character hang from one another as they must.

    Raises:
        RigError: naming the two joints that do not.
    """
    for upper, lower in _HANGING:
        a, b = roles.get(upper), roles.get(lower)
        if a is not None and b is not None and a not in tree.above(b):
            raise RigError(
                f"{lower} ({names[b]!r}) does not hang from {upper} ({names[a]!r}); correct it with a map"
            )


def near(word: str, words: Collection[str]) -> str:
    """Return a question with the words most like one, to put behind a message; "" if none is like it."""
    close = get_close_matches(word, words, 3, 0.5)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
