"""Boards to calibrate with: what they are, printed, recognised in an image and found in it."""
