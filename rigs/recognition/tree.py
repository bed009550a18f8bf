"""Ways through the tree of a skeleton's joints."""

from __future__ import annotations

from rigs.skeleton import Skeleton


class Tree:
    """A skeleton's joints by number: who hangs from whom."""

    def __init__(self, skeleton: Skeleton) -> None:
        self.parents: list[int] = skeleton.parents.tolist()
        self.children: list[list[int]] = [[] for _ in self.parents]
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                self.children[parent].append(joint)

    def __len__(self) -> int:
        return len(self.parents)

    def above(self, joint: int) -> list[int]:
        """Return a joint's ancestors, the nearest first."""
        found = []
        while (joint := self.parents[joint]) >= 0:
            found.append(joint)
        return found

    def below(self, joint: int) -> list[int]:
        """Return all that hang from a joint, nearer ones first."""
        found = list(self.children[joint])
        for child in found:  # grows as it goes
            found += self.children[child]
        return found

    def depth(self, joint: int) -> int:
        """Return how many joints hang one below another from a joint, at most."""
        return max((1 + self.depth(child) for child in self.children[joint]), default=0)

    def meeting(self, *joints: int) -> int:
        """Return the lowest joint from which all of these hang, or that is one of them."""
        ways = [[j, *self.above(j)] for j in joints]
        return next(j for j in ways[0] if all(j in way for way in ways))

    def way(self, ancestor: int, joint: int) -> list[int]:
        """Return the joints between an ancestor and a joint, from above, neither of them among these.

        None where it is no ancestor.
        """
        above = self.above(joint)
        return above[: above.index(ancestor)][::-1] if ancestor in above else []
