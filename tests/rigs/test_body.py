"""The human body: both sides alike, hinges that bend as people do, and wrong definitions refused."""

import copy
from importlib import resources
from typing import Any

import numpy as np
import pytest
import yaml

from rigs import quat
from rigs.errors import RigError
from rigs.solving.body import MIRROR, Body, body_from_definition, load_body
from rigs.solving.kinematics import Chain, Points, Pose, locate
from tests.synth import sized, turned

SIDED = ("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase")


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body()


@pytest.fixture
def definition() -> dict[str, Any]:
    text = (resources.files("rigs") / "definitions" / "human.yaml").read_text(encoding="utf-8")
    return copy.deepcopy(yaml.safe_load(text))


def freedoms(body: Body, name: str) -> np.ndarray:
    return np.flatnonzero(body.freedom_joint == body.index(name))


def test_parents_come_first_and_hold_one_root(body: Body) -> None:
    assert body.parents[0] == -1
    assert ((body.parents[1:] >= 0) & (body.parents[1:] < np.arange(1, len(body.names)))).all()


@pytest.mark.parametrize("name", SIDED)
def test_the_right_side_is_the_mirror_of_the_left(body: Body, name: str) -> None:
    left, right = body.index(f"Left{name}"), body.index(f"Right{name}")
    np.testing.assert_array_equal(body.offsets[right], MIRROR * body.offsets[left])
    assert body.size_of[right] == body.size_of[left]
    np.testing.assert_array_equal(body.rest_sd[right], body.rest_sd[left])
    assert body.acceleration[right] == body.acceleration[left]
    if f"Left{name}" in body.tips:
        np.testing.assert_array_equal(body.tips[f"Right{name}"], MIRROR * body.tips[f"Left{name}"])


def test_a_trunk_twists_less_readily_than_it_bends(body: Body) -> None:
    bend, twist, lean = np.rad2deg(body.rest_sd[body.index("Spine")])
    assert twist < min(bend, lean)
    assert len(set(body.rest_sd[body.index("Neck")])) == 1, "one number stands for all three axes"
    assert np.isinf(body.rest_sd[body.index("LeftUpLeg")]).all(), "nothing pulls where nothing is said"


@pytest.mark.parametrize("name", SIDED)
def test_a_mirrored_turn_is_as_free_as_the_turn(body: Body, name: str) -> None:
    """Mirroring turns a rotation vector (x, y, z) into (x, -y, -z): angles and limits follow."""
    rows = zip(freedoms(body, f"Left{name}"), freedoms(body, f"Right{name}"), strict=True)
    for left, right in rows:
        sign = float(-MIRROR * body.freedom_axis[left] @ body.freedom_axis[right])
        assert abs(sign) == 1
        np.testing.assert_allclose(np.sort(sign * body.limits[left]), body.limits[right])


def test_limits_hold_rest(body: Body) -> None:
    assert (body.limits[:, 0] <= 0).all()
    assert (body.limits[:, 1] >= 0).all()


@pytest.mark.parametrize("side", ["Left", "Right"])
@pytest.mark.parametrize(
    ("hinge", "end", "way"), [("Leg", "Foot", [0, 0, -1]), ("ForeArm", "Hand", [0, 0, 1])]
)
def test_knees_bend_backward_and_elbows_forward(
    body: Body, side: str, hinge: str, end: str, way: list[float]
) -> None:
    (row,) = freedoms(body, side + hinge)
    assert body.limits[row, 1] > np.deg2rad(120)
    assert body.limits[row, 0] > np.deg2rad(-10)
    turn = np.tile(np.deg2rad(90) * body.freedom_axis[row], (1, 1))
    pose = Pose(np.zeros((1, 3)), turned(body, {side + hinge: turn}, 1))
    posed = Chain(body).place(pose, sized(body))
    bone = posed.positions[0, body.index(side + end)] - posed.positions[0, body.index(side + hinge)]
    np.testing.assert_allclose(bone / np.linalg.norm(bone), way, atol=1e-12)


