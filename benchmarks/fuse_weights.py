"""weights/rcrnet-ner-motion and weights/u2netp -> weights/rcrnet-ner-looks: both in one file.

    python benchmarks/fuse_weights.py --weights weights/rcrnet-ner-looks.safetensors

Nothing is trained. Of U²-NetP the part up to the map at a quarter of the size is taken. The two see images
normalised in different ways: the change from the one to the other becomes a layer. The file is read again
and compared with the networks that it was made of.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from vsodtool.models.architecture import Architecture
from vsodtool.models.detector.precision_check import check_images
from vsodtool.models.fused.architecture import FusedArchitecture
from vsodtool.models.fused.network import FusedNet
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.u2net.network import U2Net
from vsodtool.models.weights.networks import create_network
from vsodtool.pipelines.networks.load import LoadedNetwork, load_network
from vsodtool.pipelines.networks.save import save_network

MOTION, LOOKS = "rcrnet-ner-motion", "u2netp"
SIDE = 2  # number of U²-Net's map at a quarter of the size, fine to coarse
TOLERANCE = 1 / 255  # between probabilities: the change of normalisation is rounded to 16 bits


def fit(layer: nn.Conv2d, given: Preprocessing, wanted: Preprocessing) -> None:
    """Make a convolution of single pixels the change from one normalisation to another."""
    means, stds = (torch.tensor((getattr(given, name), getattr(wanted, name))) for name in ("mean", "std"))
    assert layer.bias is not None
    layer.weight.copy_((stds[0] / stds[1]).view(3, 1, 1, 1))
    layer.bias.copy_((means[0] - means[1]) / stds[1])


def fuse(motion: LoadedNetwork, looks: LoadedNetwork) -> FusedNet:
    """The network that holds both."""
    inner, u2net = motion.architecture, looks.network
    assert isinstance(inner, Architecture)
    assert isinstance(u2net, U2Net)
    values = {**inner.as_dict(), "kind": "fused"}
    network = create_network(
        FusedArchitecture(
            **values,
            looks_width=u2net.architecture.width,
            looks_inner_width=u2net.architecture.inner_width,
        )
    )
    assert isinstance(network, FusedNet)
    mine = network.looks.state_dict()
    network.looks.load_state_dict({name: u2net.state_dict()[name].clone() for name in mine})
    network.side.load_state_dict(u2net.sides[SIDE].state_dict())
    rest = {
        name: network.state_dict()[name] for name in network.state_dict().keys() - motion.network.state_dict()
    }
    network.load_state_dict({**rest, **motion.network.state_dict()})
    fit(network.renormalise, motion.preprocessing, looks.preprocessing)
    return network.eval()


def looks_map(network: U2Net, preprocessing: Preprocessing, images: Tensor) -> Tensor:
    """Probabilities at a quarter of the size, as U²-NetP itself finds them."""
    return network.sides[SIDE](network.features(preprocessing.normalise(images))[SIDE]).sigmoid()


def main() -> None:
    """Join, write, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, required=True, help="safetensors file to write")
    arguments = parser.parse_args()
    motion, looks = load_network(MOTION), load_network(LOOKS)
    network = fuse(motion, looks)
    metadata = {"source": f"{MOTION} {motion.sha256}, {LOOKS} {looks.sha256}", "precision": "fp16"}
    save_network(arguments.weights, network, motion.preprocessing, metadata=metadata, half=True)
    written = load_network(str(arguments.weights)).network
    assert isinstance(written, FusedNet)
    assert isinstance(looks.network, U2Net)
    same = all(
        torch.equal(values, written.state_dict()[name])
        for name, values in motion.network.state_dict().items()
    )
    size = motion.preprocessing.size
    images = check_images(size)
    found = written.looks_logits(motion.preprocessing.normalise(images)).sigmoid()
    worst = float((found - looks_map(looks.network, looks.preprocessing, images)).abs().max())
    print(f"{MOTION}: {'equal' if same else 'other'} tensors")
    print(f"{LOOKS}: probabilities differ by at most {worst:.1e}")
    if not same or worst > TOLERANCE:
        sys.exit(f"expected equal tensors, and at most {TOLERANCE:.1e}")
    content = arguments.weights.read_bytes()
    print(f"{arguments.weights}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    with torch.inference_mode():
        main()
