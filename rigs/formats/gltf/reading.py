"""Read the characters of a glTF, GLB or VRM file: in metres, upright, facing +z, at a steady rate."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike

import msgspec
import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.formats.gltf.channels import Curves, curves_of, frames_of, sample
from rigs.formats.gltf.characters import Character, Human, characters_of, human_of
from rigs.formats.gltf.file import GltfFile, shown
from rigs.formats.gltf.nodes import Nodes, nodes_of
from rigs.formats.gltf.rest import bind_pose
from rigs.formats.gltf.schema import SkinExtras
from rigs.formats.key_times import USUAL, rate_of_keys
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton

log = logging.getLogger(__name__)

_EVEN = 1e-5  # relative: scales that differ less are one, and one this near to 1 is none
_STILL = 1e-5  # metres
_TALLEST_IN_METRES = 10.0
_MOST_POSES, _POSES_A_KEY, _MOST_OF_ALL = 2**22, 64, 2**24  # joints times frames, of few keys and of many
_ABOUT = quat.from_rotvec([0.0, np.pi, 0.0])


@dataclass(frozen=True, eq=False)
class _Moved:
    """Joints over frames, in the file's unit: turns (T or 1, 4) and places (T or 1, 3), in their parents."""

    turns: list[FloatArray]
    places: list[FloatArray]


def read_gltf(path: str | PathLike[str]) -> list[Clip]:
    """Read every character, with the first animation that moves it; without one it rests for one frame.

    Scales are in the joints' offsets, and those of nodes above the root, with their places, in the root.

    Raises:
        FormatError: the file is damaged, or has no skeleton; one line.
    """
    file = GltfFile(path)
    nodes, human = nodes_of(file), human_of(file)
    with np.errstate(all="ignore"):  # numbers out of all bounds are found where a joint is not finite
        return [_clip(file, nodes, human, who) for who in characters_of(file, nodes, human)]


def _clip(file: GltfFile, nodes: Nodes, human: Human | None, who: Character) -> Clip:
    curves = _curves(file, nodes, who)
    rate = _said_rate(file, who) or rate_of_keys([curve.times for curve in curves.values()])
    frames = frames_of(file, curves, rate) if curves else np.zeros(1)
    keys = sum(len(curve.times) for curve in curves.values())
    if len(frames) * len(who.joints) > min(_MOST_POSES + _POSES_A_KEY * keys, _MOST_OF_ALL):
        raise file.fail(f"it has {len(frames)} frames of {len(who.joints)} joints, and {keys} keys")
    rest = _rest(file, nodes, human, who)
    moved = _moved(
        nodes, who, {part: sample(c, rate, frames, part[1] == "rotation") for part, c in curves.items()}
    )
    if human and human.backward:
        for pose in (rest, moved):
            pose.turns[0] = quat.multiply(_ABOUT, pose.turns[0])
            pose.places[0] = quat.rotate(_ABOUT, pose.places[0])
    for pose in (rest, moved):
        for node, turn, place in zip(who.joints, pose.turns, pose.places, strict=True):
            if not (np.isfinite(turn).all() and np.isfinite(place).all()):
                raise file.fail(f"node {node} {shown(nodes.names[node])} has no finite pose")
    names = _names(nodes, who)
    where = {node: j for j, node in enumerate(who.joints)}
    parents = [-1, *(where[nodes.parents[node]] for node in who.joints[1:])]
    unit = _unit(file, rest, parents)
    skeleton = Skeleton(tuple(names), np.array(parents), unit * np.concatenate(rest.places))
    motion = _motion(skeleton, moved, unit, len(frames), rate)
    roles = {
        role: names[where[node]] for role, node in (human.roles if human else {}).items() if node in where
    }
    first = max(round(float(frames[0])), 0)
    return Clip(_name(file, nodes, who), motion, np.concatenate(rest.turns), roles, first)


def _curves(file: GltfFile, nodes: Nodes, who: Character) -> Curves:
    """Return the curves of the first animation that moves a joint, of the nodes above too."""
    joints = set(who.joints)
    moving = [
        animation
        for animation in file.document.animations
        if any(channel.target.node in joints for channel in animation.channels)
    ]
    if len(moving) > 1:
        log.warning(
            "%s: the first of %d animations is read, %s", file.path, len(moving), shown(moving[0].name or "")
        )
    return curves_of(file, moving[0], joints.union(nodes.ancestors(who.joints[0]))) if moving else {}


def _said_rate(file: GltfFile, who: Character) -> Fraction | None:
    """Return the frame rate that our own files say."""
    for number in who.skins:
        try:
            extras = msgspec.json.decode(file.document.skins[number].extras, type=SkinExtras)
            rate = Fraction(extras.frame_rate or 0)
        except (msgspec.MsgspecError, RecursionError, ValueError, ZeroDivisionError):
            continue  # extras are anyone's
        if 1 <= rate <= 1000:
            return rate
    return None


