"""glTF as other programs write it: every kind of number, curve and tree that the format has."""

import base64
import json
import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rigs import quat
from rigs.clip import Clip
from rigs.formats import read_clips, write_clips
from tests.rigs.gltf_files import Made, glb, leg, taken_apart
from tests.rigs.scenes import turned

QUARTER = [0.0, 0.0, np.sqrt(0.5), np.sqrt(0.5)]  # about z, x y z w as in files
NONE = [0.0, 0.0, 0.0, 1.0]


def read(made: Made, tmp_path: Path, name: str = "leg.glb") -> Clip:
    (clip,) = read_clips(made.save(tmp_path / name))
    return clip


def angles(clip: Clip, joint: str) -> np.ndarray:
    """Return the turn (T,) of a joint about its parent's z, degrees."""
    return np.degrees(quat.to_rotvec(clip.motion.rotations[:, clip.motion.skeleton.index(joint)])[:, 2])


def test_a_skin_without_animation_rests_for_a_frame(tmp_path: Path) -> None:
    clip = read(leg(), tmp_path)
    assert clip.name == "armature"
    assert clip.motion.skeleton.names == ("hip", "knee", "foot")
    np.testing.assert_allclose(clip.motion.world()[0][0, :, 1], [0.9, 0.5, 0.1])
    np.testing.assert_allclose(clip.resting.world()[0][0, :, 1], [0.9, 0.5, 0.1])


def test_each_interpolation_is_sampled_as_gltf_says(tmp_path: Path) -> None:
    made = leg()
    times = [0.0, 0.2]
    made.animate(1, "rotation", times, [NONE, QUARTER])
    made.animate(2, "rotation", times, [NONE, QUARTER], "STEP")
    still = [0.0, 0.0, 0.0]
    hermite = [still, [0.0, -0.4, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, -0.4, 0.3], still]
    made.animate(3, "translation", times, hermite, "CUBICSPLINE")
    made.animate(1, "scale", np.arange(6) / 30, np.ones((6, 3)))  # says the rate
    clip = read(made, tmp_path)
    assert (clip.motion.fps, len(clip.motion)) == (30, 7)
    np.testing.assert_allclose(angles(clip, "hip"), np.arange(7) * 15.0, atol=1e-5)
    np.testing.assert_allclose(angles(clip, "knee"), [0] * 6 + [90], atol=1e-5)
    u = np.arange(7) / 6
    x = 0.2 * (u**3 - 2 * u**2 + u) * 1.0 + 0.2 * (u**3 - u**2) * 2.0
    np.testing.assert_allclose(clip.motion.translations[2][:, 0], x, atol=1e-7)
    np.testing.assert_allclose(clip.motion.translations[2][:, 2], 0.3 * (3 * u**2 - 2 * u**3), atol=1e-7)


@pytest.mark.parametrize("fps", [12, 24, 25, 30, 60, 120, Fraction(24000, 1001), Fraction(30000, 1001), 37])
def test_the_rate_is_found_in_the_times_of_keys(tmp_path: Path, fps: Fraction) -> None:
    made = leg()
    frames = np.arange(9, 60)
    turns = np.stack([np.zeros(51), np.zeros(51), np.sin(frames / 99), np.cos(frames / 99)], axis=1)
    made.animate(2, "rotation", (frames / float(fps)).astype(np.float32), turns)
    clip = read(made, tmp_path)
    assert (clip.motion.fps, clip.first, len(clip.motion)) == (fps, 9, 51)
    np.testing.assert_allclose(angles(clip, "knee"), np.degrees(2 * frames / 99), atol=1e-5)


def test_keys_on_no_grid_are_sampled_finely(tmp_path: Path) -> None:
    made = leg()
    made.animate(2, "rotation", [0.0, 0.123456, 0.987654], [NONE, QUARTER, NONE])
    clip = read(made, tmp_path)
    assert (clip.motion.fps, len(clip.motion)) == (60, 60)
    assert angles(clip, "knee").max() == pytest.approx(90.0, abs=2.0)


