"""Calibrated cameras: models, files, triangulation. Knows arrays and names only.

A camera, its lens and its rotation, points from several cameras, and how well these agree are modules here.
What finds, writes or shows cameras has a room: ``files`` reads and writes them; ``boards``, ``lens`` and
``places`` find them with a board; ``surroundings`` tells of one by straight edges; ``adjust`` moves them
until all agree; ``sync`` finds how late each view began; ``drawing`` shows a rig.
"""

from calibration.camera import Camera, Cameras
from calibration.errors import CalibrationError

__all__ = ["CalibrationError", "Camera", "Cameras"]
