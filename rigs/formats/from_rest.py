"""How far joints have turned from the rest pose: what body models count a pose by."""

from rigs import quat
from rigs.clip import Clip
from rigs.quat import FloatArray


def turned_from_rest(clip: Clip) -> FloatArray:
    """Return the world rotations (T, J, 4) that take each joint from the rest pose to every frame's pose.

    They do not depend on how the joints' own axes lie: two rigs in one pose, with one rest pose, agree.
    """
    _, world = clip.motion.world()
    _, rest = clip.resting.world()
    return quat.multiply(world, quat.conjugate(rest))
