"""Where a rough solve might have the points of a picture, and heat maps weighed by that, as closer looks are.

What is read of a closer look is its map times a bell about where the solve has each joint
(`weighed` in `mocap/detect/heatmaps.py`). A network that is taught on maps weighed so need not tell which of
two legs is the left one, and can give itself to where on it the knee is.
"""

from __future__ import annotations

import torch
from chance import Chance
from framing import BOXED, is_any
from net import CELL, CELLS

Tensor = torch.Tensor

# of the body's extent, as in `mocap/closer.py`, and how likely a point is elsewhere, where looks take it for
# ten times as likely (`mocap/detect/heatmaps.py`): a solve that is wrong is not to be seen right
BELL, ANYWHERE = 0.08, 0.01
TOGETHER, APART = 0.007, 0.010  # of the body's extent: what a rough solve is off by, all points alike; each
FREEDOM = 3  # of Student's t, which the latter are drawn of


class Expecting:
    """Draws what a rough solve says of where points are.

    Args:
        targets: names of the K points.
        chance: draws.
    """

    def __init__(self, targets: list[str], chance: Chance) -> None:
        self.boxed = torch.as_tensor([is_any(name, BOXED) for name in targets], device=chance.device)
        self.chance = chance

    def draw(self, points: Tensor) -> Tensor:
        """Where points (S, K, 2) are expected, and by how much they may be elsewhere: (S, K, 3), px."""
        body = points[:, self.boxed]
        extent = (body.amax(1) - body.amin(1)).amax(-1)[:, None, None]
        together, apart = self.chance.normal(len(points), 1, 2), self._student(*points.shape)
        places = points + extent * (TOGETHER * together + APART * apart)
        return torch.cat([places, (BELL * extent).expand_as(places[..., :1])], -1)

    def weighed(self, logits: Tensor, points: Tensor, share: float) -> Tensor:
        """Maps (S, K, 64, 64), a share of them weighed by where points (S, K, 2), px, might be expected."""
        expected = self.draw(points.float())
        cells = ((expected[..., :2] - (CELL - 1) / 2) / CELL).clamp(-1, CELLS)
        at = torch.arange(CELLS, device=logits.device, dtype=torch.float32)
        across, down = ((at - cells[..., k, None]) / expected[..., 2:] * CELL for k in (0, 1))
        bell = torch.exp(-0.5 * (across[..., None, :] ** 2 + down[..., None] ** 2))
        told = self.chance.uniform(len(points), 1, 1, 1) < share
        return logits.float() + torch.where(told, (bell + ANYWHERE).log(), 0.0)

    def _student(self, *shape: int) -> Tensor:
        """Student's t, of FREEDOM degrees of freedom, bounded."""
        squares = torch.stack([self.chance.normal(*shape) ** 2 for _ in range(FREEDOM)]).mean(0)
        return self.chance.normal(*shape) / squares.sqrt().clamp_min(0.2)
