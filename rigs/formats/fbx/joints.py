"""Which nodes of an FBX scene are joints, and of which skeletons."""

from __future__ import annotations

import logging
from collections import Counter

from rigs.formats.fbx.records import Damage
from rigs.formats.fbx.scene import LIMBS, Node, Scene

log = logging.getLogger(__name__)

_MOST = 1000  # skeletons


def skeletons(scene: Scene) -> list[list[Node]]:
    """Return the joints of every skeleton, depth first.

    Joints are limbs and what skins are bound to, or, where there are neither, all nulls; and what hangs
    between two joints. Roots that hang from the same node make one skeleton, of which that node is the root.
    Single joints count only where there is no skeleton of more.

    Raises:
        Damage: there are more skeletons than any scene has.
    """
    joints = {node for node in scene.nodes if node.kind in LIMBS} | set(scene.bound)
    joints = joints or {node for node in scene.nodes if node.kind == "Null"}
    joints = _filled(joints)
    shared = Counter(node.parent for node in joints if node.parent and node.parent not in joints)
    joints = _filled(joints | {parent for parent, roots in shared.items() if roots > 1})
    found: dict[Node, list[Node]] = {}
    root_of: dict[Node, Node] = {}
    for node in scene.nodes:
        if node in joints:
            root_of[node] = root_of.get(node.parent, node) if node.parent else node
            found.setdefault(root_of[node], []).append(node)
    if len(found) > _MOST:
        raise Damage(f"its joints make {len(found)} skeletons, and at most {_MOST} are read")
    several = [joints for joints in found.values() if len(joints) > 1]
    if several and len(several) < len(found):
        single = next(root for root, joints in found.items() if len(joints) == 1)
        log.warning("%d single joints are left out, %r first", len(found) - len(several), single.name)
    return several or list(found.values())


def joint_names(joints: list[Node], character: str) -> list[str]:
    """Return the names of joints, all different, without the character's name as a namespace."""
    prefix = f"{character}:"
    strip = all(node.name.startswith(prefix) and node.name != prefix for node in joints)
    plain = [node.name.removeprefix(prefix) if strip else node.name for node in joints]
    taken, names = set(plain), []
    seen: set[str] = set()
    copies: Counter[str] = Counter()
    for name in (name or "joint" for name in plain):
        unique = name
        while unique in seen or (unique != name and unique in taken):
            copies[name] += 1
            unique = f"{name}_{copies[name] + 1}"
        seen.add(unique)
        names.append(unique)
    return names


def character_name(scene: Scene, joints: list[Node], otherwise: str) -> str:
    """Return the name of the null above a skeleton, of the only mesh that it carries, or the other one."""
    above = joints[0].parent
    if above is not None and above.name:
        return above.name
    meshes = {mesh for mesh in map(scene.bound.get, joints) if mesh is not None}
    return (next(iter(meshes)).name if len(meshes) == 1 else "") or otherwise


def _filled(joints: set[Node]) -> set[Node]:
    """Return joints and what hangs between them."""
    filled = set(joints)
    for joint in joints:
        between: list[Node] = []
        for above in joint.ancestors():
            if above in joints:
                filled.update(between)
                break
            between.append(above)
    return filled
