"""A gated recurrent unit whose products are convolutions."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional


class ConvGru(nn.Module):
    """ConvGRU with kernel 3 (Ballas et al., ICLR 2016), from [x, h]:

    r = sigmoid(reset), z = sigmoid(update), c = tanh(output([x, r h])), h' = (1 - z) c + z h.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reset_gate = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.update_gate = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.output_gate = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.channels = channels

    def forward(self, inputs: Tensor, state: Tensor) -> Tensor:
        """Run over time.

        The part of each convolution that sees the input is done for all frames at once.

        Args:
            inputs: (T, B, C, h, w), in the order in which they are seen.
            state: the first state (B, C, h, w).

        Returns:
            The state after each input (T, B, C, h, w).
        """
        channels = self.channels
        gates = (self.reset_gate, self.update_gate, self.output_gate)
        input_weight = torch.cat([gate.weight[:, :channels] for gate in gates])
        bias = torch.cat([_bias(gate) for gate in gates])
        seen = functional.conv2d(inputs.flatten(0, 1), input_weight, bias, padding=1)
        of_state = torch.cat([gate.weight[:, channels:] for gate in gates[:2]])
        of_candidate = self.output_gate.weight[:, channels:].contiguous()
        states = []
        for now in seen.view(*inputs.shape[:2], *seen.shape[1:]):
            for_gates, for_candidate = now.split((2 * channels, channels), dim=1)
            gated = torch.sigmoid(for_gates + functional.conv2d(state, of_state, padding=1))
            reset, update = gated.chunk(2, dim=1)
            candidate = torch.tanh(for_candidate + functional.conv2d(reset * state, of_candidate, padding=1))
            state = candidate + update * (state - candidate)
            states.append(state)
        return torch.stack(states)


def reversed_in_time(values: Iterable[Tensor]) -> Tensor:
    """The frames of a clip, last one first."""
    return torch.stack(list(values)[::-1])


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
