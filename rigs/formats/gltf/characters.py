"""Which nodes of a glTF file are the joints of which character."""

from __future__ import annotations

from dataclasses import dataclass

from rigs.errors import FormatError
from rigs.formats.gltf.file import GltfFile
from rigs.formats.gltf.nodes import Nodes
from rigs.formats.gltf.schema import HumanBone, Vrm
from rigs.formats.vrm_bones import roles_of

_MOST_JOINTS = 4096
_MOST_SKINS = 256
_VRM = ("VRMC_vrm", "VRMC_vrm_animation", "VRM")


@dataclass(frozen=True)
class Character:
    """The joints of one: nodes, depth first, the root first; skins: those that have them."""

    joints: list[int]
    skins: list[int]


@dataclass(frozen=True)
class Human:
    """What VRM says. roles: our names of joints to nodes; backward: the character faces -z."""

    roles: dict[str, int]
    backward: bool


def human_of(file: GltfFile) -> Human | None:
    """Return the humanoid of a VRM file or animation, None where it is not one.

    Raises:
        FormatError: its bones are no nodes.
    """
    said = file.document.extensions
    name = next((name for name in _VRM if name in said), None)
    if name is None:
        return None
    bones = file.decode(said[name], Vrm, f" at {name}").humanoid.human_bones
    listed = (
        bones
        if isinstance(bones, list)
        else [HumanBone(bone.node, key) for key, bone in bones.items() if bone is not None]
    )
    nodes = {bone.bone: bone.node for bone in listed if bone.node >= 0}
    for node in nodes.values():
        file.pick(file.document.nodes, node, "node")
    return Human(roles_of(nodes, name == "VRM"), name == "VRM")


def characters_of(file: GltfFile, nodes: Nodes, human: Human | None) -> list[Character]:
    """Return the characters: what skins carry, a humanoid, or else what an animation turns.

    Skins that share joints, or of which one hangs from another, are of one character; in a VRM file all are.
    Nodes between joints are joints too, and so is the node in which several tops of a skin meet.

    Raises:
        FormatError: there are none, or more than any file has.
    """
    skins = file.document.skins
    if len(skins) > _MOST_SKINS:
        raise file.fail(f"it has {len(skins)} skins")
    groups = [set(skin.joints) for skin in skins if skin.joints]
    if human and human.roles:
        groups = [set(human.roles.values()).union(*groups)]
    if not groups:
        groups = _animated(file)
    for group in groups:
        if len(group) > _MOST_JOINTS:
            raise file.fail(f"a character has {len(group)} joints")
        for node in group:
            file.pick(file.document.nodes, node, "node")
    trees: list[_Tree] = []
    for group in groups:
        for tree in _trees(nodes, group):
            trees = _merged(nodes, trees, tree)
    if not trees:
        raise FormatError(
            f"{file.path}: it has no skin, no humanoid and no animated node; export it with its skeleton"
        )
    found = []
    for tree in trees:
        if len(tree.nodes) > _MOST_JOINTS:
            raise file.fail(f"a character has {len(tree.nodes)} joints")
        joints = [node for node in nodes.order if node in tree.nodes]
        own = [k for k, skin in enumerate(skins) if not tree.nodes.isdisjoint(skin.joints)]
        found.append(Character(joints, own))
    return sorted(found, key=lambda character: character.skins or [character.joints[0]])


def _animated(file: GltfFile) -> list[set[int]]:
    turned = {
        channel.target.node
        for animation in file.document.animations
        for channel in animation.channels
        if channel.target.path == "rotation" and channel.target.node is not None
    }
    return [turned] if turned else []


@dataclass(frozen=True)
class _Tree:
    """Nodes that hang together; line: the root, and what is above it."""

    nodes: set[int]
    line: set[int]


def _trees(nodes: Nodes, group: set[int]) -> list[_Tree]:
    """Return the nodes of a group by the top of the scene that they hang from, gaps filled."""
    lines: dict[int, list[list[int]]] = {}
    for node in sorted(group):
        line = [node, *nodes.ancestors(node)][::-1]
        lines.setdefault(line[0], []).append(line)
    trees = []
    for found in lines.values():
        common, shortest = 1, min(map(len, found))
        while common < shortest and len({line[common] for line in found}) == 1:
            common += 1
        trees.append(_Tree({node for line in found for node in line[common - 1 :]}, set(found[0][:common])))
    return trees


def _merged(nodes: Nodes, trees: list[_Tree], tree: _Tree) -> list[_Tree]:
    """Return the trees with one more, joined to those that share nodes with it, hang from it or carry it."""
    apart = []
    for other in trees:
        if tree.line.isdisjoint(other.nodes) and other.line.isdisjoint(tree.nodes):
            apart.append(other)
        else:
            (tree,) = _trees(nodes, tree.nodes | other.nodes)
    return [*apart, tree]
