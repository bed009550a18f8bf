"""When views began: from sound, from motion, from both, as given; and refusals that say what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from calibration.camera import Cameras
from mocap.commands.sync import sync
from mocap.config import View, load_views
from mocap.errors import ConfigError, SyncError
from mocap.keypoints import Keypoints2D
from mocap.sound import Sound
from mocap.sync import synchronise
from mocap.synctracks import tracks_of
from mocap.viewsfile import with_offsets, write_offsets
from tests.calibration.synthetic import ring
from tests.mocap.sounds import clap, noise, sound
from tests.synth_take import LAYOUT, SIZE, SURE, Person, marching, write_scene

FPS = 30
LATE = (3, 0, 11, 6)  # frames by which the views begin later
FRAMES = 150
SCATTER = 4.0  # pixels


def wandering(frames: int) -> Person:
    """A walk that speeds up, slows down and turns: it never repeats itself."""
    t = np.arange(frames) / FPS
    walk = marching(frames)
    sway = np.stack(
        [0.4 * np.sin(1.3 * t) + 0.2 * np.sin(2.9 * t), 0.05 * np.sin(4.1 * t), 0.3 * np.cos(2.3 * t)], -1
    )
    return Person(walk.joints + sway[:, None], walk.landmarks + sway[:, None])


def still(frames: int) -> Person:
    one = marching(1)
    return Person(np.repeat(one.joints, frames, axis=0), np.repeat(one.landmarks, frames, axis=0))


def scene(
    people: Sequence[Person] | Person, cameras: Cameras, late: Sequence[int] = LATE, scatter: float = SCATTER
) -> tuple[list[View], dict[str, Keypoints2D]]:
    """Views and what a detector finds in them, each beginning some frames late."""
    people = [people] * len(cameras) if isinstance(people, Person) else list(people)
    rng, seen = np.random.default_rng(2), {}
    for camera, person, first in zip(cameras, people, late, strict=False):
        pixels = camera.project(person.landmarks[first:])
        pixels = (pixels + scatter * rng.normal(size=pixels.shape))[:, None]
        trust = np.where(np.isfinite(pixels).all(axis=-1), SURE, 0.0)
        pixels = np.where((trust > 0)[..., None], pixels, np.nan)
        seen[camera.name] = Keypoints2D(LAYOUT, pixels, trust, np.arange(len(pixels)) / FPS, SIZE)
    return [View(c.name, Path(f"{c.name}.mp4")) for c in cameras], seen


def claps(late: Sequence[int] = LATE, but: int | None = None) -> dict[int, Sound]:
    """A clap 1.5 s after the first view began; view `but` heard nothing of it."""
    seconds = [1.5 - k / FPS for k in late]
    heard = {v: noise(4, v) if v == but else clap(noise(4, v), at, 9) for v, at in enumerate(seconds)}
    return {v: sound(samples) for v, samples in heard.items()}


def with_offset(views: Sequence[View], **offsets: float) -> list[View]:
    return [View(v.name, v.video, offsets.get(v.name)) for v in views]


def assert_late(offsets: np.ndarray, late: Sequence[int], frames: float) -> None:
    np.testing.assert_allclose(offsets * FPS, late, atol=frames)


def test_from_motion_alone() -> None:
    cameras = ring()
    views, seen = scene(wandering(FRAMES), cameras)
    found = synchronise(views, seen, cameras=cameras, sounds={})
    assert set(found.sources) == {"motion"}
    assert_late(found.offsets, LATE, 0.3)


@pytest.mark.slow
def test_from_motion_without_cameras() -> None:
    cameras = ring()
    views, seen = scene(wandering(FRAMES), cameras, scatter=2.0)
    found = synchronise(views, seen, sounds={})
    assert_late(found.offsets, LATE, 0.5)


def test_from_sound_where_nobody_moves() -> None:
    cameras = ring()
    views, seen = scene(still(FRAMES), cameras)
    found = synchronise(views, seen, cameras=cameras, sounds=claps())
    assert set(found.sources) == {"sound"}
    assert_late(found.offsets, LATE, 0.15)


def test_from_both() -> None:
    cameras = ring(3)
    views, seen = scene(wandering(FRAMES), cameras)
    alone = synchronise(views, seen, cameras=cameras, sounds={})
    both = synchronise(views, seen, cameras=cameras, sounds=claps(LATE[:3]))
    assert set(both.sources) == {"sound and motion"}
    assert_late(both.offsets, LATE[:3], 0.3)
    assert (both.sd < alone.sd).all()


def test_sound_decides_between_equal_lags_of_a_movement_that_repeats() -> None:
    """On the spot, once a second: motion alone is refused, and near what was heard it is exact."""
    cameras = ring(2)
    march = marching(FRAMES)
    turn = march.landmarks - 0.4 * np.arange(FRAMES)[:, None, None] / FPS * np.array([0.0, 0.0, 1.0])
    views, seen = scene(Person(march.joints, turn), cameras, LATE[:2])
    with pytest.raises(SyncError, match="the motion fits about as well"):
        synchronise(views, seen, cameras=cameras, sounds={})
    found = synchronise(views, seen, cameras=cameras, sounds=claps(LATE[:2]))
    assert set(found.sources) == {"sound and motion"}
    assert_late(found.offsets, LATE[:2], 0.3)


def test_a_view_without_sound_is_found_by_motion() -> None:
    cameras = ring(3)
    views, seen = scene(wandering(FRAMES), cameras)
    found = synchronise(views, seen, cameras=cameras, sounds=claps(LATE[:3], but=2))
    assert found.sources == ("sound and motion", "sound and motion", "motion")
    assert_late(found.offsets, LATE[:3], 0.3)


def test_sound_of_another_recording_is_named_and_the_picture_believed() -> None:
    cameras = ring(3)
    views, seen = scene(wandering(FRAMES), cameras)
    found = synchronise(views, seen, cameras=cameras, sounds=claps((3, 0, 41)))
    assert_late(found.offsets, LATE[:3], 0.3)
    assert any(line.startswith("view cam3: its sound says") for line in found.warnings)


def test_given_offsets_are_taken_as_they_are() -> None:
    cameras = ring(3)
    views, seen = scene(wandering(FRAMES), cameras)
    views = with_offset(views, cam2=5.0)
    found = synchronise(views, seen, cameras=cameras, sounds={})
    assert found.sources == ("motion", "given", "motion")
    assert found.offsets[1] == 5.0 and found.sd[1] == 0.0
    assert_late(found.offsets - 5.0, LATE[:3], 0.3)


def test_all_given_needs_neither_sound_nor_motion() -> None:
    views, seen = scene(still(20), ring(2), (0, 0))
    found = synchronise(with_offset(views, cam1=0.5, cam2=0.0), seen)
    assert found.offsets.tolist() == [0.5, 0.0] and set(found.sources) == {"given"}


def test_one_view_is_in_time_with_itself() -> None:
    views, seen = scene(still(20), ring(1), (0,))
    assert synchronise(views, seen).offsets.tolist() == [0.0]


def test_nobody_moves_and_nothing_is_heard() -> None:
    cameras = ring(3)
    views, seen = scene(still(FRAMES), cameras)
    with pytest.raises(SyncError) as refusal:
        synchronise(views, seen, cameras=cameras, sounds={})
    message = str(refusal.value)
    assert "views cam1, cam2, cam3" in message and "no sound" in message and "moves" in message
    assert "Clap once" in message and "`offset: SECONDS`" in message and "\n" not in message


@pytest.mark.slow
def test_one_view_shows_something_else() -> None:
    cameras = ring()
    other = wandering(FRAMES + 60)
    stranger = Person(other.joints[60:], other.landmarks[60:, :, ::-1] * [1.0, 1.0, -1.0])
    views, seen = scene([wandering(FRAMES)] * 3 + [stranger], cameras)
    with pytest.raises(SyncError, match=r"^view cam4: .*nothing in common"):
        synchronise(views, seen, cameras=cameras, sounds=claps(but=3))


def test_a_view_in_which_nobody_is_seen_needs_no_offset() -> None:
    cameras = ring(3)
    views, seen = scene(wandering(FRAMES), cameras)
    gone = seen["cam2"]
    empty = Keypoints2D(
        LAYOUT, np.full_like(gone.points, np.nan), np.zeros_like(gone.confidence), gone.times, SIZE
    )
    found = synchronise(views, {**seen, "cam2": empty}, cameras=cameras, sounds={})
    assert found.sources == ("motion", "nobody seen", "motion")
    assert np.isinf(found.sd[1])
    assert_late(found.offsets[[0, 2]] - found.offsets[0], (0, LATE[2] - LATE[0]), 0.3)
    with pytest.raises(SyncError, match=r"^view cam3: .*do not see somebody for long"):
        synchronise(views, {**seen, "cam1": empty, "cam2": empty}, cameras=cameras, sounds={})


def test_somebody_is_seen_too_shortly() -> None:
    cameras = ring(3)
    views, seen = scene(wandering(FRAMES), cameras)
    brief = seen["cam2"].slice(0, 6)
    with pytest.raises(SyncError, match=r"^view cam2: .*do not see somebody for long enough"):
        synchronise(views, {**seen, "cam2": brief}, cameras=cameras, sounds={})


@pytest.mark.slow
def test_views_that_do_not_hang_together() -> None:
    """Two see one person, two another: each two are in time, the twos are not."""
    cameras = ring()
    views, seen = scene(
        [wandering(FRAMES)] * 2 + [Person(*(x[::-1] for x in vars(wandering(FRAMES)).values()))] * 2, cameras
    )
    with pytest.raises(SyncError, match=r"views (cam3, cam4|cam1, cam2)"):
        synchronise(views, seen, cameras=cameras, sounds={})


def test_faces_and_fingers_do_not_outvote_limbs() -> None:
    views, seen = scene(still(20), ring(1), (0,))
    assert tracks_of(views, seen, ring(1))[0].image.shape[1] == 19


def test_the_table_and_the_record_say_what_was_found() -> None:
    cameras = ring(2)
    views, seen = scene(still(FRAMES), cameras, LATE[:2])
    found = synchronise(views, seen, cameras=cameras, sounds=claps(LATE[:2]))
    assert "cam1" in found.lines()[1] and "sound" in found.lines()[1] and "3.0" in found.lines()[1]
    record = found.record()
    assert record["cam1"]["offset_s"] == pytest.approx(0.1, abs=0.005) and record["cam1"]["from"] == "sound"


FILE = """# ours
calibration: calibration.toml  # found in May
views:
  - name: a
    video: a.mp4
  - {name: b, video: b.mp4}
  - {offset: 3, name: c, video: c.mp4}
  - video: d.mp4
    name: d
    offset:
