"""BlazePose, the full model that MediaPipe's wheel carries: one person, 33 landmarks, works offline."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from mocap.detect.base import Detection
from mocap.errors import DetectError
from mocap.keypoints import load_layout
from mocap.system import missing_library
from mocap.video import Frame, Image


class BlazePose:
    """MediaPipe's BlazePose (Bazarevsky et al. 2020), tracking one person from frame to frame, unsmoothed.

    The images go in at full size: half the size is not faster, because the network sees a crop of 256 x 256
    either way. Where a tracker starts matters: started later it differs by 1 to 5 px (mean; the person is 750
    px tall) for good, since every crop is taken from the landmarks before.

    Args:
        video: not looked at; the frames are all it needs.
    """

    def __init__(self, video: Path | None = None) -> None:
        self.layout = load_layout("blazepose33")
        try:
            self.version = f"mediapipe {metadata.version('mediapipe')} full"
        except metadata.PackageNotFoundError as error:
            raise DetectError("BlazePose needs mediapipe: run `pip install mediapipe==0.10.21`") from error

    def detect(self, frames: Iterable[Frame]) -> Iterator[Detection]:
        """Give the landmarks of every frame; confidence is MediaPipe's visibility.

        Raises:
            DetectError: MediaPipe or a library of the system is missing; names the package to install.
        """
        nothing = np.full((33, 2), np.nan), np.zeros(33), np.full((33, 3), np.nan)
        with _pose() as pose:
            for frame in frames:
                found = nothing if frame.image is None else _landmarks(pose, frame.image) or nothing
                yield Detection(frame.index, frame.time, *found)


def _pose() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        from mediapipe.python.solutions.pose import Pose
    except ImportError as error:
        raise DetectError(missing_library("BlazePose", error)) from error
    return Pose(model_complexity=1, smooth_landmarks=False)


def _landmarks(pose: Any, image: Image) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    found = pose.process(image)
    if not found.pose_landmarks:
        return None
    high, wide = image.shape[:2]
    rows = np.array([(p.x, p.y, p.visibility) for p in found.pose_landmarks.landmark])
    world = np.array([(p.x, p.y, p.z) for p in found.pose_world_landmarks.landmark])
    # MediaPipe's 0..1 is from edge to edge of the image; our pixel centres are at integers. Against four true
    # cameras the mean horizontal residual is 0.05 px where the crop has about the network's 256 px, and 1 px
    # (too far right) where it has 4.5 times as many: its warp takes pixel centres for edges.
    points = rows[:, :2] * (wide, high) - 0.5
    return points, np.clip(rows[:, 2], np.finfo(np.float32).tiny, 1.0), world
