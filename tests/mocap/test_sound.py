"""Lags of sounds are found to a millisecond, and different sounds give none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mocap.earshot import FURTHER, hear, travel_times
from mocap.sound import RATE, SPEED, lag_between, lags_of, read_sound
from tests.calibration.synthetic import ring
from tests.mocap.films import write, write_sound
from tests.mocap.sounds import chatter, clap, film_with_sound, noise, sound


@pytest.mark.parametrize("late", [-0.7331, 0.0, 0.25])
def test_a_clap_is_laid_on_itself(late: float) -> None:
    """Two microphones, each with its own noise and its own echoes of the clap."""
    first = sound(clap(noise(4, 1), 1.2, 3))
    second = sound(clap(noise(4, 2), 1.2 + late, 4))
    lag = lag_between(first, second)
    assert lag is not None
    assert lag.seconds == pytest.approx(late, abs=0.001)


def test_a_voice_is_laid_on_itself() -> None:
    voice = chatter(8, 1)
    first, second = (sound(voice[k : k + 6 * RATE] + noise(6, k, 0.01)) for k in (0, round(0.4 * RATE)))
    lag = lag_between(first, second)
    assert lag is not None and lag.clear
    assert lag.seconds == pytest.approx(-0.4, abs=0.001)


def test_sound_that_starts_later_than_the_picture_counts_from_the_picture() -> None:
    whole = clap(noise(4, 1), 2.0, 3)
    late = lag_between(sound(whole), sound(whole[RATE // 2 :], start=0.5))
    assert late is not None
    assert late.seconds == pytest.approx(0.0, abs=0.001)


def test_different_sounds_have_no_clear_lag() -> None:
    for seed in range(5):
        lag = lag_between(sound(noise(6, seed)), sound(noise(6, seed + 50)))
        assert lag is not None and not lag.clear
    lag = lag_between(sound(chatter(6, 1)), sound(chatter(6, 2)))
    assert lag is not None and not lag.clear


def test_a_sound_that_repeats_itself_has_no_clear_lag() -> None:
    beat = np.tile(clap(np.zeros(RATE // 2), 0.2, 3), 20)
    first, second = (sound(beat[k : k + 6 * RATE] + noise(6, k)) for k in (0, 9 * RATE // 8))
    lag = lag_between(first, second)
    assert lag is not None and not lag.clear


def test_too_short_a_sound_says_nothing() -> None:
    assert lag_between(sound(noise(0.3, 1)), sound(noise(4, 2))) is None


def test_silence_says_nothing() -> None:
    assert lag_between(sound(np.zeros(4 * RATE)), sound(noise(4, 2))) is None


def test_the_sound_of_a_video_is_read_on_its_clock(tmp_path: Path) -> None:
    rate = 48000
    quiet = 0.001 * np.random.default_rng(1).normal(size=2 * rate)
    read = read_sound(film_with_sound(tmp_path / "a.mp4", clap(quiet, 1.0, 3, rate)))
    assert read is not None
    loud = np.flatnonzero(np.abs(read.samples) > 0.1)[0] / RATE + read.start
    assert loud == pytest.approx(1.0, abs=0.002)


def test_videos_without_sound_or_with_silence_have_none(tmp_path: Path) -> None:
    assert read_sound(write(tmp_path / "mute.mp4", 5)) is None
    assert read_sound(write_sound(tmp_path / "only.mka")) is None
    assert read_sound(film_with_sound(tmp_path / "silent.mp4", np.zeros(48000))) is None
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    assert read_sound(tmp_path / "broken.mp4") is None


def test_offsets_come_from_all_pairs_together() -> None:
    late = [0.1, 0.0, 0.3667]
    heard = hear({v: sound(clap(noise(4, v), 1.5 - o, 9)) for v, o in enumerate(late)}, 4)
    np.testing.assert_allclose(heard.offsets[:3] - heard.offsets[1], late, atol=0.001)
    assert np.isnan(heard.offsets[3]) and heard.mute.tolist() == [False, False, False, True]
    assert heard.sd[0] > FURTHER / SPEED / 2 and np.isinf(heard.sd[3])


def test_a_lag_that_others_contradict_is_dropped() -> None:
    """Views 0 and 1 have a loud sound in common that was not made at one time: each camera's own jingle."""
    sounds = {v: clap(noise(6, v), 1.5, 9) for v in range(4)}
    beep = chatter(1, 5)
    for v, at in ((0, 3.0), (1, 4.0)):
        sounds[v][round(at * RATE) : round((at + 1) * RATE)] += 20 * beep
    heard = hear({v: sound(s) for v, s in sounds.items()}, 4)
    assert (0, 1) in lags_of({v: sound(s) for v, s in sounds.items()}) and (0, 1) not in heard.lags
    np.testing.assert_allclose(heard.offsets, 0.0, atol=0.002)


def test_sounds_with_nothing_in_common_give_no_offsets() -> None:
    alone = hear({0: sound(clap(noise(6, 1), 1.5, 9)), 1: sound(noise(6, 77))}, 2)
    assert not alone.lags and np.isnan(alone.offsets).all()


def test_the_way_of_the_sound_is_allowed_for() -> None:
    """A clap amid four cameras at different distances: corrected to a tenth of a millisecond a metre."""
    cameras, place = ring(4), np.array([1.2, 1.0, 0.5])
    distance = np.array([np.linalg.norm(c.centre - place) for c in cameras])
    people = np.stack([c.project(place) for c in cameras])
    travel = travel_times(cameras, people, 200.0)
    assert travel is not None
    np.testing.assert_allclose(travel, distance / SPEED, rtol=1e-6)
    sounds = {v: sound(clap(noise(4, v), 1.5 + d / SPEED, 9)) for v, d in enumerate(distance)}
    raw, corrected = hear(sounds, 4), hear(sounds, 4, travel)
    assert np.ptp(corrected.offsets) < 0.0005 < 0.003 < np.ptp(raw.offsets)
    assert (corrected.sd < raw.sd).all()


def test_where_nobody_is_seen_the_way_is_unknown() -> None:
    assert travel_times(ring(3), np.full((3, 2), np.nan), 200.0) is None


def test_where_views_see_different_people_the_way_is_unknown() -> None:
    cameras = ring(4)
    here, there = cameras.project([1.2, 1.0, 0.9]), cameras.project([-1.2, 1.0, -0.9])
    assert travel_times(cameras, here, 200.0) is not None
    assert travel_times(cameras, np.stack([here[0], here[1], there[2], there[3]]), 200.0) is None
