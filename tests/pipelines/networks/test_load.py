"""Names and files -> networks; the strict comparison of a file with its architecture."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vsodtool.errors import WeightsError
from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.weights.files import WeightFile, read_weights
from vsodtool.media.weights.safetensors_files import write_weights
from vsodtool.models.architecture import FGPLG, IMAGE, KINDS, VIDEO, Architecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.weights.entry import BUNDLED, WeightsEntry, WeightsRegistry
from vsodtool.models.weights.networks import create_network
from vsodtool.models.weights.registry import REGISTRY
from vsodtool.pipelines.networks.load import load_network, network_of
from vsodtool.pipelines.networks.save import network_metadata, save_network

Shapes = dict[str, tuple[int, ...]]
GOLDEN = Path(__file__).parents[2] / "data" / "golden.npz"
WIDTHS = {"context_width": 8, "skip_width": 4, "refine_width": 8, "decoder_width": 8}
SMALL = Architecture(kind=IMAGE, backbone="mobilenet_v3_small", **WIDTHS)
SEEN = Preprocessing(size=96, mean=(0.5, 0.5, 0.5), std=(0.25, 0.5, 1.0))


def small(kind: str = IMAGE) -> RcrNet:
    torch.manual_seed(0)
    return create_network(replace(SMALL, kind=kind))


def saved(folder: Path, kind: str = IMAGE, *, half: bool = False) -> Path:
    path = folder / f"{kind}.safetensors"
    save_network(path, small(kind), SEEN, half=half)
    return path


def file_of(shapes: Shapes, **metadata: str) -> WeightFile:
    """As if read from a file; zeros cost nothing."""
    return WeightFile(
        Path("them.pth"), {name: torch.zeros(shape) for name, shape in shapes.items()}, metadata, "0" * 64
    )


def registry(path: Path, **changes: object) -> WeightsRegistry:
    entry = WeightsEntry(
        name="tiny",
        kind=IMAGE,
        origin=BUNDLED,
        summary="noise",
        file=path.name,
        sha256=file_sha256(path),
        size=path.stat().st_size,
        licence="MIT",
        source="https://example.org",
        architecture=SMALL,
        preprocessing=SEEN,
        default=True,
    )
    return WeightsRegistry((replace(entry, **changes),), folder=path.parent)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_saved_comes_back(tmp_path: Path, kind: str) -> None:
    path = saved(tmp_path, kind)
    loaded = load_network(str(path), (kind,))
    assert loaded.architecture == loaded.network.architecture == replace(SMALL, kind=kind)
    assert loaded.preprocessing == SEEN
    assert (loaded.name, loaded.path, loaded.sha256) == (path.name, path, file_sha256(path))
    assert loaded.notices == []
    assert not loaded.network.training
    wanted = small(kind).state_dict()
    found = loaded.network.state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_half_precision_is_computed_in_full_precision(tmp_path: Path) -> None:
    loaded = load_network(str(saved(tmp_path, half=True)))
    assert {parameter.dtype for parameter in loaded.network.parameters()} == {torch.float32}
    wanted = small().eval()
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert not torch.equal(loaded.network(images), wanted(images))
        torch.testing.assert_close(loaded.network(images), wanted(images), atol=0.02, rtol=0.02)


def test_names_go_before_files_and_have_their_hash_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = registry(saved(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").write_text("a file of that name")
    assert load_network("tiny", registry=known).name == "tiny"
    assert load_network("", (VIDEO, IMAGE), registry=known).name == "tiny"
    wrong = registry(saved(tmp_path), sha256="1" * 64)
    with pytest.raises(WeightsError, match=f"wrong SHA-256: expected {'1' * 64}"):
        load_network("tiny", registry=wrong)


def test_no_default_says_what_to_do(tmp_path: Path) -> None:
    for kinds, known in (((FGPLG,), registry(saved(tmp_path))), ((IMAGE,), WeightsRegistry(()))):
        with pytest.raises(WeightsError, match=r"no weights of .* come with this version") as caught:
            load_network("", kinds, registry=known)
        assert "--weights FILE" in caught.value.hint
        assert "vsodtool weights list" in caught.value.hint


def test_what_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights 'none\.pth': no such name, no such file") as caught:
        load_network("none.pth")
    assert "vsodtool weights list" in caught.value.hint
    for name in ("x" * 5000, "a\0b"):
        with pytest.raises(WeightsError, match="no such name, no such file"):
            load_network(name)


def test_external_weights_say_how_to_get_them() -> None:
    with pytest.raises(WeightsError, match="'fgplg-published' do not come with vsodtool") as caught:
        load_network("fgplg-published", (FGPLG,))
    assert "github.com/Kinpzz/RCRNet-Pytorch" in caught.value.hint
    assert "vsodtool weights convert" in caught.value.hint


def test_every_name_that_is_not_bundled_is_explained() -> None:
    for entry in REGISTRY.entries:
        if entry.origin != BUNDLED:
            with pytest.raises(WeightsError, match="do not come with vsodtool") as caught:
                load_network(entry.name)
            assert caught.value.hint


@pytest.mark.parametrize(
    ("kind", "kinds", "words", "use"),
    [
        (
            FGPLG,
            (VIDEO, IMAGE),
            r"is FGPLG .*, expected RCRNet\+NER .* or RCRNet",
            "pseudolabel --method fgplg",
        ),
        (IMAGE, (FGPLG,), "is RCRNet .image.*, expected FGPLG", "vsodtool predict --weights"),
        (VIDEO, (FGPLG,), r"is RCRNet\+NER .video.*, expected FGPLG", "vsodtool predict --weights"),
    ],
)
def test_another_kind(tmp_path: Path, kind: str, kinds: tuple[str, ...], words: str, use: str) -> None:
    path = saved(tmp_path, kind)
    known = registry(path, kind=kind)
    for name, registered in ((str(path), REGISTRY), ("tiny", known)):
        with pytest.raises(WeightsError, match=words) as caught:
            load_network(name, kinds, registry=registered)
        assert name in caught.value.message
        assert use in caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_the_authors_names_are_the_published_ones(
    shared: Path, published_shapes: Callable[[str], Shapes], kind: str
) -> None:
    listed = json.loads((shared / "reference" / "checkpoint_keys.json").read_text())[kind]
    assert published_shapes(kind) == {name: tuple(shape) for name, shape in listed.items()}


@pytest.mark.parametrize("parallel", ["", "module."])
@pytest.mark.parametrize("kind", KINDS)
def test_the_authors_checkpoints_are_recognised(
    published_shapes: Callable[[str], Shapes], kind: str, parallel: str
) -> None:
    loaded = network_of(file_of({parallel + name: shape for name, shape in published_shapes(kind).items()}))
    assert loaded.architecture == Architecture(kind=kind)
    assert loaded.preprocessing == Preprocessing()
    assert loaded.notices == []


def test_the_authors_video_network_gives_the_golden_outputs(
    tmp_path: Path, published_weights: Callable[[str], dict[str, Tensor]]
) -> None:
    golden = np.load(GOLDEN)
    torch.save({"state_dict": published_weights(VIDEO)}, tmp_path / "video_best_model.pth")
    network = load_network(str(tmp_path / "video_best_model.pth"), (VIDEO, IMAGE)).network
    clip = torch.from_numpy(golden["clip_input"])
    with torch.inference_mode():
        logits = network(clip)
        np.testing.assert_allclose(logits.numpy(), golden["clip_logits"], atol=1e-4)
        # Stored in 16 bits, it moves no probability by a step of a PNG (docs/weights.md).
        save_network(tmp_path / "half.safetensors", network, Preprocessing(), half=True)
        halved = load_network(str(tmp_path / "half.safetensors")).network(clip)
    assert float((halved.sigmoid() - logits.sigmoid()).abs().max()) < 1 / 255


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