def _moved(nodes: Nodes, who: Character, samples: dict[tuple[int, str], FloatArray]) -> _Moved:
    """Return the joints' own turns and places, with every scale taken into the places.

    What stretches a joint's children is kept as a matrix in its own frame: one number for all three axes, but
    for scales that are not the same along each.
    """
    turns, places = [], []
    turn, place, stretch = quat.identity(1), np.zeros((1, 3)), np.eye(3)[None]
    for node in reversed(nodes.ancestors(who.joints[0])):
        t, r, s = _parts(nodes, node, samples)
        place = place + quat.rotate(turn, _stretched(stretch, t))
        turn, stretch = quat.multiply(turn, r), _stretch(stretch, r, s)
    stretches: dict[int, FloatArray] = {}
    for node in who.joints:
        t, r, s = _parts(nodes, node, samples)
        above = stretches.get(nodes.parents[node], stretch)
        offset = _stretched(above, t)
        if node == who.joints[0]:
            offset, r_own = place + quat.rotate(turn, offset), quat.multiply(turn, r)
        else:
            r_own = r
        places.append(offset)
        turns.append(r_own)
        stretches[node] = _stretch(above, r, s)
    return _Moved(turns, places)


def _parts(
    nodes: Nodes, node: int, samples: dict[tuple[int, str], FloatArray]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    translation = samples.get((node, "translation"), nodes.translation[node, None])
    rotation = samples.get((node, "rotation"), nodes.rotation[node, None])
    return translation, rotation, _even(samples.get((node, "scale"), nodes.scale[node, None]))


def _even(scale: FloatArray) -> FloatArray:
    """Return scales (T, 3) without what is only rounding; as (1, 3) where they do not change."""
    mean = scale.mean(axis=1, keepdims=True)
    even = np.abs(scale - mean).max(axis=1, keepdims=True) <= _EVEN * np.abs(mean)
    scale = np.where(even, np.where(np.abs(mean - 1.0) <= _EVEN, 1.0, mean), scale)
    return scale[:1] if (scale == scale[:1]).all() else scale


def _stretched(stretch: FloatArray, vectors: FloatArray) -> FloatArray:
    return np.matmul(stretch, vectors[..., None])[..., 0]


def _stretch(above: FloatArray, rotation: FloatArray, scale: FloatArray) -> FloatArray:
    """Return what stretches a joint's children, in its frame, by what stretches the joint."""
    even = above[:, :1, :1] * np.eye(3)
    if (above != even).any():
        matrix = quat.to_matrix(rotation)
        above = np.swapaxes(matrix, -1, -2) @ above @ matrix
    return above * scale[:, None, :]


def _rest(file: GltfFile, nodes: Nodes, human: Human | None, who: Character) -> _Moved:
    """Return the rest pose: of VRM the nodes' own, as it says, and of others the mesh's."""
    bound = None if human else bind_pose(file, nodes, who)
    if bound is None:
        return _moved(nodes, who, {})
    positions, rotations = bound
    where = {node: j for j, node in enumerate(who.joints)}
    turns, places = [rotations[:1]], [positions[:1]]
    for j, node in enumerate(who.joints[1:], start=1):
        parent = where[nodes.parents[node]]
        back = quat.conjugate(rotations[parent])
        turns.append(quat.multiply(back, rotations[j])[None])
        places.append(quat.rotate(back, positions[j] - positions[parent])[None])
    return _Moved(turns, places)


def _unit(file: GltfFile, rest: _Moved, parents: list[int]) -> float:
    """Return metres per unit: glTF is in metres, but a character of more than 10 was made in centimetres."""
    joints = [str(j) for j in range(len(parents))]
    skeleton = Skeleton(tuple(joints), np.array(parents), np.concatenate(rest.places))
    pose = Motion(skeleton, np.concatenate(rest.turns)[None], rest.places[0], USUAL)
    size = float(np.ptp(pose.world()[0][0], axis=0).max())
    if size <= _TALLEST_IN_METRES:
        return 1.0
    log.warning("%s: the character is %.4g units across, read as centimetres", file.path, size)
    return 0.01


def _motion(skeleton: Skeleton, moved: _Moved, unit: float, frames: int, rate: Fraction) -> Motion:
    rotations = np.empty((frames, len(skeleton), 4))
    translations = {}
    for j, (turn, place) in enumerate(zip(moved.turns, moved.places, strict=True)):
        rotations[:, j] = turn
        if j and np.abs(unit * place - skeleton.offsets[j]).max() > _STILL:
            translations[j] = np.broadcast_to(unit * place, (frames, 3))
    root = np.broadcast_to(unit * moved.places[0], (frames, 3))
    return Motion(skeleton, quat.continuous(quat.normalise(rotations)), root, rate, translations)


def _names(nodes: Nodes, who: Character) -> list[str]:
    names: list[str] = []
    taken: set[str] = set()
    for node in who.joints:
        name = base = nodes.names[node] or f"node_{node}"
        copy = 2
        while name in taken:
            name, copy = f"{base}_{copy}", copy + 1
        names.append(name)
        taken.add(name)
    return names


def _name(file: GltfFile, nodes: Nodes, who: Character) -> str:
    """Return the character's name: its skin's, or of the node above its root, or the file's."""
    said = [file.document.skins[number].name for number in who.skins]
    above = [nodes.names[node] for node in nodes.ancestors(who.joints[0])]
    return next((name for name in [*said, *above] if name), file.path.stem)
