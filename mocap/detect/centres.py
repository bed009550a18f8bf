"""Where in the image the joint centres of a person are, by networks that look at the person once more.

Detectors mark what people who label photographs can see; what is animated are the centres that bones turn
about. A network was taught where these are on pictures of people that were drawn, whose skeletons are known
to a hair (`docs/centres.md`); its trunk is BlazePose's own, which has seen many more real ones. It draws a
map of where each centre may be; a second, small one hears what all maps of a person say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mocap.detect.heatmaps import read_maps, weighed
from mocap.errors import DetectError, MocapError
from mocap.video import Image
from rigs.solving.slant import slant_of, turned

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

Networks = Mapping[str, str]  # the one that draws maps, and the one that hears all points together: SHA-256
CONTEXT = {"context.onnx": "7c5317bbeffda110f300b8dd569c1bdc00a5d9ec5e31dbcc7f063d4dd507ae11"}
NETWORKS: Networks = {
    "centres.onnx": "6d1bde87ff99bcd3812eb5bec3dcd3e561cebd06506b7b5ce0bf68d7538d01b4",
    **CONTEXT,
}
CLOSER_NETWORKS: Networks = {  # for squares that are laid about a solved body
    "closer_centres.onnx": "f648a164a3141ad72af70d651d3b5bb2a74db9d61ff17886ca8dbf60b7b95ad9",
    **CONTEXT,
}
SIDES = ("l", "r")
CENTRES = (
    "pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head",
    *(f"{k}_{s}" for k in ("clavicle", "upperarm", "lowerarm", "hand") for s in SIDES),
    *(f"{k}_{s}" for k in ("thigh", "calf", "foot", "ball") for s in SIDES),
    "nose_tip", *(f"{k}_{s}" for k in ("eye", "ear", "heel", "toe") for s in SIDES), "head_top",
    *(f"{k}_{s}" for k in ("thumb_02", "index_01", "middle_01", "pinky_01") for s in SIDES),
)  # fmt: skip
SIZE = 256  # of the crop that the network sees, pixels
AROUND = 1.25  # times the extent of the landmarks: the crop's side
LEAST_SIDE = 4.0  # pixels


def version_of(networks: Networks) -> str:
    """What is said of networks in a take: other ones say otherwise."""
    return f"centres 3 {' '.join(digest[:8] for digest in networks.values())}"  # 3: what is done with them


def squares_about(points: Floats, hips: Floats, shoulders: Floats, around: float = AROUND) -> Floats:
    """Squares about people, turned so that the shoulders are above the hips.

    Args:
        points: (..., J, 2) px, what the squares are to hold.
        hips: (..., 2) px, their middle.
        shoulders: (..., 2) px, their middle.
        around: times the extent of the points: a square's side.

    Returns:
        (..., 4) of each square: x and y of its middle, and its side, px, and its lean, radians.
    """
    right, down = np.moveaxis(hips - shoulders, -1, 0)
    lean = np.arctan2(right, down)
    upright = _upright(lean)
    turned = points @ upright.swapaxes(-1, -2)
    low, high = turned.min(axis=-2), turned.max(axis=-2)
    side = np.maximum(around * (high - low).max(axis=-1), LEAST_SIDE)
    middle = np.einsum("...ij,...i->...j", upright, (low + high) / 2)
    return np.concatenate([middle, side[..., None], lean[..., None]], axis=-1)


def _upright(lean: Floats) -> Floats:
    """Rotations (..., 2, 2) of the image that take `lean` (...) out."""
    c, s = np.cos(lean), -np.sin(lean)
    return np.moveaxis(np.array([[c, s], [-s, c]]), (0, 1), (-2, -1))


@dataclass(frozen=True, eq=False)
class Crop:
    """A turned square of an image: `turn` (2, 2) and `move` (2,) take image pixels to the crop's."""

    turn: Floats
    move: Floats

    @classmethod
    def of(cls, square: Floats) -> Crop:
        """The crop of a square (4,), see `squares_about`."""
        turn = _upright(square[3]) * (SIZE / square[2])
        return cls(turn, (SIZE - 1) / 2 - turn @ square[:2])

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

    def edges(self, image: Image) -> Floats:
        """(4, 3) lines at which the image ends: a x + b y + c, pixels of the crop, is more than 0 beyond."""
        high, wide = image.shape[:2]
        back = np.linalg.inv(self.turn)
        lines = np.column_stack([back, -back @ self.move])  # x and y in the image of a pixel of the crop
        first, last = -lines - (0, 0, 0.5), lines - np.array([[0, 0, wide - 0.5], [0, 0, high - 0.5]])
        return self.zoom * np.concatenate([first, last])

    def of_image(self, points: Floats) -> Floats:
        """Pixels (..., 2) of the image in the crop."""
        return np.asarray(points @ self.turn.T + self.move)

    def back(self, points: Floats) -> Floats:
        """Pixels (..., 2) of the crop in the image."""
        return np.asarray((points - self.move) @ np.linalg.inv(self.turn).T)


