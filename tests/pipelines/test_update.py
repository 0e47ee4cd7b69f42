"""`--update`: what a changed mask touches is made again; the whole is as if it had been so from the start."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
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
from vsodtool.errors import DataError, DeviceError, UsageError
from vsodtool.media.annotations.formats.coco import write_coco
from vsodtool.media.annotations.model import Annotations, Category, FrameKey, FrameLabels, Shape, VideoLabels
from vsodtool.media.masks.plane_png import Palette, encode_plane_png
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.output.lock import OutputLock
from vsodtool.pipelines.densify.choosing import trial
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.method import Wants
from vsodtool.pipelines.densify.quality import rules
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.update import StaleInterval, Updater
from vsodtool.types import Event, MethodChoice

Film = Callable[..., Any]
PAN = [(2, 1), (1, 0), (-1, 1), (2, -1), (1, 1), (1, -1), (-2, 0), (1, 1), (0, -1), (1, 0), (2, 1)] * 2
LABELLED = (4, 9, 15)
COMPARED = ("masks", "soft", "confidence", "frames.csv")


class Counting:
    """The usual rules, counted by frame; `stop_after` calls, Ctrl-C comes."""

    name = "warp"
    wants = Wants.BOXES

    def __init__(self, stop_after: int = 10**9) -> None:
        self.made: list[int] = []
        self._stop_after, self._lock = stop_after, threading.Lock()

    def generate(self, evidence: Evidence) -> SoftLabel:
        with self._lock:
            self.made.append(evidence.index)
            if len(self.made) > self._stop_after:
                raise KeyboardInterrupt
        return rules("balanced").generate(evidence)


@pytest.fixture
def clip(film: Film) -> Any:
    """Two objects, and grain, so that confidences tell one way of making a label from another."""
    made = film(PAN, objects={1: (72, 78, 12, 9), 2: (78, 87, 10, 12)})
    noise = np.random.default_rng(0)
    for frame in made.frames:
        frame[:] = np.clip(frame.astype(int) + noise.integers(-25, 26, frame.shape), 0, 255)
    return made


@pytest.fixture
def source(tmp_path: Path, clip: Any) -> Path:
    clip.write_masks(tmp_path / "masks", LABELLED, 1)
    folder: Path = clip.write_folder(tmp_path / "clip")
    return folder


def config(tmp_path: Path, **options: Any) -> PseudoLabelConfig:
    given: dict[str, Any] = {
        "inputs": (str(tmp_path / "clip"),),
        "masks": (str(tmp_path / "masks"),),
        "output": tmp_path / "out",
        "device": "cpu",
        "workers": 2,
        "method": "warp",
        "backend": "dis",
        "soft": True,
        "confidence": True,
        **options,
    }
    return PseudoLabelConfig(**given)


def content(out: Path) -> dict[str, bytes]:
    """All that must be equal, by path."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.relative_to(out).parts[0] in COMPARED
    }


def fresh(tmp_path: Path, masks: Sequence[Path], **options: Any) -> dict[str, bytes]:
    shutil.rmtree(tmp_path / "fresh", ignore_errors=True)
    run_pseudolabel(config(tmp_path, output=tmp_path / "fresh", masks=tuple(map(str, masks)), **options))
    return content(tmp_path / "fresh")


def places(tmp_path: Path) -> list[Path]:
    """Where the masks lie now."""
    return [folder for folder in (tmp_path / "masks", tmp_path / "out/corrections") if folder.exists()]


