"""The joints of the rigs are those of other programs, name by name."""

from __future__ import annotations

import pytest

from rigs.library import load_rig, rig_names

FINGERS = ("thumb", "index", "middle", "ring", "pinky")
HUMANIK = {"Hips", "Spine", "Spine1", "Spine2", "Neck", "Head"}


def both(left: str, right: str, *stems: str) -> set[str]:
    """Names of both sides: `left` and `right` have a {} where the stem stands."""
    return {side.format(stem) for stem in stems for side in (left, right)}


def fingers(names: tuple[str, ...], numbers: tuple[object, ...] = (1, 2, 3)) -> tuple[str, ...]:
    return tuple(f"{name}{number}" for name in names for number in numbers)


LIMBS = ("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase")
HANDS = fingers(("HandThumb", "HandIndex", "HandMiddle", "HandRing", "HandPinky"))
UNREAL_LIMBS = ("clavicle", "upperarm", "lowerarm", "hand", "thigh", "calf", "foot", "ball")
UNREAL_FINGERS = fingers(FINGERS, ("_01", "_02", "_03"))
UNREAL_IK = {
    "ik_foot_root",
    "ik_foot_l",
    "ik_foot_r",
    "ik_hand_root",
    "ik_hand_gun",
    "ik_hand_l",
    "ik_hand_r",
}
UNREAL_TWISTS = tuple(
    f"{limb}_twist_0{n}" for limb in ("upperarm", "lowerarm", "thigh", "calf") for n in (1, 2)
)
METACARPALS = tuple(f"{finger}_metacarpal" for finger in FINGERS[1:])
UNREAL_TRUNK = {"root", "pelvis", *(f"spine_0{n}" for n in range(1, 6)), "neck_01", "neck_02", "head"}
UNREAL_BODY = UNREAL_TRUNK | both(
    "{}_l", "{}_r", *UNREAL_LIMBS, *UNREAL_FINGERS, *UNREAL_TWISTS, *METACARPALS
)  # fmt: skip
AROUND = ("bck", "fwd", "in", "out")
DRIVEN = {  # MetaHuman's own, by what they hang about
    "upperarm": (*AROUND, "correctiveRoot", "twistCor_01", "twistCor_02", "bicep", "tricep"),
    "lowerarm": (*AROUND, "correctiveRoot"),
    "wrist": ("inner", "outer"),
    "clavicle": ("out", "scap", "pec"),
    "spine_04": ("latissimus",),
    "thigh": (*AROUND, "bck_lwr", "fwd_lwr", "correctiveRoot", "twistCor_01", "twistCor_02"),
    "calf": ("correctiveRoot", "knee", "kneeBack", "twistCor_02"),
    "ankle": ("bck", "fwd"),
    **{f"{toe}toe": ("01", "02") for toe in ("big", "index", "middle", "ring", "little")},
    "thumb_01": ("side_inn", "side_out"),
    "thumb_02": ("bulge", "side_inn", "side_out", "half", "in", "mcp"),
    "thumb_03": ("bulge", "side_inn", "side_out", "half", "in", "pip"),
}
DRIVEN_IN_FINGERS = {
    "metacarpal": ("slide",),
    "01": ("palmMid", "bulge", "side_inn", "side_out", "half", "mcp", "palm"),
    "02": ("bulge", "side_inn", "side_out", "dip", "half", "in", "pip"),
    "03": ("bulge", "half", "in"),
}
METAHUMAN_DRIVEN = tuple(
    f"{joint}_{what}"
    for joint, parts in {
        **DRIVEN,
        **{f"{finger}_{n}": parts for finger in FINGERS[1:] for n, parts in DRIVEN_IN_FINGERS.items()},
    }.items()
    for what in parts
)
UNITY_LIMBS = ("Shoulder", "UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot", "Toes", "Eye")
UNITY_FINGERS = fingers(
    ("Thumb", "Index", "Middle", "Ring", "Little"), ("Proximal", "Intermediate", "Distal")
)
VRM_FINGERS = tuple(
    {"ThumbProximal": "ThumbMetacarpal", "ThumbIntermediate": "ThumbProximal"}.get(name, name)
    for name in UNITY_FINGERS
)
SMPL_LIMBS = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")
SMPL_TRUNK = {"pelvis", "spine1", "spine2", "spine3", "neck", "head"}
ROKOKO_FINGERS = tuple(
    f"Finger{n}{part}"
    for n in range(1, 6)
    for part in ("Metacarpal", "Proximal", "Medial", "Distal")
    if (n, part) != (1, "Medial")
)
CMU_TRUNK = {"root", "lowerback", "upperback", "thorax", "lowerneck", "upperneck", "head"}
CMU_LIMBS = (
    "hipjoint", "femur", "tibia", "foot", "toes",
    "clavicle", "humerus", "radius", "wrist", "hand", "fingers", "thumb",
)  # fmt: skip
DAZ_LIMBS = (
    "ThighBend", "ThighTwist", "Shin", "Foot", "Metatarsals", "Toe",
    "Collar", "ShldrBend", "ShldrTwist", "ForearmBend", "ForearmTwist", "Hand", "Pectoral",
)  # fmt: skip
DAZ_HANDS = (*fingers(("Thumb", "Index", "Mid", "Ring", "Pinky", "Carpal")), "Carpal4")
DAZ_TRUNK = {
    "hip", "pelvis", "abdomenLower", "abdomenUpper", "chestLower", "chestUpper",
    "neckLower", "neckUpper", "head",
}  # fmt: skip
DAZ_TOES = tuple(
    f"{toe}{part}" for toe in ("BigToe", *fingers(("SmallToe",), (1, 2, 3, 4))) for part in ("", "_2")
)
DAZ_FACE = {
    "upperTeeth", "lowerJaw", "lowerTeeth", "tongue01", "tongue02", "tongue03", "tongue04", "upperFaceRig",
    "lowerFaceRig", "LipLowerMiddle", "LipUpperMiddle", "LipBelow", "Chin", "BelowJaw", "CenterBrow",
    "MidNoseBridge", "Nose",
}  # fmt: skip
DAZ_SIDES_OF_FACE = (
    *fingers(("Eyelid", "EyelidUpper", "EyelidLower"), ("Inner", "Outer")),
    *fingers(("LipLower", "LipUpper"), ("Inner", "Outer")),
    *fingers(("Nasolabial",), ("Upper", "Middle", "Lower", "MouthCorner")),
    *fingers(("Brow",), ("Inner", "Mid", "Outer")),
    *fingers(("Cheek",), ("Upper", "Lower")),
    "EyelidUpper", "EyelidLower", "LipCorner", "LipBelowNose", "LipNasolabialCrease",
    "SquintInner", "SquintOuter", "JawClench", "Nostril", "Eye", "Ear",
)  # fmt: skip
RIGIFY_HANDS = fingers(("thumb", "f_index", "f_middle", "f_ring", "f_pinky"), (".01", ".02", ".03"))

