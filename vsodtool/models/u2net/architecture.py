"""The shape of a U²-Net as plain values: stored beside its weights, enough to build it again. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from vsodtool.models.described import Described, check_choice, check_width

U2NET: Final = "u2net"


@dataclass(frozen=True, kw_only=True)
class U2NetArchitecture(Described):
    """The shape of a U²-Net whose stages are all alike in width. The defaults are those of U²-NetP.

    Attributes:
        kind: always u2net.
        width: channels between the stages.
        inner_width: channels inside of them.
        motion_input: of no U²-Net: it sees single pictures.
    """

    what: ClassVar[str] = "architecture"
    motion_input: ClassVar[bool] = False

    kind: str = U2NET
    width: int = 64
    inner_width: int = 16

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ConfigError: naming the value, what was expected and what was found.
        """
        check_choice("kind", self.kind, (U2NET,))
        for name in ("width", "inner_width"):
            check_width(name, getattr(self, name))

    def __str__(self) -> str:
        """For tables: "u2net, 64-16"."""
        return f"{self.kind}, {self.width}-{self.inner_width}"
