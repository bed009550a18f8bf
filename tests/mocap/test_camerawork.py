"""How a camera turns: films of a painted wall far away, whose turns are known."""

import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from threading import Event

import av
import cv2
import numpy as np
import pytest
from av.video.stream import VideoStream

from mocap.camerawork import Camerawork, boxes_of, steadied, watch
from mocap.filming import film_of, filming
from mocap.keypoints import load_layout
from mocap.lens import camera_with_field_of_view
from mocap.observations import Observations
from mocap.video import probe
from rigs import quat

SIZE = (360, 240)
FRAMES, FPS = 45, 30
CAMERA = camera_with_field_of_view("cam", SIZE, None)
TIMES = np.arange(FRAMES) / FPS
NOBODY = np.full((FRAMES, 1, 4), np.nan)
K = CAMERA.K


def painting(seed: int) -> np.ndarray:
    """Blobs of all sizes."""
    noise = np.random.default_rng(seed).uniform(0, 255, (600, 900, 3)).astype(np.float32)
    image = cv2.GaussianBlur(noise, (0, 0), 4)
    return np.clip(128 + 8 * (image - 128), 0, 255).astype(np.uint8)


def film(path: Path, images: Sequence[np.ndarray]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for image in images:
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def looked(turn: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """What a camera sees of a wall far away: `turn` (3, 3), the world from its axes."""
    middle = np.array([[1, 0, 450 - K[0, 2]], [0, 1, 300 - K[1, 2]], [0, 0, 1.0]])
    return np.asarray(cv2.warpPerspective(wall, np.linalg.inv(middle @ K @ turn @ np.linalg.inv(K)), SIZE))


def turns(degrees: float) -> np.ndarray:
    """To the right by so many, down by a quarter and rolled by a fifth of it, (T, 3, 3)."""
    axis = np.deg2rad(degrees) * np.array([0.25, 1.0, 0.2])
    return np.asarray(quat.to_matrix(quat.from_rotvec(np.linspace(0, 1, FRAMES)[:, None] * axis)))


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees between rotations."""
    cosine = (np.trace(a.swapaxes(-1, -2) @ b, axis1=-2, axis2=-1) - 1) / 2
    return np.asarray(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Camerawork:
    wall = painting(1)
    path = film(tmp_path_factory.mktemp("film") / "turned.mp4", [looked(t, wall) for t in turns(12.0)])
    return watch(film_of(probe(path)), CAMERA, NOBODY, TIMES)


def test_turns_are_found(turned: Camerawork) -> None:
    found, true = turned.at(TIMES), turns(12.0)
    assert turned.moves
    assert turned.agreement > 0.9
    assert np.rad2deg(turned.range) == pytest.approx(12.0 * np.hypot(1.0, 0.25), abs=0.5)
    assert apart(true[:1].swapaxes(1, 2) @ true, found[:1].swapaxes(1, 2) @ found).max() < 0.4


def test_turns_are_about_their_mean(turned: Camerawork) -> None:
    found = turned.at(TIMES)
    u, _, vt = np.linalg.svd(found.mean(axis=0))
    assert apart(u @ vt, np.eye(3)) < 1e-3


def test_a_still_camera_does_not_move_though_somebody_does(tmp_path: Path) -> None:
    wall, images, boxes = looked(np.eye(3), painting(1)), [], NOBODY.copy()
    for t in range(FRAMES):
        image, left = wall.copy(), 20 + 4 * t
        image[40:220, left : left + 60] = painting(2)[100:280, 100:160]
        images.append(image)
        boxes[t, 0] = left, 40, left + 60, 220
    assert not watch(film_of(probe(film(tmp_path / "still.mp4", images))), CAMERA, boxes, TIMES).moves


def test_a_camera_that_is_carried_past_things_does_not_only_turn(tmp_path: Path) -> None:
    far, near, images = painting(1), painting(2), []
    for t, turn in enumerate(turns(12.0)):
        image = looked(turn, far)
        image[120:] = near[200:320, 400 - 5 * t : 760 - 5 * t]
        images.append(image)
    found = watch(film_of(probe(film(tmp_path / "carried.mp4", images))), CAMERA, NOBODY, TIMES)
    assert found.moves
    assert found.agreement < 0.75


def test_what_a_turning_camera_saw_is_put_where_a_still_one_would_have_seen_it() -> None:
    layout, known = load_layout("blazepose33"), turns(20.0)
    points = np.random.default_rng(0).uniform((-1, -1, 4), (1, 1, 6), (FRAMES, len(layout), 3))
    pixels = CAMERA.project(points @ known)
    pixels[:, 3] = np.nan
    confidence = np.isfinite(pixels).all(axis=-1) * 0.9
    seen = Observations(("cam",), layout, pixels[None], confidence[None], Fraction(FPS))
    still = steadied(seen, CAMERA, known)
    there = np.isfinite(pixels)
    assert np.abs(still.pixels[0] - CAMERA.project(points))[there].max() < 1e-6
    assert np.isnan(still.pixels[0][~there]).all()
    assert (still.confidence[0][:, 3] == 0).all()
    box = boxes_of([seen])[0, 0]
    assert np.allclose(box, [*np.nanmin(pixels[0], axis=0), *np.nanmax(pixels[0], axis=0)])


def test_a_film_that_is_watched_beside_is_the_same_and_ends_when_nobody_asks(tmp_path: Path) -> None:
    wall = painting(1)
    video = probe(film(tmp_path / "turned.mp4", [looked(t, wall) for t in turns(12.0)]))
    with filming(video) as seen:
        beside = seen()
    alone = film_of(video)
    assert len(beside.steps) == len(alone.steps) == 15
    for one, other in zip(beside.steps, alone.steps, strict=True):
        np.testing.assert_array_equal(one.after, other.after)
    ended = Event()
    ended.set()
    assert film_of(video, ended).steps == []


def test_edges_of_people_are_left_out(tmp_path: Path) -> None:
    images = [np.full((SIZE[1], SIZE[0], 3), 60, np.uint8) for _ in range(FRAMES)]
    for image in images:
        cv2.rectangle(image, (20, 40), (90, 200), (200, 200, 200), -1)
        cv2.rectangle(image, (220, 60), (320, 180), (200, 200, 200), -1)
    boxes = np.tile([230.0, 70.0, 310.0, 170.0], (FRAMES, 1, 1))
    seen = film_of(probe(film(tmp_path / "boards.mp4", images)))
    everything, around = (watch(seen, CAMERA, b, TIMES).edges for b in (NOBODY, boxes))
    assert everything is not None
    assert around is not None
    assert len(everything) == 2 * len(around) == 3 * 8
    assert around.ends[..., 0].max() < 0


def test_opencv_is_there_before_the_thread_that_watches() -> None:
    """While it is imported, processes that others start find its folder on their path, and die."""
    code = (
        "import sys, mocap.filming as filming; seen = []\n"
        "filming.film_of = lambda video, ended: seen.append('cv2' in sys.modules)\n"
        "assert 'cv2' not in sys.modules\n"
        "with filming.filming(None) as told: told()\n"
        "assert seen == [True], seen"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
