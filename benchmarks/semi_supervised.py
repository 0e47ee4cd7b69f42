"""The paper's claim: a fifth of the masks with pseudo-labels trains a network as well as all masks do.

    python benchmarks/semi_supervised.py WORK --train ROOT --test ROOT [--kind image] [--config FILE]
        [--every 5] [--seeds 0 1] [--arms a b w c] [--steps 200] [--pretrain SOURCE ... --pretrain-steps 200]
        [--out FILE.md]

The same network, number of steps, seeds and held-out videos for each arm: a, every fifth mask; b, these and
pseudo-labels of all other frames (`vsodtool pseudolabel --every 5`); w, the same weighed by their confidence
(asks for --confidence among --label-options); c, all masks. Each begins with the same weights, if --pretrain
names sources, and ends with the weights of the last step: none is chosen by a score. The same command
continues an interrupted run; finished arms are kept in WORK/results.json.

The paper's masks are further apart: VOS has one at every 15th frame, a fifth of them is every 75th. DAVIS has
one at every frame and needs a larger --every to be as sparse. And the arms can only differ once the masks
have been seen several times: steps x batch has to be several times the number of masks.

At the paper's size: --kind video --config train-video --pretrain MSRA-B HKU-IS --pretrain-config train-image.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
from pathlib import Path
from typing import Any

from davis import Sequence, find_sequences
from machine import header, publish
from parts import link_part
from shell import Kept, digests, vsodtool

ARMS = {
    "a": "every {every}th mask",
    "b": "every {every}th mask + pseudo-labels",
    "w": "the same, weighed by confidence",
    "c": "all masks",
}
DIFFERENCES = (("b", "a"), ("b", "c"), ("w", "b"), ("c", "a"))
SCORES = {"s_measure": "S", "max_f": "max F", "mae": "MAE"}


def held_out(sequences: list[Sequence], names: list[str] | None) -> list[str]:
    """Names of the videos that only validate: those that are named, else every ninth."""
    every_ninth = [sequence.name for sequence in sequences][4::9]
    return names or every_ninth or [sequences[-1].name]


def pretrain(options: argparse.Namespace) -> list[str]:
    """The weights that all arms begin with, as options of `train`."""
    if not options.pretrain:
        return ["--init", options.init]
    sources = [part for source in options.pretrain for part in ("--data", source)]
    run = options.work / "pretrained"
    config = options.pretrain_config or options.config
    vsodtool(
        *("train", options.pretrain_kind or options.kind, "--config", config, *sources, "-o", run),
        *("--init", options.init, "--epochs", "1", "--steps-per-epoch", str(options.pretrain_steps)),
        *shlex.split(options.train_options),
    )
    return ["--init", str(run / "final.safetensors")]


def run_arm(arm: str, seed: int, init: list[str], options: argparse.Namespace) -> dict[str, Any]:
    """Train, predict, evaluate; returns the scores and what it took."""
    train, labels = options.work / "train", options.work / "pseudo"
    name = f"{arm}-{seed}"
    data = {
        "a": [str(train), "--label-every", str(options.every)],
        "b": [str(labels), *shlex.split(options.pseudo_options)],
        "w": [str(labels), "--confidence-weight", *shlex.split(options.pseudo_options)],
        "c": [str(train)],
    }[arm]
    run, maps = options.work / "runs" / name, options.work / "maps" / name
    trained = vsodtool(
        *("train", options.kind, "--config", options.config, "-o", run, "--data", *data, *init),
        *("--validation", options.work / "validation", "--epochs", "1", "--seed", str(seed)),
        *("--steps-per-epoch", str(options.steps), *shlex.split(options.train_options)),
    )
    vsodtool(
        *("predict", options.test, "--weights", run / "final.safetensors", "-o", maps),
        *shlex.split(options.predict_options),
    )
    scores = vsodtool("evaluate", maps, options.test, "--protocol", "davsod", "--measures", "mae,f,s_measure")
    kept = {name: scores["scores"][name] for name in SCORES}
    return {**kept, "steps": trained["steps"], "minutes": trained["seconds"] / 60}


def table(results: dict[tuple[str, int], dict[str, Any]], every: int, masks: dict[str, int]) -> list[str]:
    """Mean and standard deviation over the seeds, then the differences of arms with equal seeds."""
    seeds = sorted({seed for _, seed in results})
    titles = " | ".join(SCORES.values())
    lines = [f"| arm | trained on | masks drawn | {titles} | minutes | S of each seed |", "|---" * 8 + "|"]
    arms = {arm: text for arm, text in ARMS.items() if (arm, seeds[0]) in results}
    for arm, text in arms.items():
        rows = [results[arm, seed] for seed in seeds]
        cells = [spread([row[score] for row in rows]) for score in SCORES]
        each = ", ".join(f"{row['s_measure']:.4f}" for row in rows)
        minutes = f"{statistics.mean(row['minutes'] for row in rows):.1f}"
        row = [arm, text.format(every=every), str(masks[arm]), *cells, minutes, each]
        lines.append(f"| {' | '.join(row)} |")
    for better, worse in (pair for pair in DIFFERENCES if set(pair) <= set(arms)):
        cells = [
            spread([results[better, seed][score] - results[worse, seed][score] for seed in seeds], "+")
            for score in SCORES
        ]
        lines.append(f"| {better} − {worse} | | | {' | '.join(cells)} | | |")
    return lines


def spread(values: list[float], sign: str = "") -> str:
    """Mean ± standard deviation of the sample; the mean alone of one value."""
    mean = format(statistics.mean(values), f"{sign}.4f")
    return f"{mean} ± {statistics.stdev(values):.4f}" if len(values) > 1 else mean


def parse() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    here = Path(__file__).resolve().parent
    parser.add_argument("work", type=Path, help="folder for everything that is made")
    parser.add_argument("--train", type=Path, required=True, help="DAVIS-style root with all masks")
    parser.add_argument("--test", type=Path, required=True, help="DAVIS-style root, only measured on")
    parser.add_argument("--kind", choices=["image", "video"], default="image")
    parser.add_argument("--config", default=str(here / "semi_supervised.yaml"), help="of `train`")
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--arms", choices=list(ARMS), nargs="+", default=["a", "b", "c"])
    parser.add_argument("--steps", type=int, default=200, help="of each arm")
    parser.add_argument("--validation", nargs="+", help="videos of --train that only validate")
    parser.add_argument("--init", default="scratch", help="of the pretraining, or of the arms without one")
    parser.add_argument("--pretrain", nargs="+", help="sources that all arms have in common")
    parser.add_argument("--pretrain-kind", choices=["image", "video"], help="default: --kind")
    parser.add_argument("--pretrain-config", help="default: --config")
    parser.add_argument("--pretrain-steps", type=int, default=200)
    parser.add_argument("--label-options", default="--method warp", help="more options of `pseudolabel`")
    parser.add_argument("--pseudo-options", default="", help="of `train` in arm b, as '--pseudo-between 1'")
    parser.add_argument("--train-options", default="", help="more options of `train`, as '--device cuda'")
    parser.add_argument("--predict-options", default="", help="more options of `predict`")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    return parser.parse_args()


def main() -> None:
    """Train what is not yet trained, and print."""
    options = parse()
    sequences = find_sequences(options.train)
    aside = held_out(sequences, options.validation)
    used = [sequence for sequence in sequences if sequence.name not in aside]
    settings = {
        name: str(value)
        for name, value in vars(options).items()
        if name not in {"work", "seeds", "arms", "out"}
    }
    flags = [text for name, text in vars(options).items() if name.endswith("_options")]
    words = [options.config, options.pretrain_config or "", options.init, *shlex.split(" ".join(flags))]
    settings |= {"validation": ", ".join(aside), "files": ", ".join(digests(words))}
    kept = Kept(options.work / "results.json", settings)
    train = link_part(options.work / "train", used)
    link_part(options.work / "validation", [sequence for sequence in sequences if sequence.name in aside])
    labels = shlex.split(options.label_options)
    every = ("--every", str(options.every))
    vsodtool("pseudolabel", train, "--masks", train, *every, *labels, "-o", options.work / "pseudo")
    init = pretrain(options)
    for seed in options.seeds:
        for arm in options.arms:
            if f"{arm}-{seed}" not in kept:
                kept[f"{arm}-{seed}"] = run_arm(arm, seed, init, options)
                print(f"{arm}-{seed}: {kept[f'{arm}-{seed}']}", file=sys.stderr, flush=True)
    results = {(arm, seed): kept[f"{arm}-{seed}"] for arm in options.arms for seed in options.seeds}
    few = sum(len(sequence.given(options.every)) for sequence in used)
    masks = {"a": few, "b": few, "w": few, "c": sum(len(sequence.masks) for sequence in used)}
    lines = [f"## semi_supervised.py, {options.test.name}", "", *header(), ""]
    lines += table(results, options.every, masks)
    pretrained = f", after {options.pretrain_steps} common steps" if options.pretrain else ""
    lines += [
        "",
        f"Trained on {len(used)} videos, {options.steps} steps each{pretrained}, seeds "
        f"{', '.join(map(str, options.seeds))}; protocol davsod. The last rows: differences of equal seeds.",
        "",
    ]
    publish(lines, options.out)


if __name__ == "__main__":
    main()
