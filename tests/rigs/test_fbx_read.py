"""What the reader makes of scenes written by hand, against matrices multiplied as the FBX SDK says."""

import itertools
import logging
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rigs import quat
from rigs.clip import Clip
from rigs.formats import read_clips
from tests.rigs.fbx_text import Curve, Node, fbx_text, limbs

ORDERS = ("xyz", "xzy", "yzx", "yxz", "zxy", "zyx")  # extrinsic: the first turns first


def read(path: Path, text: str) -> list[Clip]:
    path.write_text(text, encoding="utf-8")
    return read_clips(path)


def matrix(linear: np.ndarray | None = None, shift: object = (0.0, 0.0, 0.0)) -> np.ndarray:
    found = np.eye(4)
    found[:3, :3] = np.eye(3) if linear is None else linear
    found[:3, 3] = shift
    return found


def turned(degrees: object, order: str = "xyz") -> np.ndarray:
    by_axis = dict(zip("xyz", np.asarray(degrees, float), strict=True))
    return matrix(Rotation.from_euler(order, [by_axis[axis] for axis in order], degrees=True).as_matrix())


def local(p: dict) -> np.ndarray:
    """T Roff Rp Rpre R Rpost^-1 Rp^-1 Soff Sp S Sp^-1, as 4x4 matrices."""

    def moved(name: str) -> np.ndarray:
        return matrix(shift=p.get(name, (0.0, 0.0, 0.0)))

    active = p.get("RotationActive", 0)
    none = (0.0, 0.0, 0.0)
    before, after = (turned(p.get(n, none) if active else none) for n in ("PreRotation", "PostRotation"))
    own = turned(p.get("Lcl Rotation", none), ORDERS[p.get("RotationOrder", 0)] if active else "xyz")
    pivot, scaling_pivot = moved("RotationPivot"), moved("ScalingPivot")
    scale = matrix(np.diag(p.get("Lcl Scaling", (1.0, 1.0, 1.0))))
    chain = [moved("Lcl Translation"), moved("RotationOffset"), pivot, before, own, np.linalg.inv(after)]
    chain += [
        np.linalg.inv(pivot),
        moved("ScalingOffset"),
        scaling_pivot,
        scale,
        np.linalg.inv(scaling_pivot),
    ]
    return np.linalg.multi_dot(chain)


def world(nodes: list[Node]) -> dict[str, np.ndarray]:
    """Metres: where nodes are if matrices are simply multiplied, InheritType 1."""
    found: dict[str, np.ndarray] = {}
    for node in nodes:
        above = found[node.parent] if node.parent else np.eye(4)
        found[node.name] = above @ local(dict(node.properties))
    return {name: place[:3, 3] / 100.0 for name, place in found.items()}


def places(clip: Clip, frame: int = 0) -> dict[str, np.ndarray]:
    return dict(zip(clip.motion.skeleton.names, clip.motion.world()[0][frame], strict=True))


def assert_places(clip: Clip, expected: dict[str, np.ndarray]) -> None:
    for name, place in places(clip).items():
        np.testing.assert_allclose(place, expected[name], atol=1e-12)


@pytest.mark.parametrize("order", range(6))
def test_orders_of_rotation(tmp_path: Path, order: int) -> None:
    nodes = limbs(Lcl_Rotation=(40.0, -50.0, 65.0), RotationOrder=order, RotationActive=1)
    (clip,) = read(tmp_path / "a.fbx", fbx_text(nodes))
    assert_places(clip, world(nodes))


def test_turns_before_and_after_and_pivots(tmp_path: Path) -> None:
    nodes = limbs(
        Lcl_Rotation=(40.0, -50.0, 65.0),
        Lcl_Scaling=(1.5, 0.5, 2.0),
        PreRotation=(12.0, 24.0, -36.0),
        PostRotation=(7.0, -8.0, 9.0),
        RotationOffset=(1.0, 2.0, 3.0),
        RotationPivot=(-4.0, 5.0, 6.0),
        ScalingOffset=(0.5, 0.25, -0.75),
        ScalingPivot=(2.0, -3.0, 1.0),
        RotationActive=1,
    )
    (clip,) = read(tmp_path / "a.fbx", fbx_text(nodes))
    assert_places(clip, world(nodes))


def test_turns_before_and_after_count_only_where_active(tmp_path: Path) -> None:
    nodes = limbs(Lcl_Rotation=(40.0, -50.0, 65.0), PreRotation=(90.0, 0.0, 0.0), RotationOrder=4)
    (clip,) = read(tmp_path / "a.fbx", fbx_text(nodes))
    assert_places(clip, world(nodes))


