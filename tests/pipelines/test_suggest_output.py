"""`suggest OUT`: hidden labels once and then from suggest.json, drafts in every tool's format, refusals."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsodtool.config import PredictConfig, PseudoLabelConfig, SuggestConfig
from vsodtool.config.commands.convert import WRITTEN_FORMATS
from vsodtool.config.commands.suggest import DRAFTS
from vsodtool.errors import DataError, DeviceError, UsageError, WeightsError
from vsodtool.media.images import read_grey, read_rgb, write_png
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.predict import run_predict
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.suggest import SuggestReport, run_suggest, suggestions_of
from vsodtool.types import Event

Film = Callable[..., Any]
LABELS = (0, 8, 14, 20)


@pytest.fixture
def clip(film: Film) -> Any:
    return film([(2, 1)] * 20, objects={1: (72, 72, 12, 9), 2: (78, 90, 6, 6)})


def label(clip: Any, folder: Path, labels: Sequence[int] = LABELS, **options: Any) -> Path:
    source = folder / "clip"
    if not source.exists():
        clip.write_folder(source)
    shutil.rmtree(folder / "masks", ignore_errors=True)
    for index in labels:
        write_png(folder / "masks" / f"{index:05d}.png", clip.truth[index].astype(np.uint8))
    config = PseudoLabelConfig(
        **{
            **{"inputs": (str(source),), "masks": (str(folder / "masks"),), "output": folder / "out"},
            **{"device": "cpu", "workers": 1, "method": "warp", "quality": "fast"},
            **options,
        }
    )
    run_pseudolabel(config)
    return folder / "out"


@pytest.fixture
def out(clip: Any, tmp_path: Path) -> Path:
    return label(clip, tmp_path)


@pytest.fixture
def forbid(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on nothing is made again: the tools that this takes are gone."""
    return lambda: monkeypatch.setattr("vsodtool.pipelines.suggest.Tools", None)


def suggest(out: Path, events: list[Event] | None = None, **options: Any) -> SuggestReport:
    heard: list[Event] = [] if events is None else events
    if "export" in options:
        options["export"] = str(options["export"])
    asked = {"by": "error", **options}
    return run_suggest(SuggestConfig(inputs=(str(out),), **asked), on_event=heard.append)


def test_hidden_labels_are_measured_once(out: Path, forbid: Callable[[], None]) -> None:
    events: list[Event] = []
    report = suggest(out, events)
    assert (report.videos, report.frames, report.given, report.hidden) == (1, 21, 4, 2)
    assert report.estimated_j is not None
    assert report.estimated_after is not None
    assert 0 < report.estimated_j <= report.estimated_after <= 1
    assert f"estimated J {report.estimated_j:.3f}" in events[-1].message
    first = report.suggestions[0]
    assert first.reason.startswith("largest expected error")
    assert first.left < first.frame < first.right
    assert {each.object for each in report.suggestions} <= {"object 1", "object 2"}
    assert first.time == pytest.approx(first.index / 24, abs=1e-3)
    kept = json.loads((out / "suggest.json").read_text())
    assert list(kept["hidden"]["clip"]) == ["00008", "00014"]
    assert set(kept["hidden"]["clip"]["00008"]["errors"]) == {"1", "2"}
    forbid()
    assert suggest(out) == report
    # The page asks for the same, without anything being decoded.
    shutil.rmtree(out.parent / "clip")
    assert [(each.frame, each.gain) for each in suggestions_of(out, 5, by="error")] == [
        (each.frame, each.gain) for each in report.suggestions
    ]


def test_hidden_labels_are_those_that_are_made_again(
    clip: Any, out: Path, exact: Any, tmp_path: Path
) -> None:
    """The error of a label is that of the frame in a run without it."""
    suggest(out)
    kept = json.loads((out / "suggest.json").read_text())["hidden"]["clip"]["00008"]["errors"]
    (tmp_path / "without").mkdir()
    shutil.copytree(tmp_path / "clip", tmp_path / "without" / "clip")
    other = label(clip, tmp_path / "without", [0, 14])
    made = read_grey(other / "masks" / "clip" / "00008.png")
    for number in (1, 2):
        here, there = made == number, clip.truth[8] == number
        j = (here & there).sum() / (here | there).sum()
        assert kept[str(number)] == pytest.approx(1 - j, abs=1e-4)


