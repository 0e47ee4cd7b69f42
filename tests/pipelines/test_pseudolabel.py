"""`run_pseudolabel` where the right answer is known: a camera that moves by whole pixels."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import DataError, UsageError
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.media.output.tables.objects_csv import read_objects_csv
from vsodtool.media.video import frame_store
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.method import Wants
from vsodtool.pipelines.densify.quality import rules
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.types import Event, FrameRecord, FrameStatus

GIVEN, GENERATED = FrameStatus.GIVEN, FrameStatus.GENERATED
PAN = [(2, 1), (1, 0), (-1, 1), (2, -1), (1, 1), (1, -1), (-2, 0), (1, 1), (0, -1), (1, 0), (2, 1)]

Film = Callable[..., Any]
Tree = dict[str, bytes]


class Counting:
    """The usual generator, counted; `stop_after` calls, Ctrl-C comes."""

    name = "warp"
    wants = Wants.BOXES

    def __init__(self, stop_after: int = 10**9) -> None:
        self.calls, self._stop_after, self._lock = 0, stop_after, threading.Lock()

    def generate(self, evidence: Evidence) -> SoftLabel:
        with self._lock:
            self.calls += 1
            if self.calls > self._stop_after:
                raise KeyboardInterrupt
        return rules("balanced").generate(evidence)


def config(tmp_path: Path, source: Path, **options: Any) -> PseudoLabelConfig:
    given = {
        "masks": tmp_path / "masks",
        "output": tmp_path / "out",
        "device": "cpu",
        "workers": 2,
        "method": "warp",  # exact where the flow is
        **options,
    }
    return PseudoLabelConfig(inputs=(str(source),), **given)


def read(folder: Path) -> list[Any]:
    return [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(folder.iterdir())]


def tree(out: Path) -> Tree:
    """Every file but the manifest, which holds seconds."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def rows(out: Path) -> dict[int, FrameRecord]:
    return {int(record.frame): record for record in read_frames_csv(out / "frames.csv")}


def set_up(tmp_path: Path, clip: Any, labelled: Sequence[int], scale: int = 255) -> Path:
    clip.write_masks(tmp_path / "masks", labelled, scale)
    folder: Path = clip.write_folder(tmp_path / "clip")
    return folder


def write_void_masks(folder: Path, clip: Any, labelled: Sequence[int]) -> None:
    """Palette PNG with a void border of one pixel."""
    folder.mkdir(exist_ok=True)
    for index in labelled:
        inside = clip.truth[index].astype(np.uint8)
        ids = np.where(cv2.dilate(inside, np.ones((3, 3))) > inside, 255, inside).astype(np.uint8)
        image = Image.frombytes("P", ids.shape[::-1], ids.tobytes())
        image.putpalette([0, 0, 0, 128, 0, 0] + [0] * (253 * 3) + [224, 224, 192])
        image.save(folder / f"{index:05d}.png")


@pytest.mark.parametrize("void", ["auto", "none"])
def test_a_void_border_comes_back_and_goes_nowhere_else(
    tmp_path: Path, film: Film, exact: Any, void: str
) -> None:
    clip = film(PAN)
    source = clip.write_folder(tmp_path / "clip")
    write_void_masks(tmp_path / "masks", clip, [0, 5, 11])
    run_pseudolabel(config(tmp_path, source, void=void), estimator=exact)
    out = tmp_path / "out" / "masks" / "clip"
    for index, truth in enumerate(clip.truth):
        found = np.asarray(Image.open(out / f"{index:05d}.png"))
        if index in (0, 5, 11):
            given = np.asarray(Image.open(tmp_path / "masks" / f"{index:05d}.png"))
            np.testing.assert_array_equal(found, given)
        elif void == "auto":
            np.testing.assert_array_equal(found, truth)
        else:
            assert 255 in found


