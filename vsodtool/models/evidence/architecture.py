"""What a learned densifier of vsodtool looks like, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from vsodtool.models.described import Described, check_choice, check_width

DENSIFIER: Final = "densifier"
LITE = "efficientnet_lite0"


@dataclass(frozen=True, kw_only=True)
class EvidenceArchitecture(Described):
    """The shape of an `EvidenceNet`.

    Attributes:
        kind: densifier.
        backbone: whose features are matched, efficientnet_lite0.
        fine_width: channels at 1/2 of the size.
        middle_width: at 1/4.
        coarse_width: at 1/8.
    """

    what: ClassVar[str] = "architecture"

    kind: str = DENSIFIER
    backbone: str = LITE
    fine_width: int = 32
    middle_width: int = 64
    coarse_width: int = 96

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ConfigError: naming the value, what was expected and what was found.
        """
        check_choice("kind", self.kind, (DENSIFIER,))
        check_choice("backbone", self.backbone, (LITE,))
        for name, width in zip(("fine_width", "middle_width", "coarse_width"), self.widths, strict=True):
            check_width(name, width)

    @property
    def widths(self) -> tuple[int, int, int]:
        """Fine to coarse."""
        return self.fine_width, self.middle_width, self.coarse_width

    def __str__(self) -> str:
        """For tables: "densifier, efficientnet_lite0, 32-64-96"."""
        return f"{self.kind}, {self.backbone}, {'-'.join(map(str, self.widths))}"
