"""Ordinary video of people in, clean skeletal animation out.

The conductor: it knows takes, people and keypoint layouts, and calls on `calibration` and `rigs`.
"""

__version__ = "0.1.0"
