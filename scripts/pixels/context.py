"""The network that hears what all heat maps of a picture say at once.

A map is drawn with the picture in view, but without the other maps: it does not know that the knee beside it
went to the other leg, nor where the image ends. This one sees 40 points, what each map says of its own and
what the first network felt at that place, and tells how far off each is and which way. It is a transformer's
encoder (Vaswani et al. 2017) over the points, small enough for a processor to teach.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import relu

Tensor = torch.Tensor

WIDE, HEADS, LAYERS = 128, 4, 2
NUMBERS = 13  # that `mocap.detect.heatmaps.Reading.numbers` gives of a point
FEATURES = 128  # of a cell, that the first network's head ends with
SAID = 5  # of each point: x and y in units of its ellipse, and what is added to that
DROP = 0.15


class Layer(nn.Module):
    """Points hear one another, then each thinks by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.calm, self.calm_alone = nn.LayerNorm(WIDE), nn.LayerNorm(WIDE)
        self.ask, self.hear = nn.Linear(WIDE, 3 * WIDE), nn.Linear(WIDE, WIDE)
        self.more, self.less = nn.Linear(WIDE, 2 * WIDE), nn.Linear(2 * WIDE, WIDE)
        self.drop = nn.Dropout(DROP)

    def forward(self, x: Tensor) -> Tensor:
        """(N, K, WIDE) to the same."""
        n, k, _ = x.shape
        asked = self.ask(self.calm(x)).reshape(n, k, 3, HEADS, WIDE // HEADS).permute(2, 0, 3, 1, 4)
        query, key, value = asked[0], asked[1], asked[2]
        share = torch.softmax(query @ key.transpose(-1, -2) / (WIDE // HEADS) ** 0.5, -1)
        x = x + self.drop(self.hear((share @ value).transpose(1, 2).reshape(n, k, WIDE)))
        return x + self.drop(self.less(relu(self.more(self.calm_alone(x)))))


class Context(nn.Module):
    """What K maps say, and features at their likeliest cells, to what is to be added to that.

    Args:
        points: K.
        mean: (NUMBERS,) of the numbers of pictures to learn from.
        sd: (NUMBERS,) standard deviation of these.
    """

    def __init__(self, points: int, mean: Tensor | None = None, sd: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(NUMBERS) if mean is None else mean)
        self.register_buffer("sd", torch.ones(NUMBERS) if sd is None else sd)
        self.numbers = nn.Linear(NUMBERS, WIDE)
        self.calm_near, self.calm_other = nn.LayerNorm(FEATURES), nn.LayerNorm(FEATURES)
        self.near, self.other = nn.Linear(FEATURES, WIDE), nn.Linear(FEATURES, WIDE)
        self.point = nn.Parameter(0.1 * torch.randn(points, WIDE))
        self.layers = nn.Sequential(*(Layer() for _ in range(LAYERS)))
        self.calm, self.say = nn.LayerNorm(WIDE), nn.Linear(WIDE, SAID)
        self.usual = nn.Parameter(torch.zeros(points, SAID))
        self.drop = nn.Dropout(DROP)
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)

    def forward(self, numbers: Tensor, near: Tensor, other: Tensor) -> Tensor:
        """Numbers (N, K, NUMBERS) and features (N, K, FEATURES), twice, to (N, K, SAID)."""
        x = self.numbers((numbers - self.mean) / self.sd) + self.point
        x = x + self.near(self.drop(self.calm_near(near))) + self.other(self.drop(self.calm_other(other)))
        return self.say(self.calm(self.layers(x))) + self.usual
