"""`flow`, `pseudolabel` and `predict` in shards give, together, what one process gives."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from vsodtool.config import FlowConfig, PredictConfig, PseudoLabelConfig
from vsodtool.errors import DataError, DeviceError, UsageError
from vsodtool.models.architecture import Architecture
from vsodtool.models.detector.detector import Detector
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.pipelines.flow import run_flow
from vsodtool.pipelines.predict import run_predict
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.types import Event

Film = Callable[..., Any]
LENGTHS = {"walk": 9, "run": 4, "jump": 6}  # in this order, which is not that of the names
WIDTHS = {"context_width": 8, "skip_width": 4, "refine_width": 8, "decoder_width": 8}


def tree(out: Path) -> dict[str, bytes]:
    """Every file but the manifest, which holds seconds."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def counts(out: Path) -> Any:
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    return manifest["videos"]


@pytest.fixture
def inputs(tmp_path: Path, film: Film) -> tuple[str, ...]:
    """Three clips, of which the longest has a frame that does not decode, and masks."""
    for name, length in LENGTHS.items():
        clip = film([(1, 0)] * (length - 1))
        clip.write_folder(tmp_path / name)
        clip.write_masks(tmp_path / "masks" / name, [0, length - 1])
    (tmp_path / "walk" / "00004.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    return tuple(str(tmp_path / name) for name in LENGTHS)


@pytest.fixture(scope="module")
def detector() -> Detector:
    torch.manual_seed(0)
    network = create_network(Architecture(kind="video", backbone="mobilenet_v3_small", **WIDTHS)).eval()
    return Detector(network, Preprocessing(size=64), device=torch.device("cpu"), precision="fp32")


def flow(tmp_path: Path, inputs: tuple[str, ...], **options: Any) -> Callable[..., Any]:
    config = FlowConfig(inputs=inputs, output=tmp_path / "out", device="cpu", quality="fast", **options)
    return lambda run_options, **changes: run_flow(replace(config, **changes), **run_options)


def pseudolabel(tmp_path: Path, inputs: tuple[str, ...], **options: Any) -> Callable[..., Any]:
    config = PseudoLabelConfig(
        inputs=inputs,
        masks=tmp_path / "masks",
        output=tmp_path / "out",
        device="cpu",
        workers=1,
        overlay=True,
        **options,
    )
    return lambda run_options, **changes: run_pseudolabel(replace(config, **changes), **run_options)


def predict(tmp_path: Path, inputs: tuple[str, ...], **options: Any) -> Callable[..., Any]:
    config = PredictConfig(
        inputs=inputs,
        output=tmp_path / "out",
        device="cpu",
        workers=1,
        masks=True,
        **options,
    )
    return lambda run_options, **changes: run_predict(replace(config, **changes), **run_options)


@pytest.mark.parametrize("command", [flow, pseudolabel, predict])
def test_shards_together_give_what_one_process_gives(
    tmp_path: Path, inputs: tuple[str, ...], detector: Detector, command: Callable[..., Any]
) -> None:
    run = command(tmp_path, inputs)
    given = {"detector": detector} if command is predict else {}
    whole = run(given, output=tmp_path / "whole")
    second = run(given, shard="2/2")
    assert sorted(video.name for video in second.videos) == ["jump", "run"]
    assert json.loads((tmp_path / "out/manifest.json").read_text())["status"] == "running"
    first = run(given, shard="1/2")
    assert [video.name for video in first.videos] == ["walk"]
    assert (first.losses, second.losses) == (whole.losses, [])
    assert whole.losses[0].startswith("walk: frame 00004")
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert counts(tmp_path / "out") == counts(tmp_path / "whole")


@pytest.mark.parametrize("command", [flow, pseudolabel, predict])
def test_a_refused_video_does_not_end_the_run(
    tmp_path: Path, inputs: tuple[str, ...], detector: Detector, command: Callable[..., Any]
) -> None:
    frames = sorted((tmp_path / "walk").iterdir())  # of the first video
    for path in (frames[0], frames[-1]) if command is pseudolabel else frames:  # those with a mask
        path.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    given = {"detector": detector} if command is predict else {}
    whole = command(tmp_path, inputs[1:])(given, output=tmp_path / "whole")
    events: list[Event] = []
    for _ in range(2):
        report = command(tmp_path, inputs)({**given, "on_event": events.append})
        assert [video.name for video in report.videos] == [video.name for video in whole.videos]
        assert report.not_made == ["walk"]
        (line,) = report.losses
        assert line.startswith(f"walk: {tmp_path / 'walk'}: none of its ")
        assert line in [event.message for event in events if event.kind == "warning"]
        assert json.loads((tmp_path / "out/manifest.json").read_text())["status"] == "running"
    made = {name: data for name, data in tree(tmp_path / "out").items() if "/" in name}
    expected = {name: data for name, data in tree(tmp_path / "whole").items() if "/" in name}
    assert {name: data for name, data in made.items() if "/walk/" not in name} == expected


@pytest.mark.parametrize("command", [flow, predict])
def test_the_only_video_of_a_run_is_refused_in_its_own_words(
    tmp_path: Path, inputs: tuple[str, ...], detector: Detector, command: Callable[..., Any]
) -> None:
    for path in (tmp_path / "walk").iterdir():
        path.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    given = {"detector": detector} if command is predict else {}
    with pytest.raises(DataError, match="none of its 9 frames decodes") as caught:
        command(tmp_path, inputs[:1])(given)
    assert caught.value.hint


@pytest.mark.parametrize("command", [flow, pseudolabel, predict])
@pytest.mark.parametrize("dry_run", [False, True])
def test_names_that_differ_in_case_are_refused_where_the_disk_knows_none(
    tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch, *, command: Callable[..., Any], dry_run: bool
) -> None:
    for name in ("Cat", "cat"):
        clip = film([(1, 0)] * 3)
        clip.write_folder(tmp_path / "in" / name)
        clip.write_masks(tmp_path / "masks" / name, [0, 2])
    monkeypatch.setattr("vsodtool.media.case.folds_case", lambda _: True)
    with pytest.raises(UsageError, match="the videos 'Cat' and 'cat' differ only in case"):
        command(tmp_path, (str(tmp_path / "in"),))({}, dry_run=dry_run)
    (tmp_path / "in/cat").rename(tmp_path / "in/dog")
    (tmp_path / "in/dog/00001.png").rename(tmp_path / "in/dog/a1.png")
    (tmp_path / "in/dog/00002.png").rename(tmp_path / "in/dog/A1.png")
    with pytest.raises(UsageError, match="dog the frames 'A1' and 'a1' differ only in case"):
        command(tmp_path, (str(tmp_path / "in"),))({}, dry_run=dry_run)
    assert not (tmp_path / "out").exists()


def test_what_concerns_all_videos_ends_the_run(
    tmp_path: Path, inputs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise DeviceError("disk full", "free some space")

    monkeypatch.setattr("vsodtool.pipelines.fields.video.write_flow", full)
    with pytest.raises(DeviceError, match="disk full"):
        flow(tmp_path, inputs)({})


def test_at_once(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    run = flow(tmp_path, inputs)
    run({}, output=tmp_path / "whole")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda index: run({}, shard=f"{index}/4"), [1, 2, 3, 4]))
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert counts(tmp_path / "out") == counts(tmp_path / "whole")


@pytest.mark.parametrize("finisher", ["1/2", "1/3", ""])
def test_an_interrupted_shard_is_finished_by_the_next_run(
    tmp_path: Path, inputs: tuple[str, ...], finisher: str
) -> None:
    run = pseudolabel(tmp_path, inputs)
    run({}, output=tmp_path / "whole")
    run({}, shard="2/2")

    def stop(event: Event) -> None:
        if event.kind == "frame" and event.done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run({"on_event": stop}, shard="1/2")
    report = run({}, shard=finisher)
    if finisher == "1/3":
        assert [video.name for video in report.videos] == ["walk"]
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert counts(tmp_path / "out") == counts(tmp_path / "whole")


def test_notices_tell_the_part_and_what_is_left(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    events: list[Event] = []
    run = flow(tmp_path, inputs)
    run({"on_event": events.append}, shard="1/3")
    messages = [event.message for event in events if event.kind == "notice"]
    assert messages[1:] == [
        "shard 1/3: 1 of 3 videos",
        "this shard is done; the others still have run and 1 more to do",
    ]
    run({}, shard="2/3")
    events.clear()
    run({"on_event": events.append}, shard="3/3")
    assert events[-1].kind == "done"


def test_a_shard_of_one_is_the_whole(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    report = flow(tmp_path, inputs)({}, shard="1/1", overwrite=True)
    assert len(report.videos) == 3
    assert counts(tmp_path / "out")


def test_a_dry_run_tells_of_its_part(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    report = flow(tmp_path, inputs, dry_run=True)({}, shard="1/2")
    assert [video.name for video in report.videos] == ["walk"]
    assert not (tmp_path / "out").exists()


def test_overwrite_needs_somebody_who_starts_the_shards(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    run = flow(tmp_path, inputs)
    run({})
    before = tree(tmp_path / "out")
    with pytest.raises(UsageError, match="--overwrite with --shard 1/2") as caught:
        run({}, shard="1/2", overwrite=True)
    assert "delete" in caught.value.hint
    assert tree(tmp_path / "out") == before
    for shard in ("1/2", "2/2"):
        run({"launch": "x"}, shard=shard, overwrite=True, step=2)
    forward = sorted(path.name for path in (tmp_path / "out/flow/run/forward").iterdir())
    assert forward == ["00000.flo", "00001.flo"]
    assert counts(tmp_path / "out")["run"] == {"frames": 4, "flows": 2, "missing": 0}


def test_an_output_inside_an_input_from_stdin_is_refused(
    tmp_path: Path, inputs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    del inputs
    (tmp_path / "videos").mkdir()
    for name in LENGTHS:
        (tmp_path / name).rename(tmp_path / "videos" / name)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{tmp_path / 'videos'}\n"))
    config = FlowConfig(inputs=("-",), output=tmp_path / "videos" / "out", device="cpu", dry_run=True)
    with pytest.raises(UsageError, match="lies inside the input"):
        run_flow(config)
