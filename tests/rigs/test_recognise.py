"""Characters are recognised by the names that programs give to joints, and by their shape without any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigs import quat
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.library import load_rig, rig_names
from rigs.motion import Motion
from rigs.recognition.recognise import recognise, recognise_moving
from rigs.recognition.stand import pose_kind, resting_positions
from rigs.rig import Rig
from rigs.skeleton import Skeleton
from tests.rigs.characters import person, wild_motion
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


def test_side_bones_of_fingers_are_left_alone() -> None:
    fingers = finger_names("{word}_0{number}", ("thumb", "index", "middle", "ring", "pinky"))
    parts = ("clavicle", "upperarm", "lowerarm", "hand", "thigh", "calf", "foot", "ball")
    names = limbs("{}_l", "{}_r", *parts) | both("{}_l", "{}_r", fingers)
    extra = [
        ("index_slide_l", "hand_l", "LeftHandIndex1"),
        ("index_01_mcp_l", "index_01_l", "LeftHandIndex2"),
    ]
    assert recognise(character(TRUNK, names, extra)).roles == expected(TRUNK, names)


def test_parts_that_do_not_hang_from_one_another_are_refused() -> None:
    clip = character(TRUNK, limbs("Left{}", "Right{}", *LIMBS))
    with pytest.raises(RigError, match=r"LeftFoot \('LeftUpLeg'\) does not hang from LeftLeg \('LeftFoot'\)"):
        recognise(clip, {"LeftLeg": "LeftFoot", "LeftFoot": "LeftUpLeg", "LeftUpLeg": "LeftLeg"})


WORDS = (
    *("Hips", "Spine", "head", "L_Hand", "R_Hand", "lfoot", "rfoot", "LeftArm", "RightElbow", "thumb1"),
    *("x", "ik", "twist", "neck", "LeftShoulder", "leg_r", "finger0_l", "toe.L", "ball_r", "root"),
)


@settings(max_examples=40)
@given(st.data())
def test_any_skeleton_is_recognised_or_refused(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 25))
    words = [data.draw(st.sampled_from(WORDS)) for _ in range(count)]
    names = [word if word not in words[:k] else f"{word}_{k}" for k, word in enumerate(words)]
    parents, path = [-1], [0]
    for j in range(1, count):
        depth = data.draw(st.integers(1, len(path)))
        parents.append(path[depth - 1])
        path = [*path[:depth], j]
    place = st.floats(-1.0, 1.0)
    offsets = [[data.draw(place) for _ in range(3)] for _ in range(count)]
    skeleton = Skeleton(tuple(names), np.array(parents), np.array(offsets))
    clip = Clip("any", Motion(skeleton, quat.identity(1, count), np.zeros((1, 3)), Fraction(30)))
    try:
        rig = recognise(clip)
    except RigError as refused:
        assert "\n" not in str(refused)
    else:
        assert np.isfinite(list(resting_positions(rig).values())).all()


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


@pytest.mark.parametrize(
    "name", ["human", "mixamo", "unreal", "unreal4", "metahuman", "smpl", "makehuman", "daz", "vrm"]
)
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
    extra = [("Sleeve", "LeftArm", "LeftForeArm"), ("Cuff", "Sleeve", "LeftHand")]
    clip = replace(character(TRUNK, names, extra), roles={"LeftForeArm": "Sleeve", "LeftHand": "Cuff"})
    assert recognise(clip).roles["LeftForeArm"] == "Sleeve"
    rig = recognise(clip, {"LeftForeArm": "LeftForeArm", "LeftHand": "LeftHand", "LeftToeBase": ""})
    assert (rig.roles["LeftForeArm"], rig.roles["LeftHand"]) == ("LeftForeArm", "LeftHand")
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


def test_who_rests_upright_and_moves_along_another_axis_is_turned() -> None:
    rig = person()
    motion = wild_motion(rig, scale=0.1)
    lying = quat.from_rotvec([np.pi / 2, 0.0, 0.0])
    rotations = motion.rotations.copy()
    rotations[:, 0] = quat.multiply(lying, rotations[:, 0])
    z_up = Motion(motion.skeleton, rotations, quat.rotate(lying, motion.root), motion.fps)
    found, turned = recognise_moving(Clip("a", z_up, rig.rest))
    np.testing.assert_allclose(turned.world()[0], motion.world()[0], atol=1e-9)
    assert found.roles["LeftLeg"] == "LeftLeg"
    same = recognise_moving(Clip("a", motion, rig.rest))[1]
    np.testing.assert_allclose(same.world()[0], motion.world()[0], atol=1e-12)


def test_the_motion_of_a_character_that_faces_elsewhere_and_is_too_large_goes_along() -> None:
    rig = person()
    motion = wild_motion(rig, scale=0.1)
    turn = quat.from_rotvec([0.0, np.pi / 2, 0.0])
    skeleton = Skeleton(
        rig.skeleton.names,
        rig.skeleton.parents,
        100.0 * np.concatenate([quat.rotate(turn, rig.skeleton.offsets[:1]), rig.skeleton.offsets[1:]]),
        {name: 100.0 * tip for name, tip in rig.skeleton.tips.items()},
    )
    rest, rotations = rig.rest.copy(), motion.rotations.copy()
    rest[0] = quat.multiply(turn, rest[0])
    rotations[:, 0] = quat.multiply(turn, rotations[:, 0])
    large = Motion(skeleton, rotations, 100.0 * quat.rotate(turn, motion.root), motion.fps)
    _, back = recognise_moving(Clip("a", large, rest))
    np.testing.assert_allclose(back.world()[0], motion.world()[0], atol=1e-9)
