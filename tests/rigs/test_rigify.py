"""The metarig is the one that Blender makes, the FK controls those of the rig that it generates of it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from rigs import quat
from rigs.library import load_rig
from rigs.motion import Motion

METARIG = """
import json, os, sys
import bpy
import addon_utils
addon_utils.enable("rigify", default_set=True)
import rigify.metarigs.human
bpy.ops.object.armature_add()
rigify.metarigs.human.create(bpy.context.object)
bones = {
    bone.name: [bone.parent and bone.parent.name, *bone.head_local, *map(list, bone.matrix_local.to_3x3())]
    for bone in bpy.context.object.data.bones
}
print(json.dumps(bones), file=sys.stderr, flush=True)
os._exit(0)
"""

GENERATED = """
import json, os, sys
import bpy
import addon_utils
from mathutils import Quaternion
addon_utils.enable("rigify", default_set=True)
import rigify.metarigs.human
bpy.ops.object.armature_add()
metarig = bpy.context.object
rigify.metarigs.human.create(metarig)
bpy.ops.pose.rigify_generate()
rig = next(o for o in bpy.data.objects if o.type == "ARMATURE" and o is not metarig)
turns = json.load(open("turns.json"))
for bone in rig.pose.bones:
    for name in ("IK_FK", "neck_follow", "head_follow"):
        if name in bone:
            bone[name] = 1.0
for name, turn in turns.items():
    rig.pose.bones[name].rotation_mode = "QUATERNION"
    rig.pose.bones[name].rotation_quaternion = Quaternion(turn)
rig.update_tag()
bpy.context.view_layer.update()
helpers = ("ORG-", "DEF-", "MCH-", "VIS_")
controls = {
    c.name: [b.name for b in c.bones if not b.name.startswith(helpers)] for c in rig.data.collections_all
}
placed = {
    b.name: [*b.head, *map(list, b.matrix.to_3x3())]
    for b in rig.pose.bones
}
print(json.dumps([controls, placed]), file=sys.stderr, flush=True)
os._exit(0)
"""
OF_FK = re.compile(r"Root|Torso|Torso \(Tweak\)|.* \(FK\)|Fingers|Fingers \(Detail\)")
TWEAK = re.compile(r"tweak_.*|.*[.]01[.][LR][.]001")  # of a finger's end


@pytest.mark.slow
@pytest.mark.blender
def test_fk_controls_are_those_of_the_generated_rig_and_carry_what_hangs_from_them(
    blender_python: Path, tmp_path: Path
) -> None:
    rig = load_rig("rigify_fk")
    names, random = rig.skeleton.names, np.random.default_rng(7)
    turned = np.isin(names, list(rig.roles.values()))
    turns = np.where(
        turned[:, None],
        quat.from_rotvec(random.normal(0.0, 0.3, (len(names), 3))),
        quat.identity(),
    )
    (tmp_path / "turns.json").write_text(json.dumps(dict(zip(names, turns.tolist(), strict=True))))
    answer = subprocess.run(
        [blender_python, "-c", GENERATED], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert answer.returncode == 0, answer.stderr
    controls, placed = json.loads(answer.stderr.splitlines()[-1])
    of_fk = {name for kind, found in controls.items() if OF_FK.fullmatch(kind) for name in found}
    assert set(names) == {name for name in of_fk if not TWEAK.fullmatch(name)}
    motion = Motion(rig.skeleton, quat.multiply(rig.rest, turns)[None], rig.skeleton.offsets[:1], 1)
    positions, rotations = (values[0] for values in motion.world())
    for j, name in enumerate(names):
        x, y, z, *rows = placed[name]
        np.testing.assert_allclose(positions[j], (x, z, -y), atol=5e-4, err_msg=name)
        frame = np.array([rows[0], rows[2], -np.array(rows[1])])
        np.testing.assert_allclose(quat.to_matrix(rotations[j]), frame, atol=2e-3, err_msg=name)


@pytest.mark.slow
@pytest.mark.blender
def test_rigify_is_the_metarig_of_blender(blender_python: Path, tmp_path: Path) -> None:
    answer = subprocess.run(
        [blender_python, "-c", METARIG], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    bones = json.loads(answer.stderr.splitlines()[-1])
    bones.pop("Bone", None)  # of the armature to which it was added
    rig = load_rig("rigify")
    assert set(bones) == set(rig.skeleton.names)
    motion = Motion(rig.skeleton, rig.rest[None], rig.skeleton.offsets[:1], 1)
    positions, rotations = (values[0] for values in motion.world())
    for j, (name, up) in enumerate(zip(rig.skeleton.names, rig.skeleton.parents.tolist(), strict=True)):
        parent, x, y, z, *rows = bones[name]
        assert parent == (rig.skeleton.names[up] if up >= 0 else None)
        np.testing.assert_allclose(positions[j], (x, z, -y), atol=2e-4)
        frame = np.array([rows[0], rows[2], -np.array(rows[1])])  # of Blender's z-up world in ours
        np.testing.assert_allclose(
            quat.to_matrix(rotations[j]), frame, atol=5e-3
        )  # its right side is not quite its left
