"""Detection through real processes: results are kept, go on after a stop, and failures are one line."""

from __future__ import annotations

import logging
import multiprocessing
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from mocap.config import View
from mocap.detect import DETECTORS, crew, detector, worker
from mocap.detect.base import Detection, Sought
from mocap.detect.blazepose import BlazePose
from mocap.detect.cover import Cover
from mocap.detect.follow import GREY
from mocap.detect.given import Given
from mocap.detect.parts import keypoints_file, read_keypoints
from mocap.detect.run import detect_views, look_again
from mocap.detect.worker import Job, detect_view, look_view, read_ahead
from mocap.errors import DetectError, TakeError, VideoError
from mocap.keypoints import Keypoints2D
from mocap.system import missing_library
from mocap.take import Take
from mocap.video import Frame, read_frames
from tests.mocap import films


class Told:
    """Counts, and does something when a view has got somewhere."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.total: int | None = -1
        self.frames: dict[str, int] = {}
        self.over = False
        self.then = then

    def start(self, total: int | None) -> None:
        self.total = total

    def advance(self, view: str, frames: int) -> None:
        self.frames[view] = self.frames.get(view, 0) + frames
        if self.frames[view] >= 8:
            self.then()

    def done(self) -> None:
        self.over = True


def give(video: Path, frames: int, seed: int = 0) -> np.ndarray:
    """Write keypoints beside a video; the third landmark is never seen."""
    points = np.random.default_rng(seed).uniform(0, 60, (frames, 17, 2))
    points[:, 2] = np.nan
    arrays = {"points": points, "confidence": np.full((frames, 17), 0.5)}
    np.savez(video.with_suffix(".keypoints.npz"), layout="coco17", **arrays)
    return points


@pytest.fixture
def views(tmp_path: Path) -> list[View]:
    made = []
    for i, (name, frames) in enumerate({"left": 40, "right": 24}.items()):
        video = films.write(tmp_path / f"{name}.mp4", frames, size=(96 + 16 * i, 64))
        give(video, frames, i)
        made.append(View(name, video))
    return made


@pytest.fixture
def take(tmp_path: Path) -> Take:
    return Take.create(tmp_path / "take", {}, [])


def check(found: dict[str, Keypoints2D], views: list[View]) -> None:
    assert list(found) == [v.name for v in views]
    for view in views:
        given = np.load(view.video.with_suffix(".keypoints.npz"))["points"]
        keypoints = found[view.name]
        # Kept as float32: 60 px to 2**-18 px.
        np.testing.assert_allclose(keypoints.points[:, 0], given, atol=2**-18)
        assert (keypoints.confidence[:, 0, 2] == 0).all()
        np.testing.assert_allclose(keypoints.times, np.arange(len(given)) / 30)
        assert (keypoints.size, keypoints.layout.name) == ((96 if view.name == "left" else 112, 64), "coco17")


def test_all_views_then_nothing_to_do(views: list[View], take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    check(detect_views(views, "given", take=take, progress=told), views)
    assert (told.total, told.frames, told.over) == (64, {"left": 40, "right": 24}, True)
    assert not list(take.folder.rglob("*.parts/*")) and not list(take.folder.rglob("*.log"))
    again = Told()
    check(detect_views(views, "given", take=take, progress=again), views)
    assert again.total == -1  # not even begun
    give(views[1].video, 24, 7)  # another version of the detector's input: that view alone is done again
    check(detect_views(views, "given", take=take, progress=again), views)
    assert again.frames == {"right": 24}


def test_interrupt_keeps_what_was_found_and_goes_on_there(views: list[View], take: Take) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    told = Told(interrupt)
    with pytest.raises(KeyboardInterrupt):
        detect_views(views, "given", take=take, progress=told)
    assert told.over and not multiprocessing.active_children()
    assert list(take.folder.rglob("*.parts/*.npz"))
    check(detect_views(views, "given", take=take), views)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_interrupt_while_processes_start_is_the_parents_alone(
    views: list[View], take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, started = crew._started, []

    def start(stderr: Path) -> crew._Worker:
        started.append(real(stderr))
        signal.raise_signal(signal.SIGINT)
        blocked = re.search(r"SigBlk:\s+(\w+)", Path(f"/proc/{started[-1].process.pid}/status").read_text())
        assert blocked and int(blocked.group(1), 16) & 1 << (signal.SIGINT - 1)
        return started[-1]

    monkeypatch.setattr(crew, "_started", start)
    with pytest.raises(KeyboardInterrupt):
        detect_views(views, "given", take=take, workers=2)
    assert len(started) == 2 and not multiprocessing.active_children()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())
    monkeypatch.undo()
    check(detect_views(views, "given", take=take), views)


def test_a_crew_stays_for_the_next_jobs_and_ends(
    views: list[View], take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, started = crew._started, []

    def start(stderr: Path) -> crew._Worker:
        started.append(real(stderr))
        return started[-1]

    monkeypatch.setattr(crew, "_started", start)
    with crew.Crew(take) as those:
        check(detect_views(views[:1], "given", take=take, workers=2, crew=those), views[:1])
        assert len(started) == 1
        those.warm(2)
        assert len(started) == 2
        check(detect_views(views, "given", take=take, workers=2, crew=those), views)
        assert len(started) == 2
        assert all(each.process.is_alive() for each in started)
    assert not any(each.process.is_alive() for each in started)
    assert not any(each.stderr.exists() for each in started)


def test_killed_process_is_one_line(views: list[View], take: Take) -> None:
    def kill() -> None:
        for child in multiprocessing.active_children():
            child.kill()

    wrong = Told(kill)
    with pytest.raises(
        DetectError, match=r"view left: the process .* killed by signal 9 .out of memory"
    ) as caught:
        detect_views(views[:1], "given", take=take, progress=wrong, workers=1)
    assert "\n" not in str(caught.value)
    check(detect_views(views, "given", take=take), views)


def test_failing_view_is_named(views: list[View], take: Take) -> None:
    give(views[1].video, 20)
    with pytest.raises(
        DetectError, match=r"view right: .*right.keypoints.npz: keypoints of 20 frames, but the"
    ):
        detect_views(views, "given", take=take, workers=1)
    give(views[1].video, 24)
    check(detect_views(views, "given", take=take), views)


def test_cut_off_view_is_refused_or_goes_on_as_it_is(
    tmp_path: Path, views: list[View], take: Take, caplog: pytest.LogCaptureFixture
) -> None:
    video = films.write(tmp_path / "cut.mkv", 60)
    video.write_bytes(video.read_bytes()[: int(video.stat().st_size * 0.6)])
    give(video, 60)
    all_views = [*views, View("cut", video)]
    with pytest.raises(DetectError, match=r"view cut: .*unreadable after frame .*--incomplete"):
        detect_views(all_views, "given", take=take)
    with caplog.at_level(logging.WARNING, "mocap"):
        found = detect_views(all_views, "given", take=take, incomplete=True)
    assert 20 < len(found["cut"]) < 50 and len(found["left"]) == 40
    assert "view cut: cut.mkv: unreadable after frame" in caplog.text


def test_unreadable_view_is_refused(views: list[View], take: Take) -> None:
    views[1].video.write_text("no video")
    with pytest.raises(VideoError, match=r"right.mp4: not a video"):
        detect_views(views, "given", take=take)


def test_damaged_keypoints_are_made_again(
    views: list[View], take: Take, caplog: pytest.LogCaptureFixture
) -> None:
    detect_views(views, "given", take=take)
    take.path(keypoints_file("left")).write_bytes(b"half")
    check(detect_views(views, "given", take=take), views)
    assert "detected again" in caplog.text


def test_parts_are_joined_and_a_damaged_part_is_made_again(
    views: list[View], take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "PART", 7)
    job = Job("left", views[0].video, "given", take, "key")
    done = 0

    def stop_late(kind: str, frames: object) -> None:
        nonlocal done
        done += int(str(frames))
        if done == 32:
            raise worker._Gone

    with pytest.raises(worker._Gone):
        detect_view(job, stop_late)
    parts = sorted(p.name for p in take.folder.rglob("*.parts/*"))
    assert parts == [f"{n:09d}.npz" for n in (0, 7, 14, 21, 28)]
    take.path("views/left.parts/000000014.npz").write_bytes(b"half")
    told: list[object] = []
    detect_view(job, lambda kind, what: told.append(what))
    assert told == [14, 4, 4, 4, 4, 4, 4, 2]
    check({"left": take_keypoints(take)}, views[:1])


def take_keypoints(take: Take) -> Keypoints2D:
    from mocap.detect.parts import read_keypoints

    return read_keypoints(take, "left")


def test_missing_keypoints_name_the_file(take: Take) -> None:
    with pytest.raises(TakeError, match=r"left.keypoints.npz is missing: run"):
        take_keypoints(take)


def test_unknown_detector_lists_the_known() -> None:
    with pytest.raises(DetectError, match="no detector 'openpose'; there are: blazepose, given"):
        detector("openpose", "a.mp4")
    assert all(":" in target for target in DETECTORS.values())


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "lacks 'layout'"),
        ({"layout": "coco17", "points": np.zeros((3, 17, 2))}, "lacks 'confidence'"),
        ({"layout": "coco9", "points": np.zeros(1), "confidence": np.zeros(1)}, "no keypoint layout 'coco9'"),
        (
            {"layout": "coco17", "points": np.zeros((3, 9, 2)), "confidence": np.zeros((3, 9))},
            r"needs points",
        ),
    ],
)
def test_wrong_given_keypoints(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    np.savez(tmp_path / "a.keypoints.npz", **arrays)
    with pytest.raises(DetectError, match=rf"a.keypoints.npz: .*{message}"):
        detector("given", tmp_path / "a.mp4")
    with pytest.raises(DetectError, match=r"no keypoints given for b.mp4"):
        detector("given", tmp_path / "b.mp4")


def test_reading_ahead_gives_the_same_and_stops_its_thread() -> None:
    frames = [Frame(i, i / 30, None) for i in range(20)]
    assert list(read_ahead(iter(frames), 3)) == frames
    before = threading.active_count()
    ahead = read_ahead(iter(frames), 3)
    next(ahead)
    ahead.close()  # type: ignore[attr-defined]
    for thread in threading.enumerate()[before:]:
        thread.join(2)
    assert threading.active_count() <= before


def test_reading_ahead_passes_errors_on(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no such file"):
        list(read_ahead(read_frames(tmp_path / "gone.mp4"), 2))


def test_missing_libraries_name_the_packages() -> None:
    error = ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
    assert missing_library("BlazePose", error).endswith("run `apt-get install libgl1 libglib2.0-0`")
    assert "mediapipe==" in missing_library("BlazePose", ImportError("No module named 'mediapipe'"))


class Looking(Given):
    """Sees, where somebody is sought, a body about the middle of the region."""

    def look(self, frames: Iterable[Frame], sought: Sought) -> Iterator[Detection]:
        """Give a point a lane, all landmarks alike."""
        for frame in frames:
            points = np.full((int(sought.lanes.max()) + 1, 17, 2), np.nan)
            for n in np.flatnonzero(sought.frames == frame.index):
                points[sought.lanes[n]] = sought.regions[n, :2]
            confidence = np.where(np.isfinite(points[..., 0]), 0.7, 0.0)
            yield Detection(frame.index, frame.time, points, confidence)


def somebody(frames: list[int]) -> Sought:
    count = len(frames)
    regions = np.tile([20.0, 30.0, 16.0, 0.0], (count, 1)) + np.arange(count)[:, None] * [1, 0, 0, 0]
    return Sought(np.array(frames), np.ones(count, int), regions, Cover.nothing())


def test_looking_again_keeps_the_frames_from_the_first_to_the_last(
    views: list[View], take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "detector", lambda name, video, alone: Looking(video))
    told = Told()
    job = Job("left.again", views[0].video, "given", take, "key", sought=somebody([5, 6, 9]))
    look_view(job, lambda kind, what: told.advance(kind, int(str(what))))
    found = read_keypoints(take, "left.again")
    assert len(found) == 5 and found.people == 2 and told.frames == {"advance": 5}
    np.testing.assert_allclose(found.times, np.arange(5, 10) / 30)
    np.testing.assert_allclose(found.points[[0, 1, 4], 1, 0], [[20, 30], [21, 30], [22, 30]])
    assert not found.confidence[[2, 3]].any() and not found.confidence[:, 0].any()


def test_looking_again_asks_detectors_that_can(views: list[View], take: Take) -> None:
    sought = {"left": somebody([5])}
    assert look_again(views, sought, "given", take=take) == {}
    assert look_again(views, {}, "blazepose", take=take) == {}


def test_a_cover_paints_over_who_is_before_somebody() -> None:
    """Later strokes lie over earlier ones, and a stroke of 0 shows the image again."""
    image = np.full((40, 60, 3), 200, np.uint8)
    strokes = np.array([[0, 20, 59, 20, 9, 1], [30, 0, 30, 39, 9, 0], [30, 30, 59, 30, 3, 1]], float)
    cover = Cover(strokes, np.array([1, 1, 1]))
    np.testing.assert_array_equal(cover.over(image, 0), image)
    painted = cover.over(image, 1)
    assert painted[20, 5, 0] == GREY and painted[20, 30, 0] == 200 and painted[30, 30, 0] == GREY
    assert painted[5, 5, 0] == 200 and image.min() == 200


@pytest.mark.slow
def test_blazepose_sees_nobody_where_nobody_is(tmp_path: Path) -> None:
    video = films.write(tmp_path / "a.mp4", 4)
    frames = [*read_frames(video), Frame(4, 0.2, None)]
    found = list(BlazePose().detect(frames))
    assert [(d.index, d.time) for d in found] == [(f.index, f.time) for f in frames]
    for detection in found:
        assert np.isnan(detection.points).all() and (detection.confidence == 0).all()