@pytest.mark.parametrize(("dtype", "most"), [("i1", 127), ("u1", 255), ("i2", 32767), ("u2", 65535)])
def test_numbers_may_be_normalised_integers(tmp_path: Path, dtype: str, most: int) -> None:
    made = leg()
    values = np.round(np.array([NONE, QUARTER]) * most)
    made.animate(2, "rotation", [0.0, 0.1], values, dtype=dtype, normalized=True)
    np.testing.assert_allclose(angles(read(made, tmp_path), "knee")[[0, -1]], [0.0, 90.0], atol=90 / most)


def test_numbers_may_be_interleaved_or_sparse(tmp_path: Path) -> None:
    made = leg()
    packed = np.zeros((2, 7), "<f4")  # a rotation, and three numbers of somebody else's
    packed[:, :4], packed[:, 4:] = [NONE, QUARTER], 7.0
    view = made.view(packed.tobytes(), byteStride=28)
    turns = {"bufferView": view, "componentType": 5126, "type": "VEC4", "count": 2}
    indices, value = (
        made.view(np.array([1], "<u2").tobytes()),
        made.view(np.array([0.0, -0.5, 0.0], "<f4").tobytes()),
    )
    replaced = {
        "count": 1,
        "indices": {"bufferView": indices, "componentType": 5123},
        "values": {"bufferView": value},
    }
    zeros = {"componentType": 5126, "type": "VEC3", "count": 2, "sparse": replaced}
    made.document["accessors"] += [turns, zeros]
    made.animate(2, "rotation", [0.0, 0.1], 0)
    made.animate(3, "translation", [0.0, 0.1], 1)
    clip = read(made, tmp_path)
    assert angles(clip, "knee")[-1] == pytest.approx(90.0, abs=1e-4)
    np.testing.assert_allclose(clip.motion.translations[2][[0, -1], 1], [0.0, -0.5], atol=1e-7)


def test_nodes_above_and_scales_are_in_the_joints(tmp_path: Path) -> None:
    made = leg()
    half_turn = [0.0, 1.0, 0.0, 0.0]
    made.document["nodes"][0] |= {"scale": [0.01] * 3, "rotation": half_turn, "translation": [0, 0.1, 0]}
    made.document["nodes"][1]["translation"] = [10, 80, 0]
    made.document["nodes"][2] |= {"translation": [0, -40, 0], "scale": [2, 2, 2]}
    made.document["nodes"][3]["translation"] = [0, -20, 5]
    clip = read(made, tmp_path)
    wanted = [[-0.1, 0.9, 0.0], [-0.1, 0.5, 0.0], [-0.1, 0.1, -0.1]]
    np.testing.assert_allclose(clip.motion.world()[0][0], wanted, atol=1e-12)
    np.testing.assert_allclose(clip.resting.world()[0][0], wanted, atol=1e-12)


def test_uneven_scales_put_joints_where_they_are(tmp_path: Path) -> None:
    made = leg()
    made.document["nodes"][1]["scale"] = [1, 2, 1]
    made.document["nodes"][2]["rotation"] = QUARTER
    clip = read(made, tmp_path)
    np.testing.assert_allclose(
        clip.motion.world()[0][0], [[0, 0.9, 0], [0, 0.1, 0], [0.4, 0.1, 0]], atol=1e-12
    )


def test_a_moving_node_above_moves_the_root(tmp_path: Path) -> None:
    made = leg()
    made.animate(0, "translation", [0.0, 1 / 30, 2 / 30], [[0, 0, 0], [0, 0, 1], [0, 0, 2]])
    made.animate(2, "rotation", [0.0, 1 / 30, 2 / 30], [NONE] * 3)
    np.testing.assert_allclose(
        read(made, tmp_path).motion.root, [[0, 0.9, 0], [0, 0.9, 1], [0, 0.9, 2]], atol=1e-7
    )


