"""A take is whole at every moment: whatever fails, the last good one is still there."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mocap import storage
from mocap.errors import TakeError
from mocap.take import Take, newest_take

ARRAYS = {"points": np.arange(6.0).reshape(3, 2), "name": np.array("cam1")}


def finished(folder: Path, value: float = 1.0) -> Take:
    take = Take.create(folder, {"views": "cams.yaml"}, [{"name": "cam1"}])
    with take.lock():
        take.write_arrays("motion.npz", root=np.full(3, value))
        take.write_json("quality.json", {"value": value})
        take.finish_stage("solve", f"key {value}", 0.5)
        take.complete()
    return Take.open(folder)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    take = Take.create(tmp_path / "deep" / "take", {"fps": None}, [])
    take.write_arrays("views/cam1.keypoints.npz", **ARRAYS)
    take.write_json(
        "q.json", {"a": np.float64(1.5), "b": np.array([1, 2]), "nan": float("nan"), "p": Path("x")}
    )
    take.complete()
    done = Take.open(tmp_path / "deep" / "take")
    np.testing.assert_array_equal(done.read_arrays("views/cam1.keypoints.npz")["points"], ARRAYS["points"])
    assert done.read_json("q.json") == {"a": 1.5, "b": [1, 2], "nan": None, "p": "x"}
    assert done.manifest()["arguments"] == {"fps": None}
    assert sorted(p.name for p in done.folder.iterdir()) == ["q.json", "take.json", "views"]


def test_last_good_take_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    old = finished(tmp_path / "take", 1.0)
    new = Take.create(tmp_path / "take", {"views": "other.yaml"}, [{"name": "cam7"}])
    new.write_arrays("motion.npz", root=np.full(3, 2.0))
    assert old.read_arrays("motion.npz")["root"][0] == 1
    assert Take.open(tmp_path / "take").manifest()["views"] == [{"name": "cam1"}]
    assert new.read_arrays("motion.npz")["root"][0] == 2
    assert new.read_json("quality.json") == {"value": 1.0}  # not made anew: that of the last one
    new.complete()
    assert old.read_arrays("motion.npz")["root"][0] == 2
    assert old.manifest()["views"] == [{"name": "cam7"}]
    assert old.manifest()["created"] <= old.manifest()["updated"]


def test_interrupted_publishing_is_finished_by_the_next_capture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(tmp_path / "take", 1.0)
    new = Take.create(tmp_path / "take", {}, [])
    for name in ("a.npz", "b.npz", "c.npz"):
        new.write_arrays(name, x=np.zeros(1))
    moved: list[Path] = []

    def stop_at_second(source: Path, target: Path) -> None:
        if moved:
            raise KeyboardInterrupt
        moved.append(target)
        os.replace(source, target)

    monkeypatch.setattr(storage, "move", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        new.complete()
    monkeypatch.undo()
    Take.create(tmp_path / "take", {}, [])
    done = Take.open(tmp_path / "take")
    assert all(done.has(name) for name in ("a.npz", "b.npz", "c.npz"))


def test_stages_are_done_once_for_a_key(tmp_path: Path) -> None:
    finished(tmp_path / "take", 1.0)
    take = Take.create(tmp_path / "take", {}, [])
    assert take.stage_done("solve", "key 1.0")
    assert not take.stage_done("solve", "key 2.0")
    # Asking with another key means that its files are being replaced: the old record holds no longer.
    assert not take.stage_done("solve", "key 1.0")
    take.finish_stage("solve", "key 2.0", 1.23456)
    assert take.stage_done("solve", "key 2.0")
    assert take.manifest()["stages"]["solve"]["seconds"] == 1.235
    assert Take.open(tmp_path / "take").stage_done("solve", "key 1.0")


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    take = Take.create(tmp_path / "take", {}, [])
    take.write_arrays("a.npz", **ARRAYS)
    monkeypatch.setattr(os, call, full)
    with pytest.raises(TakeError, match=r"disk full: a.npz .*take.*run the same again") as caught:
        take.write_arrays("a.npz", points=np.zeros(1000))
    monkeypatch.undo()
    assert "\n" not in str(caught.value)
    np.testing.assert_array_equal(take.read_arrays("a.npz")["points"], ARRAYS["points"])
    assert not list(tmp_path.rglob("*.part"))


def test_damaged_and_missing_files_are_named(tmp_path: Path) -> None:
    take = Take.create(tmp_path / "take", {}, [])
    take.write_arrays("a.npz", **ARRAYS)
    for content in (b"", b"no zip", take.path("a.npz").read_bytes()[:-40]):
        take.path("a.npz").write_bytes(content)
        with pytest.raises(TakeError, match=r"a.npz is damaged: delete the file"):
            take.read_arrays("a.npz")
    for content in (b"", b'{"a": ', b"\xff\xfe"):
        take.write_json("b.json", {})
        take.path("b.json").write_bytes(content)
        with pytest.raises(TakeError, match=r"b.json is damaged"):
            take.read_json("b.json")
    with pytest.raises(TakeError, match=r"c.npz is missing"):
        take.read_arrays("c.npz")


def test_pickles_are_neither_written_nor_read(tmp_path: Path) -> None:
    take = Take.create(tmp_path / "take", {}, [])
    with pytest.raises(TypeError, match="Python objects"):
        take.write_arrays("a.npz", x=np.array([{}], dtype=object))
    np.savez(tmp_path / "take" / "evil.npz", x=np.array([{}], dtype=object))
    with pytest.raises(TakeError, match="damaged"):
        take.read_arrays("evil.npz")


def test_foreign_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").touch()
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    for name, message in {"photos": "is not a take: name another", "file": "is a file"}.items():
        with pytest.raises(TakeError, match=message):
            Take.create(tmp_path / name, {}, [])
    Take.create(tmp_path / "empty", {}, [])
    for name, message in {
        "photos": "no take.json",
        "gone": "no take folder",
        "empty": "not complete",
    }.items():
        with pytest.raises(TakeError, match=message):
            Take.open(tmp_path / name)


def test_record_of_a_newer_version_or_of_no_take(tmp_path: Path) -> None:
    take = finished(tmp_path / "take")
    path = take.folder / "take.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "format": 99, "mocap": "9.0"}))
    with pytest.raises(TakeError, match=r"made by mocap 9.0.*update"):
        Take.open(take.folder)
    path.write_text("[]")
    with pytest.raises(TakeError, match="no record of a take"):
        Take.open(take.folder)


def test_lock_is_exclusive_and_released(tmp_path: Path) -> None:
    take = Take.create(tmp_path / "take", {}, [])
    with take.lock():
        with pytest.raises(TakeError, match=f"in use by process {os.getpid()}"), take.lock():
            pass
        assert (take.folder / "lock").exists()
    assert not (take.folder / "lock").exists()


def test_lock_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    take = Take.create(tmp_path / "take", {}, [])
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    for content in (dead.stdout, b""):
        (take.folder / "lock").write_bytes(content)
        (take.folder / "work" / "a.npz.77.part").touch()
        with take.lock():
            assert not (take.folder / "work" / "a.npz.77.part").exists()


def test_newest_take(tmp_path: Path) -> None:
    with pytest.raises(TakeError, match="no take in"):
        newest_take(tmp_path)
    for age, name in enumerate(("b", "deep/a")):
        take = finished(tmp_path / name)
        os.utime(take.folder / "take.json", (1e9 + age, 1e9 + age))
    Take.create(tmp_path / "c", {}, [])  # not complete
    assert newest_take(tmp_path).folder == tmp_path / "deep" / "a"
    assert newest_take(tmp_path / "b").folder == tmp_path / "b"
