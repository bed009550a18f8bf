"""Keypoints that were found elsewhere: they lie beside the video. For one's own detector, and for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from mocap.detect.base import Detection
from mocap.errors import DetectError, MocapError
from mocap.keypoints import Array, load_layout
from mocap.storage import read_arrays
from mocap.video import Frame, sha256


class Given:
    """Gives the keypoints of `cam1.keypoints.npz` for the frames of `cam1.mp4`.

    The file has `layout` (a name, "coco17"), `points` (T, J, 2) pixels of the upright image, `confidence`
    (T, J), and perhaps `world` (T, J, 3) metres; T is the number of frames of the video. With several people
    the arrays are (T, P, J, ...), in any order in each frame.

    Args:
        video: the video; the file is looked for beside it.
        alone: whether only the first person counts.

    Raises:
        DetectError: there is no such file, or it lacks something.
    """

    def __init__(self, video: Path, alone: bool = False) -> None:
        self.path = video.with_suffix(".keypoints.npz")
        if not self.path.is_file():
            raise DetectError(f"no keypoints given for {video.name}: {self.path} is missing")
        self.version = sha256(self.path) + (" one" if alone else "")
        self._read()
        self.people = 1 if alone else self.points.shape[1]

    def detect(self, frames: Iterable[Frame]) -> Iterator[Detection]:
        """Give the keypoints of every frame; those of a frame that cannot be decoded are given as well.

        Raises:
            DetectError: the video has more frames than there are keypoints.
        """
        for frame in frames:
            t = frame.index
            if t >= len(self.points):
                raise DetectError(
                    f"{self.path}: keypoints of {len(self.points)} frames, but the video has more"
                )
            world = None if self.world is None else self.world[t, : self.people]
            points, confidence = self.points[t, : self.people], self.confidence[t, : self.people]
            yield Detection(t, frame.time, points, confidence, world)

    def _read(self) -> None:
        try:
            arrays = read_arrays(self.path)
            self.layout = load_layout(str(arrays["layout"]))
            self.points: Array = _people(arrays["points"], 4)
            seen = np.isfinite(self.points).all(axis=-1)
            self.points = np.where(seen[..., None], self.points, np.nan)
            self.confidence: Array = np.where(seen, _people(arrays["confidence"], 3), 0.0)
            self.world: Array | None = _people(arrays["world"], 4) if "world" in arrays else None
        except KeyError as error:
            raise DetectError(
                f"{self.path}: lacks {error}; it needs layout, points and confidence"
            ) from error
        except (MocapError, ValueError, TypeError) as error:
            raise DetectError(f"{self.path}: cannot be read: {error}") from error
        joints = len(self.layout)
        if self.points.shape[2:] != (joints, 2) or self.confidence.shape != self.points.shape[:3]:
            found = f"points {self.points.shape}, confidence {self.confidence.shape}"
            raise DetectError(
                f"{self.path}: needs points (T, {joints}, 2), confidence (T, {joints}), or with several"
                f" people (T, P, {joints}, 2) and (T, P, {joints}); has {found}"
            )


def _people(values: np.ndarray, axes: int) -> Array:
    """The same with an axis of people, if it is the only one that is missing."""
    return np.asarray(values[:, None] if values.ndim == axes - 1 else values, dtype=np.float64)
