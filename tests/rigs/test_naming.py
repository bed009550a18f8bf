"""Names of joints are understood one by one."""

from __future__ import annotations

import pytest

from rigs.recognition.naming import read_name, read_names


@pytest.mark.parametrize(
    ("name", "kind", "side"),
    [
        ("LeftUpLeg", "thigh", "Left"),
        ("mixamorig:RightForeArm", "forearm", "Right"),
        ("mixamorig7:Hips", "hips", ""),
        ("Armature|pelvis", "hips", ""),
        ("lfemur", "thigh", "Left"),
        ("rhumerus", "upper_arm", "Right"),
        ("lShldrBend", "upper_arm", "Left"),
        ("upper_arm.L", "upper_arm", "Left"),
        ("DEF-shin.R", "shin", "Right"),
        ("J_Bip_L_LowerLeg", "shin", "Left"),
        ("CC_Base_R_Clavicle", "clavicle", "Right"),
        ("Bip001 L Calf", "shin", "Left"),
        ("Bip01_R_UpperArm", "upper_arm", "Right"),
        ("left_wrist", "hand", "Left"),
        ("L_Foot", "foot", "Left"),
        ("ball_r", "toe", "Right"),
        ("LeftLeg", "thigh", "Left"),  # or the shin: the tree tells
        ("LeftLeg", "shin", "Left"),
        ("left_upLeg_joint", "thigh", "Left"),
        ("lowerback", "spine", ""),
        ("UpperChest", "spine", ""),
        ("neckLower", "neck", ""),
        ("LUArm", "upper_arm", "Left"),
        ("Hip_R", "thigh", "Right"),
        ("Head_M", "head", ""),
        ("elbow_L_jnt", "forearm", "Left"),
        ("LowerTorso", "hips", ""),
    ],
)
def test_part_and_side(name: str, kind: str, side: str) -> None:
    label = read_name(name)
    assert label.may(kind) and label.side == side


@pytest.mark.parametrize(
    "name",
    [
        "upperarm_twist_01_l",
        "ik_hand_l",
        "HeadTop_End",
        "LHipJoint",
        "lButtock",
        "__Clavicle_L",
        "Bip01 HeadNub",
        "CC_Base_L_ElbowShareBone",
        "heel.02.L",
        "leftEye",
    ],
)
def test_helpers_play_no_part(name: str) -> None:
    label = read_name(name)
    assert label.twisting or label.following or label.other


@pytest.mark.parametrize(
    ("name", "finger", "numbers"),
    [
        ("LeftHandThumb1", "Thumb", ("1",)),
        ("f_index.02.L", "Index", ("02",)),
        ("lMid3", "Middle", ("3",)),
        ("leftLittleProximal", "Pinky", ()),
        ("Bip001 L Finger01", "#", ("01",)),
        ("finger2-3.R", "#", ("2", "3")),
        ("LeftHand", "", ()),
    ],
)
def test_fingers(name: str, finger: str, numbers: tuple[str, ...]) -> None:
    label = read_name(name)
    assert (label.finger, label.numbers) == (finger, numbers)


def test_a_beginning_that_most_names_share_says_nothing() -> None:
    names = ["root", "hero_head", "hero_neck", "hero_L_arm", "hero_R_arm"]
    labels = read_names(names)
    assert labels[1].may("head") and labels[2].may("neck")
    assert (labels[3].side, labels[4].side) == ("Left", "Right")


def test_a_side_at_the_beginning_of_most_names_is_not_lost() -> None:
    assert {label.side for label in read_names(["L_arm", "L_hand", "L_leg", "L_foot"])} == {"Left"}
