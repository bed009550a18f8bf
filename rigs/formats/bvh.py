"""BVH, Biovision's motion file: a text tree of joints with channels, then one row of numbers a frame."""

from rigs.formats.bvh_read import read_bvh
from rigs.formats.bvh_write import write_bvh

__all__ = ["read_bvh", "write_bvh"]