def test_matrices_and_nameless_or_twice_named_nodes(tmp_path: Path) -> None:
    made = leg()
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = quat.to_matrix(quat.from_rotvec([0, 0, np.pi / 2])), [0, -0.4, 0]
    made.document["nodes"][2] = {"name": "hip", "children": [3], "matrix": matrix.T.reshape(-1).tolist()}
    del made.document["nodes"][3]["name"]
    clip = read(made, tmp_path)
    assert clip.motion.skeleton.names == ("hip", "hip_2", "node_3")
    np.testing.assert_allclose(clip.motion.world()[0][0, 2], [0.4, 0.5, 0.0], atol=1e-12)


BOUND = np.array([[0.0, 0.9, 0.0], [0.0, 0.5, 0.0], [0.0, 0.1, 0.0]])
QUARTER_BACK = quat.to_matrix(quat.from_rotvec([-np.pi / 2, 0.0, 0.0]))  # z up to y up


@pytest.mark.parametrize("space", ["the world's", "the armature's", "another"])
def test_a_file_saved_in_a_pose_rests_as_its_mesh_was_bound(tmp_path: Path, caplog: Any, space: str) -> None:
    made = leg()
    nodes = made.document["nodes"]
    world_from_mesh, bound = np.eye(4), np.tile(np.eye(4), (3, 1, 1))
    bound[:, :3, 3] = BOUND
    if space != "the world's":
        world_from_mesh[:3, :3] = 0.01 * QUARTER_BACK
    if space == "the armature's":
        bound[:, :3, :3] = world_from_mesh[:3, :3]
        nodes[0] |= {"rotation": [-np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)], "scale": [0.01] * 3}
        for node, place in ((1, [0, 0, 90]), (2, [0, 0, -40]), (3, [0, 0, -40])):
            nodes[node]["translation"] = place
    inverse = np.linalg.inv(bound) @ world_from_mesh
    made.document["skins"][0]["inverseBindMatrices"] = made.numbers(
        inverse.transpose(0, 2, 1).reshape(3, 16), "MAT4"
    )
    nodes[1] |= {"rotation": [0.0, 0.1, 0.0, 0.995], "translation": [3, 0.8, 1]}
    nodes[2]["rotation"] = QUARTER
    with caplog.at_level(logging.WARNING):
        clip = read(made, tmp_path)
    assert "not in the pose that its mesh was bound in" in caplog.text
    np.testing.assert_allclose(clip.resting.world()[0][0], BOUND, atol=1e-6)
    assert np.abs(clip.motion.world()[0][0] - BOUND).max() > 0.1


def test_centimetres_are_told_by_size(tmp_path: Path, caplog: Any) -> None:
    made = leg()
    for node, y in ((1, 90.0), (2, -40.0), (3, -40.0)):
        made.document["nodes"][node]["translation"] = [0, y, 0]
    with caplog.at_level(logging.WARNING):
        clip = read(made, tmp_path)
    assert "read as centimetres" in caplog.text
    np.testing.assert_allclose(clip.motion.world()[0][0, :, 1], [0.9, 0.5, 0.1])


def test_without_a_skin_what_is_animated_is_the_skeleton(tmp_path: Path) -> None:
    made = leg()
    del made.document["skins"]
    made.animate(1, "rotation", [0.0, 0.1], [NONE, NONE])
    made.animate(3, "rotation", [0.0, 0.1], [NONE, QUARTER])
    assert read(made, tmp_path).motion.skeleton.names == ("hip", "knee", "foot")


def test_skins_of_one_character_are_one_clip_and_of_two_are_two(tmp_path: Path) -> None:
    made = leg()
    made.document["skins"] = [{"joints": [1, 2]}, {"joints": [3]}]
    assert read(made, tmp_path).motion.skeleton.names == ("hip", "knee", "foot")
    made.document["nodes"] += [{"name": "other", "translation": [1, 0, 0]}]
    made.document["skins"] = [{"joints": [1, 2, 3], "name": "anna"}, {"joints": [4], "name": "bob"}]
    found = read_clips(made.save(tmp_path / "two.glb"))
    assert [clip.name for clip in found] == ["anna", "bob"]


