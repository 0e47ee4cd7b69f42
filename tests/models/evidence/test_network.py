from __future__ import annotations

import pytest
import torch

from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.evidence.network import EvidenceInput, EvidenceNet, _plane
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.labels.evidence_maps import GUESS, MAPS

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


@torch.no_grad()
def test_together_each_finds_what_it_finds_alone_whatever_the_size_of_its_labelled_frames() -> None:
    made, first = network(), told()
    wide = EvidenceInput(*told(2)[:3], *(part.repeat_interleave(2, -1)[:1] for part in told(2)[3:]))
    second = EvidenceInput(*(part[1:] for part in wide[:3]), *wide[3:])
    memories = [
        made.remember(made.look(each.images), each.labels, each.known_positions) for each in (first, second)
    ]
    found = made.decide_together([first.frame, second.frame], memories)
    assert found.shape == (2, 1, 32, 48)
    for own, alone in zip(found.split(1), (made(first), made(second)), strict=True):
        torch.testing.assert_close(own, alone, atol=1e-4, rtol=0)


def test_two_values_lie_in_a_plane_so_that_unshuffled_they_are_planes_of_their_own() -> None:
    values = torch.rand(2, 2)
    planes = torch.nn.functional.pixel_unshuffle(_plane(values, (8, 12)), 2)
    assert torch.equal(planes[:, :2], values[:, :, None, None].expand(-1, -1, 4, 6))
    assert not planes[:, 2:].any()


@pytest.mark.parametrize("name", EvidenceInput._fields)
def test_every_part_of_the_evidence_matters(name: str) -> None:
    made, evidence = network(), told()
    part = getattr(evidence, name).clone().requires_grad_()
    made(evidence._replace(**{name: part})).sum().backward()
    assert part.grad is not None
    assert part.grad.abs().sum() > 0