def test_masks_of_one_object_stored_in_several_ways(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film(PAN)
    source = set_up(tmp_path, clip, [0, 5, 11])
    deep = cv2.imread(str(tmp_path / "masks" / "00005.png"), cv2.IMREAD_UNCHANGED).astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "masks" / "00005.png"), deep)
    heard: list[Event] = []
    run_pseudolabel(config(tmp_path, source), estimator=exact, on_event=heard.append)
    for index, (found, truth) in enumerate(zip(read(tmp_path / "out/masks/clip"), clip.truth, strict=True)):
        np.testing.assert_array_equal(found, deep if index == 5 else truth * 255)
    assert any("0/255 grey and 0/65535 grey, 1 object" in event.message for event in heard)


def test_colours_that_are_not_told_apart_are_warned_of(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film(PAN)
    source = set_up(tmp_path, clip, [])
    (tmp_path / "masks").mkdir(exist_ok=True)
    drawn = np.zeros((*clip.truth[0].shape, 3), np.uint8)
    drawn[: len(drawn) // 2] = (0, 0, 200)
    drawn[len(drawn) // 2 :] = (0, 200, 0)
    cv2.imwrite(str(tmp_path / "masks" / "00000.jpg"), drawn)
    heard: list[Event] = []
    run_pseudolabel(config(tmp_path, source), estimator=exact, on_event=heard.append)
    assert [event.video for event in heard if event.kind == "warning" and "told apart" in event.message] == [
        "clip"
    ]


def test_a_moving_camera_gives_exact_masks(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film(PAN)
    source = set_up(tmp_path, clip, [0, 5, 11])
    report = run_pseudolabel(config(tmp_path, source), estimator=exact)
    for found, truth in zip(read(tmp_path / "out/masks/clip"), clip.truth, strict=True):
        np.testing.assert_array_equal(found, truth * 255)
    table = rows(tmp_path / "out")
    assert [table[index].status for index in (0, 1, 5, 10, 11)] == [GIVEN, GENERATED, GIVEN, GENERATED, GIVEN]
    assert (table[3].left, table[3].right) == ("00000", "00005")
    assert (table[6].left, table[6].right) == ("00005", "00011")
    assert (table[5].left, table[5].right, table[5].confidence) == ("00005", "00005", 1)
    assert all(0 < record.confidence <= 1 for record in table.values())
    video = report.videos[0]
    assert (video.frames, video.given, video.generated, video.skipped) == (12, 3, 9, 0)
    assert (report.method, report.flow, report.losses) == ("warp", "exact-translation", [])
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["status"] == "complete"
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")) == [
        "frames.csv",
        "manifest.json",
        "masks",
        "written.jsonl",
    ]


def test_two_objects_keep_their_ids(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film(PAN[:7], objects={3: (72, 78, 12, 9), 9: (78, 87, 10, 12)})  # they touch
    source = set_up(tmp_path, clip, [0, 7], scale=1)
    run_pseudolabel(config(tmp_path, source), estimator=exact)
    for found, truth in zip(read(tmp_path / "out/masks/clip"), clip.truth, strict=True):
        np.testing.assert_array_equal(found, truth)
    table = tmp_path / "out/objects.csv"
    objects = read_objects_csv(table)
    assert sorted(objects) == [("clip", f"{index:05d}") for index in range(1, 7)]  # those that were made
    for (_, frame), sure in objects.items():
        assert list(sure) == [3, 9]
        assert rows(tmp_path / "out")[int(frame)].confidence == pytest.approx(
            sum(sure.values()) / 2, abs=1e-4
        )
    before = tree(tmp_path / "out")
    table.unlink()  # what is lost is written again, and nothing else is done
    run_pseudolabel(config(tmp_path, source), generator=Counting(0), estimator=exact)
    assert tree(tmp_path / "out") == before


def test_an_object_may_leave_and_come_back(tmp_path: Path, film: Film, exact: Any) -> None:
    # At frame 6 the object has left to the left; the mask there is empty. Then the camera goes back.
    clip = film([(5, 0)] * 6 + [(-5, 0)] * 6, objects={1: (72, 65, 14, 12)})
    areas = [int(truth.sum()) for truth in clip.truth]
    assert areas[0] == areas[12] == 168
    assert areas[4:9] == [0] * 5
    source = set_up(tmp_path, clip, [0, 6, 12])
    run_pseudolabel(config(tmp_path, source), estimator=exact)
    for found, truth in zip(read(tmp_path / "out/masks/clip"), clip.truth, strict=True):
        if truth.any():  # half out of the picture, the border's texture may mislead
            union = np.count_nonzero((found > 0) | (truth > 0))
            assert np.count_nonzero((found > 0) & (truth > 0)) / union > 0.8
        else:
            assert not found.any()


@pytest.mark.parametrize("quality", ["fast", "balanced"])
@pytest.mark.parametrize("backend", ["exact", "dis"])
def test_empty_labels_stay_empty(tmp_path: Path, film: Film, exact: Any, backend: str, quality: str) -> None:
    clip = film(PAN, objects={})
    source = set_up(tmp_path, clip, [0, 4, 11])
    options = config(tmp_path, source, quality=quality, backend="dis", soft=True)
    run_pseudolabel(options, estimator=exact if backend == "exact" else None)
    assert not np.any(read(tmp_path / "out/masks/clip"))
    assert not np.any(read(tmp_path / "out/soft/clip"))
    assert all(record.confidence == 1 for record in rows(tmp_path / "out").values())


def test_before_the_first_and_after_the_last_label(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film(PAN)
    noise = np.random.default_rng(0)
    for frame in clip.frames:  # grain: with none, one side is as sure as two
        frame[:] = np.clip(frame.astype(int) + noise.integers(-5, 6, frame.shape), 0, 255)
    source = set_up(tmp_path, clip, [4, 8])
    run_pseudolabel(config(tmp_path, source), estimator=exact)
    for found, truth in zip(read(tmp_path / "out/masks/clip"), clip.truth, strict=True):
        np.testing.assert_array_equal(found, truth * 255)
    table = rows(tmp_path / "out")
    assert [(table[index].left, table[index].right) for index in (0, 3, 9, 11)] == [
        ("", "00004"),
        ("", "00004"),
        ("00008", ""),
        ("00008", ""),
    ]
    inside = [table[index].confidence for index in (5, 6, 7)]
    outside = [table[index].confidence for index in (0, 1, 2, 3, 9, 10, 11)]
    assert sum(outside) / len(outside) < sum(inside) / len(inside)


@pytest.mark.parametrize("kind", ["folder", "file"])
@pytest.mark.parametrize("labelled", [[0, 11], [3], []])
def test_long_intervals_are_byte_identical(
    tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch, kind: str, labelled: list[int]
) -> None:
    clip = film(PAN)
    if not labelled:  # an empty mask on one side
        clip.truth[11][:] = 0
        labelled = [0, 11]
    source = (
        clip.write_folder(tmp_path / "clip") if kind == "folder" else clip.write_video(tmp_path / "clip.mp4")
    )
    clip.write_masks(tmp_path / "masks", labelled)
    options = {"backend": "dis", "quality": "balanced", "soft": True, "confidence": True}
    run_pseudolabel(config(tmp_path, source, output=tmp_path / "short", **options))
    stores: list[bool] = []
    get = frame_store.FrameStore.get

    def spy(self: frame_store.FrameStore, index: int) -> Any:
        stores.append(self.is_long)
        return get(self, index)

    monkeypatch.setattr(frame_store, "HELD_BYTES", 1)
    monkeypatch.setattr(frame_store.FrameStore, "get", spy)
    run_pseudolabel(config(tmp_path, source, output=tmp_path / "long", **options))
    assert any(stores)
    assert tree(tmp_path / "long") == tree(tmp_path / "short")


@pytest.mark.parametrize("stop_after", [0, 1, 4, 7])
def test_an_interrupted_run_goes_on_to_the_same_result(
    tmp_path: Path, film: Film, exact: Any, stop_after: int
) -> None:
    clip = film(PAN)
    source = set_up(tmp_path, clip, [0, 3, 6, 11])
    options: dict[str, Any] = {"soft": True, "confidence": True}
    run_pseudolabel(config(tmp_path, source, output=tmp_path / "whole", **options), estimator=exact)
    with pytest.raises(KeyboardInterrupt):
        run_pseudolabel(config(tmp_path, source, **options), estimator=exact, generator=Counting(stop_after))
    before = tree(tmp_path / "out")
    assert len([name for name in before if name.startswith("masks/")]) >= 4  # those given
    whole = tree(tmp_path / "whole")
    assert all(whole[name] == data for name, data in before.items() if name.endswith(".png"))
    run_pseudolabel(config(tmp_path, source, **options), estimator=exact, generator=Counting())
    assert tree(tmp_path / "out") == whole


def test_a_finished_run_is_left_alone(tmp_path: Path, film: Film, exact: Any) -> None:
    source = set_up(tmp_path, film(PAN), [0, 11])
    run_pseudolabel(config(tmp_path, source), estimator=exact)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()}
    counting = Counting()
    report = run_pseudolabel(config(tmp_path, source), estimator=exact, generator=counting)
    assert counting.calls == 0
    assert (report.videos[0].given, report.videos[0].generated) == (2, 10)
    kept = {path: path.stat().st_mtime_ns for path in times}
    assert {path: time for path, time in kept.items() if path.suffix != ".lock"} == {
        path: time for path, time in times.items() if path.suffix != ".lock"
    }


@pytest.mark.parametrize(
    ("lost", "calls"), [("masks/clip/00004.png", 2), ("soft/clip/00008.png", 5), ("masks/clip/00003.png", 0)]
)
def test_a_missing_file_is_made_again(tmp_path: Path, film: Film, exact: Any, lost: str, calls: int) -> None:
    source = set_up(tmp_path, film(PAN), [0, 3, 6])
    options = config(tmp_path, source, soft=True)
    run_pseudolabel(options, estimator=exact)
    before = tree(tmp_path / "out")
    (tmp_path / "out" / lost).unlink()
    counting = Counting()
    events: list[Event] = []
    run_pseudolabel(options, estimator=exact, generator=counting, on_event=events.append)
    assert tree(tmp_path / "out") == before
    assert counting.calls == calls  # its interval, not the video
    done = [event.done for event in events if event.kind == "frame"]
    assert all(count <= 12 for count in done)


def test_what_killed_runs_put_aside_goes_away(tmp_path: Path, film: Film, exact: Any) -> None:
    source = set_up(tmp_path, film(PAN), [0, 11])
    with pytest.raises(KeyboardInterrupt):
        run_pseudolabel(config(tmp_path, source), estimator=exact, generator=Counting(1))
    left_over = tmp_path / "out/.vsodtool-spill-abc.tmp"
    left_over.mkdir()
    (left_over / "00000000.npy").write_bytes(b"frame")
    run_pseudolabel(config(tmp_path, source), estimator=exact)
    assert not left_over.exists()


def test_another_option_is_refused_and_overwrite_helps(tmp_path: Path, film: Film, exact: Any) -> None:
    source = set_up(tmp_path, film(PAN), [0, 5, 11])
    run_pseudolabel(config(tmp_path, source), estimator=exact)
    before = tree(tmp_path / "out")
    with pytest.raises(UsageError, match=r"--soft changed: .* with False, now it is True") as refused:
        run_pseudolabel(config(tmp_path, source, soft=True), estimator=exact)
    assert "--overwrite" in refused.value.hint
    with pytest.raises(UsageError, match="--quality changed"):
        run_pseudolabel(config(tmp_path, source, quality="best", dry_run=True), estimator=exact)
    assert tree(tmp_path / "out") == before
    told: list[Event] = []
    anew = config(tmp_path, source, soft=True, overwrite=True)
    run_pseudolabel(replace(anew, dry_run=True), estimator=exact, on_event=told.append)
    assert tree(tmp_path / "out") == before
    run_pseudolabel(anew, estimator=exact, on_event=told.append)
    gone = "14 files of an earlier run: 12 in masks, frames.csv, written.jsonl"
    lines = [event.message for event in told if "--overwrite" in event.message]
    assert lines == [f"--overwrite would delete {gone}", f"--overwrite deleted {gone}"]
    assert len(list((tmp_path / "out/soft/clip").iterdir())) == 12
    run_pseudolabel(config(tmp_path, source, soft=True, workers=1), estimator=exact)


def test_another_mask_is_refused(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film(PAN)
    source = set_up(tmp_path, clip, [0, 5, 11])
    run_pseudolabel(config(tmp_path, source), estimator=exact)
    before = tree(tmp_path / "out")
    cv2.imwrite(str(tmp_path / "masks/00005.png"), clip.truth[4] * 255)
    with pytest.raises(DataError, match="the masks of 'clip' changed"):
        run_pseudolabel(config(tmp_path, source), estimator=exact)
    assert tree(tmp_path / "out") == before


def test_another_frame_is_refused(tmp_path: Path, film: Film, exact: Any) -> None:
    source = set_up(tmp_path, film(PAN), [0, 11])
    run_pseudolabel(config(tmp_path, source), estimator=exact)
    cv2.imwrite(str(source / "00002.png"), np.zeros((40, 56, 3), np.uint8))
    with pytest.raises(DataError, match=r"the video 'clip' .* has changed"):
        run_pseudolabel(config(tmp_path, source), estimator=exact)


def test_palette_masks_come_back_as_palette(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film(PAN, objects={1: (72, 78, 12, 9), 4: (78, 87, 10, 12)})
    source = clip.write_folder(tmp_path / "clip")
    (tmp_path / "masks").mkdir()
    colours = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0, 0, 0, 128]
    for index in (0, 11):
        mask = Image.fromarray(clip.truth[index], mode=None).convert("P")
        mask.putdata(clip.truth[index].ravel().tolist())
        mask.putpalette(colours)
        mask.save(tmp_path / f"masks/{index:05d}.png")
    run_pseudolabel(config(tmp_path, source), estimator=exact)
    for index, truth in enumerate(clip.truth):
        with Image.open(tmp_path / f"out/masks/clip/{index:05d}.png") as found:
            assert found.mode == "P"
            assert found.getpalette()[:15] == colours  # type: ignore[index]
            np.testing.assert_array_equal(np.asarray(found), truth)


@pytest.mark.parametrize(
    ("scale", "depth"), [(1, np.uint8), (255, np.uint8), (65535, np.uint16), (300, np.uint16)]
)
def test_grey_masks_come_back_as_they_were(
    tmp_path: Path, film: Film, exact: Any, scale: int, depth: type
) -> None:
    clip = film(PAN[:4])
    source = clip.write_folder(tmp_path / "clip")
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks/00002.png"), clip.truth[2].astype(depth) * depth(scale))
    run_pseudolabel(config(tmp_path, source), estimator=exact)
    for found, truth in zip(read(tmp_path / "out/masks/clip"), clip.truth, strict=True):
        assert found.dtype == depth
        np.testing.assert_array_equal(found, truth.astype(depth) * depth(scale))


def test_soft_confidence_and_overlay(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film(PAN)
    source = set_up(tmp_path, clip, [0, 11])
    options = config(tmp_path, source, soft=True, confidence=True, overlay=True)
    run_pseudolabel(options, estimator=exact)
    out = tmp_path / "out"
    masks, softs, sures = (read(out / name / "clip") for name in ("masks", "soft", "confidence"))
    assert len(masks) == len(softs) == len(sures) == 12
    for mask, soft in zip(masks, softs, strict=True):
        np.testing.assert_array_equal(mask > 0, soft > 127)
    assert (sures[0] == 255).all()
    assert (out / "overlay/clip.mp4").stat().st_size > 0
    (out / "overlay/clip.mp4").unlink()
    counting = Counting()
    run_pseudolabel(options, estimator=exact, generator=counting)
    assert (out / "overlay/clip.mp4").exists()
    assert counting.calls == 0


def test_every_reads_no_other_mask(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film(PAN)
    source = set_up(tmp_path, clip, range(12))
    for index in (1, 2, 3, 5, 6, 7, 9, 10):
        (tmp_path / f"masks/{index:05d}.png").write_bytes(b"not a picture")
    report = run_pseudolabel(config(tmp_path, source, every=4), estimator=exact)
    assert (report.videos[0].given, report.videos[0].generated) == (4, 8)
    assert [index for index, row in rows(tmp_path / "out").items() if row.status is GIVEN] == [0, 4, 8, 11]
    for found, truth in zip(read(tmp_path / "out/masks/clip"), clip.truth, strict=True):
        np.testing.assert_array_equal(found, truth * 255)


def test_two_videos_and_a_dry_run(tmp_path: Path, film: Film, exact: Any) -> None:
    clips = {"one": film(PAN), "two": film(PAN[:3])}
    for name, clip in clips.items():
        clip.write_folder(tmp_path / "videos" / name)
        clip.write_masks(tmp_path / "masks" / name, [0])
    events: list[Event] = []
    options = config(tmp_path, tmp_path / "videos", dry_run=True)
    report = run_pseudolabel(options, estimator=exact, on_event=events.append)
    assert report.dry_run
    assert [(video.name, video.given, video.generated) for video in report.videos] == [
        ("one", 1, 11),
        ("two", 1, 3),
    ]
    assert not (tmp_path / "out").exists()
    assert any("one: 1 mask for 12 frames" in event.message for event in events)
    run_pseudolabel(config(tmp_path, tmp_path / "videos"), estimator=exact)
    for name, clip in clips.items():
        for found, truth in zip(read(tmp_path / "out/masks" / name), clip.truth, strict=True):
            np.testing.assert_array_equal(found, truth * 255)
    assert [record.video for record in read_frames_csv(tmp_path / "out/frames.csv")] == ["one"] * 12 + [
        "two"
    ] * 4


class Refusing:
    name = "refusing"
    wants = Wants.BOXES

    def generate(self, evidence: Evidence) -> SoftLabel:
        raise DataError("no", "never")


def test_a_failing_method_ends_the_run_with_its_error(tmp_path: Path, film: Film, exact: Any) -> None:
    source = set_up(tmp_path, film(PAN), [0, 5, 11])
    with pytest.raises(DataError, match="no"):
        run_pseudolabel(config(tmp_path, source), estimator=exact, generator=Refusing())
    assert json.loads((tmp_path / "out/manifest.json").read_text())["status"] == "running"
    assert not (tmp_path / "out/frames.csv").exists()


def test_only_masked_leaves_videos_without_masks_out(film: Film, exact: Any, tmp_path: Path) -> None:
    clip = film([(1, 0)] * 4)
    for name in ("a", "b", "c"):
        clip.write_folder(tmp_path / "clips" / name)
    for name in ("b", "elsewhere"):
        (tmp_path / "masks" / name).mkdir(parents=True)
        assert cv2.imwrite(str(tmp_path / "masks" / name / "00002.png"), clip.truth[2])
    with pytest.raises(DataError, match="expected a folder of masks for 'a', 'c'") as caught:
        run_pseudolabel(config(tmp_path, tmp_path / "clips"), estimator=exact)
    assert "--only-masked" in caught.value.hint
    heard: list[Event] = []
    chosen = config(tmp_path, tmp_path / "clips", only_masked=True)
    report = run_pseudolabel(chosen, estimator=exact, on_event=heard.append)
    assert [video.name for video in report.videos] == ["b"]
    assert {record.video for record in read_frames_csv(tmp_path / "out" / "frames.csv")} == {"b"}
    assert any(event.message == "1 of 3 videos have masks: b" for event in heard)
    assert run_pseudolabel(chosen, estimator=exact).videos[0].generated == 4  # nothing is left to do
    (tmp_path / "masks" / "b").rename(tmp_path / "masks" / "gone")
    with pytest.raises(DataError, match="no video in common"):
        run_pseudolabel(
            config(tmp_path, tmp_path / "clips", only_masked=True, overwrite=True), estimator=exact
        )
