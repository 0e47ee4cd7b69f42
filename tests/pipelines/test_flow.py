from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vsodtool.config import QUALITIES, FlowConfig
from vsodtool.errors import DataError, DeviceError, UsageError
from vsodtool.media.flow.files import read_flow
from vsodtool.media.video.folder_frames import FolderFrames
from vsodtool.media.video.inputs import Loss, VideoInput
from vsodtool.models.flow.registry import BACKENDS, FlowBackend
from vsodtool.pipelines.densify.quality import motion_estimators
from vsodtool.pipelines.flow import run_flow
from vsodtool.pipelines.running import runs
from vsodtool.types import Event, Frame, ignore_event


class Brightness:
    """Channel 0 of a flow is the brightness step from a to b; so it tells which images it was made of."""

    name = "brightness"

    def __init__(self, *, fail_after: int = 10**9) -> None:
        self.calls = 0
        self.fail_after = fail_after
        self._lock = threading.Lock()

    def estimate(
        self, image_a: torch.Tensor, image_b: torch.Tensor, *, initial: torch.Tensor | None = None
    ) -> torch.Tensor:
        with self._lock:
            self.calls += 1
            if self.calls > self.fail_after:
                raise KeyboardInterrupt
        step = (image_b - image_a).mean(1, keepdim=True) * 255
        return torch.cat([step, torch.zeros_like(step)], 1)


def folder(path: Path, count: int, size: tuple[int, int] = (20, 24)) -> Path:
    path.mkdir(parents=True)
    for index in range(count):
        cv2.imwrite(str(path / f"f{index}.png"), np.full((*size, 3), index**2, np.uint8))
    return path


def config(tmp_path: Path, *inputs: Path, **options: object) -> FlowConfig:
    given: dict[str, object] = {"output": tmp_path / "out", "device": "cpu", "workers": 2, **options}
    return FlowConfig(inputs=tuple(map(str, inputs)), **given)  # type: ignore[arg-type]


def steps(out: Path) -> dict[str, int]:
    """Path below flow/ -> brightness step that it holds."""
    found = {}
    for path in sorted((out / "flow").rglob("*.*")):
        flow = read_flow(path)
        assert flow.shape == (20, 24, 2)
        found[path.relative_to(out / "flow").as_posix()] = round(float(flow[..., 0].mean()))
    return found


