"""What a picture of a rig shows, before it is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from calibration import Cameras
from calibration.drawing.scene import arrange, distances, remarks
from tests.calibration.synthetic import camera, ring

FISHEYE = (0.05, 0.01, 0.0, 0.0)


def test_frusta_look_where_the_cameras_do() -> None:
    cameras = ring()
    scene = arrange(cameras)
    assert scene.centres == pytest.approx(np.stack([one.centre for one in cameras]))
    for one, frustum in zip(cameras, scene.frusta, strict=True):
        width, height = one.size
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
        assert one.project(frustum) == pytest.approx(corners, abs=1e-3)
    assert np.ptp(np.linalg.norm(scene.frusta - scene.centres[:, None], axis=-1)) == pytest.approx(
        0, abs=1e-9
    )


def test_top_of_the_picture_is_drawn_on_top() -> None:
    top_left, top_right, bottom_right, bottom_left = arrange(ring(1)).frusta[0]
    assert top_left[1] > bottom_left[1] and top_right[1] > bottom_right[1]


def test_lens_without_rays_in_its_corners_has_a_frustum_all_the_same() -> None:
    """Strong barrel distortion folds over before the corners are reached."""
    folding = camera(distortion=(-0.9, 0.0, 0.0, 0.0))
    assert np.isnan(folding.rays([[-0.5, -0.5]])).any()
    assert np.isfinite(arrange(Cameras((folding,))).frusta).all()
    assert np.isfinite(arrange(Cameras((camera(distortion=FISHEYE, model="fisheye"),))).frusta).all()


def test_box_holds_everything_and_lies_on_the_grid() -> None:
    rng = np.random.default_rng(1)
    scene = arrange(ring(), points=rng.uniform(-1, 1, (50, 3)))
    for things in (scene.centres, scene.frusta, scene.points):
        assert np.all(things >= scene.low) and np.all(things <= scene.high)
    lines = np.stack([scene.low, scene.high])[:, [0, 2]] / scene.step
    assert lines == pytest.approx(np.round(lines))


def test_lone_wild_points_do_not_shrink_the_picture() -> None:
    tracks = np.random.default_rng(2).uniform(-1, 1, (400, 3)) * [1, 0.05, 1]
    wild = np.concatenate([tracks, [[300.0, 0.0, 0.0], [0.0, np.nan, 0.0]]])
    calm, stirred = arrange(ring(), points=tracks), arrange(ring(), points=wild)
    assert stirred.high == pytest.approx(calm.high, abs=2 * calm.step)
    assert len(stirred.points) == len(calm.points) == 400


def test_many_points_are_thinned() -> None:
    points = np.random.default_rng(3).uniform(-1, 1, (20, 1000, 3))
    shown = arrange(ring(), points=points).points
    assert 1000 < len(shown) <= 3000


@pytest.mark.parametrize(
    ("sd", "enlarged"), [(1e-4, 2000.0), (0.004, 50.0), (0.03, 10.0), (0.06, 5.0), (0.2, 1.0), (3.0, 1.0)]
)
def test_error_bars_are_enlarged_by_a_round_number_until_visible(sd: float, enlarged: float) -> None:
    scene = arrange(ring(), sd=np.full((4, 3), sd))
    assert scene.enlarged == enlarged
    told = [line for line in remarks(scene) if "times as large" in line]
    assert bool(told) == (enlarged > 1)


def test_unknown_and_fixed_places_have_no_ellipse() -> None:
    scene = arrange(ring(), sd=[[np.nan] * 3, [0, 0, 0], [0.01, np.nan, 0.01], [0.01, 0.0, 0.01]])
    assert [scene.unsure(view) for view in range(4)] == [False, False, False, True]
    assert dict(scene.facts[1])["place"] == "held"
    assert "place" not in dict(scene.facts[0])
    assert len(remarks(arrange(ring()))) == 1


def test_facts_are_those_given() -> None:
    scene = arrange(
        ring(2), errors_px=[0.254, np.nan], offsets=[-0.12, None], sd=[[0.003, 0.0, 0.004], [0.3, 0.0, 0.4]]
    )
    height = ("height", "1.60 m")
    assert scene.facts[0][:4] == (("error", "0.254 px"), ("place", "± 5 mm"), ("time", "-120.0 ms"), height)
    assert dict(scene.facts[1])["place"] == "± 0.5 m"
    assert not {"error", "time"} & dict(scene.facts[1]).keys()


def test_field_of_view_is_that_of_the_matrix() -> None:
    scene = arrange(Cameras((camera(distortion=()),)))  # 720 px at a focal length of 620: 60.3 degrees
    assert dict(scene.facts[0])["sees"] == "60°"


def test_distances_are_those_between_the_centres() -> None:
    cameras = ring()
    found = distances(arrange(cameras))
    assert found[0, 2] == pytest.approx(float(np.linalg.norm(cameras[0].centre - cameras[2].centre)))
    assert found == pytest.approx(found.T) and not found.diagonal().any()


@pytest.mark.parametrize("floor", [True, False])
def test_one_camera_alone_can_be_drawn(floor: bool) -> None:
    scene = arrange(ring(1), floor=floor)
    assert np.all(scene.high >= scene.low) and scene.step > 0
    assert (scene.low[1] == 0) == floor


@pytest.mark.parametrize(
    ("what", "value"),
    [("sd", np.zeros((3, 3))), ("errors_px", [1.0]), ("offsets", [0.0] * 5), ("points", np.zeros((4, 2)))],
)
def test_shapes_that_do_not_fit_are_refused(what: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{what}: must"):
        arrange(ring(), **{what: value})  # type: ignore[arg-type]
