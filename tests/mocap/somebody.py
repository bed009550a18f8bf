"""Somebody whom BlazePose saw: its landmarks of a frame of the example, and centres beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mocap.detect.centres import CENTRES
from mocap.keypoints import load_layout
from mocap.video import Image, read_frames

VIDEO = Path(__file__).parents[2] / "examples" / "walk" / "cam1.mp4"
FRAME, SIZE = 30, (720, 540)
LAYOUT, WHOLE = load_layout("blazepose33"), load_layout("blazepose33_centres")
LANDMARKS = np.array([
    [374, 199], [373, 196], [372, 195], [370, 195], [376, 196], [377, 197], [378, 197], [367, 195],
    [378, 198], [372, 201], [375, 202], [342, 214], [383, 222], [330, 242], [395, 251], [328, 265],
    [413, 253], [325, 273], [421, 254], [328, 272], [420, 251], [329, 269], [417, 250], [341, 274],
    [361, 276], [354, 310], [375, 314], [356, 353], [360, 355], [353, 360], [355, 361], [367, 365],
    [372, 371],
], dtype=float)  # fmt: skip
HEIGHT = float(np.ptp(LANDMARKS[:, 1]))
SAME = np.array(WHOLE.same).T - np.array(
    [[0], [len(LAYOUT)]]
)  # landmarks, and the centres that mean the same
OTHER_SIDE = WHOLE.mirror[len(LAYOUT) :] - len(LAYOUT)  # of the centres


def picture() -> Image:
    """The frame."""
    for frame in read_frames(VIDEO):
        if frame.index == FRAME and frame.image is not None:
            return frame.image
    raise AssertionError(f"{VIDEO} has no frame {FRAME}")


def centres_of(landmarks: np.ndarray, spread: float = 2.0) -> np.ndarray:
    """Centres (..., 40, 5) right at landmarks (..., 33, 2) that mean the same; others between the hips."""
    hips = landmarks[..., [LAYOUT.index("left_hip"), LAYOUT.index("right_hip")], :].mean(
        axis=-2, keepdims=True
    )
    places = np.repeat(hips, len(CENTRES), axis=-2)
    places[..., SAME[1], :] = landmarks[..., SAME[0], :]
    return np.concatenate(
        [places, np.full((*places.shape[:-1], 1), spread), np.zeros((*places.shape[:-1], 2))], axis=-1
    )
