"""Where in the image the joint centres of a person are, by a network that looks at the person once more.

Detectors mark what people who label photographs can see; what is animated are the centres that bones turn
about. The network was taught where these are on pictures of people that were drawn, whose skeletons are known
to a hair (`docs/centres.md`); its trunk is BlazePose's own, which has seen many more real ones.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mocap.errors import DetectError, MocapError
from mocap.video import Image
from rigs.solving.slant import slant_of, turned

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

NETWORK, SHA256 = "centres.onnx", "b7c13ae755ba3efdb3d6a775f2a57d57dac417daf8da3d21c252e0bb67aa729b"
VERSION = f"centres 2 {SHA256[:8]}"  # the number is of what is done with the network
SIDES = ("l", "r")
CENTRES = (
    "pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head",
    *(f"{k}_{s}" for k in ("clavicle", "upperarm", "lowerarm", "hand") for s in SIDES),
    *(f"{k}_{s}" for k in ("thigh", "calf", "foot", "ball") for s in SIDES),
    "nose_tip", *(f"{k}_{s}" for k in ("eye", "ear", "heel", "toe") for s in SIDES), "head_top",
    *(f"{k}_{s}" for k in ("thumb_02", "index_01", "middle_01", "pinky_01") for s in SIDES),
)  # fmt: skip
SIZE, CELL = 256, 4  # of the crop that the network sees, and of the cells that it answers in, pixels
AROUND = 1.25  # times the extent of the landmarks: the crop's side
# How far a place may be off along either axis of the scatter of the likelihood, crop pixels, at that scatter:
# measured (see `docs/centres.md`).
SLOPE, LESS, LEAST = 0.74, 1.3, 0.9
SURER, LESS_SURE = 0.8, 1.15  # times that, of feet, and of the head: measured, too
NEAR = 3  # cells about the likeliest one whose mean is the place


@dataclass(frozen=True, eq=False)
class Crop:
    """A turned square of an image: `turn` (2, 2) and `move` (2,) take image pixels to the crop's."""

    turn: Floats
    move: Floats

    @classmethod
    def about(cls, points: Floats, hips: Floats, shoulders: Floats) -> Crop:
        """The square about a person, turned so that the shoulders are above the hips.

        Args:
            points: (J, 2) px, all that was seen.
            hips: (2,) px, their middle.
            shoulders: (2,) px, their middle.
        """
        right, down = hips - shoulders
        lean = np.arctan2(right, down)
        c, s = np.cos(lean), -np.sin(lean)
        upright = np.array([[c, s], [-s, c]])
        turned = points @ upright.T
        low, high = turned.min(axis=0), turned.max(axis=0)
        zoom = SIZE / max(AROUND * float((high - low).max()), 4.0)
        return cls(upright * zoom, (SIZE - 1) / 2 - (low + high) / 2 * zoom)

    @property
    def zoom(self) -> float:
        """Crop pixels to an image pixel."""
        return float(np.hypot(*self.turn[0]))

    @property
    def lean(self) -> float:
        """Radians by which the image is turned in the crop, from x to y."""
        return float(np.arctan2(self.turn[1, 0], self.turn[0, 0]))

    def cut(self, image: Image) -> Image:
        """The crop (256, 256, 3), black beyond the image's edge."""
        import cv2

        turn, move, shrink = self.turn, self.move, int(1 / self.zoom)
        if shrink > 1:  # what is much larger than the crop is averaged first: points would be picked from it
            back = np.linalg.inv(self.turn)
            corners = (np.array([[0, 0], [0, SIZE], [SIZE, 0], [SIZE, SIZE]]) - 0.5 - self.move) @ back.T
            high, wide = image.shape[:2]
            left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (wide - 1, high - 1))
            right, low = np.clip(np.ceil(corners.max(axis=0)).astype(int), (left + 1, top + 1), (wide, high))
            across, along = max((right - left) // shrink, 1), max((low - top) // shrink, 1)
            grown = np.array([(right - left) / across, (low - top) / along])
            part = image[top:low, left:right]
            image = np.asarray(cv2.resize(part, (across, along), interpolation=cv2.INTER_AREA), np.uint8)
            move = move + turn @ (np.array([left, top]) + (grown - 1) / 2)
            turn = turn * grown
        return np.asarray(cv2.warpAffine(image, np.column_stack([turn, move]), (SIZE, SIZE)), np.uint8)

    def back(self, points: Floats) -> Floats:
        """Pixels (..., 2) of the crop in the image."""
        return np.asarray((points - self.move) @ np.linalg.inv(self.turn).T)


class CentreNetwork:
    """The network of the package.

    Raises:
        DetectError: onnxruntime is missing; says how to install it.
        MocapError: the file of the package is damaged.
    """

    def __init__(self) -> None:
        self._session = _session()
        self._input = self._session.get_inputs()[0].name

    def look(self, image: Image, points: Floats) -> Floats:
        """Where the joint centres of a person are.

        Args:
            image: (H, W, 3) RGB.
            points: (33, 2) px, BlazePose's landmarks of that person.

        Returns:
            (40, 5) in the order of `CENTRES`: x and y, how far each may be off (standard deviation), px, and
            which way it is rather off, see `rigs.solving.slant`.
        """
        crop = Crop.about(points, points[23:25].mean(axis=0), points[11:13].mean(axis=0))
        picture = crop.cut(image).astype(np.float32).transpose(2, 0, 1) / 255
        places, spread, slant = read_maps(self._session.run(None, {self._input: picture[None]})[0][0])
        return np.column_stack([crop.back(places), _times() * spread / crop.zoom, turned(slant, -crop.lean)])


def read_maps(logits: Singles) -> tuple[Floats, Floats, Floats]:
    """What heat maps (K, 64, 64) of logits show, in pixels of the crop.

    The place is the mean over the cells about the likeliest one (an integral as by Sun et al. 2018, kept near
    the peak); the scatter is that of all the likelihood about it, wherever it lies.

    Returns:
        The places (K, 2), how far each may be off (K,), and which way rather (K, 2), see
        `rigs.solving.slant`.
    """
    count, rows, columns = logits.shape
    flat = logits.reshape(count, -1)
    share = np.exp(flat - flat.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    y, x = np.divmod(flat.argmax(axis=1), columns)
    grid = share.reshape(count, rows, columns)
    near_y = np.abs(np.arange(rows) - y[:, None]) <= NEAR
    near_x = np.abs(np.arange(columns) - x[:, None]) <= NEAR
    local = grid * near_y[:, :, None] * near_x[:, None, :]
    total = np.maximum(local.sum(axis=(1, 2)), 1e-9)
    at_x = (local.sum(axis=1) * np.arange(columns)).sum(axis=1) / total
    at_y = (local.sum(axis=2) * np.arange(rows)).sum(axis=1) / total
    off_x, off_y = np.arange(columns) - at_x[:, None], np.arange(rows) - at_y[:, None]
    along_x, along_y = grid.sum(axis=1), grid.sum(axis=2)
    xx, yy = (along_x * off_x**2).sum(axis=1), (along_y * off_y**2).sum(axis=1)
    xy = ((grid @ off_x[:, :, None])[..., 0] * off_y).sum(axis=1)
    places = np.stack([at_x, at_y], axis=1).astype(float) * CELL + (CELL - 1) / 2
    scatter, way = np.linalg.eigh(np.stack([xx, xy, xy, yy], axis=1).astype(float).reshape(count, 2, 2))
    least, most = np.maximum(SLOPE * CELL * np.sqrt(np.maximum(scatter, 0)) - LESS, LEAST).T
    return places, np.sqrt((least**2 + most**2) / 2), slant_of(least, most, way[:, :, 1])


@lru_cache
def _times() -> Floats:
    """What spreads of `CENTRES` (40,) are multiplied by."""
    feet, head = ("foot", "ball", "toe"), ("head", "nose", "eye", "ear")
    return np.array(
        [SURER if c.startswith(feet) else LESS_SURE if c.startswith(head) else 1.0 for c in CENTRES]
    )


@lru_cache
def _session() -> InferenceSession:
    try:
        import onnxruntime
    except ImportError as error:
        raise DetectError("joint centres need onnxruntime: run `pip install onnxruntime`") from error
    data = resources.files("mocap").joinpath("refiners", NETWORK).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise MocapError(f"{NETWORK} in this installation is damaged: install mocap again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # views already have a process each
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
