"""Characters for tests of retargeting: one person with other bone frames, rest poses and proportions."""

from dataclasses import replace

import numpy as np

from rigs import quat
from rigs.human import human_rig
from rigs.motion import Motion
from rigs.retargeting.pose import WorldPose
from rigs.retargeting.retarget import resting
from rigs.rig import Rig
from rigs.skeleton import Skeleton
from rigs.solving.body import load_body

STATURE = 1.75


def person() -> Rig:
    """Our own rig of somebody of average build."""
    body = load_body()
    return human_rig(body.skeleton(np.full(len(body.size_names), STATURE)))


def posed_anew(rig: Rig, turns: dict[str, np.ndarray], frames_of_bones: np.ndarray | None = None) -> Rig:
    """The same character resting otherwise: joints turned in the world, and other bone frames (J, 4)."""
    pose = resting(rig)
    for name, rotvec in turns.items():
        joint = rig.skeleton.index(name)
        pose.turn(joint, quat.multiply(quat.from_rotvec(rotvec), pose.rotations[:, joint]))
    own = quat.identity(len(rig.skeleton)) if frames_of_bones is None else frames_of_bones
    world = quat.multiply(pose.rotations[0], own)
    parents = rig.skeleton.parents
    offsets, rest = pose.positions[0].copy(), world.copy()
    for j in range(1, len(parents)):
        back = quat.conjugate(world[parents[j]])
        offsets[j] = quat.rotate(back, pose.positions[0, j] - pose.positions[0, parents[j]])
        rest[j] = quat.multiply(back, world[j])
    turned = dict(zip(rig.skeleton.names, quat.conjugate(own), strict=True))
    tips = {name: quat.rotate(turned[name], tip) for name, tip in rig.skeleton.tips.items()}
    return replace(rig, skeleton=Skeleton(rig.skeleton.names, parents, offsets, tips), rest=rest)


def random_frames(rig: Rig, seed: int = 0) -> np.ndarray:
    """Bone frames (J, 4) turned any way."""
    return quat.normalise(np.random.default_rng(seed).normal(size=(len(rig.skeleton), 4)))


def a_pose(rig: Rig, degrees: float = 50.0) -> Rig:
    """The character with its arms lowered, legs apart a little."""
    down = np.deg2rad([0.0, 0.0, degrees])
    apart = np.deg2rad([0.0, 0.0, 6.0])
    return posed_anew(
        rig,
        {"LeftArm": -down, "RightArm": down, "LeftUpLeg": apart, "RightUpLeg": -apart},
        random_frames(rig),
    )


def proportioned(rig: Rig, **factors: float) -> Rig:
    """The character with bones that lead to joints of such a name longer, standing on the floor again."""
    offsets = rig.skeleton.offsets.copy()
    for part, factor in factors.items():
        for j, name in enumerate(rig.skeleton.names):
            if name.removeprefix("Left").removeprefix("Right") == part:
                offsets[j] *= factor
    lifted = Skeleton(rig.skeleton.names, rig.skeleton.parents, offsets, rig.skeleton.tips)
    toe = lifted.index("LeftToeBase")
    after = resting(replace(rig, skeleton=lifted)).positions[0, toe, 1]
    offsets[0, 1] += resting(rig).positions[0, toe, 1] - after
    skeleton = Skeleton(lifted.names, lifted.parents, offsets, lifted.tips)
    return replace(rig, skeleton=skeleton)


def wild_motion(rig: Rig, frames: int = 40, seed: int = 0, scale: float = 0.6) -> Motion:
    """A motion in which every joint turns."""
    rng = np.random.default_rng(seed)
    keys = rng.normal(scale=scale, size=(4, len(rig.skeleton), 3))
    at = np.linspace(0, 3, frames)
    turns = np.stack([[np.interp(at, range(4), k) for k in joint.T] for joint in keys.transpose(1, 0, 2)])
    local = quat.multiply(rig.rest, quat.from_rotvec(turns.transpose(2, 0, 1)))
    root = rig.skeleton.offsets[0] + np.stack([0.3 * at, 0.05 * np.sin(at), 0.4 * at], axis=1)
    return WorldPose(rig.skeleton, local, root).motion(30)


def directions(pose: WorldPose, rig: Rig, pairs: list[tuple[str, str]]) -> np.ndarray:
    """Unit vectors (T, N, 3) from role to role."""
    index = {role: rig.skeleton.index(name) for role, name in rig.roles.items()}
    at = pose.positions
    bones = np.stack([at[:, index[b]] - at[:, index[a]] for a, b in pairs], axis=1)
    return bones / np.linalg.norm(bones, axis=-1, keepdims=True)
