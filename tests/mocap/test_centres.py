"""Joint centres in an image: the crop that is looked at, maps that are read, the network, what is kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from mocap.detect import centres
from mocap.detect.base import Detection, Sought
from mocap.detect.blazepose import BlazePose
from mocap.detect.centres import (
    AROUND,
    CENTRES,
    CLOSER_NETWORKS,
    NETWORKS,
    SIZE,
    CentreNetworks,
    Crop,
    Networks,
    spread_and_slant,
    squares_about,
)
from mocap.detect.cover import Cover
from mocap.detect.parts import Parts, keypoints_file
from mocap.errors import DetectError, MocapError, TakeError
from mocap.keypoints import Keypoints2D
from mocap.take import Take
from mocap.video import Frame
from tests.mocap.somebody import HEIGHT, LANDMARKS, LAYOUT, OTHER_SIDE, SAME, WHOLE, picture

HIPS, SHOULDERS = LANDMARKS[23:25].mean(axis=0), LANDMARKS[11:13].mean(axis=0)
TURNS = (-180, -135, -90, -20, 0, 45, 90, 180)


def about(points: np.ndarray) -> Crop:
    return Crop.of(squares_about(points, points[23:25].mean(axis=0), points[11:13].mean(axis=0)))


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return points @ np.array([[c, s], [-s, c]])


def in_crop(crop: Crop, points: np.ndarray) -> np.ndarray:
    return points @ crop.turn.T + crop.move


def crop_at(place: np.ndarray, zoom: float, degrees: float) -> Crop:
    """A crop with a place of the image in its middle."""
    turn = zoom * turned(np.eye(2), degrees).T
    return Crop(turn, np.full(2, (SIZE - 1) / 2) - turn @ place)


def dots(size: tuple[int, int], places: np.ndarray, sd: float) -> np.ndarray:
    """A black image (width, height) with soft dots."""
    wide, high = size
    x, y = (
        np.exp(-((np.arange(n)[:, None] - places[:, a]) ** 2) / (2 * sd**2))
        for a, n in ((0, wide), (1, high))
    )
    return np.repeat((250 * (y @ x.T)).round().astype(np.uint8)[..., None], 3, axis=2)


def found_near(cut: np.ndarray, place: np.ndarray, reach: int = 12) -> np.ndarray:
    """The mean place of what is bright about a place."""
    left, top = place.round().astype(int) - reach
    window = cut[top : top + 2 * reach + 1, left : left + 2 * reach + 1, 0].astype(float)
    steps = np.arange(2 * reach + 1)
    across, down = window.sum(axis=0) @ steps, window.sum(axis=1) @ steps
    return np.array([left, top]) + np.array([across, down]) / window.sum()


@pytest.mark.parametrize("degrees", TURNS)
@pytest.mark.parametrize("size", [0.02, 1.0, 15.0])
def test_the_crop_holds_anybody_upright_and_in_its_middle(degrees: float, size: float) -> None:
    points = turned(size * (LANDMARKS - HIPS), degrees) + np.array([300.7, -40.2])
    crop = about(points)
    seen = in_crop(crop, points)
    low, high = seen.min(axis=0), seen.max(axis=0)
    np.testing.assert_allclose((high - low).max(), SIZE / AROUND)
    np.testing.assert_allclose((low + high) / 2, (SIZE - 1) / 2)
    across, down = seen[23:25].mean(axis=0) - seen[11:13].mean(axis=0)
    assert down > 20 and abs(across) < 1e-6  # the hips right below the shoulders
    np.testing.assert_allclose(np.linalg.det(crop.turn), crop.zoom**2)  # turned, never mirrored
    np.testing.assert_allclose(seen, in_crop(about(LANDMARKS), LANDMARKS), atol=1e-6)
    np.testing.assert_allclose(crop.back(seen), points, atol=1e-9 * size * HEIGHT + 1e-9)


def test_somebody_in_one_point_has_a_crop() -> None:
    crop = about(np.full((33, 2), 7.0))
    np.testing.assert_allclose(in_crop(crop, np.full((33, 2), 7.0)), (SIZE - 1) / 2)
    image = np.full((9, 9, 3), 200, np.uint8)
    assert crop.cut(image)[128, 128, 0] == 200


@pytest.mark.parametrize("degrees", TURNS)
@pytest.mark.parametrize("zoom", [0.1, 0.23, 0.5, 0.8, 3.0])
def test_a_dot_is_where_the_crop_says(zoom: float, degrees: float) -> None:
    """The crop reaches beyond two edges of the image; large images are shrunk before they are turned."""
    places = np.array([[80.0, 60.0], [140.0, 80.0], [20.0, 20.0], [100.0, 130.0]]) / zoom + 0.37
    crop = crop_at(places[0], zoom, degrees)
    cut = crop.cut(dots((round(300 / zoom), round(200 / zoom)), places, max(1.5 / zoom, 1.0)))
    for place in in_crop(crop, places):
        np.testing.assert_allclose(found_near(cut, place), place, atol=0.1)


@pytest.mark.parametrize("zoom", [0.1, 0.8, 3.0])
def test_beyond_the_image_all_is_black(zoom: float) -> None:
    wide, high = round(150 / zoom), round(120 / zoom)
    crop = crop_at(np.array([wide / 3, high / 4]), zoom, 20)
    cut = crop.cut(np.full((high, wide, 3), 200, np.uint8))
    at = crop.back(np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), axis=-1).astype(float))
    inside = np.minimum(at, np.array([wide, high]) - 1 - at).min(axis=-1) * zoom
    edge = 1.5 * max(zoom, 1.0)  # pixels of the crop, or of the image
    assert (cut[inside > edge] == 200).all() and (cut[inside < -edge] == 0).all()
    assert min((inside > edge).mean(), (inside < -edge).mean()) > 0.1


def test_a_crop_off_the_image_is_black() -> None:
    image = np.full((50, 60, 3), 200, np.uint8)
    for zoom in (0.1, 1.0):
        for place in ((-5000.0, 20.0), (30.0, 5000.0)):
            assert crop_at(np.array(place), zoom, 0).cut(image).max() == 0


@pytest.mark.parametrize("degrees", TURNS)
def test_edges_of_the_image_are_lines_of_the_crop(degrees: float) -> None:
    """Positive beyond, by as many pixels of the crop as something is away."""
    image = np.zeros((120, 150, 3), np.uint8)
    crop = crop_at(np.array([40.0, 30.0]), 1.7, degrees)
    for place, away in (
        ((70.0, 60.0), (-70.5, -60.5, -79.5, -59.5)),
        ((-10.0, 130.0), (9.5, -130.5, -159.5, 10.5)),
        ((149.5, -0.5), (-150.0, 0.0, 0.0, -120.0)),
    ):
        seen = in_crop(crop, np.array(place))
        lines = crop.edges(image)
        np.testing.assert_allclose(lines[:, :2] @ seen + lines[:, 2], 1.7 * np.array(away), atol=1e-9)


def test_ellipses_have_the_axes_of_their_logarithms() -> None:
    rng = np.random.default_rng(1)
    angle, (most, least) = rng.uniform(0, np.pi, 20), (rng.uniform(3, 9, 20), rng.uniform(0.5, 2, 20))
    axes = np.stack([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]).transpose(2, 1, 0)
    sizes = (axes * np.log([most, least]).T[:, None]) @ axes.transpose(0, 2, 1)
    spread, (p, q) = (
        a.T for a in spread_and_slant(np.stack([sizes[:, 0, 0], sizes[:, 1, 1], sizes[:, 0, 1]], axis=1))
    )
    shape = np.array([[1 + p, q], [q, 1 - p]])
    covariance = (axes * np.square([most, least]).T[:, None]) @ axes.transpose(0, 2, 1)
    np.testing.assert_allclose((spread**2 * shape).transpose(2, 0, 1), covariance, rtol=1e-6, atol=1e-9)


@pytest.fixture(scope="module", params=[NETWORKS, CLOSER_NETWORKS], ids=["first", "closer"])
def network(request: pytest.FixtureRequest) -> CentreNetworks:
    return CentreNetworks(request.param)


def test_centres_are_where_landmarks_that_mean_the_same_are(network: CentreNetworks) -> None:
    found = network.look(picture(), LANDMARKS)
    assert found.shape == (len(CENTRES), 5) and np.isfinite(found).all()
    off = np.linalg.norm(found[SAME[1], :2] - LANDMARKS[SAME[0]], axis=-1) / HEIGHT
    assert np.median(off) < 0.03 and off.max() < 0.1  # a toe tip of the example, which is hidden: 0.074
    crossed = np.linalg.norm(found[SAME[1], :2] - LANDMARKS[LAYOUT.mirror][SAME[0]], axis=-1) / HEIGHT
    assert np.median(crossed) > 3 * np.median(off)  # no side is exchanged
    assert found[:, 2].min() > 0.3 / about(LANDMARKS).zoom and found[:, 2].max() < 0.05 * HEIGHT


def test_the_mirrored_image_gives_mirrored_centres(network: CentreNetworks) -> None:
    image = picture()
    flip = np.array([image.shape[1] - 1.0, 0.0])
    there = (LANDMARKS * (-1, 1) + flip)[LAYOUT.mirror]
    straight, mirrored = (
        network.look(image, LANDMARKS),
        network.look(np.ascontiguousarray(image[:, ::-1]), there),
    )
    back = mirrored[OTHER_SIDE]
    off = np.linalg.norm(back[:, :2] * (-1, 1) + flip - straight[:, :2], axis=-1)
    assert np.median(off) < 0.015 * HEIGHT and off.max() < 0.05 * HEIGHT
    np.testing.assert_allclose(back[:, 2], straight[:, 2], atol=0.03 * HEIGHT)


def test_twice_the_image_gives_twice_the_places(network: CentreNetworks) -> None:
    image = picture()
    doubled = image.repeat(2, axis=0).repeat(2, axis=1)
    one, two = network.look(image, LANDMARKS), network.look(doubled, 2 * LANDMARKS + 0.5)
    off = np.linalg.norm((two[:, :2] - 0.5) / 2 - one[:, :2], axis=-1)
    assert np.median(off) < 0.005 * HEIGHT and off.max() < 0.03 * HEIGHT
    assert np.median(two[:, 2] / one[:, 2]) == pytest.approx(2.0, abs=0.1)


def test_centres_are_in_the_order_of_the_layout() -> None:
    sides = {"l": "left_", "r": "right_"}
    for name, landmark in zip(CENTRES, WHOLE.landmarks[len(LAYOUT) :], strict=True):
        bare, _, side = name.rpartition("_")
        wanted = f"{sides[side]}centre_{bare}" if side in sides else f"centre_{name}"
        assert landmark == wanted


@pytest.fixture
def unloaded() -> Iterator[None]:
    """The network is loaded again, before and after."""
    centres._session.cache_clear()
    yield
    centres._session.cache_clear()


@pytest.mark.parametrize(
    ("networks", "damaged"), [(each, name) for each in (NETWORKS, CLOSER_NETWORKS) for name in each]
)
def test_a_damaged_network_is_refused(
    unloaded: None, networks: Networks, damaged: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "refiners").mkdir()
    for name in networks:
        data = bytearray(resources.files("mocap").joinpath("refiners", name).read_bytes())
        data[len(data) // 2] ^= name == damaged
        (tmp_path / "refiners" / name).write_bytes(data)
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    with pytest.raises(MocapError, match=f"^{damaged} in this installation is damaged: install mocap again$"):
        CentreNetworks(networks)


def test_without_onnxruntime_the_package_is_named(unloaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DetectError, match=r"^joint centres need onnxruntime: run `pip install onnxruntime`$"):
        CentreNetworks()


@pytest.mark.slow
def test_blazepose_finds_centres_of_everybody_and_of_nobody() -> None:
    image = picture()
    frames = [Frame(0, 0.0, image), Frame(1, 0.1, None), Frame(2, 0.2, np.zeros_like(image))]
    seen, missing, black = BlazePose(alone=True).detect(frames)
    assert seen.centres is not None and seen.centres.shape == (1, len(CENTRES), 5)
    off = np.linalg.norm(seen.centres[0, SAME[1], :2] - seen.points[0, SAME[0]], axis=-1)
    assert np.median(off) < 0.03 * HEIGHT
    for nobody in (missing, black):
        assert nobody.centres is not None and np.isnan(nobody.centres).all()
    region = np.array([[*HIPS, 2.7 * HEIGHT, 0.0]])
    sought = Sought(np.array([0]), np.array([1]), region, Cover.nothing())
    again, *_ = BlazePose().look(frames[:1], sought)
    assert again.centres is not None and np.isnan(again.centres[0]).all()
    assert np.abs(again.centres[1, :, :2] - seen.centres[0, :, :2]).max() < 0.1 * HEIGHT


def detection(index: int, people: int) -> Detection:
    rng = np.random.default_rng(index)
    points, at = rng.uniform(0, 500, (people, 33, 2)), rng.uniform(0, 500, (people, len(CENTRES), 5))
    return Detection(index, index / 30, points, np.full((people, 33), 0.5), None, at)


def test_centres_are_kept_with_more_and_fewer_people(tmp_path: Path) -> None:
    take = Take.create(tmp_path / "take", {}, [])
    given = [detection(t, people) for t, people in enumerate((1, 3, 2, 0, 1, 2))]
    begun = Parts(take, "left", "key", "blazepose33")
    begun.append(0, given[:2])
    begun.append(2, given[2:4])
    resumed = Parts(take, "left", "key", "blazepose33")  # another process goes on
    assert resumed.frames() == 4
    resumed.append(4, given[4:])
    resumed.join((720, 540))
    kept = resumed.read()
    assert isinstance(kept, Keypoints2D) and kept.centres is not None
    assert kept.centres.shape == (6, 3, len(CENTRES), 5)
    for t, one in enumerate(given):
        there = len(one.points)
        np.testing.assert_allclose(kept.centres[t, :there], one.centres, rtol=1e-6)
        assert np.isnan(kept.centres[t, there:]).all()
    assert Parts(take, "left", "other", "blazepose33").read() is None


def test_centres_that_an_older_version_kept_are_refused_with_what_to_do(tmp_path: Path) -> None:
    take = Take.create(tmp_path / "take", {}, [])
    parts = Parts(take, "left", "key", "blazepose33")
    old = np.ones((1, len(CENTRES), 3))
    parts.append(0, [Detection(0, 0.0, np.ones((1, 33, 2)), np.ones((1, 33)), centres=old)])
    parts.join((720, 540))
    with pytest.raises(
        TakeError, match=r"left.keypoints.npz: .* shape \(1, 1, 40, 3\); delete the file and capture"
    ):
        parts.read()


def test_what_was_kept_without_centres_is_read(tmp_path: Path) -> None:
    take = Take.create(tmp_path / "take", {}, [])
    parts = Parts(take, "left", "key", "blazepose33")
    parts.append(0, [Detection(0, 0.0, np.ones((1, 33, 2)), np.ones((1, 33)))])
    parts.join((720, 540))
    assert "centres" not in take.read_arrays(keypoints_file("left"))
    kept = parts.read()
    assert kept is not None and kept.centres is None
