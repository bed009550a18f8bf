"""Recognise a character: which of its joints plays which part, and how it stands at rest."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.recognition.atrest import AtRest, first_frame, rest_pose
from rigs.recognition.attached import follows, twists
from rigs.recognition.fingers import fingers
from rigs.recognition.limbs import SIDES, Named, arm, ends_by_name, leg
from rigs.recognition.naming import read_names
from rigs.recognition.parts import check_map, check_tree, missing
from rigs.recognition.shape import ends_by_shape
from rigs.recognition.stand import Stand, find_stand
from rigs.recognition.tree import Tree
from rigs.recognition.trunk import root, trunk
from rigs.rig import Rig
from rigs.skeleton import Skeleton
from rigs.solving.body import Floats

log = logging.getLogger(__name__)

_LIKE_REST = 0.85  # of what a pose can score: a T- or A-pose has more, someone who does something less
_NO_REST = 0.6  # a rest pose of less is none
_BETTER = 0.08  # so much better the first frame must be than a rest pose of offsets alone
_HEIGHT = (0.5, 3.0)  # metres, of a person from the lowest joint to the highest
_LIKELY = 1.6  # metres
_SCALES = (0.001, 0.01, 0.0254, 0.1, 5.6444, 10.0, 39.37, 100.0)  # 5.6444: the CMU library's units read as cm
_FLOOR = 0.05  # metres: joints so near to the file's own floor stand on it, the ball of a foot above its sole
_NO_TURN = 1e-3  # radians
_ALONG = 0.9  # of the trunk that goes along one axis
_ENDS = ("LeftFoot", "RightFoot", "LeftHand", "RightHand")


def recognise(clip: Clip, mapped: Mapping[str, str] | None = None) -> Rig:
    """Return the rig that a clip's character is.

    Parts are found by the names of joints, and where these say nothing by the tree and the rest pose. Parts
    that the clip tells itself (VRM) come before what is found, and `mapped` before both. A character that
    does not stand upright, faces elsewhere or is not of a person's size is turned and scaled, with a warning.
    The rest pose is the file's, or its first frame where that is a T- or A-pose and the other none.

    Args:
        clip: of a file, as `rigs.formats.read_clips` reads it.
        mapped: our names of joints to the character's own, "" for one that it has not, as
            `rigs.recognition.mapping.read_map` reads them.

    Raises:
        RigError: a part that is needed was not found, or `mapped` names a joint or a part that there is not.
    """
    pose, roles, stand = _found(clip, mapped or {})
    return _rig(clip, pose, roles, stand, _scale(clip.name, quat.rotate(stand.turn, pose.positions)))


def recognise_moving(clip: Clip, mapped: Mapping[str, str] | None = None) -> tuple[Rig, Motion]:
    """Return the rig that a clip's character is, and its motion, turned and scaled as the character was.

    Arguments and errors as for `recognise`.
    """
    pose, roles, stand = _found(clip, mapped or {})
    scale = _scale(clip.name, quat.rotate(stand.turn, pose.positions))
    rig, motion = _rig(clip, pose, roles, stand, scale), clip.motion
    rotations = motion.rotations.copy()
    rotations[:, 0] = quat.multiply(stand.turn, rotations[:, 0])
    moved = {joint: scale * values for joint, values in motion.translations.items()}
    for joint in range(
        1, len(rig.skeleton)
    ):  # where the rest pose is the first frame, offsets are that frame's
        if joint not in moved and not np.allclose(
            rig.skeleton.offsets[joint], scale * motion.skeleton.offsets[joint]
        ):
            moved[joint] = np.tile(scale * motion.skeleton.offsets[joint], (len(motion), 1))
    root = scale * quat.rotate(stand.turn, motion.root)
    done = Motion(rig.skeleton, quat.continuous(rotations), root, motion.fps, moved)
    return rig, _upright(done, rig, clip.name)


def _upright(motion: Motion, rig: Rig, name: str) -> Motion:
    """Return the motion, turned if somebody who rests upright moves along another axis of the world.

    So do characters of files whose rest pose is y-up and whose motion is z-up.
    """
    at, index = motion.world()[0], motion.skeleton.index
    top = rig.roles.get("Head", rig.roles.get("Neck", rig.roles["Hips"]))
    trunk = (at[:, index(top)] - at[:, index(rig.roles["Hips"])]).mean(axis=0)
    axis = np.zeros(3)
    axis[np.argmax(np.abs(trunk))] = np.sign(trunk[np.argmax(np.abs(trunk))])
    if axis[1] > 0.5 or np.abs(trunk).max() < _ALONG * np.linalg.norm(trunk):
        return motion
    log.warning("%s: it moves with another axis up than it rests with, and is turned", name)
    turn = quat.between(axis, np.array([0.0, 1.0, 0.0]))
    rotations = motion.rotations.copy()
    rotations[:, 0] = quat.multiply(turn, rotations[:, 0])
    root = quat.rotate(turn, motion.root)
    return Motion(motion.skeleton, quat.continuous(rotations), root, motion.fps, motion.translations)


def _found(clip: Clip, mapped: Mapping[str, str]) -> tuple[AtRest, dict[str, int], Stand]:
    """Decide for a pose at rest: it, the parts of joints, and how it stands."""
    pose = rest_pose(clip)
    roles = _roles(clip, pose, mapped)
    first = first_frame(clip)
    later = _roles(clip, first, mapped)
    stand = None if missing(roles) else find_stand(_places(clip, pose, roles))
    then = None if missing(later) else find_stand(_places(clip, first, later))
    if then is not None and _rather(then, stand, pose.bare):
        log.info("%s: the first frame is taken for the rest pose: it looks more like one", clip.name)
        return first, later, then
    if stand is None:
        raise RigError(
            f"character {clip.name!r} is not recognised: its {len(clip.motion.skeleton)} joints have no"
            f" {', no '.join(missing(roles))}; write a map with `mocap rigs map`, complete it, use --map"
        )
    return pose, roles, stand


def find_parts(clip: Clip, mapped: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our names of joints to a character's own as far as they are found, be it enough or not.

    Raises:
        RigError: `mapped` names a joint or a part that there is not.
    """
    roles = _roles(clip, rest_pose(clip), mapped or {})
    return {role: clip.motion.skeleton.names[joint] for role, joint in roles.items()}


