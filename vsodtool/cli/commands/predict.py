"""`vsodtool predict`."""

from __future__ import annotations

from vsodtool.cli.console import Reporter
from vsodtool.cli.next_step import tell_after_predict
from vsodtool.cli.options import Json, Quiet, command
from vsodtool.cli.output import print_report, refuse_losses
from vsodtool.cli.ranks import run_in_ranks
from vsodtool.cli.text import Table, seconds_cell
from vsodtool.config import PredictConfig


@command(PredictConfig, work="vsodtool.pipelines.predict")
def predict(config: PredictConfig, *, json: Json = False, quiet: Quiet = False) -> None:
    """The salient object in every frame of videos that nobody labelled.

    Writes OUT/soft/<video>/<frame>.png, the probability of each pixel in 8 bits and in the size of the frame,
    OUT/frames.csv and OUT/manifest.json. Videos may be of any length.
    """
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.predict import run_predict

        report = run_in_ranks(run_predict, config, reporter)
    lost = ["skipped"] if any(video.skipped for video in report.videos) else []
    table = Table(["video", "frames", "generated", *lost, "confidence", "seconds"])
    for video in report.videos:
        seconds = seconds_cell(video.seconds, dry_run=report.dry_run)
        mean = f"{video.confidence:.3f}" if video.generated and not report.dry_run else "-"
        counts = [video.frames, video.generated, *([video.skipped] if lost else [])]
        table.add(video.name, *counts, mean, seconds)
    print_report(report.as_dict(), table, as_json=json)
    if not quiet and not report.dry_run:
        tell_after_predict(config.output)
    refuse_losses(report.losses, config.output)
