"""Characters are stood upright, facing us, in metres, in their T- or A-pose."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from rigs import quat
from rigs.clip import Clip
from rigs.motion import Motion
from rigs.recognition.recognise import find_parts, recognise
from rigs.recognition.stand import pose_kind, resting_positions
from rigs.rig import Rig
from rigs.skeleton import Skeleton
from tests.rigs.foreign import character
from tests.rigs.naming_styles import LIMBS, TRUNK, limbs


def turned(clip: Clip, rotvec: tuple[float, float, float], scale: float = 1.0) -> Clip:
    """The same character lying, or facing elsewhere, or of another size, as a file may have it."""
    turn, motion = quat.from_rotvec(np.array(rotvec)), clip.motion
    offsets = scale * quat.rotate(turn, motion.skeleton.offsets)
    skeleton = Skeleton(motion.skeleton.names, motion.skeleton.parents, offsets)
    root = scale * quat.rotate(turn, motion.root)
    return replace(clip, motion=Motion(skeleton, motion.rotations, root, motion.fps), rest=None)


@pytest.mark.parametrize(
    ("rotvec", "up"),
    [((0, np.pi, 0), "y"), ((0, np.pi / 2, 0), "y"), ((np.pi / 2, 0, 0), "z"), ((0, 0, np.pi / 2), "y")],
)
def test_a_character_is_stood_up_and_turned_to_us(
    rotvec: tuple[float, float, float], up: str, caplog: pytest.LogCaptureFixture
) -> None:
    straight = recognise(character(TRUNK, limbs("Left{}", "Right{}", *LIMBS)))
    assert not caplog.records
    found = recognise(turned(character(TRUNK, limbs("Left{}", "Right{}", *LIMBS)), rotvec))
    assert "does not stand upright" in caplog.text and found.up == up
    for joint, place in resting_positions(found).items():
        np.testing.assert_allclose(place - resting_positions(found)["Hips"],
                                   resting_positions(straight)[joint] - resting_positions(straight)["Hips"],
                                   atol=1e-9)  # fmt: skip
    assert lowest(found) == pytest.approx(lowest(straight), abs=1e-9)


def lowest(rig: Rig) -> float:
    return float(min(place[1] for place in resting_positions(rig).values()))


@pytest.mark.parametrize(
    ("above", "found"), [(0.0, 0.0), (0.02, 0.02), (0.2, 0.0), (-0.02, 0.0), (-0.9, 0.0)]
)
def test_the_floor_of_the_file_is_kept_where_feet_stand_on_it(above: float, found: float) -> None:
    """A joint at the ball of a foot is above its sole, and the floor is at zero in most characters' files."""
    clip = character(TRUNK, limbs("Left{}", "Right{}", *LIMBS))
    skeleton = clip.motion.skeleton
    offsets = skeleton.offsets.copy()
    offsets[0, 1] += above - clip.resting.world()[0][..., 1].min()
    placed = Skeleton(skeleton.names, skeleton.parents, offsets, skeleton.tips)
    moved = replace(clip.motion, skeleton=placed, root=np.tile(offsets[0], (len(clip.motion), 1)))
    assert lowest(recognise(replace(clip, motion=moved))) == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize("scale", [100.0, 0.01, 39.37])
def test_a_character_of_another_unit_is_scaled(scale: float, caplog: pytest.LogCaptureFixture) -> None:
    clip = turned(character(TRUNK, limbs("Left{}", "Right{}", *LIMBS)), (0, 0, 0), scale)
    heights = [place[1] for place in resting_positions(recognise(clip)).values()]
    assert 1.4 < max(heights) - min(heights) < 1.7
    assert "no person's height; scaled by" in caplog.text


def folded(frames_upright: bool) -> Clip:
    """A BVH as some programs write it: in the rest pose all bones go up; the first frame may be a T-pose."""
    clip = character(TRUNK, limbs("Left{}", "Right{}", *LIMBS))
    skeleton = clip.motion.skeleton
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    up = Skeleton(skeleton.names, skeleton.parents, lengths[:, None] * (0.0, 1.0, 0.0))
    world = quat.identity(len(skeleton))
    rotations = world.copy()
    for j in range(len(skeleton)):
        children = skeleton.children(j)
        if frames_upright and len(children) == 1:  # turn so that the bone goes where it should
            world[j] = quat.between([0.0, 1.0, 0.0], skeleton.offsets[children[0]])
    for j, parent in enumerate(skeleton.parents.tolist()):
        rotations[j] = world[j] if parent < 0 else quat.multiply(quat.conjugate(world[parent]), world[j])
    translations = {
        j: skeleton.offsets[j][None]
        for j in range(1, len(skeleton))
        if len(skeleton.children(int(skeleton.parents[j]))) > 1
    }
    motion = Motion(
        up, rotations[None], clip.motion.root, Fraction(30), translations if frames_upright else {}
    )
    return replace(clip, motion=motion, rest=None)


def test_the_first_frame_is_the_rest_pose_where_offsets_alone_make_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    rig = recognise(folded(frames_upright=True))
    assert "the first frame is taken for the rest pose" in caplog.text
    assert pose_kind(rig) == "T-pose"
    straight = resting_positions(recognise(character(TRUNK, limbs("Left{}", "Right{}", *LIMBS))))
    for joint, place in resting_positions(rig).items():
        np.testing.assert_allclose(place[1], straight[joint][1], atol=1e-6)


def test_a_rest_pose_that_is_one_stays() -> None:
    clip = character(TRUNK, limbs("Left{}", "Right{}", *LIMBS))
    bent = clip.motion.rotations.copy()
    bent[0, clip.motion.skeleton.index("LeftArm")] = quat.from_rotvec([0.0, 0.0, -1.2])
    moved = replace(clip, motion=Motion(clip.motion.skeleton, bent, clip.motion.root, Fraction(30)))
    assert pose_kind(recognise(moved)) == "T-pose"


def test_parts_of_what_is_not_recognised_can_be_had() -> None:
    names = limbs("a{}", "b{}", *(f"{k}" for k in range(8)))
    odd = character({part: f"t{k}" for k, part in enumerate(TRUNK)}, names)
    stretched = turned(odd, (0, 0, 1.0))  # neither names nor an upright shape
    assert find_parts(stretched, {"Hips": "t0"})["Hips"] == "t0"
