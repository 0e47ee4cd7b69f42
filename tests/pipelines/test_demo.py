"""The demo: files, scores, repeating it, refusals. The densifier is a stand-in that copies masks."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from vsodtool.config import DemoConfig, PseudoLabelConfig
from vsodtool.data.generated.clip import ClipConfig, generate_clip
from vsodtool.errors import UsageError
from vsodtool.media.images import read_grey, read_rgb
from vsodtool.media.output.layout import OutputLayout
from vsodtool.pipelines.demo import DemoReport, given_indices, nearest_given, run_demo, shown_indices
from vsodtool.types import Event, OnEvent

CLIP = ClipConfig(frames=11, height=48, width=64)


class Copier:
    """Stands for `run_pseudolabel`: writes the nearest mask, or the truth."""

    def __init__(self, source: str = "masks") -> None:
        self.source = source
        self.configs: list[PseudoLabelConfig] = []

    def __call__(self, config: PseudoLabelConfig, *, on_event: OnEvent) -> object:
        self.configs.append(config)
        frames = Path(config.inputs[0])
        source = Path(config.masks[0]).parent / self.source
        stems = [int(path.stem) for path in sorted(source.iterdir())]
        for frame in sorted(frames.iterdir()):
            target = OutputLayout(config.output).masks(frames.name, frame.stem)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / f"{nearest_given(int(frame.stem), stems):05d}.png", target)
        on_event(Event("done", video=frames.name, done=CLIP.frames, total=CLIP.frames))
        return None


def demo(output: Path, densifier: Copier, **options: bool | int) -> DemoReport:
    return run_demo(DemoConfig(output=output, **options), clip_config=CLIP, pseudolabel=densifier)  # type: ignore[arg-type]


def test_writes_the_clip_and_the_picture_and_measures(tmp_path: Path) -> None:
    densifier, events = Copier(), list[Event]()
    out = tmp_path / "out"
    report = run_demo(DemoConfig(output=out), clip_config=CLIP, pseudolabel=densifier, on_event=events.append)
    clip = generate_clip(CLIP)
    assert sorted(path.name for path in (out / "clip").iterdir()) == ["frames", "masks", "truth"]
    assert [path.stem for path in sorted((out / "clip" / "masks").iterdir())] == ["00000", "00008", "00010"]
    assert np.array_equal(read_rgb(out / "clip" / "frames" / "00003.png"), clip.frames[3])
    assert np.array_equal(read_grey(out / "clip" / "truth" / "00010.png") > 0, clip.masks[10])
    assert (report.frames, report.given, report.generated) == (11, 3, 8)
    assert report.j is not None
    assert report.f is not None
    assert 0.1 < report.j < 0.95
    assert (report.j, report.f) == (report.copy_j, report.copy_f)
    assert read_rgb(report.picture).shape[1] > 1000
    assert {event.kind for event in events} == {"notice", "done"}


def test_perfect_labels_score_one(tmp_path: Path) -> None:
    report = demo(tmp_path, Copier("truth"))
    assert (report.j, report.f) == (1.0, 1.0)
    assert report.copy_j is not None
    assert report.copy_j < 1


def test_options_reach_the_densifier(tmp_path: Path) -> None:
    densifier = Copier()
    demo(tmp_path, densifier, seed=3, workers=1, overwrite=True)
    config = densifier.configs[0]
    assert (config.seed, config.workers, config.overwrite, config.device) == (3, 1, True, "auto")
    assert config.output == tmp_path / "labels"


def test_again_leaves_the_clip_untouched(tmp_path: Path) -> None:
    demo(tmp_path, Copier())
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "clip").rglob("*.png")}
    demo(tmp_path, Copier())
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "clip").rglob("*.png")}


def test_another_seed_needs_overwrite(tmp_path: Path) -> None:
    demo(tmp_path, Copier())
    with pytest.raises(UsageError, match="differs from the clip of this seed"):
        demo(tmp_path, Copier(), seed=1)
    demo(tmp_path, Copier(), seed=1, overwrite=True)


def test_refuses_files_of_somebody_else(tmp_path: Path) -> None:
    stranger = tmp_path / "clip" / "frames" / "holiday.jpg"
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"holiday\.jpg is in the way"):
        demo(tmp_path, Copier(), overwrite=True)
    assert stranger.read_bytes() == b"mine"
    assert not (tmp_path / "labels").exists()


def test_refuses_to_replace_a_picture_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"picture\.png exists"):
        demo(tmp_path, Copier())


def test_refuses_an_output_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(UsageError, match="not a folder"):
        demo(tmp_path / "out", Copier())


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    densifier = Copier()
    report = demo(tmp_path / "out", densifier, dry_run=True)
    assert report.j is None
    assert not (tmp_path / "out").exists()
    assert densifier.configs == []


def test_indices() -> None:
    assert given_indices(48, 8) == [0, 8, 16, 24, 32, 40, 47]
    assert given_indices(17, 8) == [0, 8, 16]
    assert given_indices(1, 8) == [0]
    assert [nearest_given(i, [0, 8, 10]) for i in (0, 4, 5, 9, 10)] == [0, 0, 8, 8, 10]
    assert shown_indices([0, 8, 16, 24, 32, 40, 47], 48) == [16, 18, 20, 22, 24]
    assert shown_indices([0], 1) == [0]
    assert shown_indices([0, 1], 2) == [0, 1]
