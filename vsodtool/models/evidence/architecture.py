"""What a learned densifier of vsodtool looks like, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from vsodtool.errors import ConfigError

DENSIFIER = "densifier"
LITE = "efficientnet_lite0"


@dataclass(frozen=True, kw_only=True)
class EvidenceArchitecture:
    """The shape of an `EvidenceNet`.

    Attributes:
        kind: densifier.
        backbone: whose features are matched, efficientnet_lite0.
        fine_width: channels at 1/2 of the size.
        middle_width: at 1/4.
        coarse_width: at 1/8.
    """

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
        if self.kind != DENSIFIER:
            raise ConfigError(f"architecture: kind: expected {DENSIFIER}, found {self.kind!r}")
        if self.backbone != LITE:
            raise ConfigError(f"architecture: backbone: expected {LITE}, found {self.backbone!r}")
        for field in fields(self)[2:]:
            width = getattr(self, field.name)
            if not isinstance(width, int) or isinstance(width, bool) or width < 2:
                raise ConfigError(
                    f"architecture: {field.name}: expected a whole number of at least 2, found {width!r}"
                )

    @property
    def widths(self) -> tuple[int, int, int]:
        """Fine to coarse."""
        return self.fine_width, self.middle_width, self.coarse_width

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EvidenceArchitecture:
        """The opposite of `as_dict`.

        Raises:
            ConfigError: a value is unknown, or not one that can be built.
        """
        unknown = sorted(values.keys() - {field.name for field in fields(cls)})
        if unknown:
            raise ConfigError(f"architecture: unknown value '{unknown[0]}'")
        return cls(**values)

    def __str__(self) -> str:
        """For tables: "densifier, efficientnet_lite0, 32-64-96"."""
        return f"{self.kind}, {self.backbone}, {'-'.join(map(str, self.widths))}"
