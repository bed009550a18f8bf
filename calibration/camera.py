"""One calibrated camera, and several in one world."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration import distortion as lens
from calibration.errors import CameraError
from calibration.rotation import nearest

Array = NDArray[np.float64]

# A rotation written with three decimals is off by 5e-4 an entry; more than twice that is no rounding.
_ROTATION_TOLERANCE = 2e-3
_NEAREST_DEPTH = 1e-9  # metres: what is closer than this to the plane of the lens is behind it


@dataclass(frozen=True, eq=False)
class Camera:
    """A calibrated camera: what it sees of a point, and which ray a pixel looks along.

    Axes as in OpenCV: x right, y down, z forward; pixel centres at integers. The world is the caller's
    (in this project: metres, y up).

    Args:
        name: what the camera is called.
        size: (width, height) of the frames it was calibrated for, pixels.
        K: (3, 3) camera matrix, pixels.
        distortion: (n,) coefficients in OpenCV's order; n in 0, 4, 5, 8 (pinhole) or 4 (fisheye).
        camera_from_world: (4, 4) rigid transform; a rotation rounded in a file is made exact.
        model: "pinhole" (Brown-Conrady) or "fisheye" (Kannala-Brandt).

    Raises:
        CameraError: the numbers are not those of a camera; names the camera and the field.
    """

    name: str
    size: tuple[int, int]
    K: Array
    distortion: Array
    camera_from_world: Array
    model: str = "pinhole"

    def __post_init__(self) -> None:
        """Refuse what cannot be a camera, and freeze the arrays."""
        if self.model not in lens.COEFFICIENTS:
            known = ", ".join(lens.COEFFICIENTS)
            raise CameraError(f"camera {self.name!r}: model: must be one of {known}, got {self.model!r}")
        self._set("size", _checked_size(self.name, self.size))
        self._set("K", _checked_matrix(self.name, self.K))
        self._set("distortion", _checked_distortion(self.name, self.distortion, self.model))
        self._set("camera_from_world", _checked_pose(self.name, self.camera_from_world))

    def _set(self, field: str, value: Array | tuple[int, int]) -> None:
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
        object.__setattr__(self, field, value)

    @property
    def centre(self) -> Array:
        """(3,) position of the camera in the world."""
        return np.asarray(-self.camera_from_world[:3, :3].T @ self.camera_from_world[:3, 3])

    def project(self, points: ArrayLike) -> Array:
        """Tell at which pixel each point is seen.

        Args:
            points: (..., 3) in the world.

        Returns:
            (..., 2) pixels, also outside the frame; NaN for a point behind the camera, for NaN, and
            beyond the fold of the distortion polynomial, where no lens sees.
        """
        world = np.asarray(points, dtype=np.float64)
        seen = world @ self.camera_from_world[:3, :3].T + self.camera_from_world[:3, 3]
        depth = np.where(seen[..., 2:] > _NEAREST_DEPTH, seen[..., 2:], np.nan)
        bent = lens.distort(seen[..., :2] / depth, self.distortion, self.model)
        return np.asarray(bent @ self.K[:2, :2].T + self.K[:2, 2])

    def undistort(self, pixels: ArrayLike) -> Array:
        """Turn pixels into ideal normalised image coordinates.

        Args:
            pixels: (..., 2) pixels.

        Returns:
            (..., 2) x/z, y/z in the camera's axes; NaN for NaN and where no ray reaches the pixel.
        """
        inverse: Array = np.linalg.inv(self.K[:2, :2])
        bent: Array = (np.asarray(pixels, dtype=np.float64) - self.K[:2, 2]) @ inverse.T
        return lens.undistort(bent, self.distortion, self.model)

    def rays(self, pixels: ArrayLike) -> Array:
        """Tell in which direction each pixel looks.

        Args:
            pixels: (..., 2) pixels.

        Returns:
            (..., 3) unit directions in the world, from `centre`; NaN for NaN.
        """
        xy = self.undistort(pixels)
        direction = np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1)
        direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
        return np.asarray(direction @ self.camera_from_world[:3, :3])


@dataclass(frozen=True, eq=False)
class Cameras:
    """Several calibrated cameras in one world, in a fixed order.

    Args:
        cameras: at least one camera; names must differ.

    Raises:
        CameraError: no camera, or two with one name.
    """

    cameras: tuple[Camera, ...]

    def __post_init__(self) -> None:
        """Refuse an empty set and twins."""
        object.__setattr__(self, "cameras", tuple(self.cameras))
        if not self.cameras:
            raise CameraError("cameras: there must be at least one, got none")
        twins = sorted({name for name in self.names if self.names.count(name) > 1})
        if twins:
            raise CameraError(f"cameras: names must differ, got {', '.join(map(repr, twins))} more than once")

    @property
    def names(self) -> tuple[str, ...]:
        """The cameras' names, in order."""
        return tuple(camera.name for camera in self.cameras)

    def __len__(self) -> int:
        """Return the number of cameras, V."""
        return len(self.cameras)

    def __iter__(self) -> Iterator[Camera]:
        """Go through the cameras in order."""
        return iter(self.cameras)

    def __getitem__(self, key: str | int) -> Camera:
        """Return a camera by name or place."""
        if isinstance(key, str):
            if key not in self.names:
                raise CameraError(f"no camera {key!r}: there are {', '.join(self.names)}")
            return self.cameras[self.names.index(key)]
        return self.cameras[key]

    def select(self, names: Sequence[str]) -> Cameras:
        """Return the named cameras, in the order asked for.

        Args:
            names: names of cameras that there are.

        Raises:
            CameraError: an unknown name; lists those there are.
        """
        return Cameras(tuple(self[name] for name in names))

    def project(self, points: ArrayLike) -> Array:
        """Tell where every camera sees each point.

        Args:
            points: (..., 3) in the world.

        Returns:
            (V, ..., 2) pixels; NaN where a camera cannot see the point.
        """
        return np.stack([camera.project(points) for camera in self.cameras])


