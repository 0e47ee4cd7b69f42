"""Names and files -> networks; the strict comparison of a file with its architecture."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from vsodtool.errors import WeightsError
from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.weights.files import WeightFile
from vsodtool.models.architecture import FGPLG, IMAGE, KINDS, VIDEO, Architecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.u2net.network import U2Net
from vsodtool.models.weights.entry import BUNDLED, WeightsEntry, WeightsRegistry
from vsodtool.models.weights.networks import architecture_class, create_network
from vsodtool.models.weights.registry import REGISTRY
from vsodtool.pipelines.networks.load import SaliencyKind, load_network
from vsodtool.pipelines.networks.save import save_network

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


@pytest.mark.parametrize("kind", get_args(SaliencyKind))
def test_kinds_that_find_objects_are_of_the_promised_classes(kind: str) -> None:
    """The types of `load_network` say so: nothing else would notice a line of the table that does not."""
    architecture: Any = architecture_class(kind).from_dict({"kind": kind})
    with torch.device("meta"):
        assert isinstance(create_network(architecture), RcrNet | U2Net)
