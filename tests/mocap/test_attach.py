"""Where landmarks sit on the body: both sides alike, near their joints, and surer when seen well."""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np
import pytest
import yaml

from mocap.attach import Attachment, load_attachment
from mocap.errors import MocapError
from mocap.keypoints import Layout, load_layout
from rigs import quat
from rigs.solving.body import MIRROR, Body, load_body
from rigs.solving.kinematics import Chain, Pose, locate
from tests.synth import sized


@pytest.fixture(scope="module", params=["blazepose33", "blazepose33_centres"])
def layout(request: pytest.FixtureRequest) -> Layout:
    return load_layout(request.param)


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body()


@pytest.fixture(scope="module")
def attachment(layout: Layout, body: Body) -> Attachment:
    return load_attachment(layout, body)


@pytest.fixture(scope="module")
def standing(layout: Layout, body: Body, attachment: Attachment) -> dict[str, np.ndarray]:
    """Landmarks and joints of a body of stature 1 at rest, by name."""
    rest = Pose(np.zeros((1, 3)), quat.identity(1, len(body.names)))
    posed = Chain(body).place(rest, sized(body, 1.0))
    marks = locate(posed, attachment.points(1.0))[0]
    named = {layout.landmarks[row]: mark for row, mark in zip(attachment.rows, marks, strict=True)}
    return named | dict(zip(body.names, posed.positions[0], strict=True))


def table_of(layout: Layout) -> dict[str, Any]:
    file = resources.files("mocap") / "landmarks" / f"{layout.name}.yaml"
    table: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return table


def test_rows_are_landmarks_in_the_layouts_order(layout: Layout, attachment: Attachment) -> None:
    assert (np.diff(attachment.rows) > 0).all()
    assert attachment.rows.max() < len(layout)
    assert attachment.offsets.shape == (len(attachment.rows), 22, 3)


def test_every_landmark_of_the_file_is_in_the_layout_and_attached(
    layout: Layout, attachment: Attachment
) -> None:
    table = table_of(layout)
    assert table["layout"] == layout.name
    given = set(table["landmarks"])
    assert given <= set(layout.landmarks)
    assert set(attachment.names) == given | {name.replace("left", "right") for name in given}


def test_what_means_the_same_sits_near_each_other(layout: Layout, standing: dict[str, np.ndarray]) -> None:
    for one, other in ((layout.landmarks[a], layout.landmarks[b]) for a, b in layout.same):
        assert one in standing
        if "heel" not in other:  # which has no place: it is not solved from
            assert np.linalg.norm(standing[one] - standing[other]) < 0.05, one  # of stature


def test_centres_of_joints_are_the_joints_but_for_what_the_network_errs_by(
    layout: Layout, standing: dict[str, np.ndarray]
) -> None:
    joints = {"upperarm": "Arm", "lowerarm": "ForeArm", "hand": "Hand", "thigh": "UpLeg", "calf": "Leg"}
    found = {centre: f"left_centre_{centre}" for centre in joints}
    assert [name in standing for name in found.values()] == [bool(layout.same)] * len(joints)
    for centre, name in found.items() if layout.same else ():
        off = np.linalg.norm(standing[name] - standing[f"Left{joints[centre]}"])
        assert off < 0.005, name  # of stature


def test_bones_that_are_solved_short_are_known(layout: Layout, body: Body, attachment: Attachment) -> None:
    table = table_of(layout)
    told = dict(zip(body.size_names, attachment.short, strict=True))
    assert {k: v for k, v in told.items() if v != 1.0} == table.get("short", {})
    assert ((attachment.short > 0.9) & (attachment.short <= 1.0)).all()


def test_every_landmark_has_its_mirror_image(standing: dict[str, np.ndarray]) -> None:
    lefts = [name for name in standing if name.startswith("left_")]
    assert len(lefts) > 10
    for name in lefts:
        right = standing[name.replace("left_", "right_")]
        np.testing.assert_allclose(right, MIRROR * standing[name], atol=1e-12)
        assert standing[name][0] > 0  # the body's left is +x


def test_both_sides_scatter_alike(layout: Layout, attachment: Attachment) -> None:
    sd = dict(zip((layout.landmarks[r] for r in attachment.rows), attachment.sd, strict=True))
    assert all(sd[n] == sd[n.replace("left", "right")] for n in sd if "left" in n)
    assert 0.004 < min(sd.values()) < max(sd.values()) < 0.04  # of stature: 7 mm to 7 cm


def test_landmarks_stand_for_joints_near_them(
    layout: Layout, attachment: Attachment, standing: dict[str, np.ndarray], body: Body
) -> None:
    for joint, row in attachment.start.items():
        landmark = layout.landmarks[row]
        side = "left" if joint.startswith("Left") else "right"
        assert landmark.startswith(side)
        name = joint.replace("Toe", "ToeBase")
        assert name in body.names
        off = standing[landmark] - standing[name]
        assert np.linalg.norm(off) < 0.06  # of stature: within the flesh about a joint, or the length of toes


def test_points_grow_with_the_person(attachment: Attachment) -> None:
    small, tall = attachment.points(1.5), attachment.points(1.8)
    np.testing.assert_allclose(tall.offsets, 1.2 * small.offsets)
    np.testing.assert_array_equal(tall.joint, small.joint)


def test_scatter_falls_with_confidence_and_is_infinite_without(attachment: Attachment) -> None:
    factor = attachment.scatter(np.linspace(0.0, 1.0, 101).reshape(1, -1))
    assert factor.shape == (1, 101)
    assert factor[0, 0] == np.inf
    assert (np.diff(factor[0, 1:]) <= 0).all()
    assert factor[0, -1] == pytest.approx(1.0, abs=0.05)  # `sd` is that of landmarks seen well


def test_a_layout_of_which_nothing_is_known_is_refused(body: Body) -> None:
    with pytest.raises(
        MocapError, match="layout coco17: nobody has said where its landmarks sit on the body"
    ):
        load_attachment(load_layout("coco17"), body)


def test_it_is_loaded_once(layout: Layout, body: Body, attachment: Attachment) -> None:
    assert load_attachment(layout, body) is attachment
