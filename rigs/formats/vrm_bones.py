"""Bones of VRM's humanoid beside our names of joints.

Source: the VRM 1.0 specification's page on the humanoid. VRM 0 names the thumb's bones by one further out.
"""

from __future__ import annotations

from collections.abc import Mapping

_TRUNK = ("spine", "chest", "upperChest")
_MIDDLE = {
    "hips": "Hips",
    "neck": "Neck",
    "head": "Head",
    "jaw": "Jaw",
}
_LIMBS = {
    "Shoulder": "Shoulder", "UpperArm": "Arm", "LowerArm": "ForeArm", "Hand": "Hand",
    "UpperLeg": "UpLeg", "LowerLeg": "Leg", "Foot": "Foot", "Toes": "ToeBase",
}  # fmt: skip
_FINGERS = {"Index": "Index", "Middle": "Middle", "Ring": "Ring", "Little": "Pinky"}
_PHALANGES = ("Proximal", "Intermediate", "Distal")
_THUMB = ("Metacarpal", "Proximal", "Distal")
REQUIRED = (
    "hips", "spine", "head",
    *(f"{side}{bone}" for side in ("left", "right") for bone in _LIMBS if bone not in ("Shoulder", "Toes")),
)  # fmt: skip


def _side(bone: str, role: str) -> dict[str, str]:
    return {f"left{bone}": f"Left{role}", f"right{bone}": f"Right{role}"}


def _bones() -> dict[str, str]:
    """VRM bone to our role, but for the trunk."""
    bones = dict(_MIDDLE)
    for bone, role in _LIMBS.items():
        bones |= _side(bone, role)
    for k in range(3):
        bones |= _side(f"Thumb{_THUMB[k]}", f"HandThumb{k + 1}")
        for bone, role in _FINGERS.items():
            bones |= _side(f"{bone}{_PHALANGES[k]}", f"Hand{role}{k + 1}")
    return bones


ROLES = _bones()


def roles_of(nodes: Mapping[str, int], old: bool) -> dict[str, int]:
    """Return our roles of nodes by VRM bone; old: as VRM 0 names them. The trunk is numbered from below."""
    if old:
        ahead = dict(zip(_PHALANGES, _THUMB, strict=True))
        nodes = {_renamed(bone, ahead): node for bone, node in nodes.items()}
    roles = {ROLES[bone]: node for bone, node in nodes.items() if bone in ROLES}
    trunk = [nodes[bone] for bone in _TRUNK if bone in nodes]
    return roles | {f"Spine{k or ''}": node for k, node in enumerate(trunk)}


def bones_of(roles: Mapping[str, str]) -> dict[str, str]:
    """Return VRM's bones to joints, by our roles to joints; of a long trunk the lowest two and the top."""
    bones = {bone: roles[role] for bone, role in ROLES.items() if role in roles}
    trunk = [roles[name] for name in ("Spine", *(f"Spine{k}" for k in range(1, len(roles)))) if name in roles]
    trunk = trunk if len(trunk) <= len(_TRUNK) else [*trunk[:2], trunk[-1]]
    return bones | dict(zip(_TRUNK, trunk, strict=False))


def _renamed(bone: str, ahead: Mapping[str, str]) -> str:
    head, thumb, phalanx = bone.partition("Thumb")
    return f"{head}{thumb}{ahead.get(phalanx, phalanx)}" if thumb else bone