def test_only_what_a_changed_label_touches_is_measured_again(clip: Any, out: Path) -> None:
    suggest(out)
    before = json.loads((out / "suggest.json").read_text())["hidden"]["clip"]
    label(clip, out.parent, [*LABELS, 17], overwrite=True)
    assert not (out / "suggest.json").exists()  # --overwrite clears what the tool wrote
    suggest(out)
    after = json.loads((out / "suggest.json").read_text())["hidden"]["clip"]
    assert after["00008"] == before["00008"]
    assert after["00014"] != before["00014"]
    assert list(after) == ["00008", "00014", "00017"]


def test_a_rerun_still_finds_nothing_to_do(clip: Any, out: Path) -> None:
    suggest(out)
    kept = (out / "suggest.json").read_bytes()
    written = (out / "written.jsonl").read_bytes()
    label(clip, out.parent)
    assert (out / "written.jsonl").read_bytes() == written
    assert (out / "suggest.json").read_bytes() == kept


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version": 1, "hidden": 3}', b'{"version": 99}', b"\xff"])
def test_damage_is_measured_again(out: Path, content: bytes) -> None:
    expected = suggest(out)
    (out / "suggest.json").write_bytes(content)
    assert suggest(out) == expected


def test_spread_needs_nothing_but_the_labels(clip: Any, out: Path, forbid: Callable[[], None]) -> None:
    forbid()
    events: list[Event] = []
    report = suggest(out, events, by="spread", number=2)
    assert [each.frame for each in report.suggestions] == ["00004", "00011"]  # of gaps of 8, 6 and 6
    assert (report.hidden, report.estimated_j, report.suggestions[0].gain) == (0, None, None)
    assert events[-1].message.endswith("1 video, 21 frames, 4 given")
    assert not (out / "suggest.json").exists()
    assert [each.frame for each in suggestions_of(out, 2)] == ["00004", "00011"]


