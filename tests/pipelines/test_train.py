from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import torch
import yaml

from vsodtool.config import TrainConfig
from vsodtool.data.clips.dataset import ClipDataset
from vsodtool.errors import ConfigError, DataError, DeviceError, UsageError, WeightsError
from vsodtool.media.training_run.folder import RunFolder, read_checkpoint, write_checkpoint
from vsodtool.media.training_run.log import read_log
from vsodtool.models.rcrnet.losses import region_loss, saliency_loss
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.train import run_train
from vsodtool.pipelines.training.batches import Batch
from vsodtool.pipelines.training.datasets import Datasets
from vsodtool.pipelines.training.kinds import open_datasets, task_of
from vsodtool.pipelines.training.loop import Loop
from vsodtool.pipelines.training.recorder import Recorder
from vsodtool.types import Event

MakeConfig = Callable[..., TrainConfig]
Mount = Callable[[str], Path]
pytestmark = pytest.mark.usefixtures("one_thread")


def losses(run: Path) -> list[float]:
    return [record["loss"] for record in read_log(run / "log.jsonl") if record["event"] == "step"]


@pytest.mark.parametrize("kind", ["image", "fgplg", "video"])
def test_a_run_leaves_everything_it_promises(config: MakeConfig, tmp_path: Path, kind: str) -> None:
    events: list[Event] = []
    report = run_train(config(kind=kind, steps_per_epoch=2), on_event=events.append)
    run = tmp_path / "run"
    files = (
        "best.safetensors config.yaml final.safetensors last.pt log.jsonl manifest.json report.json sheets"
    )
    assert sorted(path.name for path in run.iterdir()) == files.split()
    assert sorted(path.name for path in (run / "sheets").iterdir()) == ["epoch-0001.png", "epoch-0002.png"]
    assert cv2.imread(str(run / "sheets" / "epoch-0001.png")) is not None
    assert (report.kind, report.steps, report.epochs) == (kind, 4, 2)
    assert report.best_step in (2, 4)
    log = read_log(run / "log.jsonl")
    epoch = ["step", "step", "validation"]
    assert [record["event"] for record in log] == ["begin", *epoch, *epoch]
    best = max(record["s_measure"] for record in log if record["event"] == "validation")
    assert report.best_score == best
    assert (report.paid, report.start_scores) == (None, {})  # random weights are nothing to compare with
    written = json.loads((run / "report.json").read_text())
    assert written["best_score"] == best
    assert [record["step"] for record in written["curve"]] == [2, 4]
    assert load_network(str(run / "best.safetensors"), (kind,)).architecture.context_width == 8
    assert json.loads((run / "manifest.json").read_text())["status"] == "complete"
    steps = [event.done for event in events if event.kind == "frame"]
    assert steps == [1, 2, 3, 4]
    assert any("left" in event.message for event in events)


def test_a_densifier_is_trained_on_evidence_that_is_recorded_once(config: MakeConfig, tmp_path: Path) -> None:
    tiny = {"kind": "densifier", "gaps": (2, 4), "steps_per_epoch": 2, "backbone": "efficientnet_lite0"}
    widths = {"fine_width": 8, "middle_width": 8, "coarse_width": 8}
    events: list[Event] = []
    report = run_train(config(**tiny, **widths), on_event=events.append)
    assert (report.kind, report.steps) == ("densifier", 4)
    recorded = sum("recording" in event.message for event in events)
    assert recorded == 4 * 2  # videos, gaps
    network = load_network(str(tmp_path / "run" / "best.safetensors"), ("densifier",))
    assert network.architecture.as_dict()["fine_width"] == 8
    planned = run_train(config(**tiny, **widths, output=tmp_path / "dry", dry_run=True))
    assert planned.dry_run
    assert not (tmp_path / "dry").exists()
    events.clear()
    run_train(config(**tiny, **widths, overwrite=True, seed=1), on_event=events.append)
    assert not any("recording" in event.message for event in events)


def test_it_learns_where_the_bright_square_is(config: MakeConfig) -> None:
    report = run_train(config(kind="image", epochs=1, steps_per_epoch=30, ema=0.0, learning_rate=3e-3))
    curve = losses(report.output)
    assert sum(curve[-5:]) < 0.75 * sum(curve[:5])


@pytest.mark.parametrize(
    ("kind", "loss", "expected"),
    [
        ("image", "auto", saliency_loss),
        ("densifier", "auto", region_loss),
        ("video", "region", region_loss),
        ("densifier", "cross_entropy", saliency_loss),
    ],
)
def test_the_loss_is_the_one_asked_for(config: MakeConfig, kind: str, loss: str, expected: object) -> None:
    backbone = "efficientnet_lite0" if kind == "densifier" else "mobilenet_v3_small"
    assert task_of(config(kind=kind, loss=loss, backbone=backbone)).loss is expected


