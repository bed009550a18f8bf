"""The trunk of BlazePose's landmark network in torch, with weights that can be trained.

The network is replayed operator by operator from MediaPipe's file (Apache-2.0). Images are (N, 3, 256, 256),
red, green, blue, 0 to 1. The file's batch normalisations are already folded into its convolutions.

Most of it is a U-shape that ends in a map of 64 by 64, of which a 1×1 convolution makes heat maps; the trunk
is what comes before that convolution.
"""

from __future__ import annotations

from pathlib import Path

import torch
from tflite_graph import NO_ACTIVATION, RELU, RELU6, SAME, Graph, Operator, read_graph
from torch import nn
from torch.nn import functional

Tensor = torch.Tensor
Sides = tuple[int, int, int, int]  # left, right, top, bottom

MODEL = "modules/pose_landmark/pose_landmark_full.tflite"  # in the package mediapipe
HEAT_SIZE = 64  # pixels of the heat maps
NOTHING = (0, 0, 0, 0)
ACTIVATIONS = {NO_ACTIVATION: nn.Identity, RELU: nn.ReLU, RELU6: nn.ReLU6}


def model_path() -> Path:
    """Where MediaPipe's wheel keeps the network."""
    import mediapipe

    return Path(mediapipe.__file__).parent / MODEL


class Convolution(nn.Module):
    """A convolution with its activation, padded as TFLite does: on the right and below where it is uneven."""

    def __init__(self, graph: Graph, operator: Operator, padding: Sides) -> None:
        super().__init__()
        weight, bias = (torch.tensor(graph.constants[i]) for i in operator.inputs[1:3])
        options = operator.options
        depthwise = operator.name == "DEPTHWISE_CONV_2D"
        weight = weight.permute((3, 0, 1, 2) if depthwise else (0, 3, 1, 2)).contiguous()
        self.groups = len(weight) if depthwise else 1
        self.stride = options["stride_y"], options["stride_x"]
        self.dilation = options["dilation_y"], options["dilation_x"]
        if options["padding"] == SAME:
            reach = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], self.dilation, strict=True)]
            padding = _same(graph.shapes[operator.inputs[0]], reach, self.stride)
        left, right, top, bottom = padding
        even = left == right and top == bottom
        self.padding, self.border = ((top, left), NOTHING) if even else ((0, 0), padding)
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.activation = ACTIVATIONS[options["activation"]]()

    def forward(self, image: Tensor) -> Tensor:
        """(N, C, H, W) to (N, D, H / stride, W / stride)."""
        if self.border != NOTHING:
            image = functional.pad(image, self.border)
        image = functional.conv2d(
            image, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )
        return self.activation(image)


class Sum(nn.Module):
    """Two maps added, with an activation."""

    def __init__(self, activation: int) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]()

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        """(N, C, H, W) twice to the same."""
        return self.activation(one + other)


class Trunk(nn.Module):
    """The network up to the map (N, 48, 64, 64) that heat maps are made of.

    Parameters bear the number that the tensor they make has in the file.

    Args:
        path: the file; without it MediaPipe's own.
    """

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        graph = read_graph(path or model_path())
        self.start, self.end = graph.inputs[0], heat_source(graph)
        self.channels = graph.shapes[self.end][-1]
        self.steps = nn.ModuleDict()
        self.sources: dict[str, tuple[int, ...]] = {}
        padded: dict[int, tuple[int, Sides]] = {}
        for operator in graph.needed(self.end):
            source, target = operator.inputs[0], operator.outputs[0]
            if operator.name == "PAD":
                (_, _), (top, bottom), (left, right), (_, _) = graph.constants[operator.inputs[1]].tolist()
                padded[target] = source, (left, right, top, bottom)
                continue
            source, padding = padded.get(source, (source, NOTHING))
            others = (i for i in operator.inputs[1:] if i not in graph.constants)
            self.steps[str(target)] = _step(graph, operator, padding)
            self.sources[str(target)] = (source, *others)

    def forward(self, image: Tensor) -> Tensor:
        """Image (N, 3, 256, 256), 0 to 1, to the map (N, 48, 64, 64)."""
        made = {self.start: image}
        for name, step in self.steps.items():
            made[int(name)] = step(*[made[source] for source in self.sources[name]])
        return made[self.end]


def heat_source(graph: Graph) -> int:
    """The tensor that the convolution to the heat maps reads.

    Raises:
        ValueError: no output of the graph is a map of 64 by 64.
    """
    for operator in graph.operators:
        made = operator.outputs[0]
        if made in graph.outputs and graph.shapes[made][1:3] == (HEAT_SIZE, HEAT_SIZE):
            return operator.inputs[0]
    raise ValueError(f"the network has no output of {HEAT_SIZE} by {HEAT_SIZE}: {graph.names}")


def _step(graph: Graph, operator: Operator, padding: Sides) -> nn.Module:
    options = operator.options
    if operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return Convolution(graph, operator, padding)
    if padding != NOTHING:
        raise ValueError(f"{operator} is padded, which is replayed for convolutions only")
    if operator.name == "ADD":
        return Sum(options["activation"])
    if operator.name == "RESIZE_BILINEAR" and options["half_pixel"] and not options["align_corners"]:
        factor = graph.shapes[operator.outputs[0]][1] // graph.shapes[operator.inputs[0]][1]
        return nn.Upsample(scale_factor=factor, mode="bilinear")
    raise ValueError(f"{operator} is of a kind that is not replayed here")


def _same(shape: tuple[int, ...], reach: list[int], stride: tuple[int, int]) -> Sides:
    """What TFLite adds at each side of an image (N, height, width, C) under a kernel that reaches so far."""
    down, across = (
        max((-(-size // step) - 1) * step + width - size, 0)
        for size, width, step in zip(shape[1:3], reach, stride, strict=True)
    )
    left, top = across // 2, down // 2
    return left, across - left, top, down - top
