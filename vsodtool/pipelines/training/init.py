"""The network that a training begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from vsodtool.config import TrainConfig
from vsodtool.config.commands.train import INITS
from vsodtool.errors import WeightsError
from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.training_run.folder import RunFolder
from vsodtool.media.weights.checkpoints import fetch_torchvision_weights, packaged_path, read_packaged_weights
from vsodtool.models.architecture import Architecture
from vsodtool.models.backbones.efficientnet_lite import EfficientNetLiteBackbone
from vsodtool.models.backbones.frozen_bn import freeze_batch_norm
from vsodtool.models.backbones.imagenet import (
    NORMALISATION,
    PACKAGED,
    fit_channels,
    imagenet_member,
    load_classifier,
)
from vsodtool.models.backbones.table import create_backbone
from vsodtool.models.fused.architecture import FusedArchitecture
from vsodtool.models.fused.network import FusedNet
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.seeded_dropout import SeededDropout2d, seed_dropout
from vsodtool.models.weights.networks import TrainedNetwork, create_network
from vsodtool.pipelines.networks.load import LoadedNetwork, load_network
from vsodtool.pipelines.training.frozen import freeze_encoder
from vsodtool.pipelines.training.kinds import KINDS, architecture_of
from vsodtool.types import Event, OnEvent

_FRESH = "ner."  # what a video network has beyond an image network


@dataclass(frozen=True)
class StartNetwork:
    """A network about to be trained.

    Attributes:
        network: on the CPU, in training mode.
        dropouts: its dropout layers, which take the seeds of the samples.
        weights: SHA-256 by name of the weights that it begins with; empty for random ones.
        whole: whether all of its weights are those of a trained network, which can be used as it is.
    """

    network: TrainedNetwork
    dropouts: list[SeededDropout2d]
    weights: dict[str, str]
    whole: bool = False


def start_network(
    config: TrainConfig, on_event: OnEvent, *, load: bool = True, begun: object = None
) -> StartNetwork:
    """Build the network and give it the weights of `config.init`; the rest is random, from the seed.

    A video network that begins with one that has U²-Net beside it keeps that, as it is.

    Args:
        config: kind, architecture, init, batch_norm, seed.
        on_event: hears what was loaded.
        load: False leaves all weights random: a checkpoint will replace them.
        begun: the architecture in that checkpoint.

    Raises:
        ConfigError: the architecture cannot be built.
        WeightsError: the weights cannot be had, or are of another architecture.
    """
    kind, architecture = KINDS[config.kind], architecture_of(config)
    loaded = None
    if load and config.init not in INITS:
        loaded = load_network(weight_path(config.init), (kind.network, *kind.starts_from))
    beside = begun if loaded is None else loaded.architecture
    if isinstance(beside, FusedArchitecture) and isinstance(architecture, Architecture):
        architecture = beside.around(architecture)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = create_network(architecture)
    weights: dict[str, str] = {}
    whole = False
    if load and config.init == "imagenet":
        weights = _from_imagenet(network, config.backbone, on_event)
    elif loaded is not None:
        weights, whole = _from_file(network, loaded, config.init, on_event)
    if isinstance(network, FusedNet):
        network.renormalise.requires_grad_(False)
        network.looks.requires_grad_(False)
    if config.freeze_encoder:
        freeze_encoder(network)
    if config.freeze_backbone:
        network.backbone.requires_grad_(False)
        freeze_batch_norm(network.backbone)
    if config.batch_norm == "frozen":
        freeze_batch_norm(network)
    return StartNetwork(network.train(), seed_dropout(network), weights, whole)


def place(network: nn.Module, device: torch.device) -> None:
    """Move a network to its device, convolutions with their channels last: the faster layout everywhere."""
    network.to(device)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)


def weight_path(init: str) -> str:
    """The file that `--init` names: of a run's folder, its best weights."""
    folder = RunFolder(Path(init))
    if not folder.root.is_dir():
        return init
    for path in (folder.best, folder.final):
        if path.is_file():
            return str(path)
    raise WeightsError(
        f"{init}: expected the folder of a training run with best.safetensors, found none",
        "name a weight file, or wait until that run has validated once",
    )


