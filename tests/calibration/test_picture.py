"""The rig as PNG and as a page: to scale, legible, and safe whatever the cameras are called."""

from __future__ import annotations

import io
import json
import re
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from calibration import Cameras
from calibration.drawing.page import rig_html, write_page
from calibration.drawing.picture import ABOVE, FRONT, _ellipse, draw, picture, rig_figure, turned
from calibration.drawing.scene import arrange
from calibration.errors import FileError
from tests.calibration.synthetic import camera, ring

EVIL = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def figure() -> Figure:
    drawn = rig_figure(arrange(ring(12, 5.0), points=np.eye(3), sd=np.full((12, 3), 0.004)), "Rig " * 99)
    drawn.savefig(io.BytesIO(), format="png")
    return drawn


def metre(figure: Figure, panel: int) -> np.ndarray:
    """(2,) pixels a metre along x and y of a panel."""
    ends = figure.axes[panel].transData.transform([[0, 0], [1, 1]])
    return np.asarray(ends[1] - ends[0])


@pytest.mark.slow
def test_panels_are_to_one_scale(figure: Figure) -> None:
    assert metre(figure, 0) == pytest.approx(np.full(2, metre(figure, 0)[0]))
    assert metre(figure, 1) == pytest.approx(metre(figure, 0))
    assert metre(figure, 2)[0] == pytest.approx(metre(figure, 2)[1])
    left = [figure.axes[panel].transData.transform((0, 0))[0] for panel in (0, 1)]
    assert left[0] == pytest.approx(left[1])  # so that one panel can be read below the other


@pytest.mark.slow
def test_cameras_stand_where_they_should_from_above_and_in_front(figure: Figure) -> None:
    centres = np.stack([one.centre for one in ring(12, 5.0)])
    for panel, columns in ((0, centres[:, [0, 2]] * [1, -1]), (1, centres[:, :2])):
        dots = [line.get_xydata() for line in figure.axes[panel].lines if line.get_marker() == "o"]
        found = np.concatenate(dots)
        assert found[np.lexsort(found.T)] == pytest.approx(columns[np.lexsort(columns.T)])


@pytest.mark.slow
def test_names_are_inside_and_clear_of_each_other(figure: Figure) -> None:
    for panel in figure.axes:
        boxes = [text.get_window_extent() for text in panel.texts if text.get_text().startswith("cam")]
        assert len(boxes) == 12
        assert not [1 for one, other in combinations(boxes, 2) if one.overlaps(other)]
        assert all(panel.bbox.contains(*box.p0) and panel.bbox.contains(*box.p1) for box in boxes)


@pytest.mark.slow
def test_words_are_on_the_paper_and_clear_of_each_other(figure: Figure) -> None:
    boxes = [text.get_window_extent() for text in figure.texts]
    assert not [1 for one, other in combinations(boxes, 2) if one.overlaps(other)]
    assert all(figure.bbox.contains(*box.p0) and figure.bbox.contains(*box.p1) for box in boxes)


def test_what_is_nearest_to_the_reader_is_drawn_last() -> None:
    for basis in (ABOVE, FRONT, turned(0.3, 0.4)):
        assert basis @ basis.T == pytest.approx(np.eye(3))
        assert np.linalg.det(basis) == pytest.approx(1)
    assert turned(0, 0) == pytest.approx(FRONT)
    assert turned(0, np.pi / 2) == pytest.approx(ABOVE)


def test_ellipse_is_the_shadow_of_the_ellipsoid() -> None:
    sd = np.array([0.3, 0.1, 0.2])
    assert _ellipse(ABOVE, sd)[:2] == pytest.approx((0.3, 0.2))
    assert _ellipse(FRONT, np.array([0.1, 0.3, 9.0])) == pytest.approx((0.3, 0.1, 90.0))
    wide, narrow, angle = _ellipse(turned(0.7, 0.5), sd)
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(200_000, 3)) * sd @ turned(0.7, 0.5)[:2].T
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    spread = [float(np.std(flat @ way)) for way in (along, along[::-1] * [-1, 1])]
    assert spread == pytest.approx([wide, narrow], rel=0.01)  # five times the scatter of 200,000 samples


@pytest.mark.slow
def test_picture_is_the_same_each_time_and_names_are_no_formulas(tmp_path: Path) -> None:
    cameras = Cameras((camera("$x^"), camera("Küche " * 9, (1, 1, 3)), camera(EVIL, (2, 1, 2))))
    draw(cameras, tmp_path / "rig.png", floor=False, title="$ {")
    data = (tmp_path / "rig.png").read_bytes()
    assert data == picture(arrange(cameras, floor=False), "$ {")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (900, 1500, 3)
    blue = np.all(image == (0xB2, 0x72, 0x00), axis=-1)  # the first camera's, in each panel and the legend
    assert cv2.connectedComponents(blue.astype(np.uint8))[0] > 4


def scene_in(page: str) -> dict:
    found = re.search(r'<script id="scene" type="application/json">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


def test_page_holds_the_rig(tmp_path: Path) -> None:
    cameras = ring(3)
    sd = [[0.001, 0.002, 0.003], [np.nan] * 3, [0, 0, 0]]
    write_page(cameras, tmp_path / "rig.html", points=[[0.1, 0, 0.2]], sd=sd, errors_px=[1, np.nan, 3])
    page = (tmp_path / "rig.html").read_text(encoding="utf-8")
    held = scene_in(page)
    assert [one["name"] for one in held["cameras"]] == list(cameras.names)
    assert held["cameras"][1]["centre"] == pytest.approx(cameras[1].centre, abs=1e-4)
    assert [one["sd"] for one in held["cameras"]] == [sd[0], None, None]
    assert held["points"] == [[0.1, 0, 0.2]]
    assert f"<td>{np.linalg.norm(cameras[0].centre - cameras[1].centre):.3f}</td>" in page
    assert "%" + "SCENE%" not in page and not re.search(r"%[A-Z]+%", page)


def test_page_loads_nothing() -> None:
    page = rig_html(arrange(ring()))
    assert not re.search(r"https?:|//\w+\.|\bsrc=|@import|url\(|fetch\(", page)


def test_names_cannot_break_out_of_the_page() -> None:
    cameras = Cameras((camera(EVIL), camera("%CAMERAS%", (1, 1, 3))))
    page = rig_html(arrange(cameras), title="<b>&")
    assert "<img" not in page and "<b>" not in page
    assert "&lt;b&gt;&amp;" in page
    assert [one["name"] for one in scene_in(page)["cameras"]] == [EVIL, "%CAMERAS%"]
    assert page.count("<table>") == 2


@pytest.mark.parametrize("write", [draw, write_page])
def test_place_that_cannot_be_written_is_refused(write, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        write(ring(2), tmp_path / "nowhere" / "rig")
    assert not list(tmp_path.iterdir())
