"""The parts of the networks against their definitions, written out plainly."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from vsodtool.errors import ShapeError
from vsodtool.models.backbones.frozen_bn import FrozenBatchNorm2d, freeze_batch_norm
from vsodtool.models.inference.folding import fold_batch_norm
from vsodtool.models.paper.network import fgplg_input, flow_length
from vsodtool.models.rcrnet.aspp import Aspp
from vsodtool.models.rcrnet.conv_gru import ConvGru, reversed_in_time
from vsodtool.models.rcrnet.decoder import Decoder
from vsodtool.models.rcrnet.enlarged_decoder import EnlargedDecoder
from vsodtool.models.rcrnet.losses import saliency_loss
from vsodtool.models.rcrnet.non_local import NonLocalBlock


def stirred(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module in eval mode, with statistics and weights of its normalisation that are not 0 and 1."""
    made = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            for values, low in ((part.weight, 0.5), (part.bias, -0.5), (part.running_mean, -0.5)):
                assert values is not None
                values.data = torch.rand(values.shape, generator=made) + low
            assert part.running_var is not None
            part.running_var.data = torch.rand(part.running_var.shape, generator=made) + 0.5
    return module.eval()


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


def test_aspp_sees_a_constant_where_its_input_is_one() -> None:
    torch.manual_seed(2)
    aspp = Aspp(6, 8, 16).eval()
    features = torch.randn(2, 6, 4, 5)
    mean = features.mean(dim=(2, 3), keepdim=True)
    parts = [functional.interpolate(aspp.pool(mean), size=(4, 5), mode="bilinear", align_corners=False)]
    parts += [branch(features) for branch in aspp.branches]
    torch.testing.assert_close(aspp(features), aspp.project(torch.cat(parts, dim=1)))


@pytest.mark.parametrize(("stride", "dilations"), [(16, (6, 12, 18)), (8, (12, 24, 36))])
def test_aspp_dilations(stride: int, dilations: tuple[int, ...]) -> None:
    found = [branch.conv.dilation for branch in Aspp(4, 4, stride).branches]  # type: ignore[union-attr]
    assert found == [(1, 1), *((dilation, dilation) for dilation in dilations)]


@settings(deadline=None, max_examples=25)
@given(
    small=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    large=st.tuples(st.integers(1, 80), st.integers(1, 130)),
    frames=st.integers(1, 2),
)
def test_enlarged_decoder_is_the_decoder(small: tuple[int, int], large: tuple[int, int], frames: int) -> None:
    torch.manual_seed(3)
    decoder = Decoder(5, 7)
    stirred(decoder)
    fold_batch_norm(decoder)
    features = torch.randn(frames, 5, *small)
    with torch.inference_mode():
        expected = decoder(features, large)
        found = EnlargedDecoder(decoder)(features, large)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_folding_keeps_the_function_and_leaves_no_normalisation() -> None:
    torch.manual_seed(4)
    aspp = stirred(Aspp(6, 8, 16))
    features = torch.randn(2, 6, 9, 9)
    expected = aspp(features)
    assert fold_batch_norm(aspp) == 6
    assert not any(isinstance(part, nn.BatchNorm2d) for part in aspp.modules())
    torch.testing.assert_close(aspp(features), expected, rtol=1e-4, atol=1e-5)


def test_frozen_statistics_survive_training_mode() -> None:
    torch.manual_seed(5)
    aspp = stirred(Aspp(6, 8, 16))
    features = torch.randn(2, 6, 9, 9)
    expected, names = aspp(features), list(aspp.state_dict())
    assert freeze_batch_norm(aspp) == 6
    aspp.train()
    for part in aspp.modules():
        if isinstance(part, nn.Dropout2d):
            part.eval()
    before = {name: value.clone() for name, value in aspp.state_dict().items()}
    torch.testing.assert_close(aspp(features), expected)
    assert list(aspp.state_dict()) == names
    assert all(torch.equal(value, before[name]) for name, value in aspp.state_dict().items())
    weight = aspp.pool.bn.weight  # type: ignore[union-attr]
    assert isinstance(weight, nn.Parameter)
    assert weight.requires_grad
    assert freeze_batch_norm(aspp, affine=False) == 6
    assert not weight.requires_grad
    assert sum(isinstance(part, FrozenBatchNorm2d) for part in aspp.modules()) == 6


def test_flow_length_is_a_share_of_the_size() -> None:
    flow = torch.zeros(1, 2, 10, 20)
    flow[:, 0], flow[:, 1] = 6.0, 4.0  # 6/20 right, 4/10 down
    torch.testing.assert_close(flow_length(flow), torch.full((1, 1, 10, 20), 0.5))


def test_fgplg_input_has_seven_channels_in_the_published_order() -> None:
    frame = torch.arange(3.0).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    left, right = torch.full((2, 1, 1, 4, 4), 0.25).unbind()
    to_left, to_right = torch.zeros(1, 2, 4, 4), torch.full((1, 2, 4, 4), 4.0)
    channels = fgplg_input(frame, (left, right + 0.5), (to_left, to_right))[0, :, 0, 0]
    torch.testing.assert_close(channels, torch.tensor([0, 1, 2, 0.25, 0.75, 0, 2**0.5]))


def test_fgplg_input_refuses_a_label_of_two_channels() -> None:
    zeros = torch.zeros(1, 2, 4, 4)
    with pytest.raises(ShapeError, match=r"warped label: expected a floating \(B, 1, H, W\)"):
        fgplg_input(torch.zeros(1, 3, 4, 4), (zeros, zeros), (zeros, zeros))


def test_loss_is_the_mean_cross_entropy() -> None:
    logits, labels = torch.tensor([[[0.0, 2.0]]]), torch.tensor([[[1.0, 0.0]]])
    losses = torch.tensor([0.5, 1 / (1 + torch.exp(torch.tensor(2.0)))]).log().neg()
    torch.testing.assert_close(saliency_loss(logits, labels), losses.mean())
    weights = torch.tensor([[[3.0, 1.0]]])
    expected = (3 * losses[0] + losses[1]) / 4
    torch.testing.assert_close(saliency_loss(logits, labels, weights), expected)
    assert saliency_loss(logits, labels, torch.zeros(1)) == 0


def test_loss_refuses_shapes_that_would_be_broadcast() -> None:
    with pytest.raises(ShapeError, match="expected logits and labels of one shape"):
        saliency_loss(torch.zeros(2, 1, 4, 4), torch.zeros(1, 1, 4, 4))
