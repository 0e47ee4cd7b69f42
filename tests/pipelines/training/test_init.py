from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vsodtool.config import TrainConfig
from vsodtool.errors import WeightsError
from vsodtool.media.weights.safetensors_files import write_weights
from vsodtool.models.backbones.frozen_bn import FrozenBatchNorm2d
from vsodtool.models.fused.architecture import FusedArchitecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.weights.networks import create_network
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.training import init as train_init
from vsodtool.pipelines.training.init import start_network
from vsodtool.pipelines.training.kinds import architecture_of
from vsodtool.types import Event, ignore_event

MakeConfig = Callable[..., TrainConfig]
FIRST = "backbone.stem.0.0.weight"


@pytest.fixture
def stored(config: MakeConfig, tmp_path: Path) -> Callable[..., Path]:
    """Write the random weights of a network of some kind; return the file."""

    def write(kind: str, **changes: object) -> Path:
        torch.manual_seed(5)
        architecture = architecture_of(config(kind=kind, **changes))
        path = tmp_path / f"{kind}.safetensors"
        metadata = {"architecture": json.dumps(architecture.as_dict())}
        write_weights(path, create_network(architecture).state_dict(), metadata)
        return path

    return write


def start(config: MakeConfig, kind: str, init: Path, **options: object) -> tuple[RcrNet, list[str]]:
    said: list[str] = []

    def hear(event: Event) -> None:
        said.append(event.message)

    return start_network(config(kind=kind, init=str(init), **options), hear).network, said


def same(network: RcrNet, path: Path) -> set[str]:
    """Names of the tensors that are those of the file."""
    from vsodtool.media.weights.files import read_weights

    stored = read_weights(path).tensors
    mine = network.state_dict()
    return {
        name
        for name, value in stored.items()
        if name in mine and mine[name].shape == value.shape and torch.equal(mine[name], value)
    }


@pytest.mark.parametrize("kind", ["image", "fgplg", "video"])
def test_weights_of_the_same_kind_are_all_taken(
    config: MakeConfig, stored: Callable[..., Path], kind: str
) -> None:
    path = stored(kind)
    network, said = start(config, kind, path)
    assert same(network, path) == set(network.state_dict())
    assert said[-1].startswith(f"start: {path.name} ({kind}, mobilenet_v3_small/16")


def test_image_to_video_leaves_ner_fresh(config: MakeConfig, stored: Callable[..., Path]) -> None:
    network, said = start(config, "video", stored("image"))
    path = stored("image")
    assert set(network.state_dict()) - same(network, path) == {
        name for name in network.state_dict() if name.startswith("ner.")
    }
    assert said[-1].endswith("fresh tensors in NER")


def test_image_to_fgplg_extends_the_first_convolution_by_four_channels(
    config: MakeConfig, stored: Callable[..., Path]
) -> None:
    path = stored("image")
    network, said = start(config, "fgplg", path)
    assert set(network.state_dict()) - same(network, path) == {FIRST}
    from vsodtool.media.weights.files import read_weights

    first = network.state_dict()[FIRST]
    assert first.shape[1] == 7
    assert torch.equal(first[:, :3], read_weights(path).tensors[FIRST])
    assert first[:, 3:].abs().min() > 0
    assert said[-1].endswith(f"4 fresh channels in {FIRST}")


def test_a_fused_detector_stays_one(config: MakeConfig, tmp_path: Path) -> None:
    torch.manual_seed(5)
    video = architecture_of(config(kind="video", motion_input=True)).as_dict()
    architecture = FusedArchitecture(**{**video, "kind": "fused"}, looks_width=8, looks_inner_width=4)
    path = tmp_path / "fused.safetensors"
    save_network(path, create_network(architecture), Preprocessing(size=64))
    network, said = start(config, "video", path, motion_input=True)
    assert network.architecture == architecture
    assert same(network, path) == set(network.state_dict())
    assert said[-1].startswith("start: fused.safetensors (fused, mobilenet_v3_small/16")
    learned = {name.split(".")[0] for name, value in network.named_parameters() if value.requires_grad}
    assert {"backbone", "head"} <= learned
    assert not {"looks", "renormalise"} & learned
    frozen, _ = start(config, "video", path, motion_input=True, freeze_encoder=True)
    learned = {name.split(".")[0] for name, value in frozen.named_parameters() if value.requires_grad}
    assert learned == {"ner", "refinements", "decoder", "head"}
    begun = start_network(
        config(motion_input=True, init=str(path)), ignore_event, load=False, begun=architecture
    )
    assert begun.network.architecture == architecture
    with pytest.raises(WeightsError, match="motion_input True, expected False"):
        start(config, "video", path)
    with pytest.raises(WeightsError, match="expected RCRNet"):
        start(config, "image", path)


@pytest.mark.parametrize(("have", "want"), [("video", "image"), ("fgplg", "video"), ("video", "fgplg")])
def test_other_kinds_are_refused(
    config: MakeConfig, stored: Callable[..., Path], have: str, want: str
) -> None:
    with pytest.raises(WeightsError) as caught:
        start(config, want, stored(have))
    assert caught.value.exit_code == 4


def test_another_architecture_is_refused(config: MakeConfig, stored: Callable[..., Path]) -> None:
    path = stored("image", refine_width=16)
    with pytest.raises(WeightsError, match="another architecture: refine_width 16, expected 8") as caught:
        start(config, "image", path)
    assert caught.value.exit_code == 4


def test_a_folder_without_weights_is_refused(config: MakeConfig, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"expected the folder of a training run with best\.safetensors"):
        start(config, "image", tmp_path)


def test_random_weights_follow_from_the_seed_and_disturb_nothing(config: MakeConfig) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    networks = [start_network(config(seed=seed), ignore_event).network for seed in (0, 0, 1)]
    assert torch.equal(torch.get_rng_state(), before)
    first, again, other = (network.state_dict()[FIRST] for network in networks)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_batch_norms_are_frozen_or_learn(config: MakeConfig, stored: Callable[..., Path]) -> None:
    path = str(stored("image"))
    for batch_norm, frozen in (("frozen", True), ("learned", False)):
        network = start_network(config(kind="image", init=path, batch_norm=batch_norm), ignore_event).network
        kinds = {
            isinstance(m, FrozenBatchNorm2d) for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)
        }
        assert kinds == {frozen}


def test_imagenet_weights_fill_the_backbone(config: MakeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision import models as classifiers

    torch.manual_seed(1)
    classifier = classifiers.mobilenet_v3_small(weights=None).state_dict()
    monkeypatch.setattr(train_init, "fetch_torchvision_weights", lambda member, on_download: classifier)
    begun = start_network(config(kind="video", init="imagenet"), ignore_event)
    assert torch.equal(begun.network.state_dict()[FIRST], classifier["features.0.0.weight"])
    assert begun.weights == {"mobilenet_v3_small-047dcff4.pth": "047dcff4"}


def test_imagenet_weights_that_cannot_be_had(
    config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    # A proxy that is not there stands for a machine without a network.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(
        WeightsError, match=r"--init imagenet: weights mobilenet_v3_small-047dcff4\.pth"
    ) as caught:
        start_network(config(init="imagenet"), ignore_event)
    assert "--init FILE, or --init scratch" in caught.value.hint
    assert caught.value.exit_code == 4