def test_at_rest_it_stands_upright_in_a_t_facing_forward(body: Body) -> None:
    pose = Pose(np.zeros((1, 3)), quat.identity(1, len(body.names)))
    at = dict(zip(body.names, Chain(body).place(pose, sized(body, 1.0)).positions[0], strict=True))
    assert at["LeftHand"][0] > 0.3
    np.testing.assert_allclose(at["LeftHand"][1:], at["LeftArm"][1:], atol=1e-12)
    assert at["LeftToeBase"][2] > at["LeftFoot"][2]
    top = at["Head"] + body.tips["Head"]
    height = top[1] - at["LeftToeBase"][1]
    assert 0.85 < height < 1.0  # joints end within the body: the scalp and the soles are further out


def test_sizes_scale_their_own_bones_only(body: Body) -> None:
    sizes = sized(body, 1.0)
    sizes[body.size_names.index("thigh")] = 2.0
    ratio = body.sized_offsets(sizes)[1:] / np.where(body.offsets[1:] == 0, 1, body.offsets[1:])
    doubled = {n for n, r in zip(body.names[1:], ratio, strict=True) if (r == 2.0).any()}
    assert doubled == {"LeftLeg", "RightLeg"}


def test_the_skeleton_is_the_sized_body(body: Body) -> None:
    skeleton = body.skeleton(sized(body, 1.8))
    assert skeleton.names == body.names
    np.testing.assert_allclose(skeleton.offsets, 1.8 * body.offsets, atol=1e-15)
    np.testing.assert_allclose(skeleton.tips["Head"], 1.8 * body.tips["Head"], atol=1e-15)


def test_a_point_on_the_hip_line_stays_there_when_the_legs_turn(body: Body) -> None:
    hip = Points(np.array([body.index("LeftUpLeg")]), np.zeros((1, len(body.names), 3)))
    still = Pose(np.zeros((1, 3)), quat.identity(1, len(body.names)))
    bent = Pose(still.root, turned(body, {"LeftUpLeg": np.ones((1, 3))}, 1))
    a, b = (locate(Chain(body).place(p, sized(body)), hip) for p in (still, bent))
    np.testing.assert_array_equal(a, b)


def test_unknown_names_are_told(body: Body) -> None:
    with pytest.raises(RigError, match=r"joint 'Tail' is not in the body; it has Hips, Spine"):
        body.index("Tail")
    with pytest.raises(RigError, match="body definition 'centaur' does not exist"):
        load_body("centaur")


@pytest.mark.parametrize(
    ("joint", "change", "message"),
    [
        ("LeftArm", {"motion": "wobbly"}, "joint 'LeftArm': motion 'wobbly' is unknown; use free"),
        ("Neck", {"size": "tail"}, "joint 'Neck': size 'tail' is unknown; known: pelvis"),
        ("Neck", {"parent": None}, "a body needs one root, this one has 2: Hips, Neck"),
        ("Neck", {"parent": "Tail"}, "joints not reached from the root: .*Neck"),
        ("Neck", {"parent": "Head"}, "joints not reached from the root: .*Neck"),
        ("Head", {"like": {"joint": "Tail", "sd_deg": 1}}, "joint 'Head': is to turn like 'Tail', which is"),
        ("Spine", {"limits_deg": [[-20, 40]]}, "joint 'Spine': has 3 freedoms but 1 limit"),
        ("LeftLeg", {"limits_deg": [[-3, 160]] * 2}, "joint 'LeftLeg': has 1 freedoms but 2 limits"),
    ],
)
def test_wrong_definitions_are_refused(
    definition: dict[str, Any], joint: str, change: dict[str, Any], message: str
) -> None:
    definition["joints"][joint].update(change)
    with pytest.raises(RigError, match=message):
        body_from_definition(definition)