def _numbers(name: str, field: str, value: ArrayLike) -> Array:
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise CameraError(f"camera {name!r}: {field}: must be numbers, got {value!r:.60}") from None
    if not np.all(np.isfinite(array)):
        raise CameraError(f"camera {name!r}: {field}: must be finite, got NaN or infinity")
    return array


def _shaped(name: str, field: str, value: ArrayLike, shape: tuple[int, ...]) -> Array:
    array = _numbers(name, field, value)
    if array.shape != shape:
        raise CameraError(f"camera {name!r}: {field}: must have shape {shape}, got {array.shape}")
    return array


def _checked_size(name: str, size: Sequence[int]) -> tuple[int, int]:
    array = _shaped(name, "size", size, (2,))
    if np.any(array < 1) or np.any(array != np.round(array)):
        raise CameraError(f"camera {name!r}: size: must be two whole numbers above 0, got {list(array)}")
    return int(array[0]), int(array[1])


def _checked_matrix(name: str, matrix: ArrayLike) -> Array:
    array = _shaped(name, "K", matrix, (3, 3))
    if min(array[0, 0], array[1, 1]) <= 0:
        focal = f"{array[0, 0]:g}, {array[1, 1]:g}"
        raise CameraError(f"camera {name!r}: K: focal lengths must be above 0, got {focal}")
    if array[1, 0] != 0 or np.any(array[2] != (0, 0, 1)):
        raise CameraError(
            f"camera {name!r}: K: must be upper triangular with last row 0 0 1, got {array.tolist()}"
        )
    return array


def _checked_distortion(name: str, coefficients: ArrayLike, model: str) -> Array:
    array = _numbers(name, "distortion", coefficients).reshape(-1)
    allowed = lens.COEFFICIENTS[model]
    if len(array) not in allowed:
        counts = " or ".join(map(str, allowed))
        raise CameraError(
            f"camera {name!r}: distortion: a {model} lens has {counts} coefficients, got {len(array)}"
        )
    return array


def _checked_pose(name: str, transform: ArrayLike) -> Array:
    array = _shaped(name, "camera_from_world", transform, (4, 4))
    if np.any(array[3] != (0, 0, 0, 1)):
        raise CameraError(
            f"camera {name!r}: camera_from_world: last row must be 0 0 0 1, got {array[3].tolist()}"
        )
    turn = array[:3, :3]
    off = float(np.max(np.abs(turn @ turn.T - np.eye(3))))
    if off > _ROTATION_TOLERANCE:
        raise CameraError(f"camera {name!r}: rotation: must be orthonormal, R R^T is off by {off:.2g}")
    if np.linalg.det(turn) < 0:
        raise CameraError(
            f"camera {name!r}: rotation: is mirrored (determinant -1); export it right-handed from its source"
        )
    array[:3, :3] = nearest(turn)
    return array