@pytest.mark.parametrize(("inherit", "wide", "far"), [(0, 2.0, 6.0), (1, 2.0, 6.0), (2, 2.0, 3.0)])
def test_what_a_parents_scale_reaches(tmp_path: Path, inherit: int, wide: float, far: float) -> None:
    """A scale stretches the way to a child always, and the child's children as its InheritType says."""
    nodes = [
        Node("hips", properties={"Lcl Scaling": (2.0, 2.0, 2.0)}),
        Node("spine", parent="hips", properties={"Lcl Translation": (0.0, 1.0, 0.0), "InheritType": inherit}),
        Node(
            "head",
            parent="spine",
            properties={"Lcl Translation": (0.0, 1.0, 0.0), "Lcl Scaling": (3.0, 3.0, 3.0)},
        ),
        Node("top", parent="head", properties={"Lcl Translation": (0.0, 1.0, 0.0)}),
    ]
    (clip,) = read(tmp_path / "a.fbx", fbx_text(nodes))
    heights = 100.0 * np.array([place[1] for place in places(clip).values()])
    np.testing.assert_allclose(np.diff(heights), [wide, far / 3.0, far])


def test_an_uneven_scale_turns_with_its_node_or_not(tmp_path: Path) -> None:
    """InheritType 0 stretches along the turned child's own axes, 1 along the parent's."""
    for inherit, expected in ((0, (0.0, -2.0, 0.0)), (1, (0.0, -1.0, 0.0))):
        nodes = [
            Node("hips", properties={"Lcl Scaling": (2.0, 1.0, 1.0)}),
            Node(
                "spine", parent="hips", properties={"Lcl Rotation": (0.0, 0.0, -90.0), "InheritType": inherit}
            ),
            Node("head", parent="spine", properties={"Lcl Translation": (1.0, 0.0, 0.0)}),
        ]
        (clip,) = read(tmp_path / "a.fbx", fbx_text(nodes))
        np.testing.assert_allclose(100.0 * places(clip)["head"], expected, atol=1e-12)


def test_what_stands_above_is_worked_into_the_root(tmp_path: Path) -> None:
    above = Node(
        "Armature",
        "Null",
        properties={
            "Lcl Rotation": (-90.0, 0.0, 0.0),
            "Lcl Scaling": (100.0,) * 3,
            "Lcl Translation": (7.0, 0.0, 0.0),
        },
    )
    body = [Node(n.name, n.kind, n.parent or "Armature", n.properties) for n in limbs()]
    (clip,) = read(tmp_path / "a.fbx", fbx_text([above, *body]))
    assert clip.name == "Armature"
    assert clip.motion.skeleton.names == ("hips", "spine", "head")
    assert_places(clip, world([above, *body]))
    assert not clip.motion.translations


@pytest.mark.parametrize(
    ("settings", "unit", "turn"),
    [
        ({"UnitScaleFactor": 100.0}, 1.0, np.eye(3)),
        ({"UnitScaleFactor": 2.54}, 0.0254, np.eye(3)),
        ({"UpAxis": 2, "FrontAxis": 1, "FrontAxisSign": -1}, 0.01, [[1, 0, 0], [0, 0, 1], [0, -1, 0]]),
        ({"CoordAxis": 2, "CoordAxisSign": -1, "FrontAxis": 0}, 0.01, [[0, 0, -1], [0, 1, 0], [1, 0, 0]]),
        ({"CoordAxisSign": -1}, 0.01, np.diag([-1.0, 1.0, 1.0])),  # left-handed
        ({"UpAxis": 0}, 0.01, np.eye(3)),  # no axes at all
    ],
)
def test_axes_and_units_become_ours(tmp_path: Path, settings: dict, unit: float, turn: np.ndarray) -> None:
    nodes = limbs(Lcl_Rotation=(40.0, -50.0, 65.0))
    (clip,) = read(tmp_path / "a.fbx", fbx_text(nodes, settings=settings))
    expected = {name: 100.0 * unit * np.asarray(turn) @ place for name, place in world(nodes).items()}
    assert_places(clip, expected)


def hermite(u: np.ndarray, values: tuple[float, float], slopes: tuple[float, float]) -> np.ndarray:
    """A cubic over a second, by Bernstein's polynomials."""
    a, d = values
    b, c = a + slopes[0] / 3.0, d - slopes[1] / 3.0
    return a * (1 - u) ** 3 + 3 * b * u * (1 - u) ** 2 + 3 * c * u**2 * (1 - u) + d * u**3


