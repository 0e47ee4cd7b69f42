from __future__ import annotations

import pytest
import torch

from vsodtool.errors import ConfigError
from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.evidence.densifier import EvidenceDensifier
from vsodtool.models.evidence.network import EvidenceInput, EvidenceNet
from vsodtool.models.weights.networks import create_network, read_architecture
from vsodtool.ops.evidence_maps import GUESS, MAPS

TINY = EvidenceArchitecture(fine_width=8, middle_width=8, coarse_width=8)


def told(count: int = 1, height: int = 32, width: int = 48) -> EvidenceInput:
    generator = torch.Generator().manual_seed(0)
    return EvidenceInput(
        maps=torch.rand(count, MAPS, height, width, generator=generator),
        distances=torch.tensor([[1.0, 4.0]]).expand(count, -1),
        positions=torch.randn(count, 2, height // 8, width // 8, generator=generator),
        images=torch.rand(count, 2, 3, 32, 32, generator=generator),
        labels=torch.rand(count, 2, 1, 32, 32, generator=generator).round(),
        known_positions=torch.randn(count, 2, 2, 4, 4, generator=generator),
    )


def network(*, changed: bool = True) -> EvidenceNet:
    torch.manual_seed(0)
    made = create_network(TINY)
    if changed:
        torch.nn.init.normal_(made.head.weight, std=0.5)
    return made.eval()


@torch.no_grad()
def test_untrained_it_is_the_fusion() -> None:
    evidence = told()
    found = torch.sigmoid(network(changed=False)(evidence))
    torch.testing.assert_close(found, evidence.maps[:, GUESS:].clamp(0.01, 0.99))


@torch.no_grad()
@pytest.mark.parametrize("size", [(8, 8), (32, 48), (40, 24)])
def test_logits_have_the_size_of_the_maps(size: tuple[int, int]) -> None:
    assert network()(told(2, *size)).shape == (2, 1, *size)


@torch.no_grad()
def test_samples_of_a_batch_do_not_see_each_other() -> None:
    made, evidence = network(), told(3)
    one = EvidenceInput(*(part[1:2] for part in evidence))
    torch.testing.assert_close(made(evidence)[1:2], made(one), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", EvidenceInput._fields)
def test_every_part_of_the_evidence_matters(name: str) -> None:
    made, evidence = network(), told()
    part = getattr(evidence, name).clone().requires_grad_()
    made(evidence._replace(**{name: part})).sum().backward()
    assert part.grad is not None
    assert part.grad.abs().sum() > 0


def test_ready_to_run_it_is_the_same_function() -> None:
    evidence = told()
    with torch.no_grad():
        expected = network()(evidence)
    ready = EvidenceDensifier(network(), device=torch.device("cpu"), precision="fp32")
    found = ready.decide(evidence, ready.look(evidence.images))
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


def test_an_architecture_survives_being_written_down() -> None:
    assert read_architecture(TINY.as_dict()) == TINY
    assert read_architecture({"kind": "image"}).kind == "image"


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"fine_width": 1}, "fine_width"),
        ({"coarse_width": True}, "coarse_width"),
        ({"kind": "video"}, "kind"),
        ({"backbone": "resnet50"}, "backbone"),
        ({"depth": 3}, "depth"),
    ],
)
def test_what_cannot_be_built_is_refused(values: dict[str, object], wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        EvidenceArchitecture.from_dict(values)