def test_the_region_counts_beside_the_pixels(config: MakeConfig, tmp_path: Path) -> None:
    run_train(config(kind="image", epochs=1, steps_per_epoch=1, loss="cross_entropy"))
    run_train(config(kind="image", epochs=1, steps_per_epoch=1, loss="region", output=tmp_path / "region"))
    (pixels,), (region,) = losses(tmp_path / "run"), losses(tmp_path / "region")
    assert 2 * pixels < region < 2 * pixels + 1  # of the same untrained network on the same samples


def test_the_options_that_were_used_can_be_used_again(config: MakeConfig, tmp_path: Path) -> None:
    used = config(epochs=1, steps_per_epoch=1)
    run_train(used)
    stored = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert set(stored) == set(TrainConfig.__dataclass_fields__)
    again = TrainConfig(
        **{
            **stored,
            "data": tuple(stored["data"]),
            "gaps": tuple(stored["gaps"]),
            "validation": (),
            "output": tmp_path / "run",
        }
    )
    assert again == used


def test_the_same_command_again_does_nothing_more(config: MakeConfig, tmp_path: Path) -> None:
    first = run_train(config(epochs=1))
    before = {path: path.read_bytes() for path in (tmp_path / "run").glob("*.safetensors")}
    messages: list[str] = []
    second = run_train(config(epochs=1), on_event=lambda event: messages.append(event.message))
    assert any("nothing left to do" in message for message in messages)
    assert {path: path.read_bytes() for path in before} == before
    assert (second.steps, second.best_score, second.scores) == (first.steps, first.best_score, first.scores)


def test_asked_to_stop_before_the_first_step_it_is_told_and_no_step_is_done(
    config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(epochs=1, steps_per_epoch=1)
    told: list[Event] = []
    begin = Recorder.begin

    def begin_and_ask(recorder: Recorder) -> None:
        begin(recorder)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Recorder, "begin", begin_and_ask)
    with pytest.raises(KeyboardInterrupt):
        run_train(settings, on_event=told.append)
    monkeypatch.undo()
    (line,) = [event.message for event in told if event.kind == "warning"]
    assert line.startswith("asked to stop: this step is finished and saved first; asked again, it ends")
    assert read_checkpoint(settings.output / "last.pt")["step"] == 0
    assert run_train(settings).steps == 1


def test_other_options_are_refused_unless_overwrite(config: MakeConfig) -> None:
    run_train(config(epochs=1, steps_per_epoch=1))
    other = config(epochs=1, steps_per_epoch=1, learning_rate=1e-2)
    with pytest.raises(UsageError, match=r"learning_rate was 0\.001, now 0\.01"):
        run_train(other)
    told: list[Event] = []
    run_train(replace(other, overwrite=True, dry_run=True), on_event=told.append)
    assert run_train(replace(other, overwrite=True), on_event=told.append).steps == 1
    files = "files of an earlier run: last.pt, best.safetensors, final.safetensors, log.jsonl and 4 more"
    lines = [event.message for event in told if "--overwrite" in event.message]
    assert lines == [f"--overwrite would delete {files}", f"--overwrite deletes {files}"]


def test_what_does_not_change_the_weights_may_change(config: MakeConfig) -> None:
    run_train(config(epochs=1, steps_per_epoch=1))
    run_train(config(epochs=1, steps_per_epoch=1, workers=2, save_minutes=1.0, sheet_rows=0))


