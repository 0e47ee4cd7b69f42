"""FGPLG's adapter against the bare network, and what it does with several objects."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vsodtool.errors import ShapeError
from vsodtool.models.architecture import Architecture
from vsodtool.models.paper.densifier import FgplgDensifier
from vsodtool.models.paper.network import fgplg_input
from vsodtool.models.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.weights.networks import create_network

SMALL = Architecture(
    kind="fgplg",
    backbone="mobilenet_v3_small",
    context_width=8,
    skip_width=8,
    refine_width=8,
    decoder_width=8,
)
CPU = torch.device("cpu")
SIZE = 64


def small_network() -> RcrNet:
    torch.manual_seed(0)
    return create_network(SMALL).eval()


@pytest.fixture
def densifier() -> FgplgDensifier:
    return FgplgDensifier(small_network(), Preprocessing(size=SIZE), device=CPU)


def frame(objects: int) -> tuple[Tensor, tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    made = torch.Generator().manual_seed(7)
    image = torch.rand(1, 3, SIZE, SIZE, generator=made)
    left, right = torch.rand(2, 1, objects, SIZE, SIZE, generator=made)
    to_left, to_right = 9 * torch.randn(2, 1, 2, SIZE, SIZE, generator=made)
    return image, (left, right), (to_left, to_right)


def bare_logits(objects: int) -> Tensor:
    """(O, 1, H, W) by the network as it is, an object at a time."""
    image, (left, right), flows = frame(objects)
    normalised = Preprocessing().normalise(image)
    network = small_network()
    with torch.inference_mode():
        return torch.cat(
            [
                network(fgplg_input(normalised, (left[:, [number]], right[:, [number]]), flows))
                for number in range(objects)
            ]
        )


def test_one_object_is_the_sigmoid_of_the_network(densifier: FgplgDensifier) -> None:
    found = densifier.generate(*frame(1))
    torch.testing.assert_close(found, torch.sigmoid(bare_logits(1)), rtol=0, atol=1e-5)
    assert found.dtype == torch.float32


def test_objects_compete(densifier: FgplgDensifier) -> None:
    found = densifier.generate(*frame(3))[0]
    alone = torch.sigmoid(bare_logits(3))[:, 0]
    assert float(found.sum(dim=0).max()) <= 1 + 1e-6
    # Odds against the background stay what they are alone: closed form of softmax over (0, logits).
    background = 1 - found.sum(dim=0)
    torch.testing.assert_close(found / background, alone / (1 - alone), rtol=1e-3, atol=1e-4)
    owner = torch.cat((background[None], found)).argmax(dim=0)
    expected = torch.where(alone.amax(dim=0) > 0.5, alone.argmax(dim=0) + 1, 0)
    assert float((owner == expected).float().mean()) > 0.999  # ties aside


def test_an_object_that_no_label_shows_gets_nothing(densifier: FgplgDensifier) -> None:
    image, labels, flows = frame(3)
    some = densifier.generate(image, labels, flows, present=[True, False, True])
    two = densifier.generate(image, (labels[0][:, [0, 2]], labels[1][:, [0, 2]]), flows)
    assert not some[:, 1].any()
    torch.testing.assert_close(some[:, [0, 2]], two)
    assert not densifier.generate(image, labels, flows, present=[False] * 3).any()


def test_nothing_handed_in_is_changed(densifier: FgplgDensifier) -> None:
    image, labels, flows = frame(2)
    copies = [part.clone() for part in (image, *labels, *flows)]
    densifier.generate(image, labels, flows)
    for part, copy in zip((image, *labels, *flows), copies, strict=True):
        torch.testing.assert_close(part, copy, rtol=0, atol=0)


def test_bf16_is_near(densifier: FgplgDensifier) -> None:
    coarse = FgplgDensifier(small_network(), Preprocessing(size=SIZE), device=CPU, precision="bf16")
    assert (densifier.precision, coarse.precision) == ("fp32", "bf16")
    exact, near = densifier.generate(*frame(1)), coarse.generate(*frame(1))
    assert 0 < float((exact - near).abs().max()) < 4 / 255


@pytest.mark.parametrize("wrong", ["image", "labels", "flow"])
def test_other_shapes_are_refused(densifier: FgplgDensifier, wrong: str) -> None:
    image, labels, flows = frame(1)
    if wrong == "image":
        image = image[..., :-1]
    elif wrong == "labels":
        labels = (labels[0], labels[1].expand(-1, 2, -1, -1))
    else:
        flows = (flows[0], flows[1][..., :-16])
    with pytest.raises(ShapeError, match="one frame, one size"):
        densifier.generate(image, labels, flows)


def test_the_published_network_gives_its_published_output(
    golden: dict[str, Tensor], published_network: Callable[[str], RcrNet]
) -> None:
    frame, warped, flows = (golden[f"fgplg_{name}"] for name in ("frame", "warped", "flows"))
    mean, std = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_STD).view(3, 1, 1)
    densifier = FgplgDensifier(published_network("fgplg"), Preprocessing(), device=CPU)
    found = densifier.generate(frame * std + mean, (warped[0], warped[1]), (flows[0], flows[1]))
    expected = torch.sigmoid(golden["fgplg_logits"])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
