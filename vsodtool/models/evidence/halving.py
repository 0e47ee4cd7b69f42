"""From full size to half of it: a convolution of quarters that are never laid out."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from vsodtool.models.rcrnet.layers import ConvBnRelu

_SIDE = 2


class HalvingConvBnRelu(ConvBnRelu):
    """`ConvBnRelu` of kernel 3 over what `pixel_unshuffle` by 2 makes of maps.

    They are the sums of a kernel of 6 with stride 2 over the maps as they are: nothing is unshuffled.
    """

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, channels_out, H / 2, W / 2), at least 0.

        Args:
            features: 4 C is `channels_in`, or up to 3 more: the last quarters do not count then.
        """
        kernel = self.conv.weight
        unheard = _SIDE * _SIDE * features.shape[1] - kernel.shape[1]
        kernel = functional.pixel_shuffle(functional.pad(kernel, (0, 0, 0, 0, 0, unheard)), _SIDE)
        found = functional.conv2d(features, kernel, self.conv.bias, stride=_SIDE, padding=_SIDE)
        return functional.relu(self.bn(found), inplace=not self.training)
