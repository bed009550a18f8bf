"""Skeletons, their motion, and the files that carry them.

Import what you need from the modules: ``rigs.skeleton``, ``rigs.motion``, ``rigs.quat``, ``rigs.formats``.
"""
