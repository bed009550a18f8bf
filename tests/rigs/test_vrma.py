"""VRM animation: normalised as VRM says, and put onto characters by three-vrm as we mean it."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import read_clips, write_clips
from rigs.formats.vrm_bones import bones_of, roles_of
from rigs.motion import Motion
from rigs.skeleton import Skeleton
from tests.rigs.gltf_files import taken_apart
from tests.rigs.test_gltf_write import validated

READ = Path(__file__).with_name("vrma_read.mjs")
SAME_PLACE = 2e-6  # metres


@pytest.fixture
def character(humanoid: Skeleton, wild) -> Clip:
    """A character of other names, with a root, arms that hang at rest, and frames of their own for joints."""
    random = np.random.default_rng(4)
    motion = wild(frames=30, fps=Fraction(60))
    names = ("root", "twist", *(f"b_{name}" for name in humanoid.names))
    parents = np.concatenate([[-1, 0], np.where(humanoid.parents < 0, 1, humanoid.parents + 2)])
    resting = quat.identity(len(humanoid))
    for arm, sign in (("LeftArm", -1.0), ("RightArm", 1.0)):
        resting[humanoid.index(arm)] = quat.from_rotvec([0.0, 0.0, sign * 0.8])
    frames = quat.normalise(random.normal(size=(len(humanoid), 4)))  # of each joint, in the world's axes
    above = frames[np.maximum(humanoid.parents, 0)]
    above[0] = quat.identity()
    offsets = np.concatenate(
        [np.zeros((1, 3)), [[0.0, 0.9, 0.0]], quat.rotate(quat.conjugate(above), humanoid.offsets)]
    )

    def own(rotations: np.ndarray) -> np.ndarray:
        turned = quat.multiply(quat.multiply(quat.conjugate(above), rotations), frames)
        return np.concatenate([quat.identity(*rotations.shape[:-2], 2), turned], axis=-2)

    rotations = own(motion.rotations)
    rotations[:, 1] = quat.from_rotvec(np.linspace(0, 1, 30)[:, None] * [0.0, 0.7, 0.0])
    moving = Motion(Skeleton(names, parents, offsets), rotations, np.zeros((30, 3)), motion.fps)
    roles = {name: f"b_{name}" for name in humanoid.names}
    return Clip("anna", moving, own(resting), roles | {"Spine": "b_Spine", "Spine1": "b_Spine1"}, first=4)


def test_every_bone_is_where_its_joint_is_and_at_rest_in_the_t_pose(tmp_path: Path, character: Clip) -> None:
    write_clips(tmp_path / "anna.vrma", [character])
    (found,) = read_clips(tmp_path / "anna.vrma")
    assert (found.motion.fps, found.first, len(found.motion)) == (60, 4, 30)
    ours, theirs = character.motion.world()[0], found.motion.world()[0]
    for role, bone in found.roles.items():
        there = theirs[:, found.motion.skeleton.index(bone)]
        wanted = ours[:, character.motion.skeleton.index(character.roles[role])]
        np.testing.assert_allclose(there, wanted, atol=SAME_PLACE)
    (places,), (turns,) = found.resting.world()
    np.testing.assert_allclose(turns, quat.identity(len(turns)), atol=1e-6)
    at = dict(zip(found.motion.skeleton.names, places, strict=True))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for start, end in (("UpperArm", "LowerArm"), ("LowerArm", "Hand")):
            bone = at[f"{side}{end}"] - at[f"{side}{start}"]
            np.testing.assert_allclose(bone / np.linalg.norm(bone), [sign, 0.0, 0.0], atol=1e-6)
        shin = at[f"{side}Foot"] - at[f"{side}LowerLeg"]
        np.testing.assert_allclose(shin / np.linalg.norm(shin), [0.0, -1.0, 0.0], atol=1e-6)
    assert at["hips"][1] == pytest.approx(0.9, abs=1e-6)


def test_only_bones_of_vrm_are_in_the_file_and_only_the_hips_move(tmp_path: Path, character: Clip) -> None:
    write_clips(tmp_path / "anna.vrma", [character])
    document, _ = taken_apart((tmp_path / "anna.vrma").read_bytes())
    said = document["extensions"]["VRMC_vrm_animation"]
    bones = said["humanoid"]["humanBones"]
    assert said["specVersion"] == "1.0"
    assert document["extensionsUsed"] == ["VRMC_vrm_animation"]
    assert {document["nodes"][bone["node"]]["name"] for bone in bones.values()} == set(bones)
    assert len(document["nodes"]) == len(bones) == 17
    paths = [
        (channel["target"]["node"], channel["target"]["path"])
        for channel in document["animations"][0]["channels"]
    ]
    assert [node for node, path in paths if path == "translation"] == [bones["hips"]["node"]]
    assert sorted(node for node, path in paths if path == "rotation") == list(range(17))


def test_a_skeleton_that_rests_at_the_origin_is_stood_on_the_floor(tmp_path: Path, wild) -> None:
    write_clips(tmp_path / "body.vrma", [Clip("body", wild(frames=3))])
    (found,) = read_clips(tmp_path / "body.vrma")
    assert found.resting.world()[0][0, :, 1].min() == pytest.approx(0.0, abs=1e-6)
    assert found.motion.skeleton.offsets[0, 1] == pytest.approx(0.86, abs=1e-6)


def test_what_vrm_needs_and_there_is_not_is_said(tmp_path: Path, wild) -> None:
    motion = wild(frames=2)
    roles = {name: name for name in motion.skeleton.names if name not in ("Hips", "LeftHand")}
    with pytest.raises(FormatError, match=r"'body' has no joint for VRM's hips, leftHand; map them"):
        write_clips(tmp_path / "body.vrma", [Clip("body", motion, roles=roles)])
    odd = {name: name for name in motion.skeleton.names} | {"Hips": "Neck", "Neck": "Hips"}
    with pytest.raises(FormatError, match=r"joint 'Neck', VRM's hips, comes after 'Hips'"):
        write_clips(tmp_path / "body.vrma", [Clip("body", motion, roles=odd)])
    apart = Skeleton(("root", "Hips", *motion.skeleton.names[1:]), [-1, 0, *[0] * 16], np.zeros((18, 3)))
    still = Motion(apart, quat.identity(2, 18), np.zeros((2, 3)), motion.fps)
    with pytest.raises(FormatError, match=r"joint 'Spine' does not hang from 'Hips'"):
        write_clips(tmp_path / "body.vrma", [Clip("body", still)])
    assert not list(tmp_path.iterdir())


def test_bones_and_roles_are_each_others_inverse() -> None:
    roles = [
        f"{side}Hand{finger}{k}"
        for side in ("Left", "Right")
        for finger in ("Thumb", "Pinky")
        for k in (1, 2, 3)
    ]
    roles += ["Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "LeftToeBase"]
    bones = bones_of({role: role for role in roles})
    assert bones["leftThumbMetacarpal"] == "LeftHandThumb1"
    assert bones["rightLittleDistal"] == "RightHandPinky3"
    nodes = {bone: roles.index(role) for bone, role in bones.items()}
    assert roles_of(nodes, old=False) == {role: k for k, role in enumerate(roles)}
    long = {f"Spine{k or ''}": f"s{k}" for k in range(5)}
    assert bones_of(long) == {"spine": "s0", "chest": "s1", "upperChest": "s4"}


@pytest.mark.node
@pytest.mark.slow
def test_three_vrm_reads_what_we_mean(tmp_path: Path, character: Clip, node_modules: Path) -> None:
    if not (node_modules / "@pixiv" / "three-vrm-animation").exists():
        pytest.skip("npm installed no @pixiv/three-vrm-animation")
    path = tmp_path / "anna.vrma"
    write_clips(path, [character])
    run = subprocess.run(["node", READ, node_modules, path], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stderr == ""
    seen = json.loads(run.stdout)
    assert seen["hips"][1] == pytest.approx(0.9, abs=1e-6)
    (found,) = read_clips(path)
    names = found.motion.skeleton.names
    assert set(seen["rotations"]) == set(names)
    for j, bone in enumerate(names):
        turns = np.array(seen["rotations"][bone]["values"]).reshape(-1, 4)[:, [3, 0, 1, 2]]
        dots = np.abs(np.sum(turns * found.motion.rotations[:, j], axis=1))
        np.testing.assert_allclose(dots, 1.0, atol=1e-6)
        times = [float(character.key_time(frame)) for frame in range(30)]
        np.testing.assert_allclose(seen["rotations"][bone]["times"], times, rtol=1e-6)
    hips = np.array(seen["translations"]["hips"]["values"]).reshape(-1, 3)
    np.testing.assert_allclose(hips, found.motion.root, atol=1e-6)


@pytest.mark.node
@pytest.mark.slow
def test_the_validator_finds_nothing(tmp_path: Path, character: Clip, node_modules: Path) -> None:
    write_clips(tmp_path / "anna.vrma", [character])
    issues = validated(node_modules, tmp_path / "anna.vrma")["issues"]
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0)
    assert {message["code"] for message in issues["messages"]} == {"UNSUPPORTED_EXTENSION", "NODE_EMPTY"}
