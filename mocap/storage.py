"""Files that are whole or not there: written beside, synced, moved into place; and a lock file."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mocap.errors import TakeError

_LEFTOVER = ".part"


def now() -> str:
    """The time, ISO 8601, UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def reason(error: OSError) -> str:
    """Why the system refused, in its own words."""
    return error.strerror or str(error)


def write_arrays(path: Path, arrays: Mapping[str, npt.ArrayLike]) -> None:
    """Write an .npz without pickles."""
    solid = {name: np.asarray(value) for name, value in arrays.items()}
    for name, value in solid.items():
        if value.dtype.hasobject:
            raise TypeError(f"{path.name}: array {name!r} holds Python objects")

    whole = io.BytesIO()  # straight to a full disk, zipfile would complain once more when it is thrown away
    np.savez(whole, **solid)
    write_bytes(path, whole.getbuffer())


def write_json(path: Path, value: Any) -> None:
    """Write JSON with NumPy numbers and arrays as plain ones; NaN becomes null."""
    text = json.dumps(_plain(value), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write bytes."""
    beside = path.with_name(f"{path.name}.{os.getpid()}{_LEFTOVER}")
    try:
        try:
            with beside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _refusal(path, error) from error


def _refusal(path: Path, error: OSError) -> TakeError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = f"disk full: {path.name} could not be written to {path.parent}"
        return TakeError(f"{what}; free some space and run the same again")
    return TakeError(f"{path.name} could not be written to {path.parent}: {reason(error)}")


def move(source: Path, target: Path) -> None:
    """Move a file onto another, at once."""
    try:
        os.replace(source, target)
    except OSError as error:
        raise _refusal(target, error) from error


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it, as far as the system lets us."""
    shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the unfinished files of processes that were killed while they wrote."""
    for path in folder.rglob(f"*{_LEFTOVER}"):
        with suppress(OSError):
            path.unlink()


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read an .npz; refuses pickles."""
    try:
        with path.open("rb") as file:
            arrays = np.load(file, allow_pickle=False)
            if isinstance(arrays, np.ndarray):
                raise ValueError("an .npy, not an .npz")
            return {name: arrays[name] for name in arrays.files}
    except FileNotFoundError as error:
        raise _missing(path) from error
    except Exception as error:  # there is no end to what zipfile and NumPy raise for damaged bytes
        raise _damaged(path) from error


def read_json(path: Path) -> Any:
    """Read JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _missing(path) from error
    except (ValueError, OSError, RecursionError) as error:
        raise _damaged(path) from error


def _missing(path: Path) -> TakeError:
    return TakeError(f"{path} is missing: run `mocap capture` again to make it")


def _damaged(path: Path) -> TakeError:
    return TakeError(f"{path} is damaged: delete the file and run `mocap capture` again to make it anew")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


@contextmanager
def lock_file(path: Path, what: str) -> Iterator[None]:
    """Hold a lock: a file with our process id, made only where there is none.

    Raises:
        TakeError: a running process holds it, or it cannot be made.
    """
    if not _claim(path):
        owner = _owner(path)
        if owner is not None and _alive(owner):
            raise TakeError(
                f"{what} is in use by process {owner}: wait for it to end, or name another folder"
            )
        with suppress(OSError):
            path.unlink()
        if not _claim(path):
            raise TakeError(f"{what} in use: another process took it just now")
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def _claim(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    except OSError as error:
        raise _refusal(path, error) from error
    try:
        os.write(descriptor, str(os.getpid()).encode())
    except OSError as error:
        path.unlink()
        raise _refusal(path, error) from error
    finally:
        os.close(descriptor)
    return True


def _owner(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _alive(process: int) -> bool:
    if os.name == "nt":  # os.kill(.., 0) is Ctrl-C there; the message says what to do about a stale lock
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is there, and not ours
        return True
    return True
