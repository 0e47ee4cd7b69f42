"""The shape of a fused detector as plain values, enough to build it again. No torch."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from vsodtool.errors import ConfigError
from vsodtool.models.architecture import FUSED, VIDEO, Architecture
from vsodtool.models.u2net.architecture import U2NetArchitecture


@dataclass(frozen=True, kw_only=True)
class FusedArchitecture(Architecture):
    """The shape of a video network and of the U²-Net beside it.

    Attributes:
        kind: always fused.
        motion_input: always true.
        looks_width: channels between the stages of the U²-Net.
        looks_inner_width: channels inside of them.
    """

    kinds: ClassVar[tuple[str, ...]] = (FUSED,)

    kind: str = FUSED
    motion_input: bool = True
    looks_width: int = 64
    looks_inner_width: int = 16

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ConfigError: naming the value, what was expected and what was found.
        """
        super().__post_init__()
        if not self.motion_input:
            raise ConfigError("architecture: motion_input: expected true, found False")
        _ = self.looks

    @property
    def video(self) -> Architecture:
        """Of the video network alone."""
        names = (field.name for field in fields(Architecture) if field.name != "kind")
        return Architecture(kind=VIDEO, **{name: getattr(self, name) for name in names})

    def around(self, video: Architecture) -> Architecture:
        """The same U²-Net beside another video network; one that sees no motion stays alone."""
        if video.kind != VIDEO or not video.motion_input:
            return video
        widths = {"looks_width": self.looks_width, "looks_inner_width": self.looks_inner_width}
        return FusedArchitecture(**{**video.as_dict(), **widths, "kind": FUSED})

    @property
    def looks(self) -> U2NetArchitecture:
        """Of the U²-Net."""
        return U2NetArchitecture(width=self.looks_width, inner_width=self.looks_inner_width)

    def __str__(self) -> str:
        """As of the video network, and ", looks 64-16"."""
        return f"{super().__str__()}, looks {self.looks_width}-{self.looks_inner_width}"
