"""The learned densifier of vsodtool: evidence about a frame in, the logit of its label out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vsodtool.models.backbones.efficientnet_lite import STAGES, EfficientNetLiteBackbone
from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.evidence.halving import HalvingConvBnRelu
from vsodtool.models.evidence.label_memory import READ, LabelMemory, Memories
from vsodtool.models.rcrnet.layers import ConvBnRelu, resize
from vsodtool.ops.labels.evidence_maps import CELL, GUESS, IMAGE, LEFT, MAPS, RIGHT

_Levels = tuple[Tensor, Tensor, Tensor]
_CERTAIN = 0.01  # the first guess is believed up to this: logits stay finite, and can be turned round
_CONTRAST = 4.0  # differences of images are small numbers


class FrameInput(NamedTuple):
    """What `EvidenceNet` takes of the frames it decides about: one object of each of B, on boxes of them.

    Attributes:
        maps: (B, MAPS, H, W) in [0, 1], see `ops.evidence_maps`.
        distances: to the left and the right labelled frame, in frames (B, 2).
        positions: of the cells of CELL x CELL pixels in the object's frame of reference
            (B, 2, H / CELL, W / CELL).
    """

    maps: Tensor
    distances: Tensor
    positions: Tensor


class EvidenceInput(NamedTuple):
    """All that `EvidenceNet` takes: `FrameInput`, and what is of the labelled frames.

    Attributes:
        maps: as there.
        distances: as there.
        positions: as there.
        images: of the labelled frames around the object (B, 2, 3, M, N) in [0, 1].
        labels: theirs (B, 2, 1, M, N) in [0, 1].
        known_positions: of their cells (B, 2, 2, M / CELL, N / CELL).
    """

    maps: Tensor
    distances: Tensor
    positions: Tensor
    images: Tensor
    labels: Tensor
    known_positions: Tensor

    @property
    def frame(self) -> FrameInput:
        """What is not of the labelled frames."""
        return FrameInput(*self[:3])


class _Halve(nn.Module):
    """2 x 2 pixels become one."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 2, stride=2, bias=False)
        self.bn = nn.BatchNorm2d(channels_out)

    def forward(self, features: Tensor) -> Tensor:
        return torch.relu(self.bn(self.conv(features)))