def test_a_folder_of_something_else_is_refused(config: MakeConfig, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").touch()
    with pytest.raises(UsageError, match=r"no training run: it holds thesis\.tex"):
        run_train(config())


def test_output_inside_the_data_is_refused(config: MakeConfig, davis: Path) -> None:
    with pytest.raises(UsageError, match="inside the input"):
        run_train(config(output=davis / "run"))


def test_output_inside_any_part_of_the_data_is_refused(config: MakeConfig, davis: Path) -> None:
    images, masks = davis / "JPEGImages", davis / "Annotations"
    for inside in (images, masks):
        with pytest.raises(UsageError, match="inside the input"):
            run_train(config(data=(f"{images}::{masks}",), output=inside / "run"))
    with pytest.raises(UsageError, match="inside the input"):
        run_train(config(validation=(f"video:{images / 'v0'}::{masks / 'v0'}",), output=images / "v0/run"))


def test_best_weights_that_are_gone_are_not_promised(config: MakeConfig, tmp_path: Path) -> None:
    settings = config(epochs=1, steps_per_epoch=1)
    run_train(settings)
    best = tmp_path / "run" / "best.safetensors"
    content = best.read_bytes()
    best.unlink()
    for again in (settings, replace(settings, dry_run=True)):
        with pytest.raises(
            WeightsError, match=r"best\.safetensors: expected the weights of step 1, found noth"
        ):
            run_train(again)
    best.write_bytes(content[:-100])
    with pytest.raises(WeightsError, match=r"best\.safetensors"):
        run_train(settings)
    best.write_bytes(content)
    run_train(settings)


def test_a_validation_that_was_done_again_is_reported_once(
    config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill between a validation's line in the log and the checkpoint that says it was done."""
    settings, save, saves = config(steps_per_epoch=2), Recorder.save, 0

    def killed_after_the_first_validation(self: Recorder) -> None:
        nonlocal saves
        saves += 1
        if saves == 3:  # the first is at the beginning, the second before the validation
            raise KeyboardInterrupt
        save(self)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "save", killed_after_the_first_validation)
        with pytest.raises(KeyboardInterrupt):
            run_train(settings)
    run_train(settings)
    run = tmp_path / "run"
    logged = [record for record in read_log(run / "log.jsonl") if record["event"] == "validation"]
    assert [record["step"] for record in logged] == [2, 2, 4]
    assert json.loads((run / "report.json").read_text())["curve"] == logged[1:]


def test_weights_without_their_checkpoint_are_not_deleted(config: MakeConfig, tmp_path: Path) -> None:
    settings = config(epochs=1, steps_per_epoch=1)
    run_train(settings)
    run = tmp_path / "run"
    before = (run / "best.safetensors").read_bytes()
    (run / "last.pt").unlink()
    for again in (settings, replace(settings, resume=True)):
        with pytest.raises(WeightsError, match=r"last\.pt: expected the checkpoint .*, found nothing"):
            run_train(again)
    assert (run / "best.safetensors").read_bytes() == before
    assert run_train(replace(settings, overwrite=True)).steps == 1


def test_frames_of_a_video_file_may_move_with_their_run(
    config: MakeConfig, davis: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 5, (64, 48))
    for picture in sorted((davis / "JPEGImages" / "v0").iterdir()):
        writer.write(cv2.imread(str(picture)))
    writer.release()
    data = (f"{clip}::{davis / 'Annotations' / 'v0'}",)
    settings = config(kind="image", data=data, epochs=1, steps_per_epoch=1)
    assert run_train(replace(settings, dry_run=True)).training_samples > 0
    assert not (tmp_path / "run").exists()
    run_train(settings)
    moved = (tmp_path / "run").rename(tmp_path / "moved")
    shutil.rmtree(moved / "frames")
    assert run_train(replace(settings, output=moved, dry_run=True)).dry_run
    assert not (moved / "frames").exists()
    assert run_train(replace(settings, output=moved)).steps == 1


def test_resume_needs_a_run(config: MakeConfig) -> None:
    with pytest.raises(ConfigError, match="holds no training run to continue"):
        run_train(config(resume=True))


def test_a_dry_run_checks_the_data_and_writes_nothing(config: MakeConfig, tmp_path: Path) -> None:
    report = run_train(config(dry_run=True, epochs=3, steps_per_epoch=5, validation_samples=1))
    assert report.dry_run
    assert (report.steps, report.epochs, report.validation_samples) == (15, 3, 1)
    assert report.training_samples > 0
    assert report.parameters > 0
    assert report.seconds > 0
    by_clock = run_train(config(dry_run=True, minutes=2))
    assert (by_clock.steps, by_clock.seconds) == (0, 120)
    assert not (tmp_path / "run").exists()
    with pytest.raises(DataError):
        run_train(config(dry_run=True, data=(str(tmp_path / "none"),)))


def test_changed_data_are_refused(config: MakeConfig, davis: Path) -> None:
    run_train(config(epochs=1, steps_per_epoch=1))
    extra = davis / "JPEGImages" / "v0" / "00004.jpg"
    content = extra.read_bytes()
    try:
        extra.write_bytes(content + b"\0")
        for dry_run in (True, False):
            with pytest.raises(DataError, match="the training data changed"):
                run_train(config(epochs=1, steps_per_epoch=1, dry_run=dry_run))
    finally:
        extra.write_bytes(content)


def test_a_checkpoint_of_another_architecture_is_refused(config: MakeConfig, tmp_path: Path) -> None:
    run_train(config(epochs=1, steps_per_epoch=1))
    run_train(config(epochs=1, steps_per_epoch=1, output=tmp_path / "wide", skip_width=12))
    (tmp_path / "wide" / "last.pt").replace(tmp_path / "run" / "last.pt")
    with pytest.raises(WeightsError, match="another architecture: skip_width: expected 8, found 12"):
        run_train(config(epochs=1, steps_per_epoch=1))


def test_a_damaged_checkpoint_is_refused(config: MakeConfig, tmp_path: Path) -> None:
    run_train(config(epochs=1, steps_per_epoch=1))
    last = tmp_path / "run" / "last.pt"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(WeightsError, match="cannot read the checkpoint"):
        run_train(config(epochs=1, steps_per_epoch=1))


def test_another_number_of_samples_per_step_is_refused(config: MakeConfig) -> None:
    run_train(config(epochs=1, steps_per_epoch=1))
    with pytest.raises(ConfigError, match="a step of this run has 2 samples"):
        run_train(config(epochs=1, steps_per_epoch=1, batch_size=3))
    run_train(config(epochs=1, steps_per_epoch=1, batch_size=1, accumulate=2))


@pytest.mark.parametrize("poison", [torch.nan, torch.inf])
def test_a_loss_that_is_no_number_stops_and_the_last_good_checkpoint_is_kept(
    config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poison: float
) -> None:
    calls = itertools.count(1)

    honest = Loop._loss

    def sometimes(loop: Loop, batch: Batch) -> torch.Tensor:
        loss = honest(loop, batch)
        return loss * poison if next(calls) > 5 else loss

    monkeypatch.setattr(Loop, "_loss", sometimes)
    with pytest.raises(
        UsageError, match=r"step 6: the loss is .*; the checkpoint of step 5 is kept"
    ) as caught:
        run_train(config(save_minutes=0.0))
    assert caught.value.exit_code == 2
    kept = read_checkpoint(tmp_path / "run" / "last.pt")
    assert kept["step"] == 5
    assert all(torch.isfinite(value).all() for value in kept["network"].values())
    assert len(losses(tmp_path / "run")) == 5
    assert (tmp_path / "run" / "best.safetensors").exists()
    assert multiprocessing.active_children() == []  # although `caught` holds everything that was


def test_no_validation_data_is_refused(config: MakeConfig) -> None:
    settings = config()
    data = open_datasets(settings, RunFolder(settings.output))
    with pytest.raises(DataError, match="no validation data"):
        run_train(settings, datasets=Datasets(data.train, ClipDataset.__new__(NoClips)))


class NoClips(ClipDataset):
    def __len__(self) -> int:
        return 0


def test_a_full_disk_while_saving(config: MakeConfig, mount_tmpfs: Mount) -> None:
    disk = mount_tmpfs("size=200m")
    output = disk / "run"
    run_train(config(output=output, epochs=1))
    (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 2**16))
    before = (output / "last.pt").read_bytes()
    with pytest.raises(DeviceError, match="disk full") as caught:
        write_checkpoint(output / "last.pt", {"network": {"a": torch.zeros(2**21)}, "step": 9})
    assert caught.value.exit_code == 5
    assert (output / "last.pt").read_bytes() == before
    assert read_checkpoint(output / "last.pt")["step"] == 3
    assert not list(output.glob(".*tmp"))