def _rather(then: Stand, stand: Stand | None, bare: bool) -> bool:
    """Whether the first frame is taken for the rest pose."""
    if stand is None:
        return True
    enough = stand.straight + _BETTER if bare else max(_NO_REST, stand.straight)
    unlike = bare or stand.straight < _NO_REST
    return unlike and then.straight > max(enough, _LIKE_REST)


def _roles(clip: Clip, pose: AtRest, mapped: Mapping[str, str]) -> dict[str, int]:
    """Our names to joints: as given, else as found."""
    skeleton = clip.motion.skeleton
    check_map(mapped, skeleton.names)
    named = Named(skeleton.names, Tree(skeleton), read_names(skeleton.names), pose.positions)
    given = {**clip.roles, **mapped}
    told = {role: skeleton.index(joint) for role, joint in given.items() if joint in skeleton.names}
    ends = {**ends_by_name(named), **{role: told[role] for role in (*_ENDS, "Head") if role in told}}
    if len(ends) < len(_ENDS) + 1:
        ends = {**(ends_by_shape(named) or {}), **ends}
    roles: dict[str, int] = {}
    if set(_ENDS) <= set(ends) and len(set(ends.values())) == len(ends):
        roles = trunk(named, ends)
        for side in SIDES:
            roles |= leg(
                named, named.tree.meeting(ends["LeftFoot"], ends["RightFoot"]), ends[f"{side}Foot"], side
            )
            roles |= arm(
                named, named.tree.meeting(ends["LeftHand"], ends["RightHand"]), ends[f"{side}Hand"], side
            )
            roles |= fingers(named, ends[f"{side}Hand"], side)
    taken = set(told.values())
    free = {role: j for role, j in roles.items() if j not in taken and mapped.get(role) != ""}
    return {**free, **told}


def _places(clip: Clip, pose: AtRest, roles: Mapping[str, int]) -> dict[str, Floats]:
    return {role: pose.positions[joint] for role, joint in roles.items()}


def _rig(clip: Clip, pose: AtRest, roles: Mapping[str, int], stand: Stand, scale: float) -> Rig:
    """Stand a pose upright, of a person's size, on the floor, and say what is attached to it."""
    skeleton, names, turn = clip.motion.skeleton, clip.motion.skeleton.names, stand.turn
    tree = Tree(skeleton)
    check_tree(roles, tree, names)
    if np.linalg.norm(quat.to_rotvec(turn)) > _NO_TURN:
        log.warning("%s: at rest it does not stand upright facing +z, and is turned", clip.name)
    if stand.backward:
        log.warning("%s: its toes point away from where its left and right say that it faces", clip.name)
    positions = scale * quat.rotate(turn, pose.positions)
    floor = float(positions[:, 1].min())
    named = Named(names, tree, read_names(names), positions)
    below = root(named, roles["Hips"], floor)
    offsets, rotations = scale * pose.offsets, pose.rotations.copy()
    offsets[0], rotations[0] = positions[0], quat.multiply(turn, rotations[0])
    lowest, least = floor, 0.0
    if below is not None:  # a root bone says where the floor is, whatever is a little under it
        lowest, least = max(floor, positions[below][1], key=abs), -_FLOOR
    if not least <= lowest <= _FLOOR:
        offsets[0] -= (0.0, floor, 0.0)
    tips = {leaf: scale * tip for leaf, tip in skeleton.tips.items()}
    return Rig(
        clip.name,
        Skeleton(names, skeleton.parents, offsets, tips),
        rotations,
        {role: names[joint] for role, joint in roles.items()},
        twists(named, roles),
        follows(named, roles),
        None if below is None else names[below],
        up="z" if _was_z_up(turn) else "y",
        source=f"recognised in {clip.name}",
    )


def _scale(name: str, positions: Floats) -> float:
    """Metres in what the file took for one, from the height of a person."""
    height = float(np.ptp(positions[:, 1]))
    if _HEIGHT[0] <= height <= _HEIGHT[1]:
        return 1.0
    scale = min(_SCALES, key=lambda scale: abs(float(np.log(scale * max(height, 1e-9) / _LIKELY))))
    if _HEIGHT[0] <= scale * height <= _HEIGHT[1]:
        log.warning("%s: it is %.3g m tall, which is no person's height; scaled by %g", name, height, scale)
        return scale
    raise RigError(
        f"character {name!r} is {height:.3g} m tall; give one between 0.5 and 3 m, in the right unit"
    )


def _was_z_up(turn: FloatArray) -> bool:
    return bool(quat.rotate(turn, np.array([0.0, 0.0, 1.0]))[1] > 0.9)
