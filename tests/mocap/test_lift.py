"""One view lifted: laws for any weights, the weights that come with the package, and what training shares."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from calibration.camera import Camera
from mocap import weights as package_weights
from mocap.attach import load_attachment
from mocap.errors import MocapError
from mocap.keypoints import load_layout
from mocap.lift import lifter
from mocap.lift.lifter import Lifted, lift, lift_view
from mocap.lift.network import DILATIONS, REACH, load_lifter, network_of
from mocap.lift.outputs import COUNT
from mocap.lift.points import CONTACT_MIRROR, JOINTS, NAMES, START, mirror, points_of
from mocap.lift.sight import look, turned
from mocap.observations import Observations
from rigs import quat
from rigs.solving.body import load_body
from rigs.solving.kinematics import Chain, Pose, locate

LAYOUT = load_layout("blazepose33")
FEATURES, HIDDEN, MIDDLE = 33 * 6 + 7, 12, 9
FLIP = np.array([-1.0, 1.0, 1.0])
FRAMES = 130


def some_network(seed=0, members=1):
    rng = np.random.default_rng(seed)

    def weights(*shape):
        return (rng.normal(size=(members, *shape)) / np.sqrt(shape[0]) / 2).astype(np.float32)

    arrays = {"first": weights(FEATURES, HIDDEN), "first_bias": weights(HIDDEN)}
    arrays |= {
        "last": weights(HIDDEN, COUNT),
        "last_bias": weights(COUNT),
        "straight": weights(FEATURES, COUNT),
    }
    for k in range(len(DILATIONS)):
        arrays |= {f"wide{k}": weights(3 * HIDDEN, MIDDLE), f"wide_bias{k}": weights(MIDDLE)}
        arrays |= {f"back{k}": weights(MIDDLE, HIDDEN), f"back_bias{k}": weights(HIDDEN)}
    return network_of(arrays)


def a_view(frames=FRAMES, seed=1):
    """Somebody who drifts through the image, with noise; frame 7 is empty. Image, confidence, guess."""
    rng = np.random.default_rng(seed)
    shape = rng.normal(size=(33, 3)) * 0.3
    drift = np.linspace(0, 0.3, frames)[:, None, None] * np.array([1.0, 0.3])
    image = 0.4 * shape[:, :2] + drift + rng.normal(size=(frames, 33, 2)) * 0.01
    confidence = rng.uniform(0.2, 1.0, size=(frames, 33))
    world = shape + rng.normal(size=(frames, 33, 3)) * 0.02
    image[7], confidence[7], world[7] = np.nan, 0.0, np.nan
    return image, confidence, world


def fields(lifted: Lifted):
    return vars(lifted)


def same(one: Lifted, other: Lifted, **how):
    for name, values in fields(one).items():
        np.testing.assert_allclose(values, fields(other)[name], err_msg=name, **how)


def test_shapes_and_what_nobody_saw():
    lifted = lift(*a_view(), 30.0, LAYOUT, some_network())
    count = len(NAMES)
    assert lifted.points.shape == (FRAMES, count, 3) and lifted.hips.shape == lifted.up.shape == (FRAMES, 3)
    assert lifted.across.shape == lifted.along.shape == (FRAMES, count) and lifted.stands.shape == (FRAMES, 4)
    for values in fields(lifted).values():
        assert np.isnan(values[7]).all() and np.isfinite(np.delete(values, 7, axis=0)).all()
    assert np.nanmin(lifted.across) > 0 and np.nanmin(lifted.along) > 0 and np.nanmin(lifted.hips[:, 2]) > 0


@pytest.mark.parametrize("up", [None, np.array([0.1, -0.99, 0.05])])
def test_a_mirror_shows_the_mirror_image(up):
    image, confidence, world = a_view()
    one = lift(image, confidence, world, 30.0, LAYOUT, some_network(), up)
    side = LAYOUT.mirror
    seen = image[:, side] * FLIP[:2], confidence[:, side], world[:, side] * FLIP
    other = lift(*seen, 30.0, LAYOUT, some_network(), None if up is None else up * FLIP)
    back = Lifted(
        other.points[:, mirror()] * FLIP,
        other.across[:, mirror()],
        other.along[:, mirror()],
        other.hips * FLIP,
        other.up * FLIP,
        other.stands[:, CONTACT_MIRROR],
    )
    same(one, back, rtol=1e-4, atol=1e-4)


def test_chunks_with_what_reaches_into_them_say_what_the_whole_says(monkeypatch):
    whole = lift(*a_view(), 30.0, LAYOUT, some_network())
    monkeypatch.setattr(lifter, "CHUNK", 17)
    same(whole, lift(*a_view(), 30.0, LAYOUT, some_network()), rtol=1e-4, atol=1e-4)


def test_nothing_farther_than_its_reach_matters():
    image, confidence, world = a_view()
    changed = image.copy()
    changed[100:] += 0.05
    one, other = (lift(a, confidence, world, 30.0, LAYOUT, some_network()) for a in (image, changed))
    np.testing.assert_array_equal(one.points[: 100 - REACH], other.points[: 100 - REACH])
    assert np.abs(one.points[100 - REACH] - other.points[100 - REACH]).max() > 0


def test_twice_the_rate_is_lifted_as_two_clips():
    view = a_view()
    fast = lift(*view, 60.0, LAYOUT, some_network())
    for phase in (0, 1):
        slow = lift(*(a[phase::2] for a in view), 30.0, LAYOUT, some_network())
        same(Lifted(**{name: a[phase::2] for name, a in fields(fast).items()}), slow)


def test_members_are_asked_together():
    both = some_network(members=2)
    features = look(*a_view(), None).features
    mean = (both.members[0](features) + both.members[1](features)) / 2
    np.testing.assert_allclose(both(features), mean, rtol=1e-5, atol=1e-5)


def test_the_turned_camera_looks_at_the_middle_and_stays_level():
    middle = np.random.default_rng(3).uniform(-0.8, 0.8, (20, 2))
    turn = turned(middle)
    np.testing.assert_allclose(turn @ turn.swapaxes(1, 2), np.broadcast_to(np.eye(3), turn.shape), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(np.ones(20))
    ray = np.concatenate([middle, np.ones((20, 1))], axis=1)
    seen = (turn @ ray[..., None])[..., 0]
    np.testing.assert_allclose(seen[:, :2], 0.0, atol=1e-12)
    np.testing.assert_allclose(turn[:, 0, 1], 0.0, atol=1e-12)


def test_how_far_a_lens_reaches_changes_little_of_what_is_seen():
    """Through a longer lens the same image is of smaller angles; about the person it looks nearly alike."""
    image, confidence, world = a_view()
    one, other = (look(a * 0.2, confidence, world, None).features for a in (image, 0.8 * image))
    placed = slice(0, 66)
    np.testing.assert_allclose(one[:, placed], other[:, placed], atol=0.02)


def test_upright_is_what_most_frames_say():
    up = np.tile([0.3, -2.0, 0.6], (5, 1))
    up[0], up[3] = np.nan, (1.0, 1.0, 1.0)
    some = np.zeros((5, 1))
    found = Lifted(some, some, some, some, up, some).upright
    np.testing.assert_allclose(
        found, np.array([0.3, -2.0, 0.6]) / np.linalg.norm([0.3, -2.0, 0.6]), atol=1e-9
    )


def test_points_are_joints_and_landmarks_of_the_body():
    body = load_body()
    points = points_of(body, load_attachment(LAYOUT, body), 1.7)
    pose = Pose(np.zeros((1, 3)), np.tile([1.0, 0, 0, 0], (1, len(body.names), 1)))
    posed = Chain(body).place(pose, np.full(len(body.size_names), 1.7))
    where = locate(posed, points)[0]
    for k, name in enumerate(JOINTS):
        np.testing.assert_allclose(where[k], posed.positions[0, body.index(name)])
    np.testing.assert_allclose(
        where[mirror()], where * FLIP, atol=1e-3
    )  # the nose is fitted 0.3 mm off the middle
    assert (mirror()[mirror()] == np.arange(len(NAMES))).all()
    assert {NAMES[row] for row in START.values()} >= set(JOINTS)


def test_landmarks_that_were_left_out_since_are_asked_all_the_same():
    """The network learned from all that a detector says, also from what is squeezed into the image."""
    image, confidence, world = a_view()
    pixels = 500.0 * image + 300.0
    camera = Camera(
        "cam", (640, 480), np.array([[500.0, 0, 300], [0, 500.0, 300], [0, 0, 1]]), np.zeros(0), np.eye(4)
    )
    confidence[20:40, 23:] = lifter.UNSURE
    seen = Observations(
        ("cam",), LAYOUT, pixels[None], confidence[None], Fraction(30), world[None], detected=pixels[None]
    )
    gone = np.zeros(confidence.shape, bool)
    gone[20:40, 23:] = True
    squeezed = replace(
        seen,
        pixels=np.where(gone[..., None], np.nan, pixels)[None],
        confidence=np.where(gone, 0.0, confidence)[None],
    )
    whole = lift_view(seen, camera, None)
    assert whole is not None
    same(whole, lift_view(squeezed, camera, None))
    assert lift_view(replace(seen, layout=load_layout("coco17")), camera, None) is None


def test_the_packages_weights_are_whole_or_refused(monkeypatch):
    data = resources.files("mocap").joinpath("refiners", "blazepose33_lifter.npz").read_bytes()
    assert hashlib.sha256(data).hexdigest() == package_weights.SHA256["blazepose33_lifter"]
    assert load_lifter("blazepose33") is not None
    assert load_lifter("coco17") is None
    monkeypatch.setitem(package_weights.SHA256, "blazepose33_lifter", "0" * 64)
    with pytest.raises(MocapError, match="install mocap again"):
        load_lifter.__wrapped__("blazepose33")


def test_it_runs_without_torch():
    code = (
        "import sys; sys.modules['torch'] = None; import numpy as np;"
        "from mocap.lift.network import load_lifter; from mocap.lift.lifter import lift;"
        "from mocap.keypoints import load_layout; l = load_layout('blazepose33');"
        "image, sight, world = np.full((3, 33, 2), 0.1), np.ones((3, 33)), np.zeros((3, 33, 3));"
        "a = lift(image, sight, world, 30.0, l, load_lifter(l.name));"
        "assert np.isfinite(a.points).all()"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_training_shows_and_computes_the_same(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
    import lift_torch

    image, confidence, world = (np.nan_to_num(a).astype(np.float32) for a in a_view())
    up = np.array([0.1, -0.99, 0.05])
    asked = (torch.from_numpy(np.asarray(a, np.float32))[None] for a in (image, confidence, world, up, 1.0))
    features, turn, extent = lift_torch.look(lift_torch.Seen(*asked))
    sight = look(*(a.astype(float) for a in (image, confidence, world)), up)
    np.testing.assert_allclose(features[0].numpy(), sight.features, atol=1e-5)
    np.testing.assert_allclose(turn[0].numpy(), sight.turn, atol=1e-6)
    np.testing.assert_allclose(
        extent[0].numpy()[sight.extent > 0.01], sight.extent[sight.extent > 0.01], rtol=1e-4
    )
    mean, deviation = features[0].mean(0), features[0].std(0) + 0.05
    torch.manual_seed(0)
    net = lift_torch.Net(mean, deviation, COUNT, HIDDEN, MIDDLE, 0.5).eval()
    for weights in (net.last.weight, net.straight.weight):
        torch.nn.init.normal_(weights, std=0.1)
    ours = network_of({name: a[None].astype(np.float32) for name, a in net.arrays().items()})
    with torch.no_grad():
        theirs = net(features)[0].numpy()
    np.testing.assert_allclose(ours(sight.features), theirs, atol=0.05)  # half precision


def some_truth(torch, frames=6):
    """Standing, turning people 2 to 4 statures before a camera: (B, L, 14 + 33, 3)."""
    body = load_body()
    attachment = load_attachment(LAYOUT, body)
    turn = np.zeros((frames, len(body.names), 3))
    turn[:, 0, 1] = np.linspace(0.0, 2.0, frames)
    turn[:, body.index("LeftForeArm"), 1] = -0.7
    pose = Pose(np.zeros((frames, 3)), quat.from_rotvec(turn))
    posed = Chain(body).place(pose, np.ones(len(body.size_names)))
    joints = posed.positions[:, [body.index(name) for name in JOINTS]]
    points = np.concatenate([joints, locate(posed, attachment.points(1.0))], axis=1) * [1.0, -1.0, -1.0]
    places = np.stack([points + np.array([0.3, 0.1, away]) for away in (2.0, 4.0)])
    return torch.from_numpy(places.astype(np.float32))


@pytest.fixture
def scripts(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
    import lift_errors

    return torch, lift_errors


def test_errors_put_back_onto_their_own_truth_give_what_was_seen(scripts):
    torch, errors = scripts
    truth, chance = some_truth(torch), torch.Generator().manual_seed(0)
    image = truth[:, :, 14:, :2] / truth[:, :, 14:, 2:]
    image = image + 0.02 * torch.randn(image.shape, generator=chance)
    world = torch.randn((*image.shape[:3], 3), generator=chance) * 0.3
    found = torch.cat([errors.errors_of(truth, image, world), torch.ones(*image.shape[:3], 1)], dim=-1)
    again, sight, guess = errors.compose(truth, found)
    torch.testing.assert_close(again, image, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(guess, world, atol=1e-5, rtol=1e-5)
    assert (sight == 1).all()


def test_no_errors_give_the_true_image(scripts):
    torch, errors = scripts
    truth = some_truth(torch)
    image, _, guess = errors.compose(truth, torch.zeros(*truth.shape[:2], 33, 6))
    torch.testing.assert_close(image, truth[:, :, 14:, :2] / truth[:, :, 14:, 2:], atol=1e-5, rtol=1e-5)
    hips = guess[:, :, [23, 24]].mean(dim=2)
    torch.testing.assert_close(hips, torch.zeros_like(hips), atol=1e-5, rtol=0)


def test_bones_of_other_sizes_are_longer_by_just_that(scripts):
    torch, errors = scripts
    truth = some_truth(torch)
    torch.testing.assert_close(errors.resized(truth, torch.ones(2, 10)), truth, atol=1e-6, rtol=0)
    sizes = torch.ones(2, 10)
    sizes[:, errors.SIZES.index("forearm")] = 1.2
    changed = errors.resized(truth, sizes)

    def length(points, a, b):
        return (points[:, :, JOINTS.index(a)] - points[:, :, JOINTS.index(b)]).norm(dim=-1)

    fore, upper = ("LeftForeArm", "LeftHand"), ("LeftArm", "LeftForeArm")
    torch.testing.assert_close(length(changed, *fore), 1.2 * length(truth, *fore))
    torch.testing.assert_close(length(changed, *upper), length(truth, *upper))
    thighs = torch.ones(2, 10)
    thighs[:, errors.SIZES.index("thigh")] = 1.1
    taller = errors.resized(truth, thighs)  # in statures of a person who is taller by a part of that
    torch.testing.assert_close(length(taller, *upper), length(truth, *upper) / 1.025)
