"""The memory on features whose nearest neighbours are known."""

from __future__ import annotations

import pytest
import torch

from vsodtool.models.evidence import label_memory
from vsodtool.models.evidence.label_memory import READ, VALUE, LabelMemory

CHANNELS = 32


@pytest.fixture
def memory() -> LabelMemory:
    """Keys that are the features themselves, far apart."""
    torch.manual_seed(0)
    made = LabelMemory(CHANNELS).eval()
    with torch.no_grad():
        made.key.weight.copy_(torch.eye(CHANNELS)[:, :, None, None] * 20)
        made.key.bias.zero_()  # type: ignore[union-attr]
        made.nearness.fill_(-20.0)  # places do not count
    return made


def features(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_each_cell_reads_the_label_of_the_cell_that_looks_like_it(memory: LabelMemory) -> None:
    known = features(1, 2, CHANNELS, 3, 4)
    labels = torch.rand(1, 2, 1, 6, 8, generator=torch.Generator().manual_seed(2))
    order = torch.randperm(24, generator=torch.Generator().manual_seed(3))
    cells = known[0].permute(1, 0, 2, 3).flatten(1)  # (C, 2 * 3 * 4)
    here = cells[:, order].view(1, CHANNELS, 4, 6)
    places = torch.zeros(1, 2, 4, 6), torch.zeros(1, 2, 2, 3, 4)
    read = memory(here, places[0], known=known, known_positions=places[1], labels=labels)
    assert read.shape == (1, READ, 4, 6)
    quarters = torch.nn.functional.pixel_unshuffle(labels[0], 2).permute(1, 0, 2, 3).flatten(1)
    torch.testing.assert_close(read[0, VALUE : VALUE + 4].flatten(1), quarters[:, order], atol=1e-4, rtol=0)
    torch.testing.assert_close(read[0, -1], torch.ones(4, 6), atol=1e-3, rtol=0)  # a perfect match


@torch.no_grad()
def test_of_two_that_look_alike_the_nearer_one_in_the_objects_frame_counts(memory: LabelMemory) -> None:
    memory.nearness.fill_(2.0)
    known = features(1, 1, CHANNELS, 1, 1).expand(1, 1, CHANNELS, 1, 2).contiguous()
    labels = torch.tensor([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]]).view(1, 1, 1, 2, 4)
    places = torch.tensor([[[-1.0, 1.0]], [[0.0, 0.0]]]).view(1, 1, 2, 1, 2)
    here = known[:, 0, :, :, :1]
    for row, label in ((-0.9, 1.0), (0.9, 0.0)):
        position = torch.tensor([row, 0.0]).view(1, 2, 1, 1)
        read = memory(here, position, known=known, known_positions=places, labels=labels)
        assert float(read[0, VALUE]) == pytest.approx(label, abs=1e-3)


@torch.no_grad()
def test_of_large_memories_every_other_row_and_column_is_kept(
    memory: LabelMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, labels = features(1, 1, CHANNELS, 4, 6), torch.rand(1, 1, 1, 8, 12)
    places = torch.zeros(1, 2, 2, 2), torch.zeros(1, 1, 2, 4, 6)
    here = known[:, 0, :, ::2, ::3]
    whole = memory(here, places[0], known=known, known_positions=places[1], labels=labels)
    monkeypatch.setattr(label_memory, "_MOST_CELLS", 23)
    thin = memory(here, places[0], known=known, known_positions=places[1], labels=labels)
    assert thin.shape == whole.shape
    torch.testing.assert_close(thin[..., 0], whole[..., 0], atol=1e-3, rtol=0)  # column 0 was kept
    assert float(thin[0, -1, 0, 1]) < 0.5 < float(whole[0, -1, 0, 1])  # column 3 was not


@torch.no_grad()
def test_cells_are_read_a_few_at_a_time_as_if_all_at_once(
    memory: LabelMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, known = features(1, CHANNELS, 3, 5), features(1, 2, CHANNELS, 4, 3)
    told = {"known": known, "known_positions": features(1, 2, 2, 4, 3), "labels": torch.rand(1, 2, 1, 8, 6)}
    whole = memory(here, features(1, 2, 3, 5), **told)
    monkeypatch.setattr(label_memory, "_AT_ONCE", 4)
    torch.testing.assert_close(memory(here, features(1, 2, 3, 5), **told), whole)
