"""Frames come at their own times and upright; damage costs frames and never the rest."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mocap.errors import VideoError
from mocap.rates import snap_rate
from mocap.video import probe, read_frames, sha256
from tests.mocap import films


def bar(image: np.ndarray) -> float:
    """Left edge of the bar, pixels, from the mean of the lower half; infinite where there is none."""
    bright = np.flatnonzero(image[image.shape[0] // 2 :].mean(axis=(0, 2)) > 120)
    return float(bright[0]) if len(bright) else np.inf


@pytest.mark.parametrize("kind", ["mp4", "mkv", "avi", "ts"])
def test_frames_are_in_order_at_their_times(tmp_path: Path, kind: str) -> None:
    path = films.write(tmp_path / f"a.{kind}", codec="mpeg4" if kind == "avi" else "libx264")
    info, frames = probe(path), list(read_frames(path))
    assert (info.size, info.fps, info.variable, info.rotation) == (films.SIZE, 30, False, 0)
    assert info.frames in (40, None)
    assert [f.index for f in frames] == list(range(40))
    # Matroska counts in milliseconds.
    np.testing.assert_allclose([f.time for f in frames], np.arange(40) / 30, atol=1.01e-3)
    for frame in frames:
        assert frame.image is not None
        assert abs(bar(frame.image) - 2 * frame.index) <= 1


def test_start_and_stop_give_the_same_frames(tmp_path: Path) -> None:
    path = films.write(tmp_path / "a.mp4")
    whole, part = list(read_frames(path)), list(read_frames(path, 13, 17))
    assert [(f.index, f.time) for f in part] == [(f.index, f.time) for f in whole[13:17]]
    assert all((a.image == b.image).all() for a, b in zip(part, whole[13:17], strict=True))


@pytest.mark.parametrize(
    "fps", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(25), Fraction(60000, 1001)]
)
@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_exact_rates(tmp_path: Path, fps: Fraction, kind: str) -> None:
    info = probe(films.write(tmp_path / f"a.{kind}", fps=fps))
    assert (info.fps, info.variable) == (fps, False)


def test_snapping_keeps_an_odd_rate() -> None:
    assert snap_rate(Fraction(29971, 1000)) == Fraction(30000, 1001)
    assert snap_rate(Fraction(299999, 10000)) == 30
    assert snap_rate(Fraction(277, 10)) == Fraction(277, 10)


def test_variable_rate_keeps_the_stamps(tmp_path: Path) -> None:
    steps = np.ones(39, dtype=int) * 20
    steps[[5, 6, 20]] = 40, 27, 60
    stamps = np.concatenate([[100], 100 + np.cumsum(steps)])
    path = films.write(tmp_path / "a.mp4", stamps=stamps.tolist(), tick=Fraction(1, 600))
    info = probe(path)
    assert (info.variable, info.fps) == (True, 30)
    np.testing.assert_allclose([f.time for f in read_frames(path)], (stamps - 100) / 600, atol=1e-9)


# The matrix sends x to (a, b) and y to (c, d), y down; the bright corner is top left before.
TURNS = [
    ((1, 0, 0, 1), 0, False, "top left"),
    ((0, 1, -1, 0), 90, False, "top right"),
    ((-1, 0, 0, -1), 180, False, "bottom right"),
    ((0, -1, 1, 0), 270, False, "bottom left"),
    ((-1, 0, 0, 1), 0, True, "top right"),
    ((0, 1, 1, 0), 90, True, "top left"),
]


@pytest.mark.parametrize(("matrix", "rotation", "mirrored", "corner"), TURNS)
def test_turned_upright(
    tmp_path: Path, matrix: tuple[int, int, int, int], rotation: int, mirrored: bool, corner: str
) -> None:
    path = films.write(tmp_path / "a.mp4", frames=12)
    films.turn(path, *matrix)
    info = probe(path)
    assert (info.rotation, info.mirrored) == (rotation, mirrored)
    image = list(read_frames(path))[10].image
    assert image is not None
    assert image.shape[1::-1] == info.size == (films.SIZE if rotation % 180 == 0 else films.SIZE[::-1])
    corners = {
        "top left": image[2:8, 2:8],
        "top right": image[2:8, -8:-2],
        "bottom left": image[-8:-2, 2:8],
        "bottom right": image[-8:-2, -8:-2],
    }
    assert max(corners, key=lambda c: float(corners[c].mean())) == corner


@pytest.mark.parametrize("kind", ["mp4", "ts"])
def test_damage_in_the_middle_leaves_empty_frames(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    path = films.write(tmp_path / f"a.{kind}", frames=80)
    films.damage(path, 0.40, 0.48)
    frames = list(read_frames(path))
    empty = [f.index for f in frames if f.image is None]
    assert 0 < len(empty) < 30
    assert all(20 < i < 60 for i in empty)
    # Every picture is at its own time; the one in which the damage begins may decode, spoiled in part.
    shown = [f for f in frames if f.image is not None]
    off = [f.index for f in shown if abs(bar(f.image) - (2 * round(f.time * 30)) % 88) > 1]
    assert off in ([], [empty[0] - 1])
    assert frames[-1].time == pytest.approx(79 / 30)
    assert "cannot be decoded" in caplog.text


def test_cut_off_file_keeps_what_was_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = films.write(tmp_path / "a.mkv", frames=80)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    with caplog.at_level(logging.WARNING):
        frames = list(read_frames(path))
    assert 30 < len(frames) < 60
    assert "unreadable after frame" in caplog.text


def test_whole_files_warn_of_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for kind in ("mp4", "mkv", "ts"):
        list(read_frames(films.write(tmp_path / f"a.{kind}")))
    assert not caplog.records


def test_cut_off_header(tmp_path: Path) -> None:
    path = films.write(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    with pytest.raises(VideoError, match="header is cut off"):
        probe(path)


def test_no_video(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("hello")
    films.write_sound(tmp_path / "sound.wav")
    films.damage(films.write(tmp_path / "none.mp4"), 0.005, 0.9)
    wrong = {
        "empty.mp4": "empty",
        "text.mp4": "not a video",
        "sound.wav": "no video in the file .it has: audio",
        "none.mp4": "not one frame can be decoded",
        "gone.mp4": "no such file",
        ".": "a folder",
    }
    for name, message in wrong.items():
        with pytest.raises(VideoError, match=message) as caught:
            list(read_frames(tmp_path / name))
        assert "\n" not in str(caught.value)


def test_sha256_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert sha256(path).startswith("ba7816bf")
    path.write_bytes(b"abcd")
    assert sha256(path).startswith("88d4266f")
    with pytest.raises(VideoError, match="cannot be read"):
        sha256(tmp_path / "gone")