def test_curves_go_as_their_keys_say(tmp_path: Path) -> None:
    keys = [(0.0, 10.0), (1.0, 20.0), (2.0, 0.0)]
    stored = [30.0, -12.5, 0.0, 0.0, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    curves = [
        Curve("hips", "Lcl Translation", "X", keys, flags=0x4),
        Curve("hips", "Lcl Translation", "Y", keys, flags=[0x2, 0x102, 0x2]),
        Curve("hips", "Lcl Translation", "Z", keys, flags=[0x408, 0x408, 0x108], data=stored),
    ]
    (clip,) = read(tmp_path / "a.fbx", fbx_text(limbs(), curves, {"TimeMode": 14, "CustomFrameRate": 4.0}))
    assert clip.motion.fps == 4 and len(clip.motion) == 9
    x, y, z = 100.0 * clip.motion.root.T
    np.testing.assert_allclose(x, [10, 12.5, 15, 17.5, 20, 15, 10, 5, 0])
    np.testing.assert_allclose(y, [10, 10, 10, 10, 20, 0, 0, 0, 0])
    u = np.array([0.25, 0.5, 0.75])
    first, second = hermite(u, (10.0, 20.0), (30.0, -12.5)), hermite(u, (20.0, 0.0), (7.0, -20.0))
    np.testing.assert_allclose(z, [10, *first, 20, *second, 0])


@pytest.mark.parametrize(
    ("flags", "slopes"),
    [
        (0x108, (50.0, 43.75, 31.25, 25.0)),  # means of the chords to both sides
        (0x2108, (50.0, 40.0, 100.0 / 3.0, 25.0)),  # chords from the key before to the next
        (0x6108, (0.0, 40.0, 100.0 / 3.0, 0.0)),  # the same, flat at ends
    ],
)
def test_automatic_slopes(tmp_path: Path, flags: int, slopes: tuple[float, ...]) -> None:
    """As the FBX SDK has them, for keys at uneven times."""
    times, values = [0.0, 0.2, 1.0, 1.4], [0.0, 10.0, 40.0, 50.0]
    curve = Curve("hips", "Lcl Translation", "X", list(zip(times, values, strict=True)), flags=flags)
    (clip,) = read(
        tmp_path / "a.fbx", fbx_text(limbs(), [curve], {"TimeMode": 14, "CustomFrameRate": 1000.0})
    )
    x = 100.0 * clip.motion.root[:, 0]
    at = [round(1000 * time) for time in times]
    np.testing.assert_allclose(x[at], values, atol=1e-9)
    after = [(x[k + 1] - x[k]) * 1000.0 for k in at[:-1]]
    np.testing.assert_allclose(after, slopes[:-1], atol=0.6)  # curvature times a thousandth of a second
    assert (x[-1] - x[-2]) * 1000.0 == pytest.approx(slopes[-1], abs=0.6)


def test_progressively_clamped_curves_do_not_overshoot(tmp_path: Path) -> None:
    keys = [(0.0, 0.0), (0.4, 1.0), (0.8, 100.0), (1.2, 100.0), (1.6, 30.0), (2.0, 31.0)]
    curve = Curve("hips", "Lcl Translation", "X", keys, flags=0x6108)
    (clip,) = read(tmp_path / "a.fbx", fbx_text(limbs(), [curve]))
    x = 100.0 * clip.motion.root[:, 0]
    for (start, a), (stop, b) in itertools.pairwise(keys):
        part = x[round(start * 30) : round(stop * 30) + 1]
        assert part.min() >= min(a, b) - 1e-9 and part.max() <= max(a, b) + 1e-9


def test_an_axis_without_a_curve_holds_the_value_of_its_curve_node(tmp_path: Path) -> None:
    """As in the FBX SDK: not what the node says of itself."""
    curve = Curve("hips", "Lcl Translation", "X", [(0.0, 1.0), (0.1, 2.0)])
    text = fbx_text(limbs(), [curve]).replace('"d|Y", "Number", "", "A",0', '"d|Y", "Number", "", "A",77.0')
    (clip,) = read(tmp_path / "a.fbx", text.replace('P: "d|Z", "Number", "", "A",0', ""))
    np.testing.assert_allclose(100.0 * clip.motion.root[0], [1.0, 77.0, -4.0])


def test_a_clip_is_what_its_keys_span_within_the_animation(tmp_path: Path) -> None:
    keys = [(k / 30, float(k)) for k in range(31)]
    curves = [Curve("hips", "Lcl Rotation", "X", keys)]
    (whole,) = read(tmp_path / "a.fbx", fbx_text(limbs(), curves, span=(0.0, 9.0)))
    assert (len(whole.motion), whole.first) == (31, 0)
    (part,) = read(tmp_path / "b.fbx", fbx_text(limbs(), curves, span=(0.2, 0.5)))
    assert (len(part.motion), part.first) == (10, 0)
    np.testing.assert_allclose(part.motion.rotations, whole.motion.rotations[6:16], atol=1e-12)
    (short,) = read(tmp_path / "d.fbx", fbx_text(limbs(), curves, span=(0.205, 0.21)))  # between two keys
    assert len(short.motion) == 1
    late = [Curve("hips", "Lcl Rotation", "X", [(time + 0.5, value) for time, value in keys])]
    (later,) = read(tmp_path / "c.fbx", fbx_text(limbs(), late, span=(0.1, 2.0)))
    assert (len(later.motion), later.first) == (31, 12)


@pytest.mark.parametrize(
    ("mode", "custom", "rate"),
    [
        (1, 0.0, Fraction(120)), (3, 0.0, Fraction(60)), (6, 0.0, Fraction(30)),
        (8, 0.0, Fraction(30000, 1001)), (9, 0.0, Fraction(30000, 1001)), (10, 0.0, Fraction(25)),
        (11, 0.0, Fraction(24)), (13, 0.0, Fraction(24000, 1001)), (14, 29.97, Fraction(30000, 1001)),
        (14, 12.5, Fraction(25, 2)), (14, 1000 / 7, Fraction(1000, 7)), (14, -1.0, Fraction(30)),
        (0, 7.0, Fraction(30)), (14, 15 / 1.001, Fraction(15000, 1001)),
    ],
)  # fmt: skip
def test_rates_are_exact(tmp_path: Path, mode: int, custom: float, rate: Fraction) -> None:
    text = fbx_text(limbs(), settings={"TimeMode": mode, "CustomFrameRate": custom})
    assert read(tmp_path / "a.fbx", text)[0].motion.fps == rate


def test_the_bind_pose_is_the_rest_pose_where_it_is_whole(tmp_path: Path) -> None:
    nodes = limbs(Lcl_Rotation=(40.0, -50.0, 65.0))
    lying = Rotation.from_euler("z", 90, degrees=True).as_matrix()
    binds = {
        "hips": matrix(3.0 * lying, (0.0, 80.0, 0.0)),
        "spine": matrix(lying, (-20.0, 80.0, 0.0)),
    }
    poses = {name: place.T.ravel().tolist() for name, place in binds.items()}
    (clip,) = read(tmp_path / "a.fbx", fbx_text(nodes, poses=poses))
    positions, rotations = (values[0] for values in clip.resting.world())
    np.testing.assert_allclose(positions[:2], [[0.0, 0.8, 0.0], [-0.2, 0.8, 0.0]], atol=1e-12)
    np.testing.assert_allclose(quat.to_matrix(rotations[1]), lying, atol=1e-12)
    np.testing.assert_allclose(positions[2], positions[1] + lying @ [0.01, 0.2, 0.03], atol=1e-12)
    assert_places(clip, world(nodes))
    (partial,) = read(tmp_path / "b.fbx", fbx_text(nodes, poses={"hips": poses["hips"]}))
    np.testing.assert_allclose(partial.resting.world()[0], partial.motion.world()[0], atol=1e-12)


def test_nulls_are_joints_where_nothing_else_is(tmp_path: Path) -> None:
    nodes = [Node(n.name, "Null", n.parent, n.properties) for n in limbs()]
    (clip,) = read(tmp_path / "a.fbx", fbx_text([*nodes, Node("floor", "Mesh")]))
    assert clip.motion.skeleton.names == ("hips", "spine", "head")


def test_what_hangs_between_joints_is_a_joint(tmp_path: Path) -> None:
    nodes = limbs()
    nodes[1].kind = "Null"
    (clip,) = read(tmp_path / "a.fbx", fbx_text([*nodes, Node("hat", "Null", "head")]))
    assert clip.motion.skeleton.names == ("hips", "spine", "head")


def test_two_skeletons_are_two_clips(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    second = [Node(f"{n.name}2", n.kind, f"{n.parent}2" if n.parent else None, n.properties) for n in limbs()]
    with caplog.at_level(logging.WARNING):
        first, other = read(tmp_path / "pair.fbx", fbx_text([*limbs(), *second, Node("stray")]))
    assert (first.name, other.motion.skeleton.names) == ("pair", ("hips2", "spine2", "head2"))
    assert "1 single joints are left out, 'stray' first" in caplog.text


def test_roots_side_by_side_are_one_skeleton(tmp_path: Path) -> None:
    nodes = [Node("Rig", "Null"), Node("a", parent="Rig"), Node("b", parent="Rig"), Node("c", parent="b")]
    (clip,) = read(tmp_path / "a.fbx", fbx_text(nodes))
    assert clip.motion.skeleton.names == ("Rig", "a", "b", "c")


def test_names_alike_are_told_apart(tmp_path: Path) -> None:
    text = fbx_text(limbs()).replace("Model::spine", "Model::hips").replace("Model::head", "Model::")
    (clip,) = read(tmp_path / "a.fbx", text)
    assert clip.motion.skeleton.names == ("hips", "hips_2", "joint")
