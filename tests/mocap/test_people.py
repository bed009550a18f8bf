"""Motions in a take: what is written is read back to the bit, and only those who are recorded are there."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mocap.errors import MocapError, TakeError
from mocap.people import Beside, motion_file, people_in, read_beside, read_motion_of, write_people
from mocap.take import Take
from rigs import quat
from rigs.contact import Contacts
from rigs.motion import Motion
from rigs.solving.body import load_body


def motion(seed: int = 0, frames: int = 5, fps: Fraction = Fraction(30000, 1001)) -> Motion:
    rng = np.random.default_rng(seed)
    body = load_body()
    skeleton = body.skeleton(rng.uniform(1.5, 2.0, len(body.size_names)))
    turns = quat.from_rotvec(rng.normal(0, 0.3, (frames, len(skeleton), 3)))
    return Motion(skeleton, turns, rng.normal(0, 1, (frames, 3)), fps)


def taken(folder: Path, *people: int) -> Take:
    take = Take.create(folder, {}, [])
    with take.lock():
        write_people(take, {p: motion(p) for p in people})
        take.complete()
    return Take.open(folder)


def test_motions_are_read_back_to_the_bit(tmp_path: Path) -> None:
    take = taken(tmp_path / "take", 1, 2)
    assert people_in(take) == [1, 2]
    for person in (1, 2):
        wrote, read = motion(person), read_motion_of(take, person)
        np.testing.assert_array_equal(read.rotations, wrote.rotations)
        np.testing.assert_array_equal(read.root, wrote.root)
        np.testing.assert_array_equal(read.skeleton.offsets, wrote.skeleton.offsets)
        np.testing.assert_array_equal(read.skeleton.parents, wrote.skeleton.parents)
        assert (read.skeleton.names, read.fps) == (wrote.skeleton.names, Fraction(30000, 1001))
        for name, tip in wrote.skeleton.tips.items():
            np.testing.assert_array_equal(read.skeleton.tips[name], tip)


def test_how_far_joints_may_be_off_is_read_back_beside_the_motion(tmp_path: Path) -> None:
    known = np.random.default_rng(3).uniform(size=(5, len(load_body().names)))
    take = Take.create(tmp_path / "take", {}, [])
    with take.lock():
        write_people(take, {1: motion(1), 2: motion(2)}, beside={1: Beside(joint_sd=known)})
        take.complete()
    take = Take.open(tmp_path / "take")
    found = read_beside(take, 1).joint_sd
    assert found is not None
    np.testing.assert_array_equal(found, known)
    assert read_beside(take, 2).joint_sd is None
    broken = Take.create(tmp_path / "take", {}, [])
    with broken.lock():
        write_people(broken, {1: motion(1)}, beside={1: Beside(joint_sd=known[:3])})
        broken.complete()
    with pytest.raises(TakeError, match="is no motion"):
        read_beside(Take.open(tmp_path / "take"), 1)


def test_contacts_are_read_back_beside_the_motion(tmp_path: Path) -> None:
    level = np.random.default_rng(2).normal(size=(5, 4))
    level[1:3, 2] = np.nan
    take = Take.create(tmp_path / "take", {}, [])
    with take.lock():
        write_people(take, {1: motion(1), 2: motion(2)}, beside={1: Beside(Contacts(level))})
        take.complete()
    take = Take.open(tmp_path / "take")
    read = read_beside(take, 1).contacts
    assert read is not None
    np.testing.assert_array_equal(read.level, level)
    assert read_beside(take, 2).contacts is None
    np.testing.assert_array_equal(read_motion_of(take, 1).root, motion(1).root)


def test_contacts_of_other_frames_than_the_motion_are_refused(tmp_path: Path) -> None:
    take = Take.create(tmp_path / "take", {}, [])
    with take.lock():
        write_people(take, {1: motion(1)}, beside={1: Beside(Contacts(np.zeros((3, 4))))})
        take.complete()
    with pytest.raises(TakeError, match=r"is no motion \(contact_level_m of shape \(3, 4\)\)"):
        read_beside(Take.open(tmp_path / "take"), 1)


def test_who_is_no_longer_recorded_is_not_there(tmp_path: Path) -> None:
    taken(tmp_path / "take", 1, 2)
    take = taken(tmp_path / "take", 1)
    assert take.has(motion_file(2)) and people_in(take) == [1]
    with pytest.raises(MocapError, match="no person 2; it has 1"):
        read_motion_of(take, 2)


def test_a_take_without_people(tmp_path: Path) -> None:
    take = Take.create(tmp_path / "take", {}, [])
    take.complete()
    assert people_in(Take.open(tmp_path / "take")) == []
    with pytest.raises(MocapError, match="no person 1; it has none"):
        read_motion_of(Take.open(tmp_path / "take"), 1)


@pytest.mark.parametrize("record", ["[]", '{"people": ["a"]}', '{"people": 3}', "{", '{"people": [0]}', ""])
def test_damaged_record(tmp_path: Path, record: str) -> None:
    take = taken(tmp_path / "take", 1)
    take.path("people.json").write_text(record)
    with pytest.raises(TakeError, match=r"people.json is .*run `mocap capture` again"):
        people_in(take)


@pytest.mark.parametrize(
    "change",
    [
        {"fps": np.array([30, 0])},
        {"fps": np.array([30])},
        {"fps": np.array([-30, 1])},
        {"root_m": np.zeros((4, 3))},
        {"root_m": np.array("x")},
        {"parents": np.arange(22)},
        {"tips_m": np.zeros((0, 3))},
        {"names": np.array(0)},
    ],
)
def test_damaged_motion(tmp_path: Path, change: dict[str, np.ndarray]) -> None:
    take = taken(tmp_path / "take", 1)
    arrays = {**take.read_arrays(motion_file(1)), **change}
    np.savez(take.path(motion_file(1)), **arrays)
    with pytest.raises(TakeError, match=r"1.motion.npz is no motion .*run `mocap capture` again"):
        read_motion_of(take, 1)
    del arrays["root_m"]
    np.savez(take.path(motion_file(1)), **arrays)
    with pytest.raises(TakeError, match=r"1.motion.npz is no motion"):
        read_motion_of(take, 1)


def test_every_damaged_byte_is_one_line_or_the_same_motion(tmp_path: Path) -> None:
    take, right = taken(tmp_path / "take", 1), motion(1)
    path = take.path(motion_file(1))
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    for at in rng.integers(0, len(whole), 400):
        data = bytearray(whole)
        data[at] ^= int(rng.integers(1, 256))
        path.write_bytes(bytes(data))
        try:
            read = read_motion_of(take, 1)
        except TakeError as error:
            assert "\n" not in str(error)
        else:  # a byte that nobody reads, such as that of a date
            np.testing.assert_array_equal(read.rotations, right.rotations)
            np.testing.assert_array_equal(read.root, right.root)
    for length in rng.integers(0, len(whole), 30):
        path.write_bytes(whole[:length])
        with pytest.raises(TakeError):
            read_motion_of(take, 1)
