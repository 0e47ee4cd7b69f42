"""What `--json` says of a video."""

from __future__ import annotations

import json
from dataclasses import asdict

from vsodtool.pipelines.densify.report import PseudoLabelVideoReport


def test_a_video_as_data() -> None:
    report = PseudoLabelVideoReport("clip", 13, 4, 9, 0, 0.75, 1.5, "warp", hidden_j={"warp": 0.5})
    told = json.loads(json.dumps(asdict(report)))
    assert list(told)[:8] == [
        "name",
        "frames",
        "given",
        "generated",
        "skipped",
        "confidence",
        "seconds",
        "method",
    ]
    assert told["given"] + told["generated"] + told["skipped"] == told["frames"]
    assert (told["hidden_j"], told["doubts"], told["objects"]) == ({"warp": 0.5}, [], {})
