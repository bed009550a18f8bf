"""MOT: the body is moved by OpenSim's angles, about axes typed here from the model, and these come back."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import write_clips
from rigs.formats.hinges import angles_about
from rigs.motion import Motion
from rigs.skeleton import Skeleton
from rigs.solving.body import load_body

# segment -> (the one before, axes in turn with the coordinate about each), right side, Rajagopal2015.osim
SEGMENTS = {
    "thigh": (
        "pelvis",
        [("hip_flexion", (0, 0, 1)), ("hip_adduction", (1, 0, 0)), ("hip_rotation", (0, 1, 0))],
    ),
    "shank": ("thigh", [("knee_angle", (0, 0, -1))]),
    "foot": (
        "shank",
        [
            ("ankle_angle", (-0.105014, -0.174022, 0.979126)),
            ("subtalar_angle", (0.78718, 0.604747, -0.120949)),
        ],
    ),
    "upper": ("torso", [("arm_flex", (0, 0, 1)), ("arm_add", (1, 0, 0)), ("arm_rot", (0, 1, 0))]),
    "fore": ("upper", [("elbow_flex", (0.226047, 0.022269, 0.973862))]),
    "hand": (
        "fore",
        [("pro_sup", (0.056398, 0.998406, 0.001953)), ("wrist_flex", (0, 0, 1)), ("wrist_dev", (1, 0, 0))],
    ),
}
JOINTS = {"thigh": "UpLeg", "shank": "Leg", "foot": "Foot", "upper": "Arm", "fore": "ForeArm", "hand": "Hand"}
TRUNK = ("Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "LeftShoulder", "RightShoulder")


def parse(path: Path) -> dict[str, np.ndarray]:
    """Columns by name, as the OpenSim documentation has it."""
    head, table = path.read_text(encoding="utf-8").split("endheader\n")
    name, version, *settings = head.splitlines()
    assert (name, version) == (path.stem, "version=1")
    said = dict(line.split("=") for line in settings)
    labels, *rows = [line.split("\t") for line in table.splitlines()]
    assert said == {"nRows": str(len(rows)), "nColumns": str(len(labels)), "inDegrees": "yes"}
    return dict(zip(labels, np.array(rows, float).T, strict=True))


@pytest.fixture
def person() -> Skeleton:
    body = load_body("human")
    return body.skeleton(np.full(len(body.size_names), 1.75))


def posed(skeleton: Skeleton, angles: dict[str, np.ndarray]) -> Motion:
    """Move a person at rest in a T by OpenSim's angles in degrees; what is not given is zero."""
    frames = len(next(iter(angles.values())))

    def turn(name: str, axis: tuple[float, ...]) -> Rotation:
        return Rotation.from_rotvec(
            np.deg2rad(angles.get(name, np.zeros(frames)))[:, None] * np.array(axis, float)
        )

    def turns(rows: list[tuple[str, tuple[float, ...]]]) -> Rotation:
        made = Rotation.identity(frames)
        for name, axis in rows:
            made = made * turn(name, axis)
        return made

    trunk = {"tilt": (0, 0, 1), "list": (1, 0, 0), "rotation": (0, 1, 0)}
    pelvis = turns([(f"pelvis_{k}", axis) for k, axis in trunk.items()])
    lumbar = {"extension": (0, 0, 1), "bending": (1, 0, 0), "rotation": (0, 1, 0)}
    torso = pelvis * turns([(f"lumbar_{k}", axis) for k, axis in lumbar.items()])
    world = {name: pelvis if name == "Hips" else torso for name in TRUNK}
    for side, mirror in (("Right", 1.0), ("Left", -1.0)):
        made = {"pelvis": pelvis, "torso": torso}
        for segment, (before, rows) in SEGMENTS.items():
            own = [(f"{n}_{side[0].lower()}", (mirror * x, mirror * y, z)) for n, (x, y, z) in rows]
            made[segment] = made[before] * turns(own)
            rest = Rotation.identity()
            if segment in ("upper", "fore", "hand"):  # from hanging down to the T
                rest = Rotation.from_rotvec([-mirror * np.pi / 2, 0, 0])
            if segment == "hand":  # and from palms forward to thumbs forward
                axis = np.array(rows[0][1]) * [mirror, mirror, 1.0]
                rest = rest * Rotation.from_rotvec(axis / np.linalg.norm(axis) * np.pi / 2)
            world[side + JOINTS[segment]] = made[segment] * rest.inv()
        world[f"{side}ToeBase"] = world[f"{side}Foot"]
    ours = Rotation.from_matrix([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])  # (z, y, -x) back
    wxyz = []
    for j, name in enumerate(skeleton.names):
        before = world[skeleton.names[skeleton.parents[j]]] if j else Rotation.identity()
        wxyz.append((ours * before.inv() * world[name] * ours.inv()).as_quat()[:, [3, 0, 1, 2]])
    return Motion(skeleton, np.stack(wxyz, axis=1), np.tile([0.5, 1.0, 2.0], (frames, 1)), Fraction(50))


def coordinate_names() -> list[str]:
    sided = [f"{name}_{side}" for _, rows in SEGMENTS.values() for name, _ in rows for side in "rl"]
    trunk = ["pelvis_tilt", "pelvis_list", "pelvis_rotation"]
    return [*trunk, "lumbar_extension", "lumbar_bending", "lumbar_rotation", *sided]


