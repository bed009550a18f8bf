"""Cameras moved until they agree with what they saw: bundle adjustment, and what it may move."""