"""


def test_offsets_are_filled_in_and_all_else_is_left() -> None:
    text = with_offsets(FILE, {"a": 0.1, "b": 0.25, "c": 0.0, "d": -1.5})
    assert text == FILE.replace("name: a\n", "name: a\n    offset: 0.1000\n").replace(
        "b.mp4}", "b.mp4, offset: 0.2500}"
    ).replace("offset: 3", "offset: 0.0000").replace("offset:\n", "offset: -1.5000\n").replace(
        "offset:\n", "offset: -1.5000\n"
    )


def test_a_views_file_is_not_written_where_its_paths_would_not_hold(tmp_path: Path) -> None:
    source = tmp_path / "cams.yaml"
    source.write_text(FILE)
    (tmp_path / "other").mkdir()
    with pytest.raises(ConfigError, match="beside it"):
        write_offsets(source, tmp_path / "other" / "cams.yaml", {"a": 1.0})
    write_offsets(source, tmp_path / "new.yaml", {"a": 1.0})
    assert source.read_text() == FILE and "offset: 1.0000" in (tmp_path / "new.yaml").read_text()


@pytest.mark.slow
def test_the_command_prints_the_offsets_and_writes_them(tmp_path: Path) -> None:
    late = {"cam1": 3, "cam3": 5}
    views = write_scene(tmp_path / "in", wandering(90), late=late)
    new = tmp_path / "in" / "new.yaml"
    asked = ["--views", str(views), "-o", str(new), "--take", str(tmp_path / "take"), "--detector", "given"]
    answer = CliRunner().invoke(sync, [*asked, "--workers", "1"], catch_exceptions=False)
    assert answer.exit_code == 0 and "cam3" in answer.output and "written to" in answer.output
    offsets = [view.offset or 0.0 for view in load_views(new).views]
    assert_late(np.array(offsets), [3, 0, 5, 0], 0.3)


def test_one_view_has_nothing_to_be_in_time_with(tmp_path: Path) -> None:
    views = write_scene(tmp_path, marching(12), seen_by=ring(1))
    with pytest.raises(SyncError, match="alone"):
        CliRunner().invoke(sync, ["--views", str(views)], catch_exceptions=False)