def test_a_full_disk_is_noticed_before_the_first_step(config: MakeConfig, mount_tmpfs: Mount) -> None:
    disk = mount_tmpfs("size=2m")
    with pytest.raises(DeviceError, match="disk full"):
        run_train(config(output=disk / "run"))
    assert losses(disk / "run") == []


def test_accumulated_parts_give_the_curve_of_the_whole_batch(config: MakeConfig, tmp_path: Path) -> None:
    run_train(config(epochs=1, steps_per_epoch=1, output=tmp_path / "start"))
    common = {"init": str(tmp_path / "start"), "batch_norm": "frozen", "precision": "fp32", "epochs": 1}
    run_train(config(**common, batch_size=4, output=tmp_path / "whole"))
    run_train(config(**common, batch_size=1, accumulate=4, output=tmp_path / "parts"))
    assert losses(tmp_path / "parts") == pytest.approx(losses(tmp_path / "whole"), rel=1e-4)


def test_workers_do_not_change_the_result(config: MakeConfig, tmp_path: Path) -> None:
    run_train(config(epochs=1, output=tmp_path / "one"))
    run_train(config(epochs=1, output=tmp_path / "three", workers=3))
    name = "final.safetensors"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "three" / name).read_bytes()


def test_the_seed_changes_the_result(config: MakeConfig, tmp_path: Path) -> None:
    run_train(config(epochs=1, steps_per_epoch=2, output=tmp_path / "one"))
    run_train(config(epochs=1, steps_per_epoch=2, output=tmp_path / "two", seed=1))
    assert losses(tmp_path / "one") != losses(tmp_path / "two")
