"""Read BVH: what its many writers meant, in metres, y up and quaternions."""

import logging
from os import PathLike
from pathlib import Path

import numpy as np

from rigs import quat
from rigs.errors import FormatError
from rigs.formats import euler
from rigs.formats.bvh.rows import read_rows
from rigs.formats.bvh.tree import Tree, read_tree
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton

log = logging.getLogger(__name__)

_TALLEST_IN_METRES = 10.0  # people are 0.5 to 2.5 in metres, 50 to 250 in centimetres: between the two
_LIKELY = (0.3, 3.0)  # metres
_NOTHING = 1e-3  # of the OFFSET: positions this small beside it are not meant to replace it
_Y_FROM_Z_UP = quat.from_rotvec([-np.pi / 2.0, 0.0, 0.0])  # (x, y, z) -> (x, z, -y)


def read_bvh(path: str | PathLike[str], unit: float | None = None, up: str = "y") -> Motion:
    """Read a motion from a BVH file.

    Position channels replace the joint's OFFSET, for the root and for every other joint, as in Blender and
    MotionBuilder; channels that stay at zero beside a real OFFSET say nothing and the OFFSET holds. The
    root's OFFSET is thus in ``Motion.root``, and the skeleton's first offset is zero. Joints named alike get
    a suffix (``_2``). Whatever had to be decided is logged as a warning.

    Args:
        path: the file.
        unit: metres in one unit of the file, 0.01 for centimetres. By default a rest pose more than 10 units
            across its longest side is taken for centimetres and a smaller one for metres.
        up: the file's upward axis, "y" or "z"; z-up is turned here, (x, y, z) -> (x, z, -y).

    Raises:
        FormatError: the file cannot be read as it stands; one line with the line number and what to do.
    """
    if up not in ("y", "z"):
        raise FormatError(f"cannot read {path} with up={up!r}; up is 'y' or 'z'")
    if unit is not None and not 0.0 < unit < np.inf:
        raise FormatError(
            f"cannot read {path} with unit={unit!r}; give metres per unit, 0.01 for centimetres"
        )
    lines = _lines(path)
    tree = read_tree(path, lines)
    values, fps = read_rows(path, lines, tree)
    scale = _unit(path, tree) if unit is None else unit
    offsets = np.array(tree.offsets, float)
    root, translations = _translations(tree, offsets, values)
    offsets[0] = 0.0
    tips = {tree.names[j]: scale * tip for j, tip in tree.tips.items() if j not in tree.parents}
    skeleton = Skeleton(tuple(tree.names), np.array(tree.parents), scale * offsets, tips)
    moved = {j: scale * values for j, values in translations.items()}
    motion = Motion(skeleton, quat.continuous(_rotations(tree, values)), scale * root, fps, moved)
    return _turned(motion) if up == "z" else motion


def _lines(path: str | PathLike[str]) -> list[str]:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}; check the file's name") from error
    if b"\0" in data:
        raise FormatError(f"{path}, line 1: the file is binary, not BVH text; export it as BVH")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _unit(path: object, tree: Tree) -> float:
    """Guess metres per unit from the size of the rest pose."""
    heads = np.zeros((len(tree.names), 3))
    for j, parent in enumerate(tree.parents[1:], start=1):
        heads[j] = heads[parent] + tree.offsets[j]
    points = np.concatenate([heads, *[heads[j, None] + tip for j, tip in tree.tips.items()]])
    size = float(np.ptp(points, axis=0).max())
    unit = 0.01 if size > _TALLEST_IN_METRES else 1.0
    if not _LIKELY[0] <= size * unit <= _LIKELY[1]:
        name = "centimetres" if unit < 1.0 else "metres"
        log.warning(
            "%s: the rest pose is %.4g units across, read as %s; if that is wrong give the unit",
            path,
            size,
            name,
        )
    return unit


def _columns(tree: Tree, kind: str) -> list[dict[int, str]]:
    """Return for every joint its channels of a kind: column to axis, in file order."""
    found, column = [], 0
    for channels in tree.channels:
        found.append({column + k: c[0] for k, c in enumerate(channels) if c.endswith(kind)})
        column += len(channels)
    return found


def _rotations(tree: Tree, values: FloatArray) -> FloatArray:
    rotations = np.empty((len(values), len(tree.names), 4))
    for j, axes in enumerate(_columns(tree, "rotation")):
        rotations[:, j] = euler.from_euler(np.radians(values[:, list(axes)]), "".join(axes.values()))
    return rotations


def _translations(
    tree: Tree, offsets: FloatArray, values: FloatArray
) -> tuple[FloatArray, dict[int, FloatArray]]:
    """Return the root's positions (T, 3), and those of other joints that leave their OFFSET."""
    moved = {}
    for j, axes in enumerate(_columns(tree, "position")):
        moved[j] = np.tile(offsets[j], (len(values), 1))
        positions = values[:, list(axes)]
        if np.abs(positions).max(initial=0.0) > _NOTHING * np.linalg.norm(offsets[j]):
            moved[j][:, ["XYZ".index(axis) for axis in axes.values()]] = positions
    root = moved.pop(0)
    return root, {j: v for j, v in moved.items() if not np.allclose(v, offsets[j], rtol=0.0, atol=1e-6)}


def _turned(motion: Motion) -> Motion:
    """Return a z-up motion in y-up axes; every frame turns with them, so the rest pose stands too."""
    turn, skeleton = _Y_FROM_Z_UP, motion.skeleton
    tips = {name: quat.rotate(turn, tip) for name, tip in skeleton.tips.items()}
    upright = Skeleton(skeleton.names, skeleton.parents, quat.rotate(turn, skeleton.offsets), tips)
    rotations = quat.multiply(quat.multiply(turn, motion.rotations), quat.conjugate(turn))
    translations = {j: quat.rotate(turn, v) for j, v in motion.translations.items()}
    return Motion(upright, rotations, quat.rotate(turn, motion.root), motion.fps, translations)
