"""Characters are recognised by the names that programs give to joints, and by their shape without any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from rigs import quat
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.library import load_rig, rig_names
from rigs.motion import Motion
from rigs.recognise import find_parts, recognise
from rigs.rig import Rig
from rigs.skeleton import Skeleton
from rigs.stand import pose_kind, resting_positions
from tests.rigs.foreign import both, character, expected, finger_names
from tests.rigs.naming_styles import ENGLISH, LIMBS, STYLES, TRUNK, limbs


@pytest.mark.parametrize("style", STYLES)
def test_names_tell_the_parts(style: str) -> None:
    trunk, names, extra, hung = STYLES[style]
    rig = recognise(character(trunk, names, extra, hung))
    assert rig.roles == expected(trunk, names)
    assert pose_kind(rig) == "T-pose"


@pytest.mark.parametrize(
    ("pattern", "words", "numbers"),
    [
        ("{{}}Hand{word}{number}", ENGLISH, (1, 2, 3)),
        ("{{}}_{word}_{number}", ENGLISH, ("01", "02", "03")),
        ("{{}}_{word}{number}", ("thumb", "index", "mid", "ring", "little"), (0, 1, 2)),
        ("{{}}{word}{number}", (*ENGLISH[:4], "Little"), ("Proximal", "Intermediate", "Distal")),
        ("{{}}Finger{word}-{number}", (1, 2, 3, 4, 5), (1, 2, 3)),
    ],
)  # fmt: skip
def test_fingers_are_counted_in_many_ways(
    pattern: str, words: tuple[str, ...], numbers: tuple[object, ...]
) -> None:
    fingers = both("Left", "Right", {}) | {
        part: (name.format("Left"), name.format("Right"))
        for part, name in finger_names(pattern, words, numbers).items()
    }
    names = limbs("Left{}", "Right{}", *LIMBS) | fingers
    assert recognise(character(TRUNK, names)).roles == expected(TRUNK, names)


def test_bones_in_the_palm_are_no_finger_joints() -> None:
    names = limbs("Left{}", "Right{}", *LIMBS)
    names |= both("Left{}", "Right{}", finger_names("Hand{word}{number}", ENGLISH))
    palm = [(f"{s}Hand{w}", f"{s}Hand", f"{s}Hand{w}1") for s in ("Left", "Right") for w in ("Ring", "Index")]
    hung = {f"{name}1": name for name, _, _ in palm}
    assert recognise(character(TRUNK, names, palm, hung)).roles == expected(TRUNK, names)


def clip_of(rig: Rig, names: Mapping[str, str] | None = None) -> Clip:
    """A rig as the clip that a file would hold, its joints renamed."""
    renamed = {joint: joint for joint in rig.skeleton.names} if names is None else names
    old = rig.skeleton
    tips = {renamed[leaf]: tip for leaf, tip in old.tips.items()}
    skeleton = Skeleton(tuple(renamed[name] for name in old.names), old.parents, old.offsets, tips)
    return Clip(rig.name, Motion(skeleton, rig.rest[None], old.offsets[:1], Fraction(30)), rig.rest)


@pytest.mark.parametrize("name", rig_names())
def test_known_rigs_are_recognised_from_their_joints_alone(name: str) -> None:
    rig = load_rig(name)
    found = recognise(clip_of(rig))
    assert found.roles == rig.roles
    assert (found.root, found.follows, pose_kind(found)) == (rig.root, rig.follows, pose_kind(rig))
    assert set(found.twists) == set(rig.twists)
    for joint, twist in found.twists.items():
        assert (twist.role, twist.share) == (
            rig.twists[joint].role,
            pytest.approx(rig.twists[joint].share, abs=0.01),
        )
    places = resting_positions(rig)
    for joint, place in resting_positions(found).items():
        np.testing.assert_allclose(place, places[joint], atol=0.03)  # to the floor


@pytest.mark.parametrize("name", ["human", "mixamo", "unreal", "unreal4", "smpl", "makehuman", "daz", "vrm"])
def test_without_any_names_the_shape_tells(name: str) -> None:
    rig = load_rig(name)
    blank = {joint: f"j{k}" for k, joint in enumerate(rig.skeleton.names)}
    found = recognise(clip_of(rig, blank)).roles
    body = {role: joint for role, joint in rig.roles.items() if "Hand" not in role or role.endswith("Hand")}
    for role in body.keys() & found.keys():
        assert found[role] == blank[body[role]]
    assert {"Hips", "Spine", "Head", "LeftArm", "LeftForeArm", "LeftHand", "RightLeg", "RightFoot"} <= set(
        found
    )


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
    assert min(place[1] for place in resting_positions(found).values()) == pytest.approx(0.0, abs=1e-9)


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


def test_what_lacks_an_arm_is_refused_with_what_to_do() -> None:
    names = {
        part: pair
        for part, pair in limbs("Left{}", "Right{}", *LIMBS).items()
        if part in ("UpLeg", "Leg", "Foot")
    }
    with pytest.raises(
        RigError, match=r"'hero' is not recognised: its 12 joints have no.*left arm \(LeftArm, .*--map"
    ):
        recognise(character(TRUNK, names))


def test_toes_that_point_back_are_told(caplog: pytest.LogCaptureFixture) -> None:
    swapped = limbs("Right{}", "Left{}", *LIMBS)
    recognise(character(TRUNK, swapped))
    assert "its toes point away" in caplog.text


def test_roles_that_a_file_tells_come_first_and_a_map_before_them() -> None:
    names = limbs("Left{}", "Right{}", *LIMBS)
    extra = [("Sleeve", "LeftArm", "LeftForeArm"), ("Cuff", "LeftForeArm", "LeftHand")]
    clip = replace(character(TRUNK, names, extra), roles={"LeftForeArm": "Sleeve", "LeftHand": "Cuff"})
    assert recognise(clip).roles["LeftForeArm"] == "Sleeve"
    rig = recognise(clip, {"LeftForeArm": "LeftForeArm", "LeftToeBase": ""})
    assert (rig.roles["LeftForeArm"], rig.roles["LeftHand"]) == ("LeftForeArm", "Cuff")
    assert "LeftToeBase" not in rig.roles and "RightToeBase" in rig.roles


@pytest.mark.parametrize(
    ("mapped", "message"),
    [
        ({"LeftElbow": "LeftForeArm"}, "a part 'LeftElbow', which there is not"),
        ({"LeftForarm": "LeftForeArm"}, "'LeftForarm', which there is not; did you mean 'LeftForeArm'"),
        ({"Head": "head"}, "Head is the joint 'head', which the character has not; did you mean 'Head'"),
        ({"Head": "Neck", "Neck": "Neck"}, "the joint 'Neck' as Head and as Neck; keep one"),
    ],
)  # fmt: skip
def test_a_wrong_map_is_refused_with_its_neighbours(mapped: dict[str, str], message: str) -> None:
    with pytest.raises(RigError, match=message):
        recognise(character(TRUNK, limbs("Left{}", "Right{}", *LIMBS)), mapped)


def test_parts_of_what_is_not_recognised_can_be_had() -> None:
    names = limbs("a{}", "b{}", *(f"{k}" for k in range(8)))
    odd = character({part: f"t{k}" for k, part in enumerate(TRUNK)}, names)
    stretched = turned(odd, (0, 0, 1.0))  # neither names nor an upright shape
    assert find_parts(stretched, {"Hips": "t0"})["Hips"] == "t0"
