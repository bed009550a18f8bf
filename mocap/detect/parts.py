"""A view's detections on disk: parts while the detector runs, one file when it is through."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mocap.detect.base import Detection
from mocap.errors import MocapError, TakeError
from mocap.keypoints import Keypoints2D, load_layout
from mocap.take import Take

_FORMAT = 3
_MORE = ("world", "centres", "colours")  # what a detection may have beside points and confidence
_Arrays = dict[str, npt.NDArray[Any]]


def detection_key(video_sha256: str, detector: str, version: str) -> str:
    """What a view's detections depend on, as one word."""
    return hashlib.sha256(json.dumps([_FORMAT, video_sha256, detector, version]).encode()).hexdigest()


def keypoints_file(view: str) -> str:
    """Name of the file in the take with the keypoints of a view."""
    return f"views/{view}.keypoints.npz"


@dataclass(frozen=True)
class Parts:
    """The detections of one view in a take, as far as they are.

    Parts are written one after the other, so that saving costs the same at any length; a part or a whole with
    another key (another video, detector or version) counts as missing.

    Args:
        take: the take, capturing.
        view: name of the view.
        key: of `detection_key`.
        layout: name of the keypoint layout.
    """

    take: Take
    view: str
    key: str
    layout: str

    def frames(self) -> int:
        """How many frames the parts on disk hold, without a gap from the first."""
        return sum(len(part["times"]) for part in self._parts())

    def append(self, first: int, detections: Sequence[Detection]) -> None:
        """Write a part: the detections of the frames from number `first` on.

        Raises:
            TakeError: the disk is full, or the take cannot be written.
        """
        if not detections:
            return
        columns: _Arrays = {
            "points": _padded([d.points for d in detections], np.nan),
            "confidence": _padded([d.confidence for d in detections], 0.0),
            "times": np.array([d.time for d in detections], dtype=np.float64),
        }
        for name in _MORE:
            if getattr(detections[0], name) is not None:
                columns[name] = _padded([getattr(d, name) for d in detections], np.nan)
        self.take.write_arrays(self._name(first), key=np.array(self.key), **columns)

    def join(self, size: tuple[int, int]) -> None:
        """Make one file of the parts, for images of `size` (width, height), and remove them.

        Raises:
            TakeError: as `append`; or there is nothing to join.
        """
        parts = list(self._parts())
        if not parts:
            raise TakeError(f"view {self.view}: nothing was detected to keep")
        whole = {name: self._whole(name, [p[name] for p in parts]) for name in parts[0] if name != "key"}
        head = {"key": np.array(self.key), "layout": np.array(self.layout), "size": np.array(size)}
        self.take.write_arrays(keypoints_file(self.view), **head, **whole)
        for first in np.cumsum([0, *(len(p["times"]) for p in parts[:-1])]):
            self.take.remove(self._name(int(first)))

    def read(self) -> Keypoints2D | None:
        """The keypoints of the whole view; None where they are missing or have another key.

        Raises:
            TakeError: the file is damaged.
        """
        name = keypoints_file(self.view)
        if not self.take.has(name):
            return None
        found = self.take.read_arrays(name)
        return read_keypoints(self.take, self.view) if str(found.get("key")) == self.key else None

    def _parts(self) -> Iterator[_Arrays]:
        first = 0
        while self.take.has(self._name(first)):
            try:
                part = self.take.read_arrays(self._name(first))
            except TakeError:  # a damaged part is made again
                return
            if str(part.get("key")) != self.key:
                return
            yield part
            first += len(part["times"])

    def _whole(self, name: str, parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        if name == "times":
            return np.concatenate(parts)
        return _padded([frame for part in parts for frame in part], 0.0 if name == "confidence" else np.nan)

    def _name(self, first: int) -> str:
        return f"views/{self.view}.parts/{first:09d}.npz"


def _padded(frames: Sequence[npt.NDArray[Any]], fill: float) -> npt.NDArray[np.float32]:
    """One array (T, P, ...) of frames (P, ...) with more or fewer people."""
    people = max(len(frame) for frame in frames)
    out = np.full((len(frames), people, *frames[0].shape[1:]), fill, dtype=np.float32)
    for t, frame in enumerate(frames):
        out[t, : len(frame)] = frame
    return out


def read_keypoints(take: Take, view: str) -> Keypoints2D:
    """The keypoints of a view of a take.

    Raises:
        TakeError: the file is missing or damaged; says what to do.
    """
    name = keypoints_file(view)
    found = take.read_arrays(name)
    try:
        return Keypoints2D(
            layout=load_layout(str(found["layout"])),
            points=found["points"],
            confidence=found["confidence"],
            times=found["times"],
            size=(int(found["size"][0]), int(found["size"][1])),
            **{name: found.get(name) for name in _MORE},
        )
    except (KeyError, IndexError) as error:
        raise TakeError(f"{take.path(name)} lacks {error}: delete the file and capture again") from error
    except MocapError as error:  # as of a version that kept less
        raise TakeError(f"{take.path(name)}: {error}; delete the file and capture again") from error
