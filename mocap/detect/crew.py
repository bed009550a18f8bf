"""The processes that detect, and how they are talked to."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType

from mocap.detect.worker import Job, work
from mocap.errors import DetectError
from mocap.progress import Progress
from mocap.take import Take

_log = logging.getLogger(__name__)
_GRACE = 1.5  # seconds that the workers have to save what they found when they are told to stop


class Crew:
    """Processes that do jobs for a take; they stay for the next jobs, since making one takes seconds.

    Use it in a `with` statement: whatever ends that, the processes save what they found and end.

    Args:
        take: a take that is being captured.
    """

    def __init__(self, take: Take) -> None:
        self._take = take
        self._workers: list[_Worker] = []

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.pipe.close()  # that is how a worker learns to save and end
        until = time.monotonic() + _GRACE
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            worker.process.kill()
            worker.process.join()
            worker.stderr.unlink(missing_ok=True)
        self._workers.clear()

    def warm(self, count: int) -> None:
        """See to it that `count` processes are there and have loaded what takes long, while others work."""
        for worker in self._first(count):
            with suppress(OSError):  # it died: its next job says so
                worker.pipe.send(None)

    def do(self, jobs: Sequence[Job], count: int, progress: Progress) -> None:
        """Do jobs side by side in `count` processes.

        Raises:
            DetectError: a job cannot be done, or a process was killed.
        """
        waiting, workers = deque(jobs), self._first(min(count, len(jobs)))
        for worker in workers:
            worker.give(waiting.popleft())
        while busy := {worker.pipe: worker for worker in workers if worker.job}:
            for pipe in wait(list(busy)):
                self._hear(busy[pipe], waiting, progress)  # type: ignore[index]

    def _first(self, count: int) -> list[_Worker]:
        missing = range(len(self._workers), count)
        if missing:
            with _interrupts_held():
                self._workers.extend(_started(self._take.scratch(f"detect-{i}.log")) for i in missing)
        return self._workers[:count]

    def _hear(self, worker: _Worker, waiting: deque[Job], progress: Progress) -> None:
        assert worker.job is not None
        try:
            kind, what = worker.pipe.recv()
        except (EOFError, OSError) as error:
            raise worker.crashed() from error
        view = worker.job.view
        if kind == "advance":
            progress.advance(view, what)
        elif kind == "warning":
            _log.warning("view %s: %s", view, what)
        elif kind == "failed":
            raise DetectError(f"view {view}: {what}")
        elif kind == "broken":
            raise RuntimeError(f"detection failed in view {view}; in its process:\n{what}")
        else:
            worker.job = None
            if waiting:
                worker.give(waiting.popleft())


@dataclass(eq=False)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    stderr: Path
    job: Job | None = None

    def give(self, job: Job) -> None:
        self.job = job
        with suppress(OSError):  # it died: reading says so
            self.pipe.send(job)

    def crashed(self) -> DetectError:
        self.process.join(_GRACE)
        view = self.job.view if self.job else "?"
        code = self.process.exitcode or 0
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        why = (
            " (out of memory, perhaps)"
            if code == -signal.SIGTERM or code == -9
            else f": {self._last_words()}"
        )
        return DetectError(f"view {view}: the process that detects {how}{why}; run the same again to go on")

    def _last_words(self) -> str:
        with suppress(OSError):
            lines = self.stderr.read_text(errors="replace").split("\n")
            return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "without a word")
        return "without a word"


def _started(stderr: Path) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, str(stderr)), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours, stderr)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Children started in here never see Ctrl-C; the parent gets one that comes meanwhile afterwards.

    A blocked signal stays blocked in a child, whereas a handler does not last until it can set its own. But a
    blocked one may reach another thread of the parent, so the parent's handler is changed as well.
    """
    main = threading.current_thread() is threading.main_thread()
    pressed: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number)) if main else None
    mask = _block_interrupt()
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if main:
            signal.signal(signal.SIGINT, handler)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def _block_interrupt() -> set[int] | None:
    """Block Ctrl-C in this thread and give what was blocked before; None on Windows, which cannot."""
    if not hasattr(signal, "pthread_sigmask"):
        return None
    resource_tracker.ensure_running()  # the first child would start it, and that unblocks Ctrl-C
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}))
