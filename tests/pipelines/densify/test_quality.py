"""What the qualities mean for those that label."""

from __future__ import annotations

import pytest

from vsodtool.config import QUALITIES
from vsodtool.pipelines.densify.evidence import Evidence
from vsodtool.pipelines.densify.label import SoftLabel
from vsodtool.pipelines.densify.method import Method, Wants, is_smoothed
from vsodtool.pipelines.densify.quality import rules


class Learned:
    """A network, of boxes or of whole frames."""

    name = "learned"

    def __init__(self, wants: Wants) -> None:
        self.wants = wants

    def generate(self, evidence: Evidence) -> SoftLabel:
        return evidence.answer(evidence.image[:, :1], evidence.image[:, :1])


@pytest.mark.parametrize("quality", QUALITIES)
def test_who_is_smoothed(quality: str) -> None:
    own: Method = Learned(Wants.BOXES)
    assert is_smoothed(own, quality)
    assert not any(is_smoothed(Learned(wants), quality) for wants in (Wants.FRAMES, Wants.LABELS))
    assert is_smoothed(rules(quality), quality) is (quality != "fast")
