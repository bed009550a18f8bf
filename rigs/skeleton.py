"""Skeleton: the names, the tree and the rest offsets of a body's joints, as arrays."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from rigs.errors import RigError
from rigs.quat import FloatArray


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A tree of joints in depth-first order, the order of a BVH file.

    Args:
        names: J joint names, all different.
        parents: (J,) index of each joint's parent, -1 for the root, which comes first.
        offsets: (J, 3) metres, each joint from its parent in the parent's frame. The root's own offset is
            its rest position and nothing else: ``Motion.root`` is where the root is, never added to it.
        tips: leaf name to (3,) metres, the end of that last bone in the leaf's frame.

    Raises:
        RigError: the joints are not one depth-first tree of differently named joints.
    """

    names: tuple[str, ...]
    parents: NDArray[np.int64]
    offsets: FloatArray
    tips: dict[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "parents", _frozen(self.parents, np.int64))
        object.__setattr__(self, "offsets", _frozen(self.offsets, np.float64))
        object.__setattr__(self, "tips", {k: _frozen(v, np.float64) for k, v in self.tips.items()})
        _check_names(self.names)
        _check_shapes(self)
        _check_tree(self.names, self.parents)
        _check_tips(self)

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def is_leaf(self) -> NDArray[np.bool_]:
        """(J,) True where a joint has no children."""
        leaf = np.ones(len(self), bool)
        leaf[self.parents[1:]] = False
        return leaf

    @cached_property
    def mirror(self) -> NDArray[np.int64]:
        """(J,) the joint on the other side, by name (Left/Right, l_/r_, .L/.R, lHand/rHand); or itself."""
        where = {name: j for j, name in enumerate(self.names)}
        return np.array([_other_side(j, name, where) for j, name in enumerate(self.names)], np.int64)

    def index(self, name: str) -> int:
        """Return the position of a joint.

        Raises:
            RigError: there is no joint of that name.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise RigError(
                f"skeleton has no joint {name!r}; its joints are {', '.join(self.names)}"
            ) from None

    def children(self, joint: int) -> list[int]:
        """Return the children of a joint, in order."""
        return [int(j) for j in np.flatnonzero(self.parents == joint)]

    def mirrored(self) -> "Skeleton":
        """Return this skeleton seen in a mirror: left takes right's offsets with x reversed.

        Raises:
            RigError: the two sides are not the same tree.
        """
        other = self.mirror
        parents = np.where(self.parents < 0, -1, other[self.parents])
        wrong = np.flatnonzero(parents != self.parents[other])
        if len(wrong):
            name, twin = self.names[wrong[0]], self.names[other[wrong[0]]]
            raise RigError(
                f"cannot mirror: {name!r} and {twin!r} hang from joints that are not a pair; rename one"
            )
        tips = {self.names[other[self.index(k)]]: v * (-1.0, 1.0, 1.0) for k, v in self.tips.items()}
        return Skeleton(self.names, self.parents, self.offsets[other] * (-1.0, 1.0, 1.0), tips)


_SIDE_WORDS = (
    re.compile(r"(?P<left>left|Left|LEFT)|(?P<right>right|Right|RIGHT)"),
    re.compile(r"(?<![A-Za-z])(?:(?P<left>[lL])|(?P<right>[rR]))(?![a-z])"),  # l_arm, arm.L, lShldr, L Thigh
    re.compile(r"(?<![A-Za-z])(?:(?P<left>l)|(?P<right>r))(?=[a-z])"),  # lfemur, as in the CMU skeletons
)
_SWAP = {
    "left": "right", "Left": "Right", "LEFT": "RIGHT", "right": "left", "Right": "Left", "RIGHT": "LEFT",
    "l": "r", "L": "R", "r": "l", "R": "L",
}  # fmt: skip


def _other_side(joint: int, name: str, where: dict[str, int]) -> int:
    """Return the joint named as this one with its side swapped; itself if no pattern gives a joint."""
    for pattern in _SIDE_WORDS:
        for match in pattern.finditer(name):
            twin = name[: match.start()] + _SWAP[match.group()] + name[match.end() :]
            if twin in where:
                return where[twin]
    return joint


def _frozen(values: ArrayLike, kind: DTypeLike) -> NDArray[Any]:
    array: NDArray[Any] = np.array(values, dtype=kind)
    array.setflags(write=False)
    return array


def _check_names(names: tuple[str, ...]) -> None:
    if not names:
        raise RigError("skeleton has no joints; give at least a root")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RigError(f"skeleton has more than one joint named {twice[0]!r}; joint names must differ")
    if "" in names:
        raise RigError(f"skeleton joint {names.index('')} has an empty name; name it")


def _check_shapes(skeleton: Skeleton) -> None:
    joints = len(skeleton.names)
    if skeleton.parents.shape != (joints,):
        raise RigError(
            f"skeleton has {joints} names but parents of shape {skeleton.parents.shape}; give ({joints},)"
        )
    if skeleton.offsets.shape != (joints, 3):
        raise RigError(
            f"skeleton has {joints} names but offsets of shape {skeleton.offsets.shape}; give ({joints}, 3)"
        )
    wrong = np.flatnonzero(~np.isfinite(skeleton.offsets).all(axis=1))
    if len(wrong):
        name = skeleton.names[wrong[0]]
        raise RigError(
            f"skeleton joint {name!r} has the offset {skeleton.offsets[wrong[0]]}; give finite metres"
        )


def _check_tree(names: tuple[str, ...], parents: NDArray[np.int64]) -> None:
    """Depth-first: a joint hangs from the joint before it or from one of that joint's ancestors."""
    if parents[0] != -1:
        raise RigError(
            f"skeleton's first joint {names[0]!r} has parent {parents[0]}; the root comes first, parent -1"
        )
    path = [0]
    for j, parent in enumerate(parents[1:].tolist(), start=1):
        if parent == -1:
            raise RigError(f"skeleton has two roots, {names[0]!r} and {names[j]!r}; give the second a parent")
        if parent not in path:
            raise RigError(
                f"skeleton joint {names[j]!r} has parent {parent}; joints must be in depth-first order"
            )
        path = [*path[: path.index(parent) + 1], j]


def _check_tips(skeleton: Skeleton) -> None:
    for name, tip in skeleton.tips.items():
        if not skeleton.is_leaf[skeleton.index(name)]:
            raise RigError(f"skeleton has a tip on {name!r}, which has children; tips belong to leaves")
        if tip.shape != (3,) or not np.isfinite(tip).all():
            raise RigError(f"skeleton has the tip {tip.tolist()} on {name!r}; give three finite metres")
