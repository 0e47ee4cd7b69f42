"""What the qualities mean for those that label."""

from __future__ import annotations

import pytest

from vsodtool.config import QUALITIES
from vsodtool.pipelines.densify.evidence import Evidence
from vsodtool.pipelines.densify.label import Generated
from vsodtool.pipelines.densify.method import Method
from vsodtool.pipelines.densify.quality import is_smoothed, warp_method


class Learned:
    """A network, of boxes or of whole frames."""

    name = "learned"

    def __init__(self, *, whole_frames: bool) -> None:
        self.whole_frames = whole_frames

    def generate(self, evidence: Evidence) -> Generated:
        return Generated(evidence.image[:, :1], evidence.image[:, :1])


@pytest.mark.parametrize("quality", QUALITIES)
def test_who_is_smoothed(quality: str) -> None:
    own: Method = Learned(whole_frames=False)
    papers: Method = Learned(whole_frames=True)
    assert is_smoothed(own, quality)
    assert not is_smoothed(papers, quality)
    assert is_smoothed(warp_method(quality), quality) is (quality != "fast")
