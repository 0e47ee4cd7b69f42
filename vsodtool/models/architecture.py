"""What a network looks like, as plain values: stored beside its weights, enough to build it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from vsodtool.errors import ConfigError
from vsodtool.models.described import Described, check_choice, check_width
from vsodtool.ops.motion.layout import CHANNELS

BACKBONES = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_lite0",
)
OUTPUT_STRIDES = (8, 16)
IMAGE: Final = "image"
VIDEO: Final = "video"
FGPLG: Final = "fgplg"
KINDS = (IMAGE, VIDEO, FGPLG)
FUSED: Final = "fused"  # no network of the paper: models/fused
CHANNELS_IN = {IMAGE: 3, VIDEO: 3, FGPLG: 7, FUSED: 3}


@dataclass(frozen=True, kw_only=True)
class Architecture(Described):
    """The shape of a network. The defaults are the paper's.

    Attributes:
        kind: image (RCRNet), video (RCRNet+NER) or fgplg.
        backbone: name of a torchvision classifier, one of BACKBONES.
        output_stride: of the deepest features, 8 or 16.
        context_width: channels after ASPP, even.
        skip_width: channels of a projected skip, even.
        refine_width: channels after a refinement.
        decoder_width: channels before the logit.
        motion_input: whether the network also sees motion maps (`ops.motion_maps`; not in the paper).
    """

    what: ClassVar[str] = "architecture"
    kinds: ClassVar[tuple[str, ...]] = KINDS

    kind: str = VIDEO
    backbone: str = "resnet50"
    output_stride: int = 16
    context_width: int = 256
    skip_width: int = 96
    refine_width: int = 128
    decoder_width: int = 256
    motion_input: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ConfigError: naming the value, what was expected and what was found.
        """
        check_choice("kind", self.kind, self.kinds)
        check_choice("backbone", self.backbone, BACKBONES)
        check_choice("output_stride", self.output_stride, OUTPUT_STRIDES)
        for name in ("context_width", "skip_width", "refine_width", "decoder_width"):
            check_width(name, getattr(self, name), step=2 if name in {"context_width", "skip_width"} else 1)
        if not isinstance(self.motion_input, bool) or (self.motion_input and self.kind == FGPLG):
            raise ConfigError(
                "architecture: motion_input: expected true or false, false for fgplg, "
                f"found {self.motion_input!r}"
            )

    @property
    def channels_in(self) -> int:
        """Channels of the network's input: of the image, then of the motion maps if it sees any."""
        return CHANNELS_IN[self.kind] + (CHANNELS if self.motion_input else 0)

    def __str__(self) -> str:
        """For tables: "video, resnet50/16, 256-96-128-256"."""
        widths = (self.context_width, self.skip_width, self.refine_width, self.decoder_width)
        motion = ", motion" if self.motion_input else ""
        return f"{self.kind}, {self.backbone}/{self.output_stride}, {'-'.join(map(str, widths))}{motion}"
