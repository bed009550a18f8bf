"""What can go wrong with cameras, as a tree.

CalibrationError
    CameraError    a camera, or a set of cameras, that cannot be
    FileError      a calibration file that is missing, unknown, damaged or implausible
    FootageError   a video whose pixels are not those that the camera was calibrated for
    BoardError     a calibration board that cannot be, or that does not fit its paper
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
    """A calibration board that cannot be, or that does not fit the paper."""
