"""What a skeleton accepts, refuses and knows."""

import numpy as np
import pytest

from rigs.errors import RigError
from rigs.skeleton import Skeleton


def chain(*names: str) -> Skeleton:
    """All further joints hang from the first."""
    return Skeleton(names, [-1, *[0] * (len(names) - 1)], np.zeros((len(names), 3)))


@pytest.mark.parametrize(
    ("names", "parents", "offsets", "tips", "message"),
    [
        ((), [], np.zeros((0, 3)), {}, "no joints"),
        (("a", "b", "a"), [-1, 0, 0], np.zeros((3, 3)), {}, "more than one joint named 'a'"),
        (("a", ""), [-1, 0], np.zeros((2, 3)), {}, "joint 1 has an empty name"),
        (("a", "b"), [-1], np.zeros((2, 3)), {}, r"2 names but parents of shape \(1,\)"),
        (("a", "b"), [-1, 0], np.zeros((3, 3)), {}, r"2 names but offsets of shape \(3, 3\)"),
        (("a", "b"), [-1, 0], [[0, 0, 0], [0, np.nan, 0]], {}, "'b' has the offset"),
        (("a", "b"), [0, -1], np.zeros((2, 3)), {}, "first joint 'a' has parent 0"),
        (("a", "b"), [-1, -1], np.zeros((2, 3)), {}, "two roots, 'a' and 'b'"),
        (("a", "b", "c"), [-1, 2, 0], np.zeros((3, 3)), {}, "'b' has parent 2; .* depth-first"),
        (("a", "b", "c", "d"), [-1, 0, 0, 1], np.zeros((4, 3)), {}, "'d' has parent 1; .* depth-first"),
        (("a", "b"), [-1, 0], np.zeros((2, 3)), {"a": [0, 1, 0]}, "tip on 'a', which has children"),
        (("a", "b"), [-1, 0], np.zeros((2, 3)), {"z": [0, 1, 0]}, "no joint 'z'; its joints are a, b"),
        (("a", "b"), [-1, 0], np.zeros((2, 3)), {"b": [0, 1]}, "tip .* on 'b'; give three"),
    ],
)
def test_refusals_are_one_line(names, parents, offsets, tips, message) -> None:
    with pytest.raises(RigError, match=message) as refusal:
        Skeleton(names, parents, offsets, tips)
    assert "\n" not in str(refusal.value)


def test_tree_questions(humanoid: Skeleton) -> None:
    assert humanoid.index("Hips") == 0
    assert [humanoid.names[j] for j in humanoid.children(humanoid.index("Hips"))] == [
        "Spine",
        "LeftUpLeg",
        "RightUpLeg",
    ]
    leaves = {humanoid.names[j] for j in np.flatnonzero(humanoid.is_leaf)}
    assert leaves == {"Head", "LeftHand", "RightHand", "LeftFoot", "RightFoot"}


def test_it_cannot_be_changed(humanoid: Skeleton) -> None:
    with pytest.raises(ValueError, match="read-only"):
        humanoid.offsets[0] = 1.0


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("LeftArm", "RightArm"),
        ("mixamorig:LeftHand", "mixamorig:RightHand"),
        ("hand_left", "hand_right"),
        ("LEFT_KNEE", "RIGHT_KNEE"),
        ("l_hip", "r_hip"),
        ("L_Hip", "R_Hip"),
        ("calf_l", "calf_r"),
        ("Calf_L", "Calf_R"),
        ("upper.L", "upper.R"),
        ("upper.L.001", "upper.R.001"),
        ("lShldr", "rShldr"),
        ("LThigh", "RThigh"),
        ("Bip01 L Thigh", "Bip01 R Thigh"),
        ("lfemur", "rfemur"),
    ],
)
def test_sides_are_found_by_name(left: str, right: str) -> None:
    assert chain("Hips", left, "Spine", right).mirror.tolist() == [0, 3, 2, 1]


def test_names_without_a_partner_are_their_own() -> None:
    assert chain("Hips", "lowerback", "Collar", "root", "LeftArm", "rib").mirror.tolist() == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]


def test_mirror_refuses_sides_that_differ() -> None:
    lopsided = Skeleton(("Hips", "LeftArm", "Spine", "RightArm"), [-1, 0, 0, 2], np.zeros((4, 3)))
    with pytest.raises(RigError, match="'LeftArm' and 'RightArm' hang from joints that are not a pair"):
        lopsided.mirrored()
