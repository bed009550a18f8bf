"""Clean up a motion file, from Python: another rate, a mirror image, fewer keys.

python examples/02_clean_up.py clip.bvh
"""

import sys
from fractions import Fraction
from pathlib import Path

from rigs.cleanup import mirror_clip, resample_clip, simplify
from rigs.formats import read_clips, write_clips

source = Path(sys.argv[1])
clip = read_clips(source)[0]
film = resample_clip(clip, Fraction(24000, 1001))  # exact rates, along a smooth curve
other = mirror_clip(film)  # left does what right did
few = simplify(other, 0.002)  # metres that any joint may be off
share = few.keys.mean()
print(f"{len(clip.motion)} frames became {len(film.motion)}; {100 * share:.0f} % of the keys are kept")
write_clips(source.with_name(f"{source.stem}_few.glb"), [few])