def preprocessing_of(config: TrainConfig) -> Preprocessing:
    """What the pictures of a training go through: as in the training of the backbone's ImageNet weights."""
    return Preprocessing(size=config.size, **NORMALISATION.get(config.backbone, {}))


def _from_imagenet(network: TrainedNetwork, backbone: str, on_event: OnEvent) -> dict[str, str]:
    if backbone in PACKAGED:
        package, file = PACKAGED[backbone]
        path = packaged_path(package, file)
        _load_classifier(network.backbone, backbone, read_packaged_weights(path))
        on_event(Event("notice", message=f"start: {backbone} with ImageNet weights ({package})"))
        return {path.name: file_sha256(path)}
    member = imagenet_member(backbone)
    try:
        weights = fetch_torchvision_weights(
            member, on_download=lambda text: on_event(Event("notice", message=text))
        )
    except WeightsError as error:
        raise WeightsError(
            f"--init imagenet: {error.message}", f"{error.hint}; or use --init FILE, or --init scratch"
        ) from error
    _load_classifier(network.backbone, backbone, weights)
    on_event(Event("notice", message=f"start: {backbone} with ImageNet weights ({member.url})"))
    name = member.url.rpartition("/")[2]
    return {name: name.rpartition("-")[2].partition(".")[0]}


def _load_classifier(backbone: nn.Module, name: str, weights: Mapping[str, Tensor]) -> None:
    if isinstance(backbone, EfficientNetLiteBackbone) and not backbone.is_whole:
        whole = create_backbone(name)
        load_classifier(whole, weights)
        values = whole.state_dict()
        backbone.load_state_dict({name: values[name] for name in backbone.state_dict()})
        return
    load_classifier(backbone, weights)


def _from_file(
    network: TrainedNetwork, loaded: LoadedNetwork, init: str, on_event: OnEvent
) -> tuple[dict[str, str], bool]:
    architecture = network.architecture
    for text in loaded.notices:
        on_event(Event("notice", message=text))
    there = loaded.architecture.as_dict()
    for name, wanted in architecture.as_dict().items():
        found = there.get(name)
        if name != "kind" and found != wanted:
            raise WeightsError(
                f"--init {init} is of another architecture: {name} {found}, expected {wanted}",
                f"train a network like it (--config with {name}: {found}), or choose other weights",
            )
    fresh = _fill(network, loaded.network.state_dict(), init)
    text = f"start: {loaded.name} ({loaded.architecture}), sha256 {loaded.sha256[:12]}"
    on_event(Event("notice", message=f"{text}, {fresh}" if fresh else text))
    return {loaded.path.name: file_sha256(loaded.path)}, not fresh


def _fill(network: TrainedNetwork, weights: Mapping[str, Tensor], init: str) -> str:
    """Load all that fits; say what stays random: NER, and the further channels of the first convolution.

    Raises:
        WeightsError: more than that is missing.
    """
    target = network.state_dict()
    fresh = [name for name in target if name not in weights]
    unknown = [name for name in weights if name not in target]
    unlike = [name for name in fresh if not name.startswith(_FRESH)] + unknown
    filled, extended = dict(target), ""
    for name, values in weights.items():
        if name not in target:
            continue
        filled[name] = fit_channels(values, target[name])
        if filled[name].shape != target[name].shape:
            unlike.append(name)
        elif values.shape != target[name].shape:
            extended = f"{filled[name].shape[1] - values.shape[1]} fresh channels in {name}"
    if unlike:
        raise WeightsError(
            f"--init {init} is of another architecture: {len(unlike)} tensors differ, first '{unlike[0]}'",
            "choose weights of the same backbone and widths",
        )
    network.load_state_dict(filled)
    return ", ".join(filter(None, [extended, f"{len(fresh)} fresh tensors in NER" if fresh else ""]))