class CentreNetworks:
    """Networks of the package.

    Args:
        networks: which.

    Raises:
        DetectError: onnxruntime is missing; says how to install it.
        MocapError: the file of the package is damaged.
    """

    def __init__(self, networks: Networks = NETWORKS) -> None:
        self._maps, self._context = (_session(name, digest) for name, digest in networks.items())

    def look(self, image: Image, points: Floats) -> Floats:
        """Where the joint centres of a person are.

        Args:
            image: (H, W, 3) RGB.
            points: (33, 2) px, BlazePose's landmarks of that person.

        Returns:
            (40, 5) in the order of `CENTRES`: x and y, how far each may be off (standard deviation), px, and
            which way it is rather off, see `rigs.solving.slant`.
        """
        return self.look_in(
            image, squares_about(points, points[23:25].mean(axis=0), points[11:13].mean(axis=0))
        )

    def look_in(self, image: Image, square: Floats, expected: Floats | None = None) -> Floats:
        """As `look`, in a square of the image.

        Args:
            image: (H, W, 3) RGB.
            square: (4,), see `squares_about`.
            expected: (40, 3) x and y where each centre is expected, and by how much it may be elsewhere
                (standard deviation), px; NaN or none = anywhere.
        """
        crop = Crop.of(square)
        picture = crop.cut(image).astype(np.float32).transpose(2, 0, 1) / 255
        if expected is not None:
            expected = np.column_stack([crop.of_image(expected[:, :2]), crop.zoom * expected[:, 2]])
        places, spread, slant = self.read(picture, crop.edges(image), expected)
        return np.column_stack([crop.back(places), spread / crop.zoom, turned(slant, -crop.lean)])

    def read(
        self, picture: Singles, edges: Floats, expected: Floats | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Where the joint centres are in a crop.

        Args:
            picture: (3, 256, 256) red, green, blue, 0..1.
            edges: (E, 3) lines at which the camera's image ends, see `Crop.edges`.
            expected: (40, 3) as of `look_in`, pixels of the crop.

        Returns:
            The places (40, 2), how far each may be off (40,), pixels of the crop, and which way (40, 2).
        """
        maps, features = (out[0] for out in self._maps.run(None, {"image": picture[None]}))
        if expected is not None:
            maps = weighed(maps, expected)
        read, about = read_maps(maps), features.reshape(len(features), -1)
        near, other = (np.ascontiguousarray(about[:, at].T) for at in (read.cells, read.other_cells))
        asked = {"numbers": read.numbers(edges), "near": near, "other": other}
        (change,) = self._context.run(None, {name: values[None] for name, values in asked.items()})[0]
        said = read.ellipses()
        size = np.exp(said[:, :2].mean(axis=1, keepdims=True))
        return read.points() + size * change[:, :2], *spread_and_slant(said + change[:, 2:])


def spread_and_slant(sizes: Floats) -> tuple[Floats, Floats]:
    """How far points may be off (K,), one standard deviation, and which way rather (K, 2).

    Args:
        sizes: (K, 3) xx, yy and xy of the logarithm of how far each may be off, as a matrix.
    """
    size, axes = np.linalg.eigh(sizes[:, [0, 2, 2, 1]].reshape(-1, 2, 2))
    least, most = np.exp(size).T
    return np.sqrt((least**2 + most**2) / 2), slant_of(least, most, axes[:, :, 1])


@lru_cache
def _session(name: str, digest: str) -> InferenceSession:
    try:
        import onnxruntime
    except ImportError as error:
        raise DetectError("joint centres need onnxruntime: run `pip install onnxruntime`") from error
    data = resources.files("mocap").joinpath("refiners", name).read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise MocapError(f"{name} in this installation is damaged: install mocap again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # views already have a process each
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
