"""Calibrated cameras: models, files, triangulation. Knows arrays and names only."""

from calibration.camera import Camera, Cameras
from calibration.errors import CalibrationError

__all__ = ["CalibrationError", "Camera", "Cameras"]