def test_two_tops_of_a_skin_meet_in_the_node_above(tmp_path: Path) -> None:
    made = leg()
    made.document["nodes"][0]["children"] = [1, 4]
    made.document["nodes"] += [{"name": "tail"}]
    made.document["skins"] = [{"joints": [1, 2, 3, 4]}]
    clip = read(made, tmp_path)
    assert clip.motion.skeleton.names == ("armature", "hip", "knee", "foot", "tail")
    assert clip.motion.skeleton.parents.tolist() == [-1, 0, 1, 2, 0]


@pytest.mark.parametrize("old", [False, True])
def test_vrm_says_which_joint_is_which_and_old_ones_are_turned_round(tmp_path: Path, old: bool) -> None:
    made = leg()
    made.document["nodes"][3]["translation"] = [0.1, -0.4, -0.2]
    bones = {"hips": 1, "upperChest": 2, "leftThumbIntermediate" if old else "leftThumbProximal": 3}
    humanoid = [{"bone": bone, "node": node} for bone, node in bones.items()]
    if old:
        made.document["extensions"] = {"VRM": {"humanoid": {"humanBones": humanoid}}}
    else:
        said = {bone: {"node": node} for bone, node in bones.items()}
        made.document["extensions"] = {"VRMC_vrm": {"specVersion": "1.0", "humanoid": {"humanBones": said}}}
    clip = read(made, tmp_path, "anna.vrm")
    assert clip.roles == {"Hips": "hip", "Spine": "knee", "LeftHandThumb2": "foot"}
    for pose in (clip.motion, clip.resting):
        np.testing.assert_allclose(
            pose.world()[0][0, 2, [0, 2]], [-0.1, 0.2] if old else [0.1, -0.2], atol=1e-12
        )


def test_buffers_may_be_in_the_text_or_beside_the_file(tmp_path: Path) -> None:
    made = leg()
    made.animate(2, "rotation", [0.0, 0.1], [NONE, QUARTER])
    made.document["buffers"][0]["uri"] = "data:;base64," + base64.b64encode(made.binary).decode()
    (tmp_path / "inside.gltf").write_text(json.dumps(made.document))
    made.document["buffers"][0]["uri"] = "my%20numbers.bin"
    (tmp_path / "beside.gltf").write_text(json.dumps(made.document))
    (tmp_path / "my numbers.bin").write_bytes(made.binary)
    for name in ("inside.gltf", "beside.gltf"):
        (clip,) = read_clips(tmp_path / name)
        assert angles(clip, "knee")[-1] == pytest.approx(90.0, abs=1e-4)


def test_the_first_of_several_animations_is_read(tmp_path: Path, caplog: Any) -> None:
    made = leg()
    made.animate(2, "rotation", [0.0, 0.1], [NONE, QUARTER])
    (first,) = made.document["animations"]
    made.document["animations"] = [{"channels": [], "samplers": []}, {**first, "name": "kick"}, first]
    with caplog.at_level(logging.WARNING):
        assert angles(read(made, tmp_path), "knee")[-1] == pytest.approx(90.0, abs=1e-4)
    assert "the first of 2 animations is read, 'kick'" in caplog.text


def test_a_file_of_another_program_keeps_what_the_clip_says(wild, tmp_path: Path) -> None:
    """Without our own word on the rate, and with the skin's nodes in another order."""
    clip = turned("anna", wild(frames=40), first=5)
    write_clips(tmp_path / "anna.glb", [clip])
    document, binary = taken_apart((tmp_path / "anna.glb").read_bytes())
    del document["skins"][0]["extras"]
    document["skins"][0]["joints"].reverse()
    del document["skins"][0]["inverseBindMatrices"]
    (tmp_path / "anna.glb").write_bytes(glb(document, binary))
    (found,) = read_clips(tmp_path / "anna.glb")
    assert (found.motion.fps, found.first) == (30, 5)
    np.testing.assert_allclose(found.motion.world()[0], clip.motion.world()[0], atol=1e-6)
