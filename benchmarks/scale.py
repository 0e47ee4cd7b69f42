"""Runs too large to be made here: how long planning takes, and when the last of 1,000 workers is done.

    python benchmarks/scale.py --videos 100000 --workers 1000

Planning is the tool's own code over files that are empty, with a prober that makes up lengths: log-normal
around 300 frames, 1 in 1,000 videos an hour long. The simulation lets the tool's own `Dispatch` hand out the
units to workers of a made-up clock: nodes of different speed, 1 % of them lost in an hour, 60 s until one is
replaced. The ideal is all work by the speed of all workers. Sizes are those of real lines, times frames.
"""

from __future__ import annotations

import argparse
import heapq
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from machine import header, publish

from vsodtool.config import PredictConfig
from vsodtool.media.output.journal import journal_lines
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.run_state import Known
from vsodtool.media.output.stamps import Stamp
from vsodtool.media.output.tables.frames_csv import write_frames_csv
from vsodtool.media.video.file_frames import numbered
from vsodtool.media.video.inputs import VideoInput
from vsodtool.ops.sampling.split import split_by_weight
from vsodtool.pipelines.running.dispatch import Dispatch, News
from vsodtool.pipelines.running.reports import Outcome, VideoReport
from vsodtool.pipelines.running.runs import Run
from vsodtool.pipelines.running.units import Assignment, Stage, Task, Unit
from vsodtool.pipelines.running.video_state import Ended
from vsodtool.types import FrameRecord, FrameStatus, ignore_event

RATE = 3.0  # frames a second of a worker of speed 1
HOUR = 25 * 3600  # frames
BEGIN = 0.03  # of the work on a video: what its parts have in common
LOST, START = 0.01 / 3600, 60.0  # a second; seconds until a worker is replaced
KEPT = 10  # frames that are finished together


@dataclass(frozen=True)
class Fake:
    """A `FrameSource` as far as planning asks."""

    video: VideoInput
    names: list[str]


@dataclass
class State:
    """As much of a `ResumeState` as `Dispatch` asks for."""

    def finished(self, _: str) -> dict[str, FrameRecord]:
        """Nothing."""
        return {}

    def known(self, *_: object) -> Known:
        """Nothing."""
        return Known()


@dataclass
class Simulated:
    """A crew whose clock is made up."""

    speeds: list[float]
    random: random.Random
    now: float = 0.0
    lost: int = 0
    idle: list[float] = field(default_factory=list)
    events: list[tuple[float, int, float, Unit[Task] | None, bool]] = field(default_factory=list)
    left: dict[int, float] = field(default_factory=dict)  # frames of a unit that was lost, by its id
    order: Any = field(default_factory=count)

    def __post_init__(self) -> None:
        self.idle = sorted(self.speeds)

    @property
    def size(self) -> int:
        """All workers."""
        return len(self.speeds)

    @property
    def free(self) -> int:
        """Those without work."""
        return len(self.idle)

    def hand_out(self, given: Assignment[Task]) -> None:
        """Draw when the worker ends, or dies."""
        unit, speed = given.unit, self.idle.pop()  # the fastest
        frames = self.left.get(id(unit), _frames(unit))
        needed = frames / (RATE * speed)
        dies = self.random.expovariate(LOST)
        if dies < needed:
            done = dies * RATE * speed // KEPT * KEPT
            self.left[id(unit)] = frames - done
        event = (self.now + min(dies, needed), next(self.order), speed, unit, dies < needed)
        heapq.heappush(self.events, event)

    def news(self) -> list[News[Task]]:
        """Whatever happens next; the clock goes on to it."""
        self.now, _, speed, unit, lost = heapq.heappop(self.events)
        if unit is None:
            self.idle.append(speed)
            return []
        if lost:
            self.lost += 1
            heapq.heappush(self.events, (self.now + START, next(self.order), speed, None, False))
            return [News(unit, None)]
        self.idle.append(speed)
        result: Any = Outcome(VideoReport(unit.task.name, unit.task.frames), [])
        if unit.stage is Stage.BEGIN:
            names = range(unit.task.frames)
            result = [names[start : start + unit.most] for start in range(0, len(names), unit.most)]
        return [News(unit, [Ended(result)])]


def _frames(unit: Unit[Task]) -> float:
    if unit.stage is Stage.BEGIN:
        return BEGIN * unit.task.frames
    if unit.stage is Stage.PART:
        return (1 - BEGIN) * len(unit.frames)
    return 0.0 if unit.task.divisible and unit.task.frames > unit.most > 0 else _whole(unit)


def _whole(unit: Unit[Task]) -> float:
    # The last stage of a divided video has nothing to make; it is the one without `most`.
    return 0.0 if unit.task.divisible and unit.most == 0 else float(unit.task.frames)


def draw_lengths(videos: int, chance: random.Random) -> list[int]:
    """Frames of each video."""
    return [
        HOUR if chance.random() < 0.001 else max(2, round(chance.lognormvariate(5.7, 0.6)))
        for _ in range(videos)
    ]


