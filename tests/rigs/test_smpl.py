"""Body models: a made-up one in the layout of the real files, and AMASS files that it reads back."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import write_clips
from rigs.formats.smpl import BODIES, body_of, read_body_model
from rigs.motion import Motion
from rigs.skeleton import Skeleton

PLACES = {"smpl": 72, "smplh": 156, "smplx": 165}
BETAS = {"smpl": 10, "smplh": 16, "smplx": 16}


def tree(body: str) -> np.ndarray:
    order = list(BODIES[body])
    return np.array([order.index(parent) if parent else -1 for parent in BODIES[body].values()])


def made_up(body: str, seed: int = 0) -> dict[str, np.ndarray]:
    """A body of a few vertices about each joint, with the keys of a model file."""
    random, parents = np.random.default_rng(seed), tree(body)
    joints = np.zeros((len(parents), 3))
    for j in range(1, len(parents)):
        joints[j] = joints[parents[j]] + random.uniform(0.05, 0.4) * quat.rotate(
            quat.normalise(random.normal(size=4)), [0.0, 1.0, 0.0]
        )
    joints += [0.01, -0.2, 0.03]  # the pelvis is not at the origin
    each = 4
    vertices = np.repeat(joints, each, axis=0) + random.normal(scale=0.03, size=(len(joints) * each, 3))
    regressor = np.kron(np.eye(len(joints)), np.full(each, 1.0 / each))
    shapes = 120 if body == "smplx" else 16 if body == "smplh" else 10  # SMPL-X: 100 of them expressions
    moved = random.normal(scale=0.02, size=(len(joints), 3, shapes))
    return {
        "v_template": vertices,
        "shapedirs": np.repeat(moved, each, axis=0),
        "J_regressor": regressor,
        "kintree_table": np.stack([parents.astype(np.uint32), np.arange(len(parents), dtype=np.uint32)]),
        "weights": np.repeat(np.eye(len(joints)), each, axis=0),
        "posedirs": np.zeros((len(vertices), 3, 9 * (len(joints) - 1))),
        "f": np.zeros((2, 3), np.uint32),
        "part2num": np.array({"head": 1}, object),  # as SMPL-X has; it must not be touched
    }


def acted(body: str, joints: np.ndarray, frames: int = 12, turned: bool = False) -> Clip:
    """A clip of a body whose joints rest there, depth first; turned: each joint's own axes are turned."""
    random, order, parents = np.random.default_rng(9), list(BODIES[body]), tree(body)
    depth_first = [0]
    stack = [0]
    while stack:
        j = stack.pop()
        depth_first += [j] if j else []
        stack += np.flatnonzero(parents == j).tolist()
    place = {j: n for n, j in enumerate(depth_first)}
    own = quat.normalise(random.normal(size=(len(order), 4))) if turned else quat.identity(len(order))
    up = [-1 if parents[j] < 0 else place[int(parents[j])] for j in depth_first]
    rest, offsets, rotations = [], [], []
    steps = quat.from_rotvec(random.normal(scale=0.4, size=(frames, len(order), 3)))
    for j in depth_first:
        before = quat.identity() if parents[j] < 0 else own[parents[j]]
        from_parent = joints[j] - (joints[parents[j]] if parents[j] >= 0 else 0.0)
        offsets.append(quat.rotate(quat.conjugate(before), from_parent))
        rest.append(quat.multiply(quat.conjugate(before), own[j]))
        local = quat.multiply(steps[:, j], own[j])
        rotations.append(quat.multiply(quat.conjugate(before), local))
    skeleton = Skeleton(tuple(order[j] for j in depth_first), np.array(up), np.array(offsets))
    root = np.array([0.2, 0.9, 0.1]) + np.cumsum(random.normal(scale=0.02, size=(frames, 3)), axis=0)
    motion = Motion(skeleton, np.stack(rotations, axis=1), root, Fraction(30000, 1001))
    return Clip("a", motion, np.array(rest))