def tree(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def test_forward_flows_are_named_after_the_earlier_frame(tmp_path: Path) -> None:
    report = run_flow(config(tmp_path, folder(tmp_path / "v", 4)), estimator=Brightness())
    assert steps(tmp_path / "out") == {"v/forward/f0.flo": 1, "v/forward/f1.flo": 3, "v/forward/f2.flo": 5}
    assert (report.backend, report.losses, report.dry_run) == ("brightness", [], False)
    video = report.videos[0]
    assert (video.name, video.frames, video.flows, video.reused, video.missing) == ("v", 4, 3, 0, 0)


def test_both_directions_with_a_step(tmp_path: Path) -> None:
    options = config(tmp_path, folder(tmp_path / "v", 4), direction="both", step=2)
    estimator = Brightness()
    run_flow(options, estimator=estimator)
    assert steps(tmp_path / "out") == {
        "v/backward/f2.flo": -4,
        "v/backward/f3.flo": -8,
        "v/forward/f0.flo": 4,
        "v/forward/f1.flo": 8,
    }
    assert estimator.calls == 2  # both directions of a pair in one call


@pytest.mark.parametrize("format", ["flo", "png", "npz"])
def test_every_format_and_the_previews(tmp_path: Path, format: str) -> None:
    options = config(tmp_path, folder(tmp_path / "v", 2), direction="backward", format=format, preview=True)
    run_flow(options, estimator=Brightness())
    assert steps(tmp_path / "out") == {f"v/backward/f1.{format}": -1}
    picture = cv2.imread(str(tmp_path / "out/preview/v/backward/f1.png"))
    assert picture is not None
    assert picture.shape == (20, 24, 3)


def test_several_videos_and_as_dict(tmp_path: Path) -> None:
    inputs = folder(tmp_path / "a", 2), folder(tmp_path / "b c ü", 3)
    report = run_flow(config(tmp_path, *inputs), estimator=Brightness())
    found = json.loads(json.dumps(report.as_dict()))
    assert [(video["name"], video["flows"]) for video in found["videos"]] == [("a", 1), ("b c ü", 2)]
    assert found["output"] == str(tmp_path / "out")


def test_a_video_without_a_pair_gives_no_flow(tmp_path: Path) -> None:
    report = run_flow(config(tmp_path, folder(tmp_path / "v", 2), step=5), estimator=Brightness())
    assert (report.videos[0].frames, report.videos[0].flows, report.videos[0].missing) == (2, 0, 0)
    assert not (tmp_path / "out" / "flow").exists()


def test_events_tell_the_progress(tmp_path: Path) -> None:
    events: list[Event] = []
    run_flow(config(tmp_path, folder(tmp_path / "v", 6)), estimator=Brightness(), on_event=events.append)
    assert [event.kind for event in events[:2]] == ["notice", "video"]
    assert [(event.done, event.total) for event in events if event.kind == "frame"] == [
        (done, 5) for done in range(1, 6)
    ]
    assert (events[-1].kind, events[-1].message) == ("done", "5 flows")


def test_an_interrupted_run_continues_and_ends_the_same(tmp_path: Path) -> None:
    video = folder(tmp_path / "v", 8)
    options = config(tmp_path, video, direction="both", preview=True, workers=1)
    undisturbed = config(tmp_path, video, direction="both", preview=True, output=tmp_path / "other")
    run_flow(undisturbed, estimator=Brightness())
    with pytest.raises(KeyboardInterrupt):
        run_flow(options, estimator=Brightness(fail_after=3))
    assert len(steps(tmp_path / "out")) == 6
    assert json.loads((tmp_path / "out/manifest.json").read_text())["status"] == "running"
    report = run_flow(options, estimator=Brightness())
    assert (report.videos[0].flows, report.videos[0].reused) == (8, 6)
    first, second = tree(tmp_path / "out"), tree(tmp_path / "other")
    assert first.pop("manifest.json") != second.pop("manifest.json")
    assert first == second


def test_a_finished_run_computes_nothing_again(tmp_path: Path) -> None:
    options = config(tmp_path, folder(tmp_path / "v", 4))
    run_flow(options, estimator=Brightness())
    again = Brightness()
    report = run_flow(options, estimator=again)
    assert (again.calls, report.videos[0].reused) == (0, 3)
    (tmp_path / "out/flow/v/forward/f1.flo").unlink()
    assert run_flow(options, estimator=again).videos[0].flows == 1


def test_changed_options_and_inputs_are_refused_until_overwrite(tmp_path: Path) -> None:
    video = folder(tmp_path / "v", 4)
    run_flow(config(tmp_path, video), estimator=Brightness())
    with pytest.raises(UsageError, match="--step changed"):
        run_flow(config(tmp_path, video, step=2), estimator=Brightness())
    run_flow(config(tmp_path, video, step=2, overwrite=True), estimator=Brightness())
    assert set(steps(tmp_path / "out")) == {"v/forward/f0.flo", "v/forward/f1.flo"}
    cv2.imwrite(str(video / "f4.png"), np.zeros((20, 24, 3), np.uint8))
    with pytest.raises(DataError, match="changed"):
        run_flow(config(tmp_path, video, step=2), estimator=Brightness())


def test_the_manifest_names_what_auto_became(tmp_path: Path) -> None:
    report = run_flow(config(tmp_path, folder(tmp_path / "v", 2), backend="auto", quality="fast"))
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["config"]["backend"] == "dis"
    assert manifest["status"] == "complete"
    assert manifest["videos"] == {"v": {"frames": 2, "flows": 1, "missing": 0}}
    assert report.backend.startswith(("inverse-search(", "dis("))
    assert not (tmp_path / "out/journal.jsonl").exists()


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_motion_is_the_one_that_carries_labels(tmp_path: Path, quality: str) -> None:
    report = run_flow(config(tmp_path, folder(tmp_path / "v", 2), backend="dis", quality=quality))
    between = motion_estimators("dis", quality, torch.device("cpu"), ignore_event).adjacent
    assert report.backend == between.name


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(tmp_path: Path) -> None:
    events: list[Event] = []
    options = config(tmp_path, folder(tmp_path / "v", 4), direction="both", dry_run=True)
    report = run_flow(options, on_event=events.append)
    assert not (tmp_path / "out").exists()
    assert (report.dry_run, report.videos[0].flows, report.backend) == (True, 6, "dis")
    assert events[-1].message == f"would compute 6 flows with dis into {tmp_path / 'out/flow/v'}"
    run_flow(replace(options, direction="backward"), on_event=events.append)
    assert events[-1].message.endswith(str(Path("out/flow/v/backward")))


def test_a_video_without_a_pair_is_called_by_name(tmp_path: Path) -> None:
    events: list[Event] = []
    run_flow(config(tmp_path, folder(tmp_path / "v", 3), step=3), on_event=events.append)
    (warning,) = [event for event in events if event.kind == "warning"]
    assert (warning.video, warning.message) == ("v", "no flow: it has 3 frames, and --step is 3")


def test_a_frame_that_does_not_decode_costs_its_pairs_only(tmp_path: Path) -> None:
    video = folder(tmp_path / "v", 6)
    (video / "f2.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    events: list[Event] = []
    options = config(tmp_path, video, direction="both")
    report = run_flow(options, estimator=Brightness(), on_event=events.append)
    assert set(steps(tmp_path / "out")) == {
        "v/forward/f0.flo",
        "v/forward/f3.flo",
        "v/forward/f4.flo",
        "v/backward/f1.flo",
        "v/backward/f4.flo",
        "v/backward/f5.flo",
    }
    assert (report.videos[0].flows, report.videos[0].missing) == (6, 4)
    assert len(report.losses) == 1
    assert report.losses[0].startswith("v: frame f2: ")
    assert [event.message for event in events if event.kind == "warning"] == report.losses
    assert run_flow(options, estimator=Brightness()).losses == report.losses


def test_a_truncated_video_is_processed_as_far_as_it_goes(tmp_path: Path) -> None:
    video = tmp_path / "cut.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), 24, (64, 48))
    noise = np.random.default_rng(0)
    for _ in range(12):
        writer.write(noise.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    writer.release()
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 2 // 3])
    report = run_flow(config(tmp_path, video), estimator=Brightness())
    assert report.losses
    assert report.losses[0].startswith("cut: frame ")
    assert 3 <= report.videos[0].flows <= 8
    assert len(list((tmp_path / "out/flow/cut/forward").iterdir())) == report.videos[0].flows


class CutFrames(FolderFrames):
    """A video whose end is missing, and nobody knows how much of it."""

    def __init__(self, video: VideoInput) -> None:
        super().__init__(video)
        self.is_cut = True

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        yield from super().select(indices)
        self.losses.append(Loss("00003", "the video ends here"))


def test_a_missing_end_is_told_by_every_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "open_frames", CutFrames)
    options = config(tmp_path, folder(tmp_path / "v", 3))
    first, second = (run_flow(options, estimator=Brightness()) for _ in range(2))
    assert first.losses == second.losses == ["v: frame 00003: the video ends here"]
    assert second.videos[0].reused == 2


def test_output_inside_the_input_is_refused(tmp_path: Path) -> None:
    video = folder(tmp_path / "v", 2)
    with pytest.raises(UsageError, match="inside"):
        run_flow(config(tmp_path, video, output=video / "out"), estimator=Brightness())


def test_an_absent_device_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError):
        run_flow(config(tmp_path, folder(tmp_path / "v", 2), device="cuda"))
    assert not (tmp_path / "out").exists()


def test_batches_for_raft_hold_several_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsodtool.pipelines.flow._identify", lambda *_: ("raft-large", {}, {}))
    estimator = Brightness()
    run_flow(config(tmp_path, folder(tmp_path / "v", 9), direction="both"), estimator=estimator)
    assert estimator.calls == 1
    assert len(steps(tmp_path / "out")) == 16


def test_a_toy_backend_through_nothing_but_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = Brightness()
    line = FlowBackend(make=lambda *_: toy, devices=("cpu",), batched=True)
    monkeypatch.setitem(BACKENDS, "toy", line)
    options = config(tmp_path, folder(tmp_path / "v", 9))
    object.__setattr__(options, "backend", "toy")  # tests/models/flow compares config's names with the table
    report = run_flow(options)
    assert report.backend == toy.name
    assert toy.calls == 1  # batched
    assert len(steps(tmp_path / "out")) == 8
