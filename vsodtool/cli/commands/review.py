"""`vsodtool review`."""

from __future__ import annotations

from vsodtool.cli.console import Reporter
from vsodtool.cli.options import Json, Quiet, command
from vsodtool.cli.output import print_report
from vsodtool.cli.text import Table
from vsodtool.config import ReviewConfig


@command(ReviewConfig, work="vsodtool.pipelines.review")
def review(config: ReviewConfig, *, json: Json = False, quiet: Quiet = False) -> None:
    """Look through labels in the browser, worst first; correct them; make again what that touches.

    Serves a page to this machine only and prints its address to stderr; Ctrl-C ends it. Corrections go to
    OUT/corrections, the masks that were given are never touched. Of a bare video it begins a folder in which
    to draw the first masks. On another machine:
    ssh -L 8000:127.0.0.1:8000 HOST vsodtool review OUT --port 8000
    """
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.review import run_review

        report = run_review(config, on_event=reporter)
    table = Table(["video", "frames", "corrected", "ok", "bad", "skip"])
    for video in report.videos:
        counts = video.frames, video.corrected, video.ok, video.bad, video.skip
        table.add(video.name, *map(str, counts))
    print_report(report.as_dict(), table, as_json=json)