def test_angles_come_back(person: Skeleton, tmp_path: Path) -> None:
    random, names = np.random.default_rng(4), coordinate_names()
    steps = np.linspace(0.0, 1.0, 60)[:, None]
    angles = dict(zip(names, (steps * random.uniform(-70.0, 70.0, size=len(names))).T, strict=True))
    write_clips(tmp_path / "a.mot", [Clip("a", posed(person, angles))])
    found = parse(tmp_path / "a.mot")
    assert set(found) == {"time", "pelvis_tx", "pelvis_ty", "pelvis_tz", *names}
    np.testing.assert_allclose(found["time"], np.arange(60) / 50, atol=1e-8)
    for name in names:
        np.testing.assert_allclose(found[name], angles[name], atol=2e-3, err_msg=name)


@pytest.mark.parametrize("side", ["r", "l"])
def test_signs_by_where_limbs_go(person: Skeleton, tmp_path: Path, side: str) -> None:
    """Our axes: x to the left, y up, z forward."""
    whole, inward = ("Right", 1.0) if side == "r" else ("Left", -1.0)
    bent = {"hip_flexion": 40.0, "knee_angle": 60.0, "arm_flex": 30.0, "elbow_flex": 50.0, "arm_add": -20.0}
    angles = {f"{name}_{side}": np.array([0.0, angle]) for name, angle in bent.items()}
    motion = posed(person, angles)
    (still, moved), at = motion.world()[0], person.index
    assert moved[at(f"{whole}Leg"), 2] > still[at(f"{whole}Leg"), 2] + 0.1  # the knee forward
    heel = moved[at(f"{whole}Foot")] - moved[at(f"{whole}Leg")]
    assert heel[2] < -0.1  # the shank backward
    assert moved[at(f"{whole}Hand"), 2] > moved[at(f"{whole}ForeArm"), 2] + 0.1  # the forearm forward
    assert inward * (moved[at(f"{whole}ForeArm"), 0] - still[at(f"{whole}ForeArm"), 0]) < -0.05  # arm outward
    write_clips(tmp_path / "a.mot", [Clip("a", motion)], model="gait2392")
    found = parse(tmp_path / "a.mot")
    assert found[f"knee_angle_{side}"][1] == pytest.approx(-60.0) and f"arm_flex_{side}" not in found


def test_the_rest_pose_is_arms_out(person: Skeleton, tmp_path: Path) -> None:
    still = np.tile([1.0, 0.0, 0.0, 0.0], (2, len(person), 1))
    motion = Motion(person, still, np.tile([0.1, 1.0, 0.3], (2, 1)), Fraction(50))
    write_clips(tmp_path / "a.mot", [Clip("a", motion)])
    found = parse(tmp_path / "a.mot")
    expected = {"arm_add_r": -90.0, "arm_add_l": -90.0, "pro_sup_r": 90.0, "pro_sup_l": 90.0}
    moving = {"time", "pelvis_tx", "pelvis_ty", "pelvis_tz"}
    for name in found.keys() - moving:
        np.testing.assert_allclose(found[name], expected.get(name, 0.0), atol=1e-3, err_msg=name)
    hips = motion.world()[0][0, [person.index("LeftUpLeg"), person.index("RightUpLeg")]]
    scale = np.linalg.norm(hips[0] - hips[1]) / (2 * 0.07726)
    origin = [found[name][0] for name in ("pelvis_tx", "pelvis_ty", "pelvis_tz")]
    x, y, z = hips.mean(axis=0)
    np.testing.assert_allclose(origin, [z + 0.056276 * scale, y + 0.07849 * scale, -x], atol=1e-7)


def test_roles_stand_for_names(person: Skeleton, tmp_path: Path) -> None:
    motion = posed(person, {"hip_flexion_r": np.array([0.0, 20.0])})
    other = Skeleton(tuple(f"b_{n}" for n in person.names), person.parents, person.offsets)
    renamed = Motion(other, motion.rotations, motion.root, motion.fps)
    write_clips(tmp_path / "a.mot", [Clip("a", motion)])
    write_clips(tmp_path / "b.mot", [Clip("b", renamed, roles={n: f"b_{n}" for n in person.names})])
    assert parse(tmp_path / "b.mot")["hip_flexion_r"][1] == pytest.approx(20.0)
    with pytest.raises(FormatError, match="no joint of 'b' is known as the Hips; export to a rig whose"):
        write_clips(tmp_path / "b.mot", [Clip("b", renamed)])
    with pytest.raises(FormatError, match="model 'full'; choose one of rajagopal, gait2392"):
        write_clips(tmp_path / "b.mot", [Clip("a", motion)], model="full")


def test_two_axes_take_what_they_can() -> None:
    """A turn about neither axis is left over, and the angles are those of least rotation left."""
    axes = np.eye(3)[:2]
    q = Rotation.from_rotvec([[0.3, 0.2, 0.25]])
    found = angles_about(list(axes), q.as_quat()[:, [3, 0, 1, 2]])

    def left(a: float, b: float) -> float:
        made = Rotation.from_rotvec(a * axes[0]) * Rotation.from_rotvec(b * axes[1])
        return float((made.inv() * q[0]).magnitude())

    a, b = found[0]
    least = left(a, b)
    assert least > 0.1
    assert all(left(a + da, b + db) > least for da, db in [(0.02, 0), (-0.02, 0), (0, 0.02), (0, -0.02)])
