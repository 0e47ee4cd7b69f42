"""What a weight file says of a network: recognised, compared tensor by tensor, refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pipelines.networks.test_load import SEEN, SMALL, Shapes, file_of, small
from vsodtool.errors import WeightsError
from vsodtool.media.weights.files import read_weights
from vsodtool.media.weights.safetensors_files import write_weights
from vsodtool.models.architecture import FGPLG, IMAGE, KINDS, Architecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.pipelines.networks.load import load_network, network_of
from vsodtool.pipelines.networks.save import network_metadata


@pytest.mark.parametrize("parallel", ["", "module."])
@pytest.mark.parametrize("kind", KINDS)
def test_the_authors_checkpoints_are_recognised(
    published_shapes: Callable[[str], Shapes], kind: str, parallel: str
) -> None:
    loaded = network_of(file_of({parallel + name: shape for name, shape in published_shapes(kind).items()}))
    assert loaded.architecture == Architecture(kind=kind)
    assert loaded.preprocessing == Preprocessing()
    assert loaded.notices == []


def test_flownet_is_left_out_with_a_notice_and_the_classifier_may_be_absent(
    published_shapes: Callable[[str], Shapes],
) -> None:
    shapes = published_shapes(FGPLG)
    flownet = {f"flownet.part{number}.weight": (2, 2) for number in range(4)}
    (notice,) = network_of(file_of({**shapes, **flownet})).notices
    assert notice == "them.pth: FlowNet2 inside it is ignored (4 x flownet.*)"
    without = {name: shape for name, shape in shapes.items() if ".fc." not in name}
    assert network_of(file_of(without)).notices == []


def test_missing_unexpected_and_misshapen_tensors_are_counted_and_named(
    published_shapes: Callable[[str], Shapes],
) -> None:
    shapes = published_shapes(IMAGE)
    for name in [name for name in shapes if name.startswith("backbone.decoder.conv1")]:
        del shapes[name]
    shapes["backbone.decoder.conv2.weight"] = (2, 256, 1, 1)
    shapes |= {"backbone.edge.weight": (1,), "backbone.edge.bias": (1,)}
    with pytest.raises(WeightsError) as caught:
        network_of(file_of(shapes))
    assert caught.value.exit_code == 4
    for words in (
        "them.pth does not fit its architecture",
        "6 missing (decoder.hidden.conv.weight, decoder.hidden.bn.weight, decoder.hidden.bn.bias, ...)",
        "2 unexpected (backbone.edge.weight, backbone.edge.bias)",
        "1 of another shape (decoder.logit.weight: expected (1, 256, 1, 1), found (2, 256, 1, 1))",
    ):
        assert words in caught.value.message


def test_two_names_for_one_tensor_are_not_taken_for_one(published_shapes: Callable[[str], Shapes]) -> None:
    shapes = published_shapes(IMAGE)
    shapes["backbone.conv1.weight"] = shapes["backbone.resnet.conv1.weight"]
    with pytest.raises(WeightsError, match="1 unexpected"):
        network_of(file_of(shapes))
    with pytest.raises(WeightsError, match="1 unexpected"):
        network_of(file_of(dict(reversed(shapes.items()))))


def test_another_backbone_under_the_authors_names(published_shapes: Callable[[str], Shapes]) -> None:
    from torchvision.models import resnet101

    deeper = {f"backbone.resnet.{name}": tuple(t.shape) for name, t in resnet101().state_dict().items()}
    with pytest.raises(WeightsError, match=r"\d+ unexpected \(backbone\.resnet\.layer3\.6"):
        network_of(file_of({**published_shapes(IMAGE), **deeper}))


def test_another_architecture() -> None:
    from torchvision.models import resnet18

    shapes = {name: tuple(tensor.shape) for name, tensor in resnet18().state_dict().items()}
    with pytest.raises(
        WeightsError, match=r"is of another architecture: expected RCRNet.* found bn1\.bias"
    ) as caught:
        network_of(file_of(shapes))
    assert "vsodtool weights list" in caught.value.hint


def test_own_names_without_a_description() -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in small().state_dict().items()}
    with pytest.raises(WeightsError, match="does not say of which architecture"):
        network_of(file_of(shapes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "{"}, "its architecture cannot be understood"),
        ({"architecture": "[1]"}, "its architecture cannot be understood"),
        ({"architecture": '{"kind": ["image"]}'}, "architecture: kind: expected one of"),
        ({"architecture": '{"backbone": "vit"}'}, "backbone: expected one of .* found 'vit'"),
        (
            {"architecture": '{"heads": 8}', "vsodtool": "9.1"},
            r"unknown value 'heads' \(written by vsodtool 9\.1\)",
        ),
        ({"architecture": "[" * 100_000}, "its architecture cannot be understood: maximum recursion"),
        ({"architecture": '{"context_width": 1e999}'}, "context_width: expected an even number .* found inf"),
        ({"architecture": '{"refine_width": 1000000000000}'}, "refine_width: expected at most"),
        ({"architecture": '{"refine_width": ' + "9" * 5000 + "}"}, "its architecture cannot be understood"),
        ({"preprocessing": '{"size": 16000000000}'}, "size: expected at most 4096"),
        ({"preprocessing": '{"size": 100}'}, "its preprocessing cannot be understood: size: expected"),
        (
            {"preprocessing": '{"mean": ["a", 1, 2], "std": ["a", 1, 2]}'},
            "its preprocessing cannot be understood",
        ),
    ],
)
def test_descriptions_that_cannot_be_understood(tmp_path: Path, changes: dict[str, str], words: str) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(path, small().state_dict(), {**network_metadata(SMALL, SEEN), **changes})
    with pytest.raises(WeightsError, match=words):
        load_network(str(path))


def test_a_description_of_another_network_than_the_tensors(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    wider = replace(SMALL, decoder_width=16)
    write_weights(path, small().state_dict(), network_metadata(wider, SEEN))
    with pytest.raises(WeightsError, match=r"of another shape .*expected \(16,\), found \(8,\)"):
        network_of(read_weights(path))
