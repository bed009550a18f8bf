"""How many programs name the joints of their characters, and how they hang them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.rigs.foreign import Extra, both, finger_names

LIMBS = {"Shoulder": "Shoulder", "Arm": "Arm", "ForeArm": "ForeArm", "Hand": "Hand",
         "UpLeg": "UpLeg", "Leg": "Leg", "Foot": "Foot", "ToeBase": "ToeBase"}  # fmt: skip
TRUNK = {
    "Hips": "Hips",
    "Spine": "Spine",
    "Spine1": "Spine1",
    "Spine2": "Spine2",
    "Neck": "Neck",
    "Head": "Head",
}
ENGLISH = ("Thumb", "Index", "Middle", "Ring", "Pinky")
Limbs = Mapping[str, tuple[str, str]]
Style = tuple[Mapping[str, str], Limbs, Sequence[Extra], Mapping[str, str]]


def limbs(left: str, right: str, *names: str) -> dict[str, tuple[str, str]]:
    return both(left, right, dict(zip(LIMBS, names, strict=False)))


def biped() -> Style:
    trunk = {"Hips": "Bip001 Pelvis", "Spine": "Bip001 Spine", "Spine1": "Bip001 Spine1",
             "Neck": "Bip001 Neck", "Head": "Bip001 Head"}  # fmt: skip
    parts = ("Clavicle", "UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot", "Toe0")
    fingers = {
        f"Hand{ours}{k}": f"Finger{n}{m}"
        for n, ours in enumerate(ENGLISH)
        for k, m in ((1, ""), (2, "1"), (3, "2"))
    }
    names = both("Bip001 L {}", "Bip001 R {}", dict(zip(LIMBS, parts, strict=True)) | fingers)
    extra = (
        ("Bip001", "", "floor"),
        ("Bip001 Footsteps", "Bip001", "floor"),
        ("Bip001 HeadNub", "Bip001 Head", "Head"),
    )
    hung = {"Bip001 Pelvis": "Bip001"}
    hung |= {f"Bip001 {s} Clavicle": "Bip001 Neck" for s in "LR"} | {
        f"Bip001 {s} Thigh": "Bip001 Spine" for s in "LR"
    }
    return trunk, names, extra, hung


def character_creator() -> Style:
    own = ("Hip", "Waist", "Spine01", "Spine02", "NeckTwist01", "Head")
    trunk = {part: f"CC_Base_{name}" for part, name in zip(TRUNK, own, strict=True)}
    parts = ("Clavicle", "Upperarm", "Forearm", "Hand", "Thigh", "Calf", "Foot", "ToeBase")
    fingers = finger_names("{word}{number}", ("Thumb", "Index", "Mid", "Ring", "Pinky"))
    names = both("CC_Base_L_{}", "CC_Base_R_{}", dict(zip(LIMBS, parts, strict=True)) | fingers)
    extra = [("CC_Base_BoneRoot", "", "floor"), ("CC_Base_Pelvis", "CC_Base_Hip", "Hips"),
             ("CC_Base_JawRoot", "CC_Base_Head", "Head")]  # fmt: skip
    for side, ours in (("L", "Left"), ("R", "Right")):
        extra += [(f"CC_Base_{side}_UpperarmTwist01", f"CC_Base_{side}_Upperarm", f"{ours}Arm"),
                  (f"CC_Base_{side}_ForearmTwist01", f"CC_Base_{side}_Forearm", f"{ours}Hand"),
                  (f"CC_Base_{side}_ElbowShareBone", f"CC_Base_{side}_Forearm",
                   f"{ours}ForeArm")]  # fmt: skip
    hung = {f"CC_Base_{s}_Thigh": "CC_Base_Pelvis" for s in "LR"} | {"CC_Base_Hip": "CC_Base_BoneRoot"}
    return trunk, names, tuple(extra), hung


STYLES = {
    "HumanIK": (TRUNK, limbs("Left{}", "Right{}", *LIMBS), (), {}),
    "a namespace": (
        {k: f"hero:{v}" for k, v in TRUNK.items()}, limbs("hero:Left{}", "hero:Right{}", *LIMBS), (), {}
    ),
    "a prefix": (
        {k: f"Ch01_{v}" for k, v in TRUNK.items()}, limbs("Ch01_Left{}", "Ch01_Right{}", *LIMBS), (), {}
    ),
    "VRoid": (
        {"Hips": "J_Bip_C_Hips", "Spine": "J_Bip_C_Spine", "Spine1": "J_Bip_C_Chest", "Neck": "J_Bip_C_Neck",
         "Head": "J_Bip_C_Head"},
        limbs("J_Bip_L_{}", "J_Bip_R_{}", "Shoulder", "UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg",
              "Foot", "ToeBase"),
        (("Root", "", "floor"), ("J_Sec_Hair1_01", "J_Bip_C_Head", "Head")),
        {"J_Bip_C_Hips": "Root"},
    ),
    "elbows and knees": (
        {"Hips": "Hips", "Spine": "Spine", "Spine1": "Chest", "Neck": "Neck", "Head": "Head"},
        limbs("Left {}", "Right {}", "shoulder", "arm", "elbow", "wrist", "leg", "knee", "ankle", "toe"),
        (), {},
    ),
    "collars and shoulders": (
        {"Hips": "hip", "Spine": "abdomen", "Spine1": "chest", "Neck": "neck", "Head": "head"},
        limbs("l{}", "r{}", "Collar", "Shldr", "ForeArm", "Hand", "Thigh", "Shin", "Foot"),
        (("lButtock", "hip", "Hips"), ("rButtock", "hip", "Hips"), ("leftEye", "head", "Head")),
        {"lThigh": "lButtock", "rThigh": "rButtock"},
    ),
    "Synty": (
        {"Hips": "Hips", "Spine": "Spine_01", "Spine1": "Spine_02", "Spine2": "Spine_03", "Neck": "Neck",
         "Head": "Head"},
        limbs("{}_L", "{}_R", "Clavicle", "Shoulder", "Elbow", "Hand", "UpperLeg", "LowerLeg", "Ankle",
              "Ball"),
        (("Root", "", "floor"),), {"Hips": "Root"},
    ),
    "Xsens": (
        {"Hips": "Pelvis", "Spine": "L5", "Spine1": "L3", "Spine2": "T8", "Neck": "Neck", "Head": "Head"},
        limbs("Left{}", "Right{}", "Shoulder", "UpperArm", "ForeArm", "Hand", "UpperLeg", "LowerLeg", "Foot",
              "Toe"),
        (), {},
    ),
    "ARKit": (
        {"Hips": "hips_joint", "Spine": "spine_1_joint", "Spine1": "spine_7_joint", "Neck": "neck_1_joint",
         "Head": "head_joint"},
        limbs("left_{}_joint", "right_{}_joint", "shoulder_1", "arm", "forearm", "hand", "upLeg", "leg",
              "foot", "toes"),
        (("root", "", "floor"),), {"hips_joint": "root"},
    ),
    "Source": (
        {"Hips": "ValveBiped.Bip01_Pelvis", "Spine": "ValveBiped.Bip01_Spine",
         "Spine1": "ValveBiped.Bip01_Spine1",
         "Neck": "ValveBiped.Bip01_Neck1", "Head": "ValveBiped.Bip01_Head1"},
        limbs("ValveBiped.Bip01_L_{}", "ValveBiped.Bip01_R_{}", "Clavicle", "UpperArm", "Forearm", "Hand",
              "Thigh", "Calf", "Foot", "Toe0"),
        (), {},
    ),
    "Rigify's deform bones": (
        {"Hips": "DEF-spine", "Spine": "DEF-spine.001", "Spine1": "DEF-spine.002", "Spine2": "DEF-spine.003",
         "Neck": "DEF-neck", "Head": "DEF-head"},
        limbs("DEF-{}.L", "DEF-{}.R", "shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot",
              "toe"),
        (), {},
    ),
    "Advanced Skeleton": (
        {"Hips": "Root_M", "Spine": "Spine1_M", "Spine1": "Chest_M", "Neck": "Neck_M", "Head": "Head_M"},
        limbs("{}_L", "{}_R", "Scapula", "Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle", "Toes")
        | both("{}_L", "{}_R", finger_names("{word}Finger{number}", ENGLISH)),
        (), {},
    ),
    "Motive": (
        {"Hips": "Hip", "Spine": "Ab", "Spine1": "Chest", "Neck": "Neck", "Head": "Head"},
        limbs("L{}", "R{}", "Shoulder", "UArm", "FArm", "Hand", "Thigh", "Shin", "Foot", "Toe"),
        (), {},
    ),
    "Roblox": (
        {"Hips": "LowerTorso", "Spine": "UpperTorso", "Head": "Head"},
        both("Left{}", "Right{}", {"Arm": "UpperArm", "ForeArm": "LowerArm", "Hand": "Hand",
                                   "UpLeg": "UpperLeg", "Leg": "LowerLeg", "Foot": "Foot"}),
        (("HumanoidRootNode", "", "floor"),), {"LowerTorso": "HumanoidRootNode"},
    ),
    "joints at the end": (
        {"Hips": "pelvis_jnt", "Spine": "spine_01_jnt", "Spine1": "spine_02_jnt", "Neck": "neck_jnt",
         "Head": "head_jnt"},
        limbs("{}_L_jnt", "{}_R_jnt", "clavicle", "shoulder", "elbow", "wrist", "hip", "knee", "ankle",
              "ball"),
        (("root_jnt", "", "floor"), ("head_end_jnt", "head_jnt", "Head")), {"pelvis_jnt": "root_jnt"},
    ),
    "Biped": biped(),
    "Character Creator": character_creator(),
}  # fmt: skip
