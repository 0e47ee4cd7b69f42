"""A learned densifier with fewer channels, made of a trained one without training.

Of every layer the channels stay that explain most of the others (greedily, by their second moments, each
weighed by what the layers that read it make of it). What reads them is then fitted, layer after layer in the
order of computation, so that it says about the same as before: least squares over what the layers hear in
some batches (He et al., "Channel pruning for accelerating very deep neural networks", ICCV 2017).

`densifier_student.py` begins with this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.evidence.network import EvidenceInput, EvidenceNet

ROWS = 20_000  # positions of each batch that a layer is fitted to
RIDGE = 1e-4  # of the mean square of what it hears


class Layer(NamedTuple):
    """One that becomes narrower.

    Attributes:
        name: of the module.
        heard: names of the layers whose channels it reads, in order; the first of a residual pair stands for
            their sum. Empty: what it reads stays as it is.
        like: the layer whose channels it shares, since their sum is read; itself if none.
    """

    name: str
    heard: tuple[str, ...] = ()
    like: str = ""


# In the order of computation. `fine`, `middle`, ... are sums: their channels are chosen where they are read.
LAYERS = (
    Layer("appearance.coarse.0"),
    Layer("appearance.coarse.1", ("appearance.coarse.0",)),
    Layer("memory.key", ("appearance.coarse.1",)),
    Layer("memory.value", ("appearance.coarse.1", "labels")),
    Layer("appearance.fine"),
    Layer("appearance.middle"),
    Layer("entry", like="fine"),
    Layer("fine.first", ("fine",)),
    Layer("fine.second", ("fine.first",), "fine"),
    Layer("to_middle", ("fine",)),
    Layer("middle.0", ("to_middle", "appearance.middle"), "middle"),
    Layer("middle.1.first", ("middle",)),
    Layer("middle.1.second", ("middle.1.first",), "middle"),
    Layer("to_coarse", ("middle",)),
    Layer("coarse.0", ("to_coarse", "appearance.coarse.1", "memory"), "coarse"),
    Layer("coarse.1.first", ("coarse",)),
    Layer("coarse.1.second", ("coarse.1.first",), "coarse"),
    Layer("coarse.2.first", ("coarse",)),
    Layer("coarse.2.second", ("coarse.2.first",), "coarse"),
    Layer("up_middle.0", ("coarse", "middle"), "up_middle"),
    Layer("up_middle.1.first", ("up_middle",)),
    Layer("up_middle.1.second", ("up_middle.1.first",), "up_middle"),
    Layer("up_fine.0", ("up_middle", "fine", "appearance.fine")),
    Layer("up_fine.1", ("up_fine.0",)),
    Layer("head", ("up_fine.1",)),
)
FIXED = ("memory.key", "memory.value", "head")  # what they say keeps its width


class _Reached(Exception):  # noqa: N818 - no error: what was asked for is there
    pass


@torch.no_grad()
def narrowed(
    teacher: EvidenceNet,
    widths: tuple[int, int, int],
    batches: Sequence[EvidenceInput],
    told: Callable[[str], None] = print,
) -> EvidenceNet:
    """A network of these widths that says about what the teacher says.

    Args:
        teacher: in eval mode, float32.
        widths: fine to coarse, each at most the teacher's.
        batches: what the layers are fitted to; with six of eight squares .002 to .004 of J is lost.
        told: hears which layer was fitted.
    """
    fine, middle, coarse = widths
    student = EvidenceNet(
        EvidenceArchitecture(fine_width=fine, middle_width=middle, coarse_width=coarse)
    ).eval()
    student.backbone.load_state_dict(teacher.backbone.state_dict())
    student.memory.nearness.copy_(teacher.memory.nearness)
    kept = _chosen(teacher, student, batches)
    heard = _first_calls(teacher, [layer.name for layer in LAYERS if layer.heard], batches)
    for layer in LAYERS:
        stays = kept.get(layer.like or layer.name)
        there, here = _convolution(teacher, layer.name), _convolution(student, layer.name)
        stays = torch.arange(there.out_channels) if stays is None else stays
        norms = [getattr(network.get_submodule(layer.name), "bn", None) for network in (teacher, student)]
        if isinstance(norms[0], nn.BatchNorm2d) and isinstance(norms[1], nn.BatchNorm2d):
            values = norms[0].state_dict().items()
            norms[1].load_state_dict({name: value[stays] if value.ndim else value for name, value in values})
        if not layer.heard:
            here.weight.copy_(there.weight[stays])
            continue
        weights, constant = _fitted(student, here, batches, [said[:, stays] for said in heard[layer.name]])
        here.weight.copy_(weights)
        if isinstance(norms[1], nn.BatchNorm2d):
            assert norms[1].running_mean is not None
            norms[1].running_mean.sub_(constant)
        else:
            assert here.bias is not None
            here.bias.copy_(constant)
        told(f"{layer.name}: {tuple(here.weight.shape)}")
    return student


def _convolution(network: EvidenceNet, name: str) -> nn.Conv2d:
    module = network.get_submodule(name)
    found = module if isinstance(module, nn.Conv2d) else module.conv
    assert isinstance(found, nn.Conv2d)
    return found


def _chosen(
    teacher: EvidenceNet, student: EvidenceNet, batches: Sequence[EvidenceInput]
) -> dict[str, Tensor]:
    """The channels that stay, by the layer (or the sum) whose they are."""
    names = list(dict.fromkeys(layer.like or layer.name for layer in LAYERS if layer.name not in FIXED))
    moments = _moments(teacher, names, batches)
    uses = {name: torch.zeros(len(moments[name]), dtype=torch.float64) for name in names}
    for layer in LAYERS:
        weights, at = _convolution(teacher, layer.name).weight.double(), 0
        # A kernel of N x N counts as one of 1 x 1: matching, which keys decide, is not drowned.
        strength = weights.square().mean((2, 3)).sum(0)
        for name in layer.heard:
            if name in uses:
                width = len(uses[name])
                uses[name] += strength[at : at + width]
                at += width
    counts = {
        layer.like or layer.name: _convolution(student, layer.name).out_channels
        for layer in LAYERS
        if layer.name not in FIXED
    }
    return {name: _most_telling(moments[name], uses[name], counts[name]) for name in names}


def _most_telling(moments: Tensor, uses: Tensor, count: int) -> Tensor:
    """Greedily those that explain most of all of them, in order: a pivoted Cholesky decomposition."""
    roots = uses.sqrt()
    rest = roots[:, None] * moments * roots
    least = 1e-9 * rest.diagonal().max()
    stays: list[int] = []
    for _ in range(count):
        explained = rest.square().sum(0) / rest.diagonal().clamp_min(least)
        explained[rest.diagonal() <= least] = 0
        explained[stays] = -1
        best = int(explained.argmax())
        stays.append(best)
        rest = rest - rest[:, best : best + 1] * rest[best] / rest[best, best].clamp_min(least)
    return torch.tensor(sorted(stays))


def _moments(
    network: EvidenceNet, names: Sequence[str], batches: Sequence[EvidenceInput]
) -> dict[str, Tensor]:
    """Means of the products of channels, float64 (C, C)."""
    found = {}
    for name, said in _first_calls(network, names, batches, whole=True).items():
        rows = torch.cat([values.transpose(0, 1).flatten(1) for values in said], dim=1).double()
        found[name] = rows @ rows.T / rows.shape[1]
    return found


def _first_calls(
    network: EvidenceNet, names: Sequence[str], batches: Sequence[EvidenceInput], *, whole: bool = False
) -> dict[str, list[Tensor]]:
    """What modules say when they are first called, for each batch; their convolutions unless whole."""
    found: dict[str, list[Tensor]] = {name: [] for name in names}
    hooks = []
    for name in names:

        def keep(_module: nn.Module, _heard: object, said: Tensor, name: str = name) -> None:
            if len(found[name]) == begun:
                found[name].append(said.clone())

        module = network.get_submodule(name) if whole else _convolution(network, name)
        hooks.append(module.register_forward_hook(keep))
    for begun, batch in enumerate(batches):  # noqa: B007 - `keep` looks at it
        network(batch)
    for hook in hooks:
        hook.remove()
    return found


def _fitted(
    student: EvidenceNet, layer: nn.Conv2d, batches: Sequence[EvidenceInput], wanted: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """Weights of a convolution, and a constant, that come closest to what is wanted."""
    assert not isinstance(layer.padding, str)
    chance = torch.Generator().manual_seed(0)
    squares, products = torch.zeros(()), torch.zeros(())
    for batch, said in zip(batches, wanted, strict=True):
        patches = functional.unfold(
            _heard_first(student, layer, batch),
            layer.kernel_size,
            dilation=layer.dilation,
            padding=layer.padding,
            stride=layer.stride,
        )
        rows, targets = (part.transpose(1, 2).flatten(0, 1) for part in (patches, said.flatten(2)))
        some = torch.randperm(len(rows), generator=chance)[:ROWS]
        known = torch.cat((rows[some], torch.ones(len(some), 1)), dim=1).double()
        squares, products = squares + known.T @ known, products + known.T @ targets[some].double()
    ridge = RIDGE * squares.diagonal().mean() * torch.eye(len(squares), dtype=squares.dtype)
    ridge[-1, -1] = 0
    solved = torch.linalg.solve(squares + ridge, products).float()
    return solved[:-1].T.reshape(layer.weight.shape), solved[-1]


def _heard_first(network: EvidenceNet, layer: nn.Conv2d, batch: EvidenceInput) -> Tensor:
    found: list[Tensor] = []

    def stop(_module: nn.Module, heard: tuple[Tensor, ...]) -> None:
        found.append(heard[0])
        raise _Reached

    hook = layer.register_forward_pre_hook(stop)
    try:
        network(batch)
    except _Reached:
        pass
    finally:
        hook.remove()
    return found[0]
