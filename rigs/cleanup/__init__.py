"""Clean-up of captured motions: every operation takes a motion or a clip and returns a new one."""

from rigs.cleanup.clock import resample_nearest
from rigs.cleanup.loop import Cycle, loop
from rigs.cleanup.mirror import mirror_clip, mirror_contacts
from rigs.cleanup.resample import resample, resample_clip
from rigs.cleanup.seek_cycle import find_cycle
from rigs.cleanup.smooth import smooth, smooth_clip
from rigs.cleanup.trim import Range, parse_range, rest_first, trim

__all__ = [
    "Cycle",
    "Range",
    "find_cycle",
    "loop",
    "mirror_clip",
    "mirror_contacts",
    "parse_range",
    "resample",
    "resample_clip",
    "resample_nearest",
    "rest_first",
    "smooth",
    "smooth_clip",
    "trim",
]
