"""A detector of one's own from a few masks: how good is it on the rest of the same videos?

    python benchmarks/same_domain.py ROOT WORK [--kind image] [--config FILE] [--init scratch] [--epochs 10]
        [--steps 100] [--every 5] [--train-until 0.6] [--until 1.0] [--sequences NAME ...]
        [--second-stage "OPTIONS"] [--out FILE.md]

Of each video the first part (until --train-until) gets masks at every fifth frame, `pseudolabel` fills in the
others, `train` begins with random weights (or --init) and sees nothing else, and `predict` looks at the rest.
From the shipped detector: --kind video --config train-video-looks --init rcrnet-ner-looks
--label-options=--confidence --train-options="--minutes 0 --learning-rate 5e-4". One network for all
videos, the weights of its last step. `train` wants something to validate on: the last frame of each first
part, which nothing else sees. S is that of protocol davsod, J of the map cut at 0.5 (protocol davis).

Choose options by splitting elsewhere, never on what is reported: other videos (ROOT of the training set), or
the first part by itself (--train-until 0.45 --until 0.6). The same command continues an interrupted run.
"""

from __future__ import annotations

import argparse
import shlex
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from davis import find_sequences
from machine import header, publish
from parts import link_part
from shell import vsodtool

ASKED = {"s_measure": 0.90, "j_mean": 0.80}


class Parts(NamedTuple):
    """Frames of a video: labelled and trained on, validated on, predicted."""

    first: range
    validation: range
    rest: range


def parts(count: int, border: float, end: float) -> Parts:
    """Cut `count` frames at two shares of them; the last frame before `border` validates."""
    middle = round(border * count)
    return Parts(range(middle - 1), range(middle - 1, middle), range(middle, round(end * count)))


def table(names: list[str], s_scores: dict[str, Any], j_scores: dict[str, Any]) -> list[str]:
    """S, max F, MAE and J, of each video and of all, beside what was asked for.

    Args:
        names: of the videos.
        s_scores: what `evaluate --protocol davsod --json` prints.
        j_scores: the same of protocol davis.
    """
    lines = ["| video | S | max F | MAE | J | J, share of frames above 0.5 |", "|---" * 6 + "|"]
    for name in ["all", *names]:
        s, j = (
            scores["scores"] if name == "all" else scores["videos"][name] for scores in (s_scores, j_scores)
        )
        cells = (s["s_measure"], s["max_f"], s["mae"], j["j_mean"], j["j_recall"])
        lines.append(f"| {name} | " + " | ".join(f"{cell:.4f}" for cell in cells) + " |")
    asked = [f"≥ {ASKED['s_measure']}", "", "", f"≥ {ASKED['j_mean']}", ""]
    return [*lines, f"| asked for | {' | '.join(asked)} |"]


def main() -> None:
    """Label, train, predict, evaluate, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    here = Path(__file__).resolve().parent
    parser.add_argument("root", type=Path, help="DAVIS-style root with a mask for every frame")
    parser.add_argument("work", type=Path, help="folder for everything that is made")
    parser.add_argument("--kind", choices=["image", "video"], default="image")
    parser.add_argument("--config", default=str(here / "same_domain.yaml"), help="of `train`")
    parser.add_argument("--init", default="scratch", help="of `train`")
    parser.add_argument("--epochs", type=int, default=10, help="validations")
    parser.add_argument("--steps", type=int, default=100, help="of each epoch")
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--train-until", type=float, default=0.6, help="share of each video")
    parser.add_argument("--until", type=float, default=1.0, help="share of each video where the rest ends")
    parser.add_argument("--sequences", nargs="+")
    parser.add_argument("--label-options", default="--method warp", help="more options of `pseudolabel`")
    parser.add_argument("--train-options", default="", help="more options of `train`, as '--seed 1'")
    parser.add_argument("--second-stage", default="", help="options of a second `train`, from the first on")
    parser.add_argument("--predict-options", default="", help="more options of `predict`")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    options = parser.parse_args()
    if not 0 < options.train_until < options.until <= 1:
        parser.error("expected 0 < --train-until < --until <= 1")
    sequences, work = find_sequences(options.root, options.sequences), options.work
    split = partial(parts, border=options.train_until, end=options.until)
    first = link_part(work / "first", sequences, lambda count: split(count).first)
    validation = link_part(work / "validation", sequences, lambda count: split(count).validation)
    rest = link_part(work / "rest", sequences, lambda count: split(count).rest)
    vsodtool(
        *("pseudolabel", first, "--masks", first, "--every", str(options.every), "-o", work / "labels"),
        *shlex.split(options.label_options),
    )
    train = ["train", options.kind, "--config", options.config, "--data", work / "labels"]
    train += ["--validation", validation]
    length = ["--epochs", str(options.epochs), "--steps-per-epoch", str(options.steps)]
    stages = [
        vsodtool(
            *(
                *train,
                "-o",
                work / "run",
                "--init",
                options.init,
                *length,
                *shlex.split(options.train_options),
            )
        )
    ]
    weights = work / "run" / "final.safetensors"
    if options.second_stage:
        stages.append(
            vsodtool(
                *(*train, "-o", work / "run2", "--init", weights, *shlex.split(options.second_stage)),
            )
        )
        weights = work / "run2" / "final.safetensors"
    maps = work / "maps"
    vsodtool(
        "predict", rest, "--weights", weights, "-o", maps, "--masks", *shlex.split(options.predict_options)
    )
    saliency = vsodtool("evaluate", maps, rest, "--protocol", "davsod", "--measures", "mae,f,s_measure")
    region = vsodtool("evaluate", maps, rest, "--protocol", "davis", "--measures", "j")
    given = len(sequences) + sum(len(sequence.given(options.every)) for sequence in find_sequences(first))
    lines = [f"## same_domain.py, {options.root.name}", "", *header(), ""]
    lines += table([sequence.name for sequence in sequences], saliency, region)
    lines += [
        "",
        f"{given} masks drawn, {' and '.join(str(stage['steps']) for stage in stages)} steps in "
        f"{sum(stage['seconds'] for stage in stages) / 60:.1f} minutes.",
        "",
    ]
    publish(lines, options.out)


if __name__ == "__main__":
    main()