def plan(folder: Path, lengths: Sequence[int]) -> tuple[float, float, float]:
    """Seconds, seconds of one core, and GB that the tool needs from a list of videos to a queue of units."""
    (folder / "in").mkdir()
    videos = [VideoInput(f"v{n:07d}", folder / "in" / f"v{n:07d}.mp4", "file") for n in range(len(lengths))]
    for video in videos:
        video.path.touch()
    before = _peak()
    started, busy = time.perf_counter(), time.process_time()
    opened: list[Any] = [Fake(video, numbered(length)) for video, length in zip(videos, lengths, strict=True)]
    config = PredictConfig(inputs=(str(folder / "in"),), output=folder / "out")
    run = Run("predict", config, OutputLayout(config.output), opened, None, ignore_event, started)
    manifest = run.manifest({}, {})
    run.check(manifest)
    tasks = [Task(source.video, len(source.names)) for source in run.sources]
    with run.begin(manifest) as state:
        Dispatch(tasks, Simulated([1.0], random.Random(0)), state, ignore_event).plan()
        seconds = time.perf_counter() - started
    return seconds, time.process_time() - busy, _peak() - before


def makespan(tasks: Sequence[Task], speeds: list[float], seed: int) -> tuple[float, int]:
    """Seconds until the last unit is done, and how many workers were lost."""
    crew = Simulated(list(speeds), random.Random(seed))
    result = Dispatch(tasks, crew, State(), ignore_event).run()  # type: ignore[arg-type]
    assert len(result.outcomes) == len(tasks), "every video is made"
    return crew.now, crew.lost


def static(tasks: Sequence[Task], speeds: Sequence[float], seed: int) -> float:
    """Seconds until the last of fixed shards is done; a lost one is started again at once."""
    chance = random.Random(seed)
    frames = {task.name: task.frames for task in tasks}
    shards = split_by_weight(frames, len(speeds))
    chance.shuffle(shards)
    ends = []
    for names, speed in zip(shards, speeds, strict=True):
        seconds = sum(frames[name] for name in names) / (RATE * speed)
        died, at = 0, chance.expovariate(LOST)
        while at < seconds:
            died, at = died + 1, at + chance.expovariate(LOST)
        ends.append(seconds + died * START)
    return max(ends)


def sizes(frames: int, videos: int, folder: Path, manifest: int) -> list[str]:
    """What is written for so many frames, from the lines of one."""
    record = FrameRecord("v0000001", "00123", FrameStatus.GENERATED, "00120", "00130", 0.9123, "0" * 16)
    stamp = Stamp(5432, "0" * 64, (480, 854))
    journal = len(journal_lines([record], {"masks/v0000001/00123.png": stamp}))
    table = folder / "frames.csv"
    write_frames_csv(table, [record] * 1000)
    row = table.stat().st_size / 1000
    return [
        "| of this run | per frame | in all |",
        "|---|---|---|",
        f"| journal, and `written.jsonl` | {journal} B | {journal * frames / 1e9:.1f} GB |",
        f"| `frames.csv` | {row:.0f} B | {row * frames / 1e9:.2f} GB |",
        f"| `manifest.json` | {manifest / videos:.0f} B a video | {manifest / 1e6:.0f} MB |",
        f"| objects written | 1 mask | {frames / 1e6:.1f} million |",
        f"| requests to list them, 1,000 each | | {frames // 1000:,} |",
    ]


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    lengths = draw_lengths(given.videos, chance)
    frames = sum(lengths)
    speeds = [chance.uniform(0.5, 1.5) for _ in range(given.workers)]
    ideal = frames / (RATE * sum(speeds))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds, busy, memory = plan(folder, lengths)
        manifest = (folder / "out/manifest.json").stat().st_size
        table = sizes(frames, given.videos, folder, manifest)
        videos = [VideoInput(f"v{n:07d}", folder / f"in/v{n:07d}.mp4", "file") for n in range(given.videos)]
        whole = [Task(video, length) for video, length in zip(videos, lengths, strict=True)]
        parts = [Task(video, length, True) for video, length in zip(videos, lengths, strict=True)]
        fixed = static(whole, speeds, given.seed)
        by_video, _ = makespan(whole, speeds, given.seed)
        by_interval, lost = makespan(parts, speeds, given.seed)
    publish(
        [
            f"### {given.videos:,} videos, {frames / 1e6:.1f} million frames, {given.workers:,} workers",
            "",
            *header(),
            "",
            f"Planned in {seconds:.1f} s ({busy:.1f} s of a core) and {memory:.2f} GB. "
            f"Ideal: {ideal / 3600:.2f} h; {lost} workers were lost.",
            "",
            "| | hours | of the ideal |",
            "|---|---|---|",
            f"| fixed shards (`--shard`) | {fixed / 3600:.2f} | {fixed / ideal:.2f} |",
            f"| as workers are free, by videos | {by_video / 3600:.2f} | {by_video / ideal:.2f} |",
            f"| as workers are free, by intervals | {by_interval / 3600:.2f} | {by_interval / ideal:.3f} |",
            "",
            *table,
        ],
        given.out,
    )


if __name__ == "__main__":
    main()
