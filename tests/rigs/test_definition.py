"""What may stand in the file of a rig."""

from __future__ import annotations

import numpy as np
import pytest

from rigs.errors import RigError
from rigs.library.definition import read_definition, rig_from_definition
from rigs.motion import Motion
from rigs.recognition.standing import standing_human

GOOD = {
    "title": "t",
    "source": [],
    "roles": {"Hips": "a"},
    "joints": {"a": {"at": [0, 1, 0]}, "b": {"parent": "a", "at": ["LeftArm", "LeftForeArm", 0.5]}},
}


def test_a_place_may_be_between_two_joints_of_our_human() -> None:
    rig = rig_from_definition("x", read_definition("x", GOOD))
    joints, _ = standing_human()
    positions, _ = Motion(rig.skeleton, rig.rest[None], rig.skeleton.offsets[:1], 1).world()
    np.testing.assert_allclose(positions[0, 1], (joints["LeftArm"] + joints["LeftForeArm"]) / 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 1}, "cannot be read: Object contains unknown field `colour`"),
        ({"up": "x"}, r"cannot be read: Invalid enum value 'x' - at `\$.up`"),
        ({"joints": {"a": {"at": [0, 1]}}}, r"joint 'a' is at \[0.0, 1.0\]; give three metres"),
        ({"joints": {"a": {"at": "Tail"}}}, "joint 'a' is at 'Tail'"),
        ({"joints": {"a": {"at": [0, 0, 0], "turn": [1, 0]}}}, r"joint 'a' is turned by \[1.0, 0.0\]"),
        ({"joints": {"a": {"at": [0, 0, 0]}, "b": {"at": [0, 0, 0]}}}, "one joint without a parent"),
        ({"joints": {**GOOD["joints"], "c": {"parent": "d", "at": [0, 0, 0]}}}, "'c' does not hang"),
        ({"joints": {"a": {}}, "follows": {"a": "b"}}, "joint 'a' follows 'b', which there is not"),
        ({"roles": {"Hips": "c"}}, "joint 'c', which it has not"),
    ],
)  # fmt: skip
def test_a_wrong_definition_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(RigError, match=message):
        rig_from_definition("x", read_definition("x", {**GOOD, **change}))
