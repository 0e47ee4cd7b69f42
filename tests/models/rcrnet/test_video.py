"""NER's parts against their definitions, written out plainly."""

from __future__ import annotations

import pytest
import torch

from vsodtool.models.rcrnet.video import ConvGru, NonLocalBlock, reversed_in_time


@pytest.mark.parametrize(("frames", "batch"), [(1, 1), (3, 2)])
def test_non_local_block_is_the_attention_written_out(frames: int, batch: int) -> None:
    torch.manual_seed(0)
    block = NonLocalBlock(8)
    features = torch.randn(frames, batch, 8, 5, 6)
    video = features.permute(1, 2, 0, 3, 4)  # (B, C, T, H, W), what 1x1x1 convolutions take
    theta, phi, g = (part(video).flatten(2) for part in (block.theta, block.phi, block.g))
    attention = theta.transpose(1, 2) @ phi / phi.shape[-1]  # N x N
    y = (attention @ g.transpose(1, 2)).transpose(1, 2).reshape(batch, 4, frames, 5, 6)
    expected = (block.W(y) + video).permute(2, 0, 1, 3, 4)
    torch.testing.assert_close(block(features), expected)


def test_conv_gru_is_its_equations() -> None:
    torch.manual_seed(1)
    gru = ConvGru(4)
    inputs, state = torch.randn(3, 2, 4, 5, 6), torch.randn(2, 4, 5, 6)
    expected, before = [], state.clone()
    for x in inputs:
        reset = torch.sigmoid(gru.reset_gate(torch.cat((x, state), dim=1)))
        update = torch.sigmoid(gru.update_gate(torch.cat((x, state), dim=1)))
        candidate = torch.tanh(gru.output_gate(torch.cat((x, reset * state), dim=1)))
        state = (1 - update) * candidate + update * state
        expected.append(state)
    torch.testing.assert_close(gru(inputs, before), torch.stack(expected))


def test_reversed_in_time() -> None:
    assert reversed_in_time(torch.arange(3.0)).tolist() == [2, 1, 0]