def test_a_folder_that_cannot_be_written_costs_the_next_run_time_only(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise DeviceError(f"disk full: cannot write {path}", "free some space")

    expected = suggest(out)
    (out / "suggest.json").unlink()
    monkeypatch.setattr("vsodtool.pipelines.suggesting.hidden.write_bytes_atomically", full)
    events: list[Event] = []
    assert suggest(out, events) == expected
    assert any(event.kind == "warning" and "are not kept: disk full" in event.message for event in events)


def test_other_weights_than_those_of_the_run_are_refused(clip: Any, tmp_path: Path) -> None:
    out = label(clip, tmp_path, method="fgplg")
    manifest = json.loads((out / "manifest.json").read_text())
    changed = dict.fromkeys(manifest["weights"], "0" * 64)
    assert changed
    (out / "manifest.json").write_text(json.dumps({**manifest, "weights": changed}))
    with pytest.raises(WeightsError, match=r"is not what .*out was made with"):
        suggest(out)


def test_a_shot_without_a_label_is_suggested_first(clip: Any, tmp_path: Path) -> None:
    (tmp_path / "cuts.txt").write_text("clip 00015\n")
    out = label(clip, tmp_path, [1, 5, 9], cuts=str(tmp_path / "cuts.txt"))
    for by in ("spread", "error"):
        first, *_ = suggest(out, by=by).suggestions
        assert first.index >= 15
        assert (first.left, first.right) == ("", "")
        assert "no label in its shot, cut at 00015" in first.reason
    assert list(json.loads((out / "suggest.json").read_text())["hidden"]["clip"]) == ["00005"]


def test_too_few_labels_leave_confidence_only(clip: Any, tmp_path: Path) -> None:
    events: list[Event] = []
    report = suggest(label(clip, tmp_path, [3, 16]), events, number=3)
    assert (report.hidden, report.estimated_j) == (0, None)
    assert len(report.suggestions) == 3
    assert "by confidence only" in events[-1].message
    assert any("one label only" in each.reason for each in report.suggestions)


def test_predict_has_confidence_only_and_says_so(clip: Any, tmp_path: Path) -> None:
    source = clip.write_folder(tmp_path / "clip")
    config = PredictConfig(
        inputs=(str(source),), output=tmp_path / "out", weights="u2netp", device="cpu", size=64, masks=True
    )
    run_predict(config)
    events: list[Event] = []
    report = suggest(tmp_path / "out", events, number=2)
    assert any("made by predict: nothing is known but the confidence" in event.message for event in events)
    assert (report.given, report.estimated_j) == (0, None)
    assert len(report.suggestions) == 2
    assert not (tmp_path / "out" / "suggest.json").exists()


@pytest.mark.parametrize("to", DRAFTS)
def test_drafts_are_the_masks_as_they_are(clip: Any, out: Path, tmp_path: Path, to: str) -> None:
    todo = tmp_path / "todo"
    report = suggest(out, export=todo, to=to, number=3)
    frames = {frame.name: frame.rgb for frame in open_frames(discover_videos([str(tmp_path / "clip")])[0])}
    for each in report.suggestions:
        picture = read_rgb(todo / "images" / "clip" / f"{each.frame}.png")
        np.testing.assert_array_equal(picture, frames[each.frame])
    masks = todo / "images" if to in ("labelme", "x-anylabeling") else todo / to
    # As they are, they go back in: each frame then has the mask that it had.
    config = PseudoLabelConfig(
        inputs=(str(tmp_path / "clip"),),
        masks=(str(masks / "clip" if to == "masks" else masks),),
        output=tmp_path / "again",
        method="warp",
        **({"predictions": True} if to == "label-studio" else {}),
    )
    done = run_pseudolabel(config)
    assert done.videos[0].given == 3
    if to == "x-anylabeling":  # polygons
        return
    for each in report.suggestions:
        drawn = read_grey(out / "masks" / "clip" / f"{each.frame}.png")
        again = read_grey(tmp_path / "again" / "masks" / "clip" / f"{each.frame}.png")
        np.testing.assert_array_equal(drawn > 0, again > 0)


def test_drafts_that_exist_are_kept(out: Path, tmp_path: Path) -> None:
    todo = tmp_path / "todo"
    report = suggest(out, export=todo, to="masks")
    mine = todo / "masks" / "clip" / f"{report.suggestions[1].frame}.png"
    write_png(mine, np.zeros((5, 5), np.uint8))
    with pytest.raises(UsageError, match="perhaps corrected by hand"):
        suggest(out, export=todo, to="masks")
    assert read_grey(mine).shape == (5, 5)
    suggest(out, export=todo, to="masks", overwrite=True)
    assert read_grey(mine).shape != (5, 5)


def test_the_formats_of_drafts_can_be_written() -> None:
    assert set(DRAFTS) <= set(WRITTEN_FORMATS)


def test_refusals(out: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose among frames that nobody labelled"):
        suggest(out, every=3)
    with pytest.raises(UsageError, match="expected one OUT folder or inputs"):
        run_suggest(SuggestConfig(inputs=(str(out), str(tmp_path / "clip"))))
    with pytest.raises(UsageError, match="lies inside"):
        suggest(out, export=out / "todo")
    with pytest.raises(UsageError, match="nothing is labelled yet"):
        run_suggest(SuggestConfig(inputs=(str(tmp_path / "clip"),), export=str(tmp_path / "x"), to="masks"))
    (tmp_path / "clip" / "00003.png").unlink()
    with pytest.raises(DataError, match="has changed since"):
        suggest(out)


def test_an_unfinished_run_is_refused(out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}))
    with pytest.raises(DataError, match="expected a finished run"):
        suggest(out)