NAMES = {
    "human": HUMANIK | both("Left{}", "Right{}", *LIMBS, *HANDS),
    "mixamo": {f"mixamorig:{name}" for name in HUMANIK | {"HeadTop_End"}}
    | both("mixamorig:Left{}", "mixamorig:Right{}", *LIMBS, *HANDS, "Toe_End")
    | both("mixamorig:Left{}4", "mixamorig:Right{}4", *{name[:-1] for name in HANDS}),
    "unreal": UNREAL_BODY | UNREAL_IK | {"interaction", "center_of_mass"},
    "metahuman": UNREAL_BODY | both("{}_l", "{}_r", *METAHUMAN_DRIVEN),
    "unreal4": {"root", "pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head"}
    | UNREAL_IK
    | both("{}_l", "{}_r", *UNREAL_LIMBS, *UNREAL_FINGERS, *UNREAL_TWISTS[::2]),
    "unity": {"Hips", "Spine", "Chest", "UpperChest", "Neck", "Head", "Jaw"}
    | both("Left{}", "Right{}", *UNITY_LIMBS, *UNITY_FINGERS),
    "vrm": {"hips", "spine", "chest", "upperChest", "neck", "head", "jaw"}
    | both("left{}", "right{}", *UNITY_LIMBS, *VRM_FINGERS),
    "smpl": SMPL_TRUNK | both("left_{}", "right_{}", *SMPL_LIMBS, "hand"),
    "smplx": SMPL_TRUNK
    | {"jaw"}
    | both("left_{}", "right_{}", *SMPL_LIMBS, *fingers(FINGERS), "eye_smplhf"),
    "rokoko": {"Root", "Hips", "Spine1", "Spine2", "Spine3", "Spine4", "Neck", "Head", "HeadVertex"}
    | both("Left{}", "Right{}", "Thigh", "Shin", "Foot", "Toe", "ToeTip", *LIMBS[:4], *ROKOKO_FINGERS),
    "cmu": CMU_TRUNK | both("l{}", "r{}", *CMU_LIMBS),
    "daz": DAZ_TRUNK
    | DAZ_FACE
    | both("l{}", "r{}", *DAZ_LIMBS, *DAZ_HANDS, *DAZ_TOES, *DAZ_SIDES_OF_FACE),
    "rigify_fk": {"root", "torso", "hips", "chest", "neck", "head", "spine_fk"}
    | {f"spine_fk.00{n}" for n in (1, 2, 3)}
    | both("{}.L", "{}.R", "shoulder", "breast", "palm", *RIGIFY_HANDS)
    | both("{}.01_master.L", "{}.01_master.R", *sorted({name[:-3] for name in RIGIFY_HANDS}))
    | both("{}_fk.L", "{}_fk.R", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe"),
}  # fmt: skip
BODY_OF_RIGIFY = {"spine", *(f"spine.00{n}" for n in range(1, 7)), "face"} | both(
    "{}.L", "{}.R", "shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe", "heel.02",
    "pelvis", "breast", "palm.01", "palm.02", "palm.03", "palm.04", *RIGIFY_HANDS,
)  # fmt: skip
COUNTS = {"unreal": 89, "unreal4": 68, "metahuman": 342, "mixamo": 65, "unity": 55, "vrm": 55, "smpl": 24,
          "smplx": 55, "cmu": 31, "daz": 170, "rigify": 159, "rigify_fk": 70, "makehuman": 173,
          "rokoko": 65}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_joints_are_named_as_the_original(name: str) -> None:
    assert set(load_rig(name).skeleton.names) == NAMES[name]


@pytest.mark.parametrize("name", COUNTS)
def test_no_joint_of_the_original_is_lost(name: str) -> None:
    assert len(load_rig(name).skeleton) == COUNTS[name]


def test_rigify_has_the_body_of_the_metarig() -> None:
    assert set(load_rig("rigify").skeleton.names) >= BODY_OF_RIGIFY


def test_makehuman_has_its_fingers_toes_and_face() -> None:
    parts = (
        "upperarm01",
        "upperarm02",
        "wrist",
        "finger5-3",
        "toe1-2",
        "toe5-3",
        "levator06",
        "pelvis",
        "eye",
    )
    assert set(load_rig("makehuman").skeleton.names) >= both("{}.L", "{}.R", *parts) | {"neck03", "jaw"}


def test_every_rig_is_tested() -> None:
    assert set(rig_names()) == {*NAMES, "rigify", "makehuman"}
