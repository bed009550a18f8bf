"""Writes the learned network as ONNX, its weights as 16-bit floats: half the size, the same to 0.01 px.

    python scripts/pixels/export.py joints.pt mocap/refiners/centres.onnx

Needs the packages onnx and mediapipe. The SHA-256 of the file belongs into `mocap/detect/centres.py`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from net import JointNet, read_weights


@click.command(help=__doc__.split("\n", maxsplit=1)[0])
@click.argument("weights", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--points", default=40, show_default=True)
def main(weights: Path, out: Path, points: int) -> None:
    """Write OUT (.onnx) from WEIGHTS (joints.pt of `learn.py`)."""
    import onnx

    net = JointNet(points)
    net.load_state_dict(read_weights(weights))
    net.eval()
    torch.onnx.export(
        net,
        (torch.zeros(1, 3, 256, 256),),
        out,
        opset_version=17,
        input_names=["image"],
        output_names=["maps"],
        dynamo=False,
        dynamic_axes={"image": {0: "count"}, "maps": {0: "count"}},
    )
    model = onnx.load(out)
    halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, out)
    click.echo(f"{out}: SHA-256 {hashlib.sha256(out.read_bytes()).hexdigest()}")


def halve(model: Any) -> None:
    """Store the weights of a model as 16-bit floats, behind casts that give the 32-bit ones back."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or tensor.dims == []:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])


if __name__ == "__main__":
    main()