class Appearance(nn.Module):
    """Features of an image at 1/2, 1/4 and 1/8 of its size, made of those of a backbone."""

    def __init__(self, fine: int, middle: int, coarse: int) -> None:
        super().__init__()
        quarter, eighth, sixteenth = (STAGES[number].channels for number in (1, 2, 4))
        self.fine = HalvingConvBnRelu(4 * IMAGE, fine, 3)
        self.middle = ConvBnRelu(quarter, middle, 1)
        self.coarse = nn.Sequential(ConvBnRelu(eighth + sixteenth, coarse, 1), ConvBnRelu(coarse, coarse, 3))

    def forward(
        self, images: Tensor, pyramid: tuple[Tensor, Tensor, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Images (N, 3, H, W), about in [-1, 1], and what the backbone saw -> the levels, fine to coarse."""
        return self.fine(images), self.middle(pyramid[0]), self.match(pyramid)

    def match(self, pyramid: _Levels) -> Tensor:
        """The coarse level alone: what is matched."""
        _, eighth, sixteenth = pyramid
        up = resize(sixteenth, (eighth.shape[-2], eighth.shape[-1]))
        matched: Tensor = self.coarse(torch.cat((eighth, up), dim=1))
        return matched


class _Residual(nn.Module):
    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = ConvBnRelu(channels, channels, 3, dilation)
        self.second = ConvBnRelu(channels, channels, 3)

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.second(self.first(features))
        return features + changed


class EvidenceNet(nn.Module):
    """A U-Net over warped labels, warped images and what a memory of the labelled frames says.

    It corrects the label that the rules of `--method warp` give, by a residual on its logit. FGPLG (Yan et
    al., ICCV 2019, section 3.3) sees one warped label for each side and the lengths of the flows; this one
    sees two ways in which each side's label came here, how consistent they were, the labelled images warped
    alike, and the labelled frames themselves (`LabelMemory`). It computes at half the frame's resolution and
    says four logits for each cell.
    """

    def __init__(self, architecture: EvidenceArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        fine, middle, coarse = architecture.widths
        # Its weights are ImageNet's, and stay: 27 videos teach nothing about what things look like.
        self.backbone = EfficientNetLiteBackbone(IMAGE, 16, is_whole=False)
        self.appearance = Appearance(fine, middle, coarse)
        self.memory = LabelMemory(coarse)
        self.entry = HalvingConvBnRelu(4 * MAPS + 2, fine, 3)
        self.fine = _Residual(fine)
        self.to_middle = _Halve(fine, middle)
        self.middle = nn.Sequential(ConvBnRelu(2 * middle, middle, 3), _Residual(middle))
        self.to_coarse = _Halve(middle, coarse)
        self.coarse = nn.Sequential(
            ConvBnRelu(2 * coarse + READ, coarse, 3), _Residual(coarse, 2), _Residual(coarse, 4)
        )
        self.up_middle = nn.Sequential(ConvBnRelu(coarse + middle, middle, 3), _Residual(middle))
        self.up_fine = nn.Sequential(ConvBnRelu(middle + 2 * fine, fine, 3), ConvBnRelu(fine, fine, 3))
        self.head = nn.Conv2d(fine, 4, 1)
        nn.init.zeros_(self.head.weight)  # untrained it is the first guess
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    def forward(self, evidence: EvidenceInput) -> Tensor:
        """Logits (B, 1, H, W)."""
        looks = self.look(evidence.images)
        memories = self.remember(looks, evidence.labels, evidence.known_positions)
        return self.decide_together([evidence.frame], [memories])

    def look(self, images: Tensor) -> Tensor:
        """What the memory needs of labelled frames (B, S, 3, M, N) in [0, 1]: (B, S, C, M / CELL, N / CELL).

        The same for every frame between them, and for every object.
        """
        flat = images.flatten(0, 1).to(self.head.weight.dtype, memory_format=torch.channels_last)
        coarse = self.appearance.match(self.backbone.shallow(_centred(flat)))
        return coarse.view(*images.shape[:2], *coarse.shape[1:])

    def remember(self, looks: Tensor, labels: Tensor, positions: Tensor) -> Memories:
        """What the memory keeps of labelled frames: the same for every frame between them.

        Args:
            looks: what `look` saw in them.
            labels: see `EvidenceInput`.
            positions: `EvidenceInput.known_positions`.
        """
        return self.memory.remember(looks, positions, _half_cells(labels).to(self.head.weight.dtype))

    def decide_together(self, frames: Sequence[FrameInput], memories: Sequence[Memories]) -> Tensor:
        """Logits of several at once, one after the other: (sum of all B, 1, H, W).

        Args:
            frames: their maps are of one size.
            memories: of the labelled frames of each; these may be of several sizes.
        """
        maps, distances = (_together(part) for part in zip(*(each[:2] for each in frames), strict=True))
        dtype = self.head.weight.dtype
        image, guess = _centred(maps[:, :IMAGE]).to(dtype), maps[:, GUESS:]
        seen_fine, seen_middle, seen_coarse = self.appearance(image, self.backbone.shallow(image))
        fine = self.fine(self._enter(maps, distances))
        middle = self.to_middle(fine)
        middle = self.middle(torch.cat((middle, seen_middle), dim=1))
        coarse = self.to_coarse(middle)
        counts = [len(each.maps) for each in frames]
        reads = [
            self.memory.read(seen, each.positions, known)
            for each, known, seen in zip(frames, memories, torch.split(seen_coarse, counts), strict=True)
        ]
        coarse = self.coarse(torch.cat((coarse, seen_coarse, _together(reads)), dim=1))
        up = resize(coarse, (middle.shape[-2], middle.shape[-1]))
        up = self.up_middle(torch.cat((up, middle), dim=1))
        up = resize(up, (fine.shape[-2], fine.shape[-1]))
        up = self.up_fine(torch.cat((up, fine, seen_fine), dim=1))
        change = functional.pixel_shuffle(self.head(up), 2)
        return torch.logit(guess.float(), eps=_CERTAIN) + change.float()

    def _enter(self, maps: Tensor, distances: Tensor) -> Tensor:
        """The first features: of the maps, and of how far away the labelled frames are."""
        dtype = self.head.weight.dtype
        planes = maps.new_empty((*maps.shape[:1], MAPS + 1, *maps.shape[2:]), dtype=dtype)
        at = 0
        for part in _differences(maps):  # none is kept: in 32 bits all parts are the most there ever is
            planes[:, at : at + part.shape[1]] = part
            at += part.shape[1]
        planes[:, at:] = _plane(torch.tanh(distances / 10).to(dtype), maps.shape[-2:])
        entered: Tensor = self.entry(planes)
        return entered


def _together(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def _centred(images: Tensor) -> Tensor:
    return (images * 2).sub_(1)


def _differences(maps: Tensor) -> Iterator[Tensor]:
    """The maps in parts, warped images as differences from the image, and everything around 0."""
    image = maps[:, :IMAGE]
    yield _centred(image)
    for channels in (LEFT, RIGHT):
        side = maps[:, channels]
        yield _centred(side[:, :1])
        yield (side[:, 1:4] - image).mul_(_CONTRAST)
        yield _centred(side[:, 4:5])
        yield (side[:, 5:8] - image).mul_(_CONTRAST)
        yield _centred(side[:, 8:9])
    yield _centred(maps[:, GUESS:])


def _plane(ages: Tensor, size: Sequence[int]) -> Tensor:
    """(B, 2) -> (B, 1, H, W): of 2 x 2 pixels the upper two are these, the lower ones 0."""
    height, width = size
    plane = ages.new_zeros(len(ages), 1, height // 2, 2, width // 2, 2)
    plane[:, :, :, 0] = ages[:, None, None, None]
    return plane.view(len(ages), 1, height, width)


def _half_cells(labels: Tensor) -> Tensor:
    """(B, S, 1, M, N) -> means over quarters of cells (B, S, 1, 2 M / CELL, 2 N / CELL)."""
    small = functional.avg_pool2d(labels.flatten(0, 1), CELL // 2)
    return small.view(*labels.shape[:2], *small.shape[1:])
