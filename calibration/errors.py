"""What can go wrong with cameras, as a tree.

CalibrationError
    CameraError    a camera, or a set of cameras, that cannot be
    FileError      a calibration file that is missing, unknown, damaged or implausible
    FootageError   a video whose pixels are not those that the camera was calibrated for
    BoardError     a calibration board that cannot be, does not fit its paper, or is not the one in the images
    LensError      images of a board that do not tell what lens took them
    PlacesError    images of a board that do not tell how the cameras stand to each other
"""

from __future__ import annotations


class CalibrationError(Exception):
    """Anything that a user can cause with cameras; the message is one line."""


class CameraError(CalibrationError):
    """A camera whose numbers cannot be those of a camera, or an unknown camera name."""


class FileError(CalibrationError):
    """A calibration file that cannot be read, or that would be read wrongly."""


class FootageError(CalibrationError):
    """A video that does not fit the calibration that it is used with."""


class BoardError(CalibrationError):
    """A calibration board that cannot be, does not fit the paper, or is not the one in the images."""


class LensError(CalibrationError):
    """Images of a board that do not determine the intrinsics of the camera that took them."""


class PlacesError(CalibrationError):
    """Images of a board that do not connect the cameras, or do not determine where they stand."""
