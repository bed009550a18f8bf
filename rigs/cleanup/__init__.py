"""Clean-up of captured motions: every operation takes a motion or a clip and returns a new one.

In the order in which they are best used, each of them if it is wanted:

trim, rest_first        a range of time; the rest pose as a first frame
smooth                  without what is faster than a cut-off
loop                    a cycle whose last frame flows into its first
mirror_clip             left and right exchanged
resample, resample_clip another frame rate
simplify                keys only where they are needed; `filled` has the motion that such keys give

Loop before retargeting; mirror, resample and simplify may follow it. Feet are planted last. Arrays beside a
motion go along with `resample_nearest`, `mirror_contacts` and `Range.frames`.
"""

from rigs.cleanup.clock import resample_nearest
from rigs.cleanup.ground_turn import GroundMove
from rigs.cleanup.keyed import filled
from rigs.cleanup.loop import Cycle, loop
from rigs.cleanup.mirror import mirror_clip, mirror_contacts
from rigs.cleanup.resample import resample, resample_clip
from rigs.cleanup.seek_cycle import find_cycle
from rigs.cleanup.simplify import simplify
from rigs.cleanup.smooth import smooth
from rigs.cleanup.trim import Range, parse_range, rest_first, trim

__all__ = [
    "Cycle",
    "GroundMove",
    "Range",
    "filled",
    "find_cycle",
    "loop",
    "mirror_clip",
    "mirror_contacts",
    "parse_range",
    "resample",
    "resample_clip",
    "resample_nearest",
    "rest_first",
    "simplify",
    "smooth",
    "trim",
]
