"""Features of the backbone, made narrow for the refinements that they guide."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class SkipBottleneck(nn.Module):
    """A residual bottleneck with expansion 2 that projects the features of a backbone layer.

    The names of its parts are those of torchvision's ResNet.
    """

    def __init__(self, channels_in: int, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.conv1 = nn.Conv2d(channels_in, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.downsample = nn.Sequential(nn.Conv2d(channels_in, width, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels_in, h, w) -> (N, width, h, w)."""
        inner = functional.relu(self.bn1(self.conv1(features)))
        inner = functional.relu(self.bn2(self.conv2(inner)))
        return functional.relu(self.bn3(self.conv3(inner)) + self.downsample(features))