def draw(path: Path, labels: Any) -> None:
    """A mask of ids."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), labels.astype(np.uint8))


def shifted(clip: Any, index: int) -> Any:
    """A wrong mask of a frame: told from the right one."""
    return np.roll(clip.truth[index], (2, 3), (0, 1))


def update(tmp_path: Path, generator: Counting | None = None, **options: Any) -> tuple[list[int], list[str]]:
    """Frames that were generated, and what was said."""
    counting, told = generator or Counting(), list[str]()
    run_pseudolabel(
        config(tmp_path, update=True, **options),
        generator=counting,
        on_event=lambda event: told.append(event.message),
    )
    return sorted(counting.made), told


# What is done to the masks -> frames that are generated again.
CHANGES: dict[str, tuple[Callable[[Path, Any], None], set[int]]] = {
    "added": (lambda at, clip: draw(at / "out/corrections/clip/00012.png", clip.truth[12]), {10, 11, 13, 14}),
    "changed": (
        lambda at, clip: draw(at / "out/corrections/clip/00009.png", shifted(clip, 9)),
        {*range(5, 9), *range(10, 15)},
    ),
    "changed among the masks": (
        lambda at, clip: draw(at / "masks/00015.png", shifted(clip, 15)),
        {*range(10, 15), *range(16, 23)},
    ),
    "removed": (lambda at, _: (at / "masks/00009.png").unlink(), {*range(5, 15)}),
    "first": (
        lambda at, clip: draw(at / "out/corrections/clip/00000.png", clip.truth[0]),
        {1, 2, 3},
    ),
    "last": (
        lambda at, clip: draw(at / "out/corrections/clip/00022.png", shifted(clip, 22)),
        {*range(16, 22)},
    ),
    "nothing there": (
        lambda at, clip: draw(at / "out/corrections/clip/00012.png", 0 * clip.truth[12]),
        {10, 11, 13, 14},
    ),
    "two neighbours": (
        lambda at, clip: [  # type: ignore[func-returns-value]
            draw(at / f"out/corrections/clip/{index:05d}.png", shifted(clip, index)) for index in (9, 10)
        ],
        {*range(5, 9), *range(11, 15)},
    ),
    "a new object": (
        lambda at, clip: draw(
            at / "out/corrections/clip/00018.png", np.where(clip.truth[18] == 2, 7, clip.truth[18])
        ),
        set(range(23)) - {*LABELLED, 18},  # one more channel: all sums are rounded otherwise
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_is_as_a_fresh_run_and_makes_no_more_than_that(
    tmp_path: Path, clip: Any, source: Path, change: str
) -> None:
    run_pseudolabel(config(tmp_path))
    do, concerned = CHANGES[change]
    do(tmp_path, clip)
    made, told = update(tmp_path)
    assert set(made) == concerned
    out = tmp_path / "out"
    assert content(out) == fresh(tmp_path, places(tmp_path))
    assert json.loads((out / "manifest.json").read_text())["status"] == "complete"
    assert not list(out.glob("journal*"))
    assert any("to make again" in line for line in told)
    assert update(tmp_path)[0] == []  # nothing is left to do


def test_corrections_that_are_taken_back_leave_no_trace(tmp_path: Path, clip: Any, source: Path) -> None:
    run_pseudolabel(config(tmp_path))
    before = content(tmp_path / "out")
    draw(tmp_path / "out/corrections/clip/00012.png", shifted(clip, 12))
    draw(tmp_path / "out/corrections/clip/00004.png", shifted(clip, 4))
    update(tmp_path)
    assert content(tmp_path / "out") != before
    shutil.rmtree(tmp_path / "out/corrections")
    made, _ = update(tmp_path)
    assert set(made) == {0, 1, 2, 3, *range(5, 9), *range(10, 15)}
    assert content(tmp_path / "out") == before


@pytest.mark.parametrize("stop_after", [1, 7])
def test_an_update_that_is_interrupted_goes_on(
    tmp_path: Path, clip: Any, source: Path, stop_after: int
) -> None:
    run_pseudolabel(config(tmp_path, overlay=True))
    old = (tmp_path / "out/overlay/clip.mp4").read_bytes()
    for index in (9, 12):
        draw(tmp_path / f"out/corrections/clip/{index:05d}.png", shifted(clip, index))
    with pytest.raises(KeyboardInterrupt):
        update(tmp_path, Counting(stop_after), overlay=True)
    assert not (tmp_path / "out/overlay/clip.mp4").exists()  # it would not show what is there
    with pytest.raises(DataError, match=r"masks of 'clip' changed since .*00009\.png") as caught:
        run_pseudolabel(config(tmp_path, overlay=True))
    assert "--update" in caught.value.hint
    made, _ = update(tmp_path, overlay=True)
    assert set(made) <= {*range(5, 9), 10, 11, 13, 14}
    assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path))
    assert (tmp_path / "out/overlay/clip.mp4").read_bytes() != old


def test_a_mask_drawn_on_in_the_output_becomes_a_correction(tmp_path: Path, clip: Any, source: Path) -> None:
    run_pseudolabel(config(tmp_path))
    draw(tmp_path / "out/masks/clip/00012.png", clip.truth[12])
    _, told = update(tmp_path, dry_run=True)
    assert any("1 mask that was edited by hand would be taken" in line for line in told)
    assert not (tmp_path / "out/corrections").exists()
    made, told = update(tmp_path)
    assert set(made) == {10, 11, 13, 14}
    assert any("taken into the corrections: corrections/clip/00012.png" in line for line in told)
    assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path))


def test_a_changed_mask_is_named_and_update_is_the_hint(tmp_path: Path, clip: Any, source: Path) -> None:
    run_pseudolabel(config(tmp_path))
    before = content(tmp_path / "out")
    draw(tmp_path / "masks/00009.png", shifted(clip, 9))
    draw(tmp_path / "masks/00011.png", clip.truth[11])
    (tmp_path / "masks/00015.png").unlink()
    with pytest.raises(DataError) as caught:
        run_pseudolabel(config(tmp_path))
    changed = tmp_path / "masks"
    assert f"{changed / '00009.png'} changed, {changed / '00011.png'} is new, 00015 has none now" in str(
        caught.value
    )
    assert "--update" in caught.value.hint
    assert content(tmp_path / "out") == before


def test_what_cannot_be_updated(tmp_path: Path, clip: Any, source: Path) -> None:
    with pytest.raises(UsageError, match="nothing to update: no run began in"):
        update(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_pseudolabel(config(tmp_path), generator=Counting(3))
    with pytest.raises(DataError, match="expected a finished run to update, found an unfinished one"):
        update(tmp_path)
    run_pseudolabel(config(tmp_path))
    with pytest.raises(UsageError, match="option --quality changed"):
        update(tmp_path, quality="fast")
    lock = OutputLock(tmp_path / "out/.vsodtool.lock")
    try:
        draw(tmp_path / "out/corrections/clip/00012.png", clip.truth[12])
        with pytest.raises(DeviceError, match="another run"):
            update(tmp_path)
    finally:
        lock.release()
    before = content(tmp_path / "out")
    cv2.imwrite(str(source / "00003.png"), clip.frames[4])
    with pytest.raises(DataError, match=r"the video 'clip' .* has changed since"):
        update(tmp_path)
    source.rename(tmp_path / "moved")
    with pytest.raises(DataError):
        update(tmp_path)
    assert content(tmp_path / "out") == before
    manifest = tmp_path / "out/manifest.json"
    manifest.write_text(manifest.read_text().replace('"pseudolabel"', '"predict"', 1))
    (tmp_path / "moved").rename(source)
    with pytest.raises(UsageError, match="was begun by the command 'predict'"):
        update(tmp_path)


def test_corrections_of_a_wrong_size_or_of_no_frame_are_refused(
    tmp_path: Path, clip: Any, source: Path
) -> None:
    run_pseudolabel(config(tmp_path))
    before = content(tmp_path / "out")
    path = tmp_path / "out/corrections/clip/00012.png"
    for wrong, message in ((np.zeros((3, 4)), "expected a mask of 56x40"), (None, "mask without a frame")):
        if wrong is None:
            path.rename(path.with_name("99999.png"))
        else:
            draw(path, wrong)
        with pytest.raises(DataError, match=message):
            update(tmp_path)
    assert content(tmp_path / "out") == before


def test_in_one_process_again_and_again(tmp_path: Path, clip: Any, source: Path) -> None:
    run_pseudolabel(config(tmp_path))
    with Updater(tmp_path / "out") as updater:
        assert updater.stale() == []
        draw(tmp_path / "out/corrections/clip/00012.png", clip.truth[12])
        assert updater.stale() == [
            StaleInterval("clip", "00009", "00012", 2),
            StaleInterval("clip", "00012", "00015", 2),
        ]
        heard: list[Event] = []
        report = updater.run(heard.append)
        assert report.videos[0].given == 4
        frames = [event for event in heard if event.kind == "frame"]
        assert {event.done for event in frames if event.done > 19} == {20, 21, 22, 23}
        assert updater.stale() == []
        draw(tmp_path / "out/corrections/clip/00000.png", clip.truth[0])
        draw(tmp_path / "out/corrections/clip/00001.png", clip.truth[1])
        assert updater.stale() == [
            StaleInterval("clip", "00000", "00000", 1),  # nothing lies beside it
            StaleInterval("clip", "00001", "00004", 2),
        ]
        updater.run()
        (tmp_path / "out/corrections/clip/00012.png").unlink()
        updater.run()
    assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path))


def test_after_a_failure_the_next_run_makes_what_is_left(tmp_path: Path, clip: Any, source: Path) -> None:
    """As in the page: the disk was full, room was made, and labels are made again with the same tools."""
    run_pseudolabel(config(tmp_path))

    def full(event: Event) -> None:
        if event.kind == "frame" and event.done > 19:
            raise DeviceError("no space left")

    with Updater(tmp_path / "out") as updater:
        draw(tmp_path / "out/corrections/clip/00012.png", clip.truth[12])
        with pytest.raises(DeviceError):
            updater.run(full)
        report = updater.run()
        assert report.videos[0].skipped == 0
        assert updater.stale() == []
    assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path))


def test_a_refused_video_among_others_is_told_to_the_page(
    tmp_path: Path, clip: Any, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = replace(run_pseudolabel(config(tmp_path)), not_made=["b"], losses=["b: no frame decodes"])
    monkeypatch.setattr("vsodtool.pipelines.update.label_videos", lambda *_, **__: report)
    with (
        Updater(tmp_path / "out") as updater,
        pytest.raises(DataError, match="not all videos could be made again: b: no frame decodes"),
    ):
        updater.run()


def test_a_folder_that_an_updater_cannot_take(tmp_path: Path, clip: Any, source: Path) -> None:
    with pytest.raises(UsageError, match="expected an output folder of pseudolabel, found none"):
        Updater(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        run_pseudolabel(config(tmp_path), generator=Counting(3))
    with pytest.raises(DataError, match="expected a finished run, found an unfinished one"):
        Updater(tmp_path / "out")


KILLED = """
import os, signal, sys
from pathlib import Path
from vsodtool.config import PseudoLabelConfig
from vsodtool.pipelines.densify.quality import rules
from vsodtool.pipelines.pseudolabel import run_pseudolabel

