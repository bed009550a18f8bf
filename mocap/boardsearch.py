"""Looking for a board in one view's video or folder of images."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import Board, Sightings
from calibration.boards.find import find, sharpness, to_grey
from mocap.errors import VideoError
from mocap.progress import Progress
from mocap.video import Image, probe, read_frames

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
_SAMPLES = 12  # images kept, in which the board is recognised
_UNKNOWN_LENGTH = 900  # frames of a video that does not say how many it has


@dataclass(frozen=True)
class Film:
    """Where a view's boards are.

    Args:
        name: of the view.
        path: a video, or a folder of images.
        offset: seconds to add to the video's own times.
    """

    name: str
    path: Path
    offset: float = 0.0


class Search:
    """What has been looked at of a film, and what was there.

    Args:
        film: to be searched.

    Raises:
        VideoError: it cannot be read, or is a folder without images.
    """

    def __init__(self, film: Film) -> None:
        self.film, self.is_video = film, not film.path.is_dir()
        self.files = [] if self.is_video else images_in(film.path)
        self.length, self.size = self._extent()
        self.seen: dict[int, tuple[Floats, float]] = {}
        self.times: dict[int, float] = {}
        self.samples: list[Image] = []

    def _extent(self) -> tuple[int, tuple[int, int]]:
        if not self.is_video:
            high, wide = _read_image(self.files[0]).shape[:2]
            return len(self.files), (wide, high)
        info = probe(self.film.path)
        length = info.frames or round((info.duration or 0) * info.fps) or _UNKNOWN_LENGTH
        return length, info.size

    def look(self, board: Board, wanted: Indices, progress: Progress, stop: threading.Event) -> None:
        """Look for the board in the images of those indices.

        Args:
            board: to look for.
            wanted: indices, rising.
            progress: told of each image.
            stop: set when it is no longer wanted.
        """
        new = np.setdiff1d(wanted, list(self.seen))
        sampled = set(new[:: max(1, -(-len(new) // _SAMPLES))]) if not self.samples else set()
        for index, time, image in self._images(new):
            if stop.is_set():
                return
            self.times[index] = time
            corners = find(board, image, thorough=not self.is_video)
            self.seen[index] = corners, sharpness(board, image, corners)
            if index in sampled:
                self.samples.append(image)
            progress.advance(self.film.name, 1)

    def again(self, board: Board, progress: Progress, stop: threading.Event) -> None:
        """Look once more where it has been looked, for the board as it turned out to be.

        Args:
            board: to look for.
            progress: told of each image.
            stop: set when it is no longer wanted.
        """
        wanted = np.array(sorted(self.seen), dtype=np.intp)
        self.seen.clear()
        self.look(board, wanted, progress, stop)

    def when(self) -> Floats:
        """(N,) times on the common clock at which the board was seen."""
        times = [self.times[i] for i, (corners, _) in self.seen.items() if np.isfinite(corners).any()]
        return np.sort(np.array(times, dtype=float)) + self.film.offset

    def clock(self) -> Floats:
        """(length,) times of all frames on the common clock, as far as those looked at tell."""
        known = sorted(self.times)
        if len(known) < 2:
            return np.full(self.length, self.film.offset)
        rate = (self.times[known[-1]] - self.times[known[0]]) / (known[-1] - known[0])
        index = np.arange(self.length)
        times = np.interp(index, known, [self.times[i] for i in known])
        after = np.maximum(index - known[-1], 0)
        return np.asarray(times + after * rate + self.film.offset)

    def frame(self) -> float:
        """Seconds between the film's frames, as far as those looked at tell."""
        clock = self.clock()
        return max(float(np.median(np.diff(clock))), 1e-3) if len(clock) > 1 else 1.0

    def sightings(self, board: Board) -> Sightings:
        """What was found, in order of time; of images without the board, too.

        Args:
            board: that was looked for.
        """
        order = sorted(self.seen)
        corners = np.array([self.seen[i][0] for i in order]).reshape(-1, board.count, 2)
        labels = tuple(f"frame {i}" if self.is_video else self.files[i].name for i in order)
        sharp = np.array([self.seen[i][1] for i in order])
        times = np.array([self.times[i] for i in order])
        return Sightings(self.film.name, self.size, times, corners, sharp, labels)

    def _images(self, wanted: Indices) -> Iterator[tuple[int, float, Image]]:
        """Index, time (s) and grey image of those of the wanted that can be decoded."""
        if not len(wanted):
            return
        if not self.is_video:
            for i in wanted:
                yield int(i), float(i), self._photograph(self.files[i])
            return
        chosen = set(wanted.tolist())
        for frame in read_frames(self.film.path, int(wanted[0]), int(wanted[-1]) + 1):
            if frame.index in chosen and frame.image is not None:
                yield frame.index, frame.time, to_grey(frame.image)

    def _photograph(self, file: Path) -> Image:
        image = _read_image(file)
        if image.shape[1::-1] != self.size:
            sizes = f"{image.shape[1]}x{image.shape[0]}, the first {self.size[0]}x{self.size[1]}"
            raise VideoError(f"{file}: is {sizes}: images of one camera must have one size")
        return image


def images_in(folder: Path) -> list[Path]:
    """List the images of a folder by name, 2 before 10.

    Args:
        folder: that is there.

    Raises:
        VideoError: it holds none.
    """
    files = [f for f in folder.iterdir() if f.suffix.lower() in IMAGES and not f.name.startswith(".")]
    if not files:
        raise VideoError(f"{folder}: no images in the folder; known are {', '.join(IMAGES)}")
    return sorted(files, key=lambda f: [(s.isdigit(), int(s) if s.isdigit() else s) for s in _parts(f)])


def _parts(file: Path) -> list[str]:
    return [part for part in re.split(r"(\d+)", file.name) if part]


def _read_image(file: Path) -> Image:
    import cv2

    data = np.fromfile(file, dtype=np.uint8)  # cv2.imread cannot open every name on Windows
    image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
    if image is None:
        raise VideoError(f"{file}: not an image that can be read: copy it again, or take it out")
    return np.asarray(image, dtype=np.uint8)
