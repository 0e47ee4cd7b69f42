"""What a frozen encoder sees is computed once, and is what the whole network sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vsodtool.config import TrainConfig
from vsodtool.errors import ConfigError
from vsodtool.media.training_run.log import read_log
from vsodtool.models.fused.architecture import FusedArchitecture
from vsodtool.models.fused.network import FusedNet
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.video import ENCODER, VideoRcrNet
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.motion.layout import CHANNELS
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.train import run_train
from vsodtool.pipelines.training import frozen
from vsodtool.pipelines.training.frozen import FrozenEncoder, Memory, freeze_encoder
from vsodtool.types import Event

MakeConfig = Callable[..., TrainConfig]
SMALL = FusedArchitecture(
    backbone="mobilenet_v3_small",
    context_width=8,
    skip_width=8,
    refine_width=8,
    decoder_width=8,
    looks_width=8,
    looks_inner_width=4,
)


@pytest.fixture(params=["fused", "video"])
def network(request: pytest.FixtureRequest) -> VideoRcrNet:
    torch.manual_seed(0)
    made = create_network(SMALL if request.param == "fused" else SMALL.video)
    assert isinstance(made, VideoRcrNet)
    freeze_encoder(made)
    return made


def clips() -> Tensor:
    return torch.randn(3, 2, 3 + CHANNELS, 64, 64, generator=torch.manual_seed(1))


def test_it_says_what_the_network_says(network: VideoRcrNet) -> None:
    network.eval()
    remembering = FrozenEncoder(network, Memory())
    remembering.samples = (7, 8)
    with torch.no_grad():
        wanted = network(clips())
    assert wanted.std() > 0
    for _ in range(2):
        torch.testing.assert_close(remembering(clips()), wanted, rtol=1e-4, atol=1e-4)
    remembering.samples = (8, 7)  # the pictures of samples that are known are not looked at
    torch.testing.assert_close(remembering(torch.zeros_like(clips())), wanted.flip(1), rtol=1e-4, atol=1e-4)


def test_only_what_comes_after_the_encoder_learns(network: VideoRcrNet) -> None:
    remembering = FrozenEncoder(network.train())
    remembering.samples = (1, 2)
    remembering(clips()).square().mean().backward()
    assert network.training
    for name, parameter in network.named_parameters():
        assert (parameter.grad is None) == (name.split(".")[0] in ENCODER), name


def test_what_does_not_fit_is_computed_again(network: VideoRcrNet, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    remembering = FrozenEncoder(network.eval(), memory)
    remembering.samples = (1, 2)
    remembering(clips())
    monkeypatch.setattr(frozen, "MOST_BYTES", memory.bytes + 1)
    remembering.samples = (1, 3)
    remembering(clips())
    assert sorted(memory.features) == [1, 2]


@pytest.fixture
def weights(tmp_path: Path) -> str:
    torch.manual_seed(5)
    path = tmp_path / "fused.safetensors"
    save_network(path, create_network(SMALL), Preprocessing(size=64))
    return str(path)


def test_a_run_keeps_the_encoder_and_counts_where_it_began(
    config: MakeConfig, tmp_path: Path, weights: str
) -> None:
    settings = config(motion_input=True, init=weights, freeze_encoder=True, variants=1)
    report = run_train(settings)
    before = load_network(weights).network.state_dict()
    found = load_network(str(tmp_path / "run/final.safetensors"))
    assert isinstance(found.network, FusedNet)
    after = found.network.state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"ner", "refinements", "decoder", "head"}
    assert report.paid is not None
    curve = [line for line in read_log(tmp_path / "run/log.jsonl") if line["event"] == "validation"]
    assert curve[0]["step"] == 0
    assert curve[0]["s_measure"] == report.start_scores["s_measure"]
    # Each clip comes in one variant, so that its features are those of the first time.
    assert run_train(settings).steps == report.steps


def test_a_run_by_the_clock(config: MakeConfig, tmp_path: Path, weights: str) -> None:
    events: list[Event] = []
    settings = config(
        motion_input=True, init=weights, freeze_encoder=True, variants=1, minutes=0.02, epochs=2, warmup=0
    )
    report = run_train(settings, on_event=events.append)
    assert report.steps >= 1
    assert report.epochs == 2
    assert report.scores
    news = [event.message for event in events if event.kind == "notice"]
    assert any(line.startswith("training until about ") for line in news)
    assert any(line.startswith("0.02 minutes in 2 epochs") for line in news)
    run_train(settings, on_event=events.append)
    assert any(event.message.endswith("nothing left to do") for event in events)


def test_what_cannot_be_frozen_is_refused(config: MakeConfig) -> None:
    with pytest.raises(ConfigError, match="freeze_encoder: expected false for kind image"):
        config(kind="image", freeze_encoder=True, init="x.safetensors")
    with pytest.raises(ConfigError, match="freeze_encoder: expected a whole network to begin with"):
        config(freeze_encoder=True, init="imagenet", batch_norm="frozen")
    with pytest.raises(ConfigError, match="expected a network that relates frames, found Linear"):
        freeze_encoder(torch.nn.Linear(1, 1))
    with pytest.raises(ConfigError, match="expected a network that relates frames, found Linear"):
        FrozenEncoder(torch.nn.Linear(1, 1))
