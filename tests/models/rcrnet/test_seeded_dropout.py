from __future__ import annotations

import pytest
import torch
from torch import nn

from vsodtool.errors import ShapeError
from vsodtool.models.architecture import Architecture
from vsodtool.models.rcrnet.seeded_dropout import SeededDropout2d, seed_dropout
from vsodtool.models.weights.networks import create_network


def seeded(*seeds: int) -> SeededDropout2d:
    layer = SeededDropout2d(0.5)
    layer.seeds = seeds
    return layer


def test_a_mask_belongs_to_its_sample_however_the_batch_is_divided() -> None:
    ones = torch.ones(3, 2, 64, 2, 2)  # T = 3 frames of B = 2 clips
    both = seeded(7, 8)(ones.flatten(0, 1)).view(ones.shape)
    for clip, seed in enumerate((7, 8)):
        alone = seeded(seed)(ones[:, clip])
        assert torch.equal(both[:, clip], alone)
    assert not torch.equal(both[:, 0], both[:, 1])
    assert not torch.equal(both[0], both[1])


def test_whole_channels_are_dropped_and_the_rest_is_scaled() -> None:
    out = seeded(*range(40))(torch.ones(40, 100, 3, 3))
    channels = out.flatten(2)
    assert torch.equal(channels.amin(2), channels.amax(2))
    assert set(out.unique().tolist()) == {0.0, 2.0}
    assert out.mean().item() == pytest.approx(1, abs=5 * (1 / 4000) ** 0.5)


def test_without_seeds_and_in_evaluation_it_is_a_plain_dropout() -> None:
    values = torch.rand(2, 8, 2, 2)
    layer = seeded(1, 2)
    assert torch.equal(layer.eval()(values), values)
    plain, own = nn.Dropout2d(0.5), SeededDropout2d(0.5)
    torch.manual_seed(0)
    expected = plain(values)
    torch.manual_seed(0)
    assert torch.equal(own(values), expected)


def test_another_number_of_samples_is_refused() -> None:
    with pytest.raises(ShapeError, match="multiple of 2 frames, found 3"):
        seeded(1, 2)(torch.ones(3, 1, 1, 1))


def test_every_dropout_of_a_network_is_replaced() -> None:
    network = create_network(
        Architecture(
            kind="image", backbone="mobilenet_v3_small", context_width=8, skip_width=8, refine_width=8,
            decoder_width=8,
        )
    )  # fmt: skip
    layers = seed_dropout(network)
    assert [layer.p for layer in layers] == [0.1]
    assert network.aspp.dropout is layers[0]
