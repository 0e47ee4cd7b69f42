"""`vsodtool predict`."""

from __future__ import annotations

from typing import Annotated

from vsodtool.cli import options
from vsodtool.cli.console import Reporter
from vsodtool.cli.output import print_report, refuse_losses
from vsodtool.cli.ranks import run_in_ranks
from vsodtool.cli.text import Table
from vsodtool.config import load_config
from vsodtool.config.predict import PRECISIONS, SMOOTHS, PredictConfig


def predict(
    *,
    inputs: options.Inputs = None,
    output: options.Output = None,
    config: options.Config = None,
    weights: Annotated[
        str | None,
        options.option(
            "--weights",
            help="Of the network: a name that `vsodtool weights list` shows, or a file.",
            panel=options.HOW,
            metavar="NAME|FILE",
        ),
    ] = None,
    clip_length: Annotated[
        int | None,
        options.option(
            "--clip-length",
            help="Frames that the network sees together.",
            panel=options.HOW,
            default=4,
            metavar="T",
        ),
    ] = None,
    stride: Annotated[
        int | None,
        options.option(
            "--stride",
            help="Frames from clip to clip; below T the clips overlap and are averaged. 0 = T.",
            panel=options.HOW,
            default=0,
            metavar="N",
        ),
    ] = None,
    size: Annotated[
        int | None,
        options.option(
            "--size",
            help="Side of the square that the network sees, a multiple of 16. 0 = the weights' own.",
            panel=options.HOW,
            default=0,
            metavar="S",
        ),
    ] = None,
    smooth: Annotated[
        str | None,
        options.choose(
            "--smooth",
            among=SMOOTHS,
            help="Steady each map by those around it; auto is on for networks that see motion.",
            default="auto",
        ),
    ] = None,
    mirror: Annotated[
        bool | None,
        options.option(
            "--mirror/--no-mirror",
            help="See each frame mirrored too and take the mean: better, at twice the cost.",
            panel=options.HOW,
        ),
    ] = None,
    precision: Annotated[
        str | None,
        options.choose(
            "--precision",
            among=PRECISIONS,
            help="auto is bf16 where the hardware has it and the maps stay the same; fp32 is exact.",
            default="auto",
        ),
    ] = None,
    compile: Annotated[
        bool | None,
        options.option(
            "--compile/--no-compile", help="torch.compile: minutes at first, faster then.", panel=options.HOW
        ),
    ] = None,
    batch: Annotated[
        int | None,
        options.option(
            "--batch",
            help="Clips at once. 0 = 1 on a CPU, more on a GPU.",
            panel=options.HOW,
            default=0,
            metavar="N",
        ),
    ] = None,
    masks: Annotated[
        bool | None,
        options.option(
            "--masks/--no-masks", help="255 where the probability is >= 0.5, OUT/masks.", panel=options.EXTRA
        ),
    ] = None,
    overlay: Annotated[
        bool | None,
        options.option(
            "--overlay/--no-overlay",
            help="These masks over the video, OUT/overlay/<video>.mp4.",
            panel=options.EXTRA,
        ),
    ] = None,
    device: options.Device = None,
    workers: options.Workers = None,
    shard: options.Shard = None,
    seed: options.Seed = None,
    overwrite: options.Overwrite = None,
    dry_run: options.DryRun = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """The salient object in every frame of videos that nobody labelled.

    Writes OUT/soft/<video>/<frame>.png, the probability of each pixel in 8 bits and in the size of the frame,
    OUT/frames.csv and OUT/manifest.json. Videos may be of any length.
    """
    settings = load_config(
        PredictConfig,
        config,
        {
            "inputs": tuple(inputs) if inputs else None,
            "output": output,
            "weights": weights,
            "clip_length": clip_length,
            "stride": stride,
            "size": size,
            "smooth": smooth,
            "mirror": mirror,
            "precision": precision,
            "compile": compile,
            "batch": batch,
            "masks": masks,
            "overlay": overlay,
            "device": device,
            "workers": workers,
            "shard": shard,
            "seed": seed,
            "overwrite": overwrite,
            "dry_run": dry_run,
        },
    )
    with Reporter(quiet=quiet) as reporter:
        from vsodtool.pipelines.predict import run_predict

        report = run_in_ranks(run_predict, settings, reporter)
    table = Table(["video", "frames", "generated", "skipped", "confidence", "seconds"])
    for video in report.videos:
        mean = f"{video.confidence:.3f}" if video.generated and not report.dry_run else "-"
        table.add(video.name, video.frames, video.generated, video.skipped, mean, f"{video.seconds:.1f}")
    print_report(report.as_dict(), table, as_json=json)
    refuse_losses(report.losses, settings.output)
