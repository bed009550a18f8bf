"""Clean-up of captured motions: every operation takes a motion or a clip and returns a new one."""

from rigs.cleanup.clock import resample_nearest
from rigs.cleanup.resample import resample, resample_clip
from rigs.cleanup.smooth import smooth, smooth_clip

__all__ = ["resample", "resample_clip", "resample_nearest", "smooth", "smooth_clip"]
