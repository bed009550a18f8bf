"""The network that finds joint centres in a crop: BlazePose's trunk, taught anew, and a new head."""

from __future__ import annotations

from pathlib import Path

import torch
from blazepose_net import Trunk
from torch import nn
from torch.nn.functional import relu

Tensor = torch.Tensor

CELLS = 64  # of a heat map, each CELL px of the crop wide
CELL = 4
WIDE = 128  # channels of the head


class Block(nn.Module):
    """A depthwise 5x5 and a 1x1 convolution; added to what came in where the widths agree."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(before, before, 5, padding=2, groups=before)
        self.mix = nn.Conv2d(before, after, 1)
        self.same = before == after

    def forward(self, maps: Tensor) -> Tensor:
        """(N, before, H, W) to (N, after, H, W)."""
        out = relu(self.mix(self.near(maps)))
        return maps + out if self.same else out


class JointNet(nn.Module):
    """Crops (N, 3, 256, 256), 0..1, to logits (N, K, 64, 64) of where each of K points is.

    Args:
        points: K.
        path: MediaPipe's file of the trunk; without it that of the installed package.
    """

    def __init__(self, points: int, path: Path | None = None) -> None:
        super().__init__()
        self.trunk = Trunk(path)
        blocks = [Block(self.trunk.channels, WIDE), Block(WIDE, WIDE), Block(WIDE, WIDE)]
        self.head = nn.Sequential(*blocks, nn.Conv2d(WIDE, points, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Logits of the heat maps."""
        return self.felt(image)[0]

    def felt(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the heat maps, and the features (N, WIDE, 64, 64) that they are made of."""
        *most, last = self.head
        features = nn.Sequential(*most)(self.trunk(image))
        return last(features), features


def read_weights(path: Path) -> dict[str, Tensor]:
    """Weights that `write_weights` wrote, or that `export.py` put into a file, as 32-bit floats."""
    if path.suffix == ".onnx":
        return _of_onnx(path)
    stored = torch.load(path, map_location="cpu", weights_only=True)
    return {name: weight.float() for name, weight in stored.items()}


def _of_onnx(path: Path) -> dict[str, Tensor]:
    """Weights of a file; those of linear layers lost their names there, but not those of their biases."""
    import onnx
    from onnx import numpy_helper

    graph, half = onnx.load(path).graph, ".half"
    out = {
        tensor.name.removesuffix(half): torch.tensor(numpy_helper.to_array(tensor)).float()
        for tensor in graph.initializer
        if tensor.name.endswith(half)
    }
    multiplied = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    for node in graph.node:
        bias = next((name for name in node.input if name.endswith(".bias")), "")
        made = next((name for name in node.input if multiplied.get(name) in out), None)
        if node.op_type == "Add" and bias and made:
            out[bias.replace(".bias", ".weight")] = out.pop(multiplied[made]).T
    return {name.removeprefix("net."): weight for name, weight in out.items()}


def write_weights(path: Path, weights: dict[str, Tensor]) -> None:
    """Write weights as 16-bit floats."""
    torch.save({name: weight.half() for name, weight in weights.items()}, path)


def places(logits: Tensor, window: int = 3) -> tuple[Tensor, Tensor]:
    """Pixels (N, K, 2) of the crop where points are, and their spread (N, K): one standard deviation, px.

    The mean over the cells about the likeliest one; the spread is that of all the likelihood about it, along
    an axis.
    """
    n, k, rows, columns = logits.shape
    share = torch.softmax(logits.float().flatten(2), -1)
    best = share.argmax(-1)
    y, x = torch.div(best, columns, rounding_mode="floor"), best % columns
    at = torch.arange(columns, device=logits.device, dtype=torch.float32)
    grid = share.reshape(n, k, rows, columns)
    near_x = ((at - x[..., None]).abs() <= window).float()
    near_y = ((at - y[..., None]).abs() <= window).float()
    local = grid * near_y[..., :, None] * near_x[..., None, :]
    total = local.sum((-1, -2)).clamp_min(1e-9)
    mean = torch.stack([(local.sum(-2) * at).sum(-1) / total, (local.sum(-1) * at).sum(-1) / total], -1)
    across = (grid.sum(-2) * (at - mean[..., :1]) ** 2).sum(-1)
    down = (grid.sum(-1) * (at - mean[..., 1:]) ** 2).sum(-1)
    return mean * CELL + (CELL - 1) / 2, CELL * ((across + down) / 2).clamp_min(0).sqrt()
