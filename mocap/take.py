"""The take: a folder with everything that one capture found, which one can look into.

    TAKE/take.json              what was captured, from which files, by which stages; once it is complete
    TAKE/views/, *.npz, *.json  what the stages found
    TAKE/work/                  the same of a capture that is not complete yet
    TAKE/lock                   the process that is writing

A capture writes into `work/` only, and `complete` moves it into place at the end: until then what is in the
folder is the last good take, whatever happens. After an interruption the next capture goes on in `work/`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from mocap import __version__, storage
from mocap.errors import TakeError

FORMAT = 1
_MANIFEST = "take.json"
_WORK = "work"
_LOCK = "lock"
_SCRATCH = "scratch"
_PUBLISHING = "publishing"  # in work/: everything is written, and only the moving into place is left


@dataclass(frozen=True)
class Take:
    """A handle on a take folder; it keeps nothing in memory, and may be sent to another process.

    Args:
        folder: the take folder.
        capturing: True for the capture that writes it: writes go to `work/`, reads look there first.
            False for a reader of the complete take.
    """

    folder: Path
    capturing: bool = False

    @classmethod
    def create(cls, folder: str | Path, arguments: Mapping[str, Any], views: list[dict[str, Any]]) -> Take:
        """Begin a capture, or go on with one, in a new folder, an empty one or one that is a take.

        A complete take that is there stays as it is until `complete`; stages whose key still fits are reused.

        Args:
            folder: the take folder; made where it is missing.
            arguments: what the capture was asked for, kept for the record (JSON).
            views: a record for each view: name, video, sha256, size, fps (JSON).

        Raises:
            TakeError: the folder holds something else, is in use, or cannot be written.
        """
        take = cls(Path(folder), capturing=True)
        take._refuse_foreign()
        with take.lock():
            take._publish_rest()
            take._begin({"arguments": dict(arguments), "views": views})
        return take

    @classmethod
    def open(cls, folder: str | Path) -> Take:
        """Open a complete take to read from it.

        Raises:
            TakeError: there is no folder, it is not a take, it is not complete, or it is of a newer version.
        """
        take = cls(Path(folder))
        if not take.folder.is_dir():
            raise TakeError(f"no take folder {take.folder}: make one with `mocap capture -o {take.folder}`")
        if not (take.folder / _MANIFEST).is_file():
            if (take.folder / _WORK / _MANIFEST).is_file():
                raise TakeError(
                    f"take {take.folder} is not complete: run the same `mocap capture` again to go on"
                )
            raise TakeError(f"{take.folder} is not a take folder: it has no {_MANIFEST}")
        take.manifest()
        return take

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from writing to the take meanwhile.

        Raises:
            TakeError: a running process has it. (One that died left its lock behind: that is taken over.)
        """
        self._make_folder(self.folder)
        with storage.lock_file(self.folder / _LOCK, f"take folder {self.folder}"):
            storage.remove_leftovers(self.folder)
            yield

    def complete(self) -> None:
        """Put what the capture found in place of the last take, file by file, `take.json` at the end.

        Raises:
            TakeError: the folder cannot be written; nothing is lost, and the next capture goes on there.
        """
        self._write_manifest({**self.manifest(), "updated": storage.now()})
        storage.remove_tree(self.folder / _WORK / _SCRATCH)
        storage.write_bytes(self.folder / _WORK / _PUBLISHING, b"")
        self._publish_rest()

    def manifest(self) -> dict[str, Any]:
        """What `take.json` holds: format, mocap, created, updated, arguments, views, stages.

        Raises:
            TakeError: it is damaged, or of a newer version of this program.
        """
        manifest = self._manifest()
        if not manifest:
            raise TakeError(f"take {self.folder} has no {_MANIFEST}: run `mocap capture` again")
        return manifest

    def path(self, name: str) -> Path:
        """Where the file `name` (such as "views/cam1.keypoints.npz") is read from; it may be missing."""
        work = self.folder / _WORK / name
        return work if self.capturing and work.exists() else self.folder / name

    def has(self, name: str) -> bool:
        """Whether the take has the file `name`."""
        return self.path(name).is_file()

    def write_arrays(self, name: str, /, **arrays: npt.ArrayLike) -> None:
        """Write arrays to the file `name` (.npz, no pickles); whole or not at all.

        Raises:
            TakeError: the disk is full or the folder cannot be written; what was there before stays.
        """
        storage.write_arrays(self._target(name), arrays)

    def read_arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """Read the arrays of the file `name`.

        Raises:
            TakeError: the file is missing or damaged; says what to do.
        """
        return storage.read_arrays(self.path(name))

    def write_json(self, name: str, value: Any) -> None:
        """Write a value to the file `name` (.json); whole or not at all. NumPy numbers and arrays are taken.

        Raises:
            TakeError: the disk is full or the folder cannot be written; what was there before stays.
        """
        storage.write_json(self._target(name), value)

    def write_text(self, name: str, text: str) -> None:
        """Write text to the file `name`; whole or not at all.

        Raises:
            TakeError: the disk is full or the folder cannot be written; what was there before stays.
        """
        storage.write_bytes(self._target(name), text.encode())

    def write_bytes(self, name: str, data: bytes) -> None:
        """Write bytes to the file `name`; whole or not at all.

        Raises:
            TakeError: the disk is full or the folder cannot be written; what was there before stays.
        """
        storage.write_bytes(self._target(name), data)

    def read_json(self, name: str) -> Any:
        """Read the value of the file `name`.

        Raises:
            TakeError: the file is missing or damaged; says what to do.
        """
        return storage.read_json(self.path(name))

    def remove(self, name: str) -> None:
        """Remove the file `name` from the work of this capture; a complete take is never touched."""
        (self.folder / _WORK / name).unlink(missing_ok=True)

    def scratch(self, name: str) -> Path:
        """Where a capture may put a passing file of its own; it is gone once the capture is complete."""
        path = self._target(f"{_SCRATCH}/{name}")
        path.unlink(missing_ok=True)
        return path

    def stage_done(self, stage: str, key: str) -> bool:
        """Whether the stage was finished from the same inputs, those that `key` stands for.

        In a capture, a record with another key is dropped: its files are about to be replaced.
        """
        manifest = self.manifest()
        found = manifest["stages"].get(stage)
        if found is not None and found["key"] != key and self.capturing:
            del manifest["stages"][stage]
            self._write_manifest(manifest)
        return found is not None and bool(found["key"] == key)

    def finish_stage(self, stage: str, key: str, seconds: float) -> None:
        """Record that a stage is finished: its files are written, and need not be made again for this key."""
        manifest = self.manifest()
        manifest["stages"][stage] = {"key": key, "seconds": round(seconds, 3), "finished": storage.now()}
        self._write_manifest(manifest)

    def _target(self, name: str) -> Path:
        if not self.capturing:
            raise ValueError("only the capture writes to a take")
        target = self.folder / _WORK / name
        self._make_folder(target.parent)
        return target

    def _manifest(self) -> dict[str, Any]:
        path = self.path(_MANIFEST)
        if not path.is_file():
            return {}
        manifest: dict[str, Any] = storage.read_json(path)
        if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
            raise TakeError(f"{path} is no record of a take: delete the file and run `mocap capture` again")
        if manifest["format"] > FORMAT:
            made = manifest.get("mocap", "newer")
            raise TakeError(
                f"take {self.folder} was made by mocap {made}, this is {__version__}: update mocap"
            )
        return manifest

    def _write_manifest(self, manifest: dict[str, Any]) -> None:
        storage.write_json(self._target(_MANIFEST), manifest)

    def _begin(self, capture: dict[str, Any]) -> None:
        now, before = storage.now(), self._manifest()
        head = {"format": FORMAT, "mocap": __version__, "created": before.get("created", now), "updated": now}
        self._write_manifest({**head, **capture, "stages": before.get("stages", {})})

    def _refuse_foreign(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            raise TakeError(f"{self.folder} is a file: name a new folder for the take")
        known = [self.folder / _MANIFEST, self.folder / _WORK / _MANIFEST]
        if not self.folder.is_dir() or any(path.is_file() for path in known):
            return
        if any(entry.name not in (_LOCK, _WORK) for entry in self.folder.iterdir()):
            raise TakeError(f"{self.folder} has files in it and is not a take: name another folder")

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TakeError(f"take folder {folder} cannot be made: {storage.reason(error)}") from error

    def _publish_rest(self) -> None:
        work = self.folder / _WORK
        if not (work / _PUBLISHING).is_file():
            return
        files = [
            p for p in sorted(work.rglob("*")) if p.is_file() and p.parent / p.name != work / _PUBLISHING
        ]
        for path in sorted(files, key=lambda p: p == work / _MANIFEST):
            target = self.folder / path.relative_to(work)
            self._make_folder(target.parent)
            storage.move(path, target)
        storage.remove_tree(work)


def newest_take(below: str | Path) -> Take:
    """The complete take that was captured last: the folder itself, or one in it, down to two levels.

    Raises:
        TakeError: there is none.
    """
    patterns = (_MANIFEST, f"*/{_MANIFEST}", f"*/*/{_MANIFEST}")
    found = [p for pattern in patterns for p in Path(below).glob(pattern) if p.parent.name != _WORK]
    if not found:
        raise TakeError(f"no take in {below}: make one with `mocap capture`, or name it with --take")
    return Take.open(max(found, key=os.path.getmtime).parent)
