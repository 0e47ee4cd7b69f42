"""`vsodtool pseudolabel`."""

from __future__ import annotations

from typing import Annotated

from vsodtool.cli import options
from vsodtool.cli.console import Reporter
from vsodtool.cli.output import print_report, refuse_losses
from vsodtool.cli.ranks import run_in_ranks
from vsodtool.cli.text import Table
from vsodtool.config import FLOWS, METHODS, PseudoLabelConfig, load_config


def pseudolabel(
    *,
    inputs: options.Inputs = None,
    masks: Annotated[
        str | None,
        options.option(
            "--masks",
            help="Folder of masks: of one video, or with one sub-folder per video, or a DAVIS-style root.",
            panel=options.WHERE,
            metavar="MASKS",
        ),
    ] = None,
    output: options.Output = None,
    config: options.Config = None,
    method: Annotated[
        str | None,
        options.choose(
            "--method",
            among=METHODS,
            help="fgplg is learned, warp is not, auto is the better one for each video, by hidden labels.",
            default="auto",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        options.option("--weights", help="Weights of fgplg.", panel=options.HOW, metavar="NAME|FILE"),
    ] = None,
    adapt: Annotated[
        int | None,
        options.option(
            "--adapt",
            help="Fine-tune fgplg on each video's own masks for N steps, as 90; used where it is better.",
            panel=options.HOW,
            default=0,
            metavar="N",
        ),
    ] = None,
    flow: Annotated[
        str | None,
        options.choose(
            "--flow",
            among=FLOWS,
            help="Of fgplg, to the labelled frames: along the frames between, or direct as in the paper.",
            default="composed",
        ),
    ] = None,
    quality: options.Quality = None,
    backend: options.Backend = None,
    every: Annotated[
        int | None,
        options.option(
            "--every",
            help="Use only masks 0, N, 2N, ... and the last; the others are never read. 0 = all.",
            panel=options.HOW,
            default=0,
            metavar="N",
        ),
    ] = None,
    soft: Annotated[
        bool | None,
        options.option("--soft/--no-soft", help="8-bit probabilities, OUT/soft.", panel=options.EXTRA),
    ] = None,
    confidence: Annotated[
        bool | None,
        options.option(
            "--confidence/--no-confidence",
            help="8-bit confidence of each pixel, OUT/confidence.",
            panel=options.EXTRA,
        ),
    ] = None,
    overlay: Annotated[
        bool | None,
        options.option(
            "--overlay/--no-overlay",
            help="Masks over the video, OUT/overlay/<video>.mp4.",
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
    """A mask for every frame, from masks of a few.

    A mask belongs to the frame of the same name, for a video file to the frame with that number. Frames that
    have a mask keep exactly that mask. Writes OUT/masks/<video>/<frame>.png in the encoding of the masks
    given, OUT/frames.csv and OUT/manifest.json.
    """
    settings = load_config(
        PseudoLabelConfig,
        config,
        {
            "inputs": tuple(inputs) if inputs else None,
            "masks": masks,
            "output": output,
            "method": method,
            "weights": weights,
            "adapt": adapt,
            "flow": flow,
            "quality": quality,
            "backend": backend,
            "every": every,
            "soft": soft,
            "confidence": confidence,
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
        from vsodtool.pipelines.pseudolabel import run_pseudolabel

        report = run_in_ranks(run_pseudolabel, settings, reporter)
    chosen = ["method", "hidden J"] if report.method == "auto" else []
    table = Table(["video", "frames", "given", "generated", "skipped", "confidence", *chosen, "seconds"])
    for video in report.videos:
        mean = f"{video.confidence:.3f}" if video.generated and not report.dry_run else "-"
        counts = video.frames, video.given, video.generated, video.skipped
        reached = video.hidden_j.get(video.method)
        hidden = f"{reached:.3f}" if reached is not None else "-"
        more = [video.method or "-", hidden] if chosen else []
        table.add(video.name, *counts, mean, *more, f"{video.seconds:.1f}")
    print_report(report.as_dict(), table, as_json=json)
    refuse_losses(report.losses, settings.output)
