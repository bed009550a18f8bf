"""The rigs stand as a rig must, and their frames are those of the original."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from rigs import quat
from rigs.errors import RigError
from rigs.library import load_definition, load_rig, rig_names
from rigs.motion import Motion
from rigs.recognition.standing import standing_human
from rigs.rig import Rig


def world(rig: Rig) -> tuple[np.ndarray, np.ndarray]:
    positions, rotations = Motion(rig.skeleton, rig.rest[None], rig.skeleton.offsets[:1], 1).world()
    return positions[0], rotations[0]


def at(rig: Rig, role: str) -> np.ndarray:
    return world(rig)[0][rig.skeleton.index(rig.roles[role])]


@pytest.mark.parametrize("name", rig_names())
def test_a_rig_stands_on_the_floor_and_faces_us(name: str) -> None:
    rig = load_rig(name)
    heights = world(rig)[0][:, 1]
    assert -1e-3 <= heights.min() <= 0.03
    assert 1.4 < at(rig, "Head")[1] < 1.9
    assert at(rig, "Head")[1] > at(rig, "Hips")[1] > at(rig, "LeftLeg")[1] > at(rig, "LeftFoot")[1]
    for side in ("Left", "Right"):
        toe = at(rig, f"{side}ToeBase") - at(rig, f"{side}Foot")
        assert toe[2] > abs(toe[0]) and toe[2] > 0.05
    assert at(rig, "LeftArm")[0] > 0.1 > -0.1 > at(rig, "RightArm")[0]


@pytest.mark.parametrize("name", rig_names())
def test_both_sides_are_alike(name: str) -> None:
    rig = load_rig(name)
    positions, _ = world(rig)
    other = rig.skeleton.mirror
    alike = np.abs(positions[other] * (-1, 1, 1) - positions).max(axis=1) < 1e-3
    lone = {"ik_hand_gun"} & set(rig.skeleton.names)  # is where the right hand is
    assert {n for n, same in zip(rig.skeleton.names, alike, strict=True) if not same} == lone
    for role, joint in rig.roles.items():
        twin = role.replace("Left", "Right")
        assert rig.skeleton.names[other[rig.skeleton.index(joint)]] == rig.roles[twin] or "Right" in role


@pytest.mark.parametrize("name", rig_names())
def test_roles_are_ours_and_in_their_order(name: str) -> None:
    rig = load_rig(name)
    known = {*standing_human()[0], *(f"Spine{n}" for n in (3, 4)), "Neck1", "Neck2"}
    assert set(rig.roles) <= known and len(set(rig.roles.values())) == len(rig.roles)
    spine = [rig.roles[r] for r in ("Hips", *sorted(r for r in rig.roles if r.startswith("Spine")))]
    spine += [rig.roles[r] for r in sorted(r for r in rig.roles if r.startswith("Neck"))] + [
        rig.roles["Head"]
    ]
    for below, above in pairwise(spine):
        assert below in ancestors(rig, above)
    for limb in (("Arm", "ForeArm", "Hand"), ("UpLeg", "Leg", "Foot", "ToeBase")):
        for upper, lower in pairwise(limb):
            assert rig.roles[f"Left{upper}"] in ancestors(rig, rig.roles[f"Left{lower}"])


def ancestors(rig: Rig, joint: str) -> set[str]:
    found, j = set(), rig.skeleton.index(joint)
    while (j := int(rig.skeleton.parents[j])) >= 0:
        found.add(rig.skeleton.names[j])
    return found


@pytest.mark.parametrize("name", ["unreal", "unreal4", "metahuman"])
def test_unreal_has_x_along_the_bone_and_the_right_side_against_it(name: str) -> None:
    rig = load_rig(name)
    positions, rotations = world(rig)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        for upper, lower, along in (("Arm", "ForeArm", 1), ("ForeArm", "Hand", 1), ("UpLeg", "Leg", -1)):
            start, end = (rig.skeleton.index(rig.roles[side + role]) for role in (upper, lower))
            bone = quat.rotate(quat.conjugate(rotations[start]), positions[end] - positions[start])
            assert sign * along * bone[0] > 0.999 * np.linalg.norm(bone)


@pytest.mark.parametrize("name", ["mixamo", "rigify", "rigify_fk"])
def test_others_have_y_along_the_bone(name: str) -> None:
    rig = load_rig(name)
    positions, rotations = world(rig)
    for role, child in (
        ("LeftArm", "LeftForeArm"),
        ("RightForeArm", "RightHand"),
        ("RightUpLeg", "RightLeg"),
    ):
        start, end = (rig.skeleton.index(rig.roles[r]) for r in (role, child))
        bone = quat.rotate(quat.conjugate(rotations[start]), positions[end] - positions[start])
        assert bone[1] > 0.99 * np.linalg.norm(bone)


@pytest.mark.parametrize("name", ["unreal", "unreal4", "metahuman"])
def test_unreal_twists_share_what_stands_between(name: str) -> None:
    rig = load_rig(name)
    positions, _ = world(rig)
    for joint, twist in rig.twists.items():
        limb = {"Arm": ("Arm", "ForeArm"), "Hand": ("ForeArm", "Hand"), "UpLeg": ("UpLeg", "Leg"),
                "Foot": ("Leg", "Foot")}[twist.role.removeprefix("Left").removeprefix("Right")]  # fmt: skip
        side = "Left" if twist.role.startswith("Left") else "Right"
        start, end = (at(rig, side + role) for role in limb)
        part = np.linalg.norm(positions[rig.skeleton.index(joint)] - start) / np.linalg.norm(end - start)
        whole = 1.0 if twist.share < 0 else 0.0  # it hangs from the bone whose twist it undoes
        assert twist.share == pytest.approx(part - whole, abs=0.01)


def test_unreal_ik_bones_follow() -> None:
    rig = load_rig("unreal")
    assert rig.root == "root" and rig.up == "z"
    assert rig.follows == {
        "ik_foot_l": "foot_l", "ik_foot_r": "foot_r", "ik_hand_gun": "hand_r",
        "ik_hand_l": "hand_l", "ik_hand_r": "hand_r",
    }  # fmt: skip
    positions, _ = world(rig)
    for joint, where in rig.follows.items():
        np.testing.assert_allclose(
            positions[rig.skeleton.index(joint)], positions[rig.skeleton.index(where)], atol=1e-9
        )


def test_the_human_is_what_a_take_has() -> None:
    rig = load_rig("human")
    positions = dict(zip(rig.skeleton.names, world(rig)[0], strict=True))
    joints, ends = standing_human()
    assert list(positions) == list(joints)  # in this order, too
    for name, where in joints.items():
        np.testing.assert_allclose(positions[name], where, atol=1e-12)
    assert set(rig.skeleton.tips) == set(ends)


def test_an_unknown_rig_is_refused_with_its_neighbour() -> None:
    with pytest.raises(
        RigError, match=r"no rig is called 'mixmo'; did you mean 'mixamo'\? known are cmu, daz"
    ):
        load_rig("mixmo")


@pytest.mark.parametrize("name", rig_names())
def test_every_rig_says_what_for_and_from_where(name: str) -> None:
    definition = load_definition(name)
    assert definition.title and all(source.what and source.where for source in definition.source)
    assert load_rig(name).source