class Killed:
    name, wants, calls = "warp", rules("balanced").wants, 0
    def generate(self, evidence):
        self.calls += 1
        if self.calls == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return rules("balanced").generate(evidence)

at = Path(sys.argv[1])
run_pseudolabel(PseudoLabelConfig(
    inputs=(str(at / "clip"),), masks=(str(at / "masks"),), output=at / "out", device="cpu", workers=1,
    method="warp", backend="dis", soft=True, confidence=True, update=True,
), generator=Killed())
"""


def test_an_update_that_is_killed_goes_on(tmp_path: Path, clip: Any, source: Path) -> None:
    run_pseudolabel(config(tmp_path))
    draw(tmp_path / "out/masks/clip/00012.png", shifted(clip, 12))  # an edit, taken over before the kill
    draw(tmp_path / "out/corrections/clip/00009.png", shifted(clip, 9))
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), "7"], check=False)
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(DataError, match="masks of 'clip' changed"):
        run_pseudolabel(config(tmp_path))
    (tmp_path / "out/corrections/clip/00009.png").unlink()  # the user changes his mind meanwhile
    update(tmp_path)
    assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path))


def test_a_video_file_that_stays_open(tmp_path: Path, clip: Any) -> None:
    """Its frames are decoded once; what is made of them is the same."""
    clip.write_masks(tmp_path / "masks", LABELLED, 1)
    clip.write_video(tmp_path / "clip.mp4")
    options = {"inputs": (str(tmp_path / "clip.mp4"),), "overlay": True}
    run_pseudolabel(config(tmp_path, **options))
    with Updater(tmp_path / "out") as updater:
        for index in (12, 2, 9):
            draw(tmp_path / f"out/corrections/clip/{index:05d}.png", shifted(clip, index))
            updater.run()
            assert updater.stale() == []
            assert not (tmp_path / "out/overlay/clip.mp4").exists()  # not while somebody waits
        assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path), **options)
    overlays = [(tmp_path / name / "overlay/clip.mp4").read_bytes() for name in ("out", "fresh")]
    assert overlays[0] == overlays[1]


def test_a_labelled_frame_that_does_not_decode(tmp_path: Path, clip: Any, source: Path) -> None:
    (source / "00009.png").write_bytes((source / "00009.png").read_bytes()[:300])
    run_pseudolabel(config(tmp_path))
    draw(tmp_path / "out/corrections/clip/00015.png", shifted(clip, 15))
    made, _ = update(tmp_path)
    assert set(made) == {*range(5, 9), *range(10, 15), *range(16, 23)}
    assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path))
    (tmp_path / "masks/00009.png").unlink()  # then there is nothing of that frame
    update(tmp_path)
    assert not (tmp_path / "out/masks/clip/00009.png").exists()
    assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path))


def test_other_videos_keep_their_bytes_and_times(tmp_path: Path, clip: Any, source: Path) -> None:
    shutil.copytree(source, tmp_path / "all/a")
    shutil.copytree(source, tmp_path / "all/b")
    for video in ("a", "b"):
        clip.write_masks(tmp_path / "of" / video, LABELLED, 1)
    options = {"inputs": (str(tmp_path / "all"),), "overlay": True}
    run_pseudolabel(config(tmp_path, masks=(str(tmp_path / "of"),), **options))
    out = tmp_path / "out"
    kept = [*(out / "masks/a").iterdir(), out / "overlay/a.mp4"]
    before = {path: path.stat().st_mtime_ns for path in kept}
    overlay = (out / "overlay/b.mp4").read_bytes()
    draw(out / "corrections/b/00012.png", shifted(clip, 12))
    made, told = update(tmp_path, masks=(str(tmp_path / "of"),), **options)
    assert set(made) == {10, 11, 13, 14}
    assert any("b: 4 frames in 2 intervals to make again" in line for line in told)
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert (out / "overlay/b.mp4").read_bytes() != overlay


def of_two_videos(
    tmp_path: Path, clip: Any, source: Path, **options: Any
) -> tuple[dict[str, Any], list[Path]]:
    """A finished run of the video b; since, the video a has come, or got masks.

    Returns:
        The options of the run, and what was made of b.
    """
    shutil.copytree(source, tmp_path / "all/b")
    clip.write_masks(tmp_path / "of/b", LABELLED, 1)
    if options.get("only_masked"):
        shutil.copytree(source, tmp_path / "all/a")
    chosen = {
        "inputs": (str(tmp_path / "all"),),
        "masks": (str(tmp_path / "of"),),
        "overlay": True,
        **options,
    }
    run_pseudolabel(config(tmp_path, **chosen))
    shutil.copytree(source, tmp_path / "all/a", dirs_exist_ok=True)
    draw(tmp_path / "of/a/00003.png", clip.truth[3])
    kept = [
        path
        for path in (tmp_path / "out").rglob("*")
        if path.is_file() and "b" in (path.parent.name, path.stem)
    ]
    assert len(kept) == 3 * len(clip.truth) + 1
    return chosen, kept


@pytest.mark.parametrize("only_masked", [True, False])
def test_a_video_that_is_new_is_made_in_addition(
    tmp_path: Path, clip: Any, source: Path, only_masked: bool
) -> None:
    options, kept = of_two_videos(tmp_path, clip, source, only_masked=only_masked)
    out = tmp_path / "out"
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in kept}
    manifest = (out / "manifest.json").read_bytes()
    with pytest.raises(DataError, match="begun without the video 'a'") as caught:
        run_pseudolabel(config(tmp_path, **options))  # not unasked
    assert "--update" in caught.value.hint
    told: list[str] = []
    run_pseudolabel(
        config(tmp_path, update=True, dry_run=True, **options),
        on_event=lambda event: told.append(event.message),
    )
    assert "a: 22 frames in 2 intervals to make, a new video" in told
    assert (out / "manifest.json").read_bytes() == manifest
    # Interrupted, it goes on.
    with pytest.raises(KeyboardInterrupt):
        update(tmp_path, Counting(8), **options)
    assert json.loads((out / "manifest.json").read_text())["status"] == "updating"
    made, told = update(tmp_path, **options)
    assert 0 < len(made) <= 22 - 3  # the three frames before the mask were made whole
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in kept} == before
    assert content(out) == fresh(
        tmp_path, [tmp_path / "of"], **{k: v for k, v in options.items() if k != "masks"}
    )
    told.clear()
    now, anew = (json.loads((tmp_path / each / "manifest.json").read_text()) for each in ("out", "fresh"))
    for key in ("status", "inputs", "videos", "choices", "cuts", "doubts"):
        assert now[key] == anew[key], key
    run_pseudolabel(config(tmp_path, **options), on_event=lambda event: told.append(event.message))
    assert any("nothing left to do" in line for line in told)


def test_an_unfinished_run_is_not_told_to_take_a_new_video_by_update(
    tmp_path: Path, clip: Any, source: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_pseudolabel(config(tmp_path), generator=Counting(3))
    clip.write_folder(tmp_path / "more/clip2")
    options = {
        "inputs": (str(tmp_path / "clip"), str(tmp_path / "more/clip2")),
        "masks": (str(tmp_path / "of"),),
    }
    for video in ("clip", "clip2"):
        clip.write_masks(tmp_path / "of" / video, LABELLED, 1)
    with pytest.raises(DataError, match="begun without the video 'clip2'") as caught:
        run_pseudolabel(config(tmp_path, **options))
    assert "--update" not in caught.value.hint  # which would be refused
    with pytest.raises(DataError, match="found an unfinished one") as caught:
        update(tmp_path, **options)
    assert "that it was begun with" in caught.value.hint


def test_a_video_that_lost_its_masks_keeps_its_labels(tmp_path: Path, clip: Any, source: Path) -> None:
    options, _ = of_two_videos(tmp_path, clip, source, only_masked=True)
    update(tmp_path, **options)
    before = content(tmp_path / "out")
    shutil.move(tmp_path / "of/b", tmp_path / "put away")
    for also in (True, False):
        with pytest.raises(
            DataError, match="'b', which is not among the inputs now or has no mask any more"
        ) as caught:
            run_pseudolabel(config(tmp_path, update=also, **options))
        assert "give it a mask again" in caught.value.hint
    assert content(tmp_path / "out") == before
    shutil.move(tmp_path / "put away", tmp_path / "of/b")
    assert update(tmp_path, **options)[0] == []


@pytest.mark.parametrize("method", ["auto", "fgplg"])
def test_the_method_stays(tmp_path: Path, clip: Any, source: Path, method: str) -> None:
    """Also where the labels now would choose another one; the network is the same in the same process."""
    report = run_pseudolabel(config(tmp_path, method=method, quality="fast"))
    chosen = report.videos[0].method
    draw(tmp_path / "out/corrections/clip/00012.png", clip.truth[12])
    told: list[str] = []
    dry = config(tmp_path, method=method, quality="fast", update=True, dry_run=True)
    assert run_pseudolabel(dry, on_event=lambda event: told.append(event.message)).videos[0].method == chosen
    assert any("4 frames in 2 intervals to make again" in line for line in told)
    assert not any("tried on" in line for line in told)
    with Updater(tmp_path / "out") as updater:
        updater.prepare()
        again = updater.run()
    assert again.videos[0].method == chosen
    assert again.videos[0].hidden_j == report.videos[0].hidden_j
    assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path), method=chosen, quality="fast")


@pytest.mark.parametrize("chosen", ["warp", "fgplg"])
def test_what_auto_chose_comes_out_as_by_that_method(
    tmp_path: Path, clip: Any, source: Path, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    """But for what is followed far from masks, which `--method warp` never is."""
    monkeypatch.setattr(trial, "decide", lambda *_, **__: MethodChoice(chosen, [], {}, "told so"))
    report = run_pseudolabel(config(tmp_path, method="auto", quality="fast", track="off"))
    assert report.videos[0].method == chosen
    alone = fresh(tmp_path, places(tmp_path), method=chosen, quality="fast", track="off")
    assert content(tmp_path / "out") == alone


def test_edits_of_many_kinds_become_corrections(tmp_path: Path, film: Film) -> None:
    """Masks of one object: a paint program may store them as it likes."""
    clip = film(PAN[:8])
    clip.write_folder(tmp_path / "clip")
    clip.write_masks(tmp_path / "masks", (1, 4, 7))
    run_pseudolabel(config(tmp_path))
    path = tmp_path / "out/masks/clip/00004.png"  # one that was given
    drawn = np.zeros((*clip.truth[4].shape, 3), np.uint8)
    drawn[clip.truth[4] > 0] = (30, 200, 90)
    drawn[:3, :3] = (30, 200, 90)
    cv2.imwrite(str(path), drawn)
    made, _ = update(tmp_path)
    assert set(made) == {2, 3, 5, 6}
    written = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert written.ndim == 2
    assert np.array_equal(written > 0, drawn.any(axis=2))
    assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path))


def test_an_output_named_by_a_way_up(
    tmp_path: Path, clip: Any, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    run_pseudolabel(config(tmp_path, output=Path("../out")))
    draw(Path("../out/masks/clip/00012.png"), clip.truth[12])
    assert set(update(tmp_path, output=Path("../out"))[0]) == {10, 11, 13, 14}


def test_overwriting_leaves_corrections_out_and_says_so(tmp_path: Path, clip: Any, source: Path) -> None:
    run_pseudolabel(config(tmp_path))
    draw(tmp_path / "out/masks/clip/00012.png", clip.truth[12])
    told: list[str] = []
    for overwrite in (False, True, False):
        run_pseudolabel(
            config(tmp_path, overwrite=overwrite), on_event=lambda event: told.append(event.message)
        )
    assert [line.split(":")[0] for line in told if "by hand" in line] == [
        "1 mask was edited by hand and left as it is",
        "1 mask was edited by hand and moved to the corrections",
    ]
    assert sum("corrections are left out: --update takes them" in line for line in told) == 1
    update(tmp_path, overwrite=True)  # everything anew, with the corrections
    assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path))


def test_ids_of_an_annotation_file_stay_what_corrections_say(tmp_path: Path, film: Film) -> None:
    """A new object that is seen first would be the first one, and a corrected dog a ball."""
    clip = film([(2, 1)] * 8, objects={1: (72, 78, 12, 9), 2: (78, 90, 10, 12)})
    clip.write_folder(tmp_path / "clip")
    path = tmp_path / "annotations.json"

    def annotate(*names: str) -> None:
        frames = []
        for number in (0, 4, 8):
            truth = clip.truth[number].copy()
            truth[:3, :4] = 3
            at = {"dog": 1, "hound": 1, "ball": 2, "bird": 3}
            shapes = [
                Shape(name, lambda _, mask=truth == at[name]: mask, "made")  # type: ignore[misc]
                for name in names
            ]
            frames.append(FrameLabels(FrameKey(f"{number:05d}.png", number, truth.shape), tuple(shapes)))
        made = Annotations("made", "coco", (VideoLabels("clip", tuple(frames)),), tuple(map(Category, names)))
        path.write_text("".join(write_coco(made, polygons=False)), "utf-8")

    annotate("dog", "ball")
    options = {"masks": (str(path),), "allow_misfit": True}
    run_pseudolabel(config(tmp_path, **options))
    drawn = tmp_path / "out/masks/clip/00006.png"
    edited = np.asarray(Image.open(drawn)).copy()
    edited[-3:, -4:] = 1
    image = Image.fromarray(edited, "P")
    image.putpalette(Image.open(drawn).getpalette() or [])
    image.save(drawn)

    annotate("bird", "dog", "ball")
    update(tmp_path, **options)
    np.testing.assert_array_equal(np.asarray(Image.open(drawn)), edited)
    given = np.asarray(Image.open(tmp_path / "out/masks/clip/00004.png"))
    assert (given[clip.truth[4] == 1] == 1)[3:].all()
    assert np.unique(given[:3, :4]).tolist() == [3]
    told = json.loads((tmp_path / "out/objects.json").read_text("utf-8"))["videos"]["clip"]
    assert {entry["id"]: entry["name"] for entry in told} == {1: "dog", 2: "ball", 3: "bird"}
    # The same command without a word goes on from there.
    (tmp_path / "out/corrections/clip/00006.png").unlink()
    assert update(tmp_path, **options)[1]
    assert run_pseudolabel(config(tmp_path, **options)).videos[0].generated == 6

    annotate("bird", "hound", "ball")
    _, said = update(tmp_path, **options)
    assert "clip: id 1 was 'dog' before, it is 'hound' now" in said


COLOURS = ((0, 0, 0), (200, 0, 0), (0, 0, 200))


def indexed(tmp_path: Path, clip: Any) -> Path:
    """The same clip with masks of a palette, and a run of them: the mask of a frame that it made."""
    shutil.rmtree(tmp_path / "masks")
    (tmp_path / "masks").mkdir()
    palette = Palette(bytes(value for colour in COLOURS for value in colour))
    for index in LABELLED:
        data = encode_plane_png(clip.truth[index].astype(np.uint8), palette)
        (tmp_path / f"masks/{index:05d}.png").write_bytes(data)
    run_pseudolabel(config(tmp_path))
    return tmp_path / "out/masks/clip/00012.png"


def save_as_rgb(path: Path, labels: Any, red: int = 200) -> None:
    pixels = np.array(COLOURS, np.uint8)[labels]
    pixels[:2, :3] = (red, 0, 0)
    Image.fromarray(pixels).save(path)


def test_an_edit_in_the_colours_of_the_palette_is_of_its_ids(tmp_path: Path, clip: Any, source: Path) -> None:
    edited = indexed(tmp_path, clip)
    save_as_rgb(edited, clip.truth[12])
    made, _ = update(tmp_path)
    assert set(made) == {10, 11, 13, 14}
    ids = clip.truth[12].copy()
    ids[:2, :3] = 1
    for path in (edited, tmp_path / "out/masks/clip/00013.png"):
        assert read_raw_mask(path).container == "palette"
    np.testing.assert_array_equal(read_raw_mask(edited).values, ids)
    assert content(tmp_path / "out") == fresh(tmp_path, places(tmp_path))
    assert update(tmp_path)[0] == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_edit_that_cannot_be_used_is_refused_before_it_is_moved(
    tmp_path: Path, clip: Any, source: Path, dry_run: bool
) -> None:
    edited = indexed(tmp_path, clip)
    save_as_rgb(edited, clip.truth[12], red=201)
    before = content(tmp_path / "out")
    with pytest.raises(DataError, match=r"out/masks/clip/00012\.png: expected a palette mask") as caught:
        update(tmp_path, dry_run=dry_run)
    assert "save it as indexed" in caught.value.hint
    assert content(tmp_path / "out") == before
    assert not (tmp_path / "out/corrections").exists()
    save_as_rgb(edited, clip.truth[12])
    update(tmp_path)


def test_what_a_mask_drawn_on_in_the_output_changes_is_foretold(
    tmp_path: Path, clip: Any, source: Path
) -> None:
    run_pseudolabel(config(tmp_path))
    with Updater(tmp_path / "out") as updater:
        assert updater.stale() == []
        draw(tmp_path / "out/masks/clip/00012.png", clip.truth[12])
        foretold = [
            StaleInterval("clip", "00009", "00012", 2),
            StaleInterval("clip", "00012", "00015", 2),
        ]
        assert updater.stale() == foretold
        assert not (tmp_path / "out/corrections").exists()
        told: list[str] = []
        report = run_pseudolabel(
            config(tmp_path, update=True, dry_run=True), on_event=lambda event: told.append(event.message)
        )
        assert (report.videos[0].given, report.videos[0].generated) == (4, 19)
        assert "clip: 4 frames in 2 intervals to make again" in told
        assert updater.stale() == foretold
        updater.run()
        assert updater.stale() == []


@pytest.mark.parametrize("options", [{}, {"update": True}, {"overwrite": True}])
def test_a_mask_saved_in_another_size_is_told_and_kept(
    tmp_path: Path, clip: Any, source: Path, options: dict[str, bool]
) -> None:
    run_pseudolabel(config(tmp_path))
    before = content(tmp_path / "out")
    draw(tmp_path / "out/masks/clip/00012.png", np.kron(clip.truth[12], np.ones((2, 2))))
    saved = (tmp_path / "out/masks/clip/00012.png").read_bytes()
    told: list[Event] = []
    run_pseudolabel(config(tmp_path, **options), on_event=told.append)
    assert [event.message for event in told if event.kind == "warning" and "00012" in event.message] == [
        "masks/clip/00012.png: 112x80, expected 56x40: made again; "
        "what lay there is corrections/.earlier/clip/00012.1.png now"
    ]
    assert content(tmp_path / "out") == before
    assert (tmp_path / "out/corrections/.earlier/clip/00012.1.png").read_bytes() == saved


def test_a_dry_run_names_the_flow_in_the_words_of_the_run(tmp_path: Path, clip: Any, source: Path) -> None:
    foretold = run_pseudolabel(config(tmp_path, dry_run=True)).flow
    made = run_pseudolabel(config(tmp_path)).flow
    assert made != "dis"
    assert foretold == made == run_pseudolabel(config(tmp_path, update=True, dry_run=True)).flow
