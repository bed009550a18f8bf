"""The metarig is the one that Blender makes."""

from __future__ import annotations

import json
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
