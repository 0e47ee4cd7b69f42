"""weights/rcrnet-ner-motion, weights/u2netp and a head -> weights/rcrnet-ner-looks: all in one file.

    python benchmarks/fuse_weights.py --head WORK/head.safetensors \\
        --weights weights/rcrnet-ner-looks.safetensors

The head is made by looks_head.py. Of U²-NetP the part up to a quarter of the size is taken. The two see
images normalised in different ways: the change from the one to the other becomes a layer. The file is read
again and compared with the networks that it was made of.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from vsodtool.models.architecture import Architecture
from vsodtool.models.detector.precision_check import check_images, check_motion
from vsodtool.models.fused.architecture import FusedArchitecture
from vsodtool.models.fused.head import LooksHead
from vsodtool.models.fused.network import FusedNet
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.u2net.network import U2Net
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.motion.maps import enlarge_maps
from vsodtool.pipelines.networks.load import LoadedNetwork, load_network
from vsodtool.pipelines.networks.save import save_network

MOTION, LOOKS = "rcrnet-ner-motion", "u2netp"
COARSE = 2  # number of U²-Net's features at a quarter of the size, fine to coarse
TOLERANCE = 1 / 255  # between probabilities: the change of normalisation is rounded to 16 bits


def fit(layer: nn.Conv2d, given: Preprocessing, wanted: Preprocessing) -> None:
    """Make a convolution of single pixels the change from one normalisation to another."""
    means, stds = (torch.tensor((getattr(given, name), getattr(wanted, name))) for name in ("mean", "std"))
    assert layer.bias is not None
    layer.weight.copy_((stds[0] / stds[1]).view(3, 1, 1, 1))
    layer.bias.copy_((means[0] - means[1]) / stds[1])


def fuse(motion: LoadedNetwork, looks: LoadedNetwork, head: dict[str, Tensor]) -> FusedNet:
    """The network that holds all three."""
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
    network.head.load_state_dict(head)
    rest = {
        name: network.state_dict()[name] for name in network.state_dict().keys() - motion.network.state_dict()
    }
    network.load_state_dict({**rest, **motion.network.state_dict()})
    fit(network.renormalise, motion.preprocessing, looks.preprocessing)
    return network.eval()


def head_map(head: LooksHead, looks: LoadedNetwork, images: Tensor, maps: Tensor) -> Tensor:
    """Probabilities at a quarter of the size, by the head over U²-NetP as it is shipped by itself."""
    assert isinstance(looks.network, U2Net)
    features = looks.network.features(looks.preprocessing.normalise(images))
    return head(features[COARSE:], maps).sigmoid()  # type: ignore[no-any-return]


def main() -> None:
    """Join, write, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--head", type=Path, required=True, help="made by looks_head.py")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors file to write")
    arguments = parser.parse_args()
    motion, looks = load_network(MOTION), load_network(LOOKS)
    head = load_file(arguments.head)
    network = fuse(motion, looks, head)
    metadata = {"source": f"{MOTION} {motion.sha256}, {LOOKS} {looks.sha256}", "precision": "fp16"}
    save_network(arguments.weights, network, motion.preprocessing, metadata=metadata, half=True)
    written = load_network(str(arguments.weights)).network
    assert isinstance(written, FusedNet)
    same = all(
        torch.equal(values, written.state_dict()[name])
        for name, values in motion.network.state_dict().items()
    )
    size = motion.preprocessing.size
    images, maps = check_images(size), enlarge_maps(check_motion(size), size)
    found = written.looks_logits(torch.cat((motion.preprocessing.normalise(images), maps), dim=1)).sigmoid()
    exact = LooksHead(network.architecture.looks_width).eval()
    exact.load_state_dict(head)
    worst = float((found - head_map(exact, looks, images, maps)).abs().max())
    print(f"{MOTION}: {'equal' if same else 'other'} tensors")
    print(f"head over {LOOKS}: probabilities differ by at most {worst:.1e}")
    if not same or worst > TOLERANCE:
        sys.exit(f"expected equal tensors, and at most {TOLERANCE:.1e}")
    content = arguments.weights.read_bytes()
    print(f"{arguments.weights}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    with torch.inference_mode():
        main()