def chained(body: str, joints: np.ndarray, poses: np.ndarray, trans: np.ndarray) -> np.ndarray:
    """Where the joints (T, J, 3) are, by the models' own definition: forward kinematics about the pelvis."""
    parents, frames = tree(body), len(poses)
    local = [Rotation.from_rotvec(poses[:, 3 * j : 3 * j + 3]) for j in range(len(parents))]
    world, placed = [local[0]], [np.tile(joints[0], (frames, 1)) + trans]
    for j in range(1, len(parents)):
        p = parents[j]
        placed.append(placed[p] + world[p].apply(np.tile(joints[j] - joints[p], (frames, 1))))
        world.append(world[p] * local[j])
    return np.stack(placed, axis=1)


def z_up(positions: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(positions, -1, 0)
    return np.stack([x, -z, y], axis=-1)


def model_file(tmp_path: Path, body: str) -> Path:
    np.savez(tmp_path / f"{body.upper()}_NEUTRAL.npz", **made_up(body))
    return tmp_path / f"{body.upper()}_NEUTRAL.npz"


def of(clip: Clip, body: str) -> np.ndarray:
    """The clip's joints (T, J, 3) in the body's order, z up."""
    return z_up(clip.motion.world()[0][:, [clip.motion.skeleton.index(name) for name in BODIES[body]]])


@pytest.mark.parametrize("turned", [False, True], ids=["plain", "turned axes"])
@pytest.mark.parametrize("body", BODIES)
def test_the_body_model_stands_where_the_clip_does(body: str, turned: bool, tmp_path: Path) -> None:
    path = model_file(tmp_path, body)
    model = read_body_model(path, body)
    betas = np.random.default_rng(5).normal(size=model.slopes.shape[2])
    clip = acted(body, model.joints(betas), turned=turned)
    write_clips(tmp_path / "a.npz", [clip], model=tmp_path)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        found = dict(file)
    assert found["poses"].shape == (12, PLACES[body]) and found["betas"].shape == (BETAS[body],)
    assert found["mocap_framerate"] == 30000 / 1001 and str(found["gender"]) == "neutral"
    np.testing.assert_allclose(found["betas"][: len(betas)], betas, atol=0.02)
    joints = model.joints(found["betas"][: len(betas)])
    placed = chained(body, joints, found["poses"], found["trans"])
    assert np.abs(placed - of(clip, body)).max() < 1e-3  # metres, of betas found from lengths alone
    exact = chained(
        body, model.joints(betas), found["poses"], found["trans"] + joints[0] - model.joints(betas)[0]
    )
    assert np.abs(exact - of(clip, body)).max() < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("body", BODIES)
def test_the_package_smplx_agrees(body: str, tmp_path: Path) -> None:
    torch, lbs = pytest.importorskip("torch"), pytest.importorskip("smplx.lbs")
    arrays = made_up(body)
    np.savez(tmp_path / "model.npz", **arrays)
    model = read_body_model(tmp_path / "model.npz", body)
    betas = np.random.default_rng(5).normal(size=model.slopes.shape[2])
    clip = acted(body, model.joints(betas))
    write_clips(tmp_path / "a.npz", [clip], model=tmp_path / "model.npz")
    with np.load(tmp_path / "a.npz") as file:
        found = dict(file)
    count, joints = len(betas), len(BODIES[body])
    tensors = {
        key: torch.tensor(np.asarray(arrays[key], float)) for key in ("v_template", "J_regressor", "weights")
    }
    _, placed = lbs.lbs(
        torch.tensor(np.tile(found["betas"][:count], (12, 1))),
        torch.tensor(found["poses"]),
        tensors["v_template"],
        torch.tensor(arrays["shapedirs"][:, :, :count]),
        torch.zeros((9 * (joints - 1), 3 * len(arrays["v_template"])), dtype=torch.float64),
        tensors["J_regressor"],
        torch.tensor(tree(body)),
        tensors["weights"],
    )
    assert np.abs(placed.numpy() + found["trans"][:, None] - of(clip, body)).max() < 1e-3


def test_without_a_model_trans_is_the_pelvis(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    joints = np.random.default_rng(1).normal(size=(24, 3))
    clip = acted("smpl", joints)
    write_clips(tmp_path / "a.npz", [clip])
    with np.load(tmp_path / "a.npz") as file:
        assert not file["betas"].any()
        np.testing.assert_allclose(file["trans"], of(clip, "smpl")[:, 0], atol=1e-12)
    assert "no body model is given, so betas are 0 and trans is where the pelvis is" in caplog.text


def test_bodies_are_known_by_their_joints(wild, tmp_path: Path) -> None:
    for body, joints in BODIES.items():
        assert body_of((*joints, "another")) == body
    assert [len(joints) for joints in BODIES.values()] == [55, 52, 24]
    clip = acted("smpl", np.random.default_rng(1).normal(size=(24, 3)))
    write_clips(tmp_path / "a.npz", [clip], layout="arrays")
    with np.load(tmp_path / "a.npz") as file:
        assert "poses" not in file.files
    with pytest.raises(FormatError, match="'b' has not the joints of SMPL; export to such a rig"):
        write_clips(tmp_path / "b.npz", [Clip("b", wild(frames=2))], layout="amass")
    with pytest.raises(FormatError, match="of gender 'both'; choose one of neutral, male, female"):
        write_clips(tmp_path / "b.npz", [clip], gender="both")


def test_folders_are_searched_as_the_models_come(tmp_path: Path) -> None:
    arrays = made_up("smplh")
    for place in ("SMPLH_NEUTRAL.npz", "smplh/SMPLH_NEUTRAL.npz", "smplh/neutral/model.npz"):
        folder = tmp_path / place.replace("/", "_")
        (folder / place).parent.mkdir(parents=True)
        np.savez(folder / place, **arrays)
        assert len(read_body_model(folder, "smplh").template) == 52
    with pytest.raises(FormatError, match=r"has no SMPLX_FEMALE.npz, nor smplx/SMPLX_FEMALE.npz; give the"):
        read_body_model(tmp_path, "smplx", "female")
    (tmp_path / "SMPL_MALE.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(FormatError, match=r"only .npz is read, as a pickle can run code; convert it as docs"):
        read_body_model(tmp_path, "smpl", "male")


WRONG_MODELS = {
    "no shapes": ({"shapedirs": None}, "it has no shapedirs, so it is no body model"),
    "another body": ({"J_regressor": np.zeros((52, 96))}, r"as SMPL: its J_regressor is \(52, 96\)"),
    "another tree": (
        {"kintree_table": np.zeros((2, 24), np.uint32)},
        "kintree_table is that of another body",
    ),
    "pickled": ({"v_template": np.array([None], object)}, "no .npz file of plain arrays"),
    "not a number": ({"v_template": np.full((96, 3), np.nan)}, "numbers that are not finite"),
    "flat": ({"shapedirs": np.zeros(3)}, "a model of 24 joints is needed"),
    "a lone number": ({"v_template": np.array(1.0)}, "a model of 24 joints is needed"),
    "text": ({"J_regressor": np.full((24, 96), "a")}, "not numbers"),
}


@pytest.mark.parametrize(("change", "message"), WRONG_MODELS.values(), ids=WRONG_MODELS.keys())
def test_wrong_models_are_refused(tmp_path: Path, change: dict, message: str) -> None:
    arrays = {key: value for key, value in {**made_up("smpl"), **change}.items() if value is not None}
    np.savez(tmp_path / "model.npz", **arrays)
    with pytest.raises(FormatError, match=message) as caught:
        read_body_model(tmp_path / "model.npz", "smpl")
    assert "\n" not in str(caught.value)
