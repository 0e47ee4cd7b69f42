"""`--method auto` gives each video the method that makes its hidden labels best."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import UsageError
from vsodtool.media.video import frame_store
from vsodtool.ops.boxes import whole
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.method import Wants
from vsodtool.pipelines.densify.quality import rules
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.types import Event, Size

PAN = [(2, 1), (1, 0), (-1, 1), (2, -1), (1, 1), (1, -1), (-2, 0), (1, 1), (0, -1), (1, 0), (2, 1)]
SMALL, LARGE = (40, 56), (44, 60)
GIVEN = [0, 3, 7, 11]
HIDDEN = ["00003", "00007"]
Film = Callable[..., Any]


class RightOn:
    """Right on frames of one size; on others it finds nothing. Counted; `stop_after` calls, Ctrl-C comes."""

    def __init__(self, name: str, size: Size, *, wants: Wants = Wants.BOXES, stop_after: int = 10**9) -> None:
        self.name, self.wants = name, wants
        self._size, self._stop_after, self._lock = size, stop_after, threading.Lock()
        self.indices: list[int] = []

    def generate(self, evidence: Evidence) -> SoftLabel:
        with self._lock:
            self.indices.append(evidence.index)
            if len(self.indices) > self._stop_after:
                raise KeyboardInterrupt
        made = rules("balanced").generate(evidence)
        if evidence.rgb.shape[:2] == self._size:
            return made
        # Wrong everywhere. Nothing at all would not do: an object that both labels show is looked for again.
        wrong = (made.labels <= 0.5).to(made.labels.dtype)
        return evidence.answer(wrong, torch.ones_like(made.trust))


def candidates(**options: Any) -> list[RightOn]:
    return [RightOn("small", SMALL, **options), RightOn("large", LARGE, **options)]


def config(tmp_path: Path, *sources: Path, **options: Any) -> PseudoLabelConfig:
    given = {
        "inputs": tuple(str(source) for source in sources) or (str(tmp_path / "videos"),),
        "masks": tmp_path / "masks",
        "output": tmp_path / "out",
        "device": "cpu",
        "workers": 2,
        **options,
    }
    return PseudoLabelConfig(**given)


def set_up(tmp_path: Path, film: Film, labelled: Sequence[int] = GIVEN, **scene: Any) -> dict[str, Any]:
    """Two videos in folders, and what they show."""
    clips = {"one": film(PAN, size=SMALL, **scene), "two": film(PAN, size=LARGE, **scene)}
    for name, clip in clips.items():
        clip.write_folder(tmp_path / "videos" / name)
        clip.write_masks(tmp_path / "masks" / name, labelled)
    return clips


def tree(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def choices(out: Path) -> Any:
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    return manifest["choices"]


def check(out: Path, name: str, clip: Any) -> None:
    for index, truth in enumerate(clip.truth):
        found = cv2.imread(str(out / f"masks/{name}/{index:05d}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(found, truth * 255)


ONE_OBJECT: dict[str, Any] = {"objects": {}, "objects_j": {}}
EXPECTED = {
    "one": {
        "method": "small",
        "hidden": HIDDEN,
        "hidden_j": {"small": 1.0, "large": 0.0},
        "reason": "no other method was clearly better on the hidden labels",
        **ONE_OBJECT,
    },
    "two": {
        "method": "large",
        "hidden": HIDDEN,
        "hidden_j": {"small": 0.0, "large": 1.0},
        "reason": "clearly better on the hidden labels",
        **ONE_OBJECT,
    },
}


@pytest.mark.parametrize(
    "wants",
    [(Wants.BOXES, Wants.BOXES), (Wants.FRAMES, Wants.FRAMES), (Wants.BOXES, Wants.FRAMES)],
)
def test_each_video_gets_the_method_that_is_right_there(
    tmp_path: Path, film: Film, exact: Any, wants: tuple[Wants, Wants]
) -> None:
    clips = set_up(tmp_path, film)
    events: list[Event] = []
    tried = [
        RightOn(name, size, wants=wanted)
        for name, size, wanted in zip(("small", "large"), (SMALL, LARGE), wants, strict=True)
    ]
    report = run_pseudolabel(config(tmp_path), estimator=exact, candidates=tried, on_event=events.append)
    for name, clip in clips.items():
        check(tmp_path / "out", name, clip)
    assert choices(tmp_path / "out") == EXPECTED
    assert report.method == "auto"
    assert [(video.method, video.hidden_j, video.hidden) for video in report.videos] == [
        (choice["method"], choice["hidden_j"], choice["hidden"]) for choice in EXPECTED.values()
    ]
    # Of the video that it lost, a method made the hidden frames and no other.
    filled = sorted(set(range(12)) - set(GIVEN))
    assert [sorted(method.indices) for method in tried] == [sorted([*filled, 3, 3, 7, 7])] * 2
    told = [event.message for event in events if event.kind == "notice"]
    assert "method: auto (small or large), flow: exact-translation" in told
    assert any(
        event.video == "two" and event.message.startswith("method large, clearly better") for event in events
    )
    assert json.loads((tmp_path / "out/manifest.json").read_text())["config"]["method"] == "auto"


def test_a_video_file(tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = film(PAN, size=LARGE)
    source = clip.write_video(tmp_path / "two.mp4")
    clip.write_masks(tmp_path / "masks", GIVEN)
    made = {}
    for name, held in (("short", frame_store.HELD_BYTES), ("long", 1)):
        monkeypatch.setattr(frame_store, "HELD_BYTES", held)
        options = config(tmp_path, source, output=tmp_path / name, backend="dis")
        run_pseudolabel(options, candidates=candidates())
        made[name] = tree(tmp_path / name), choices(tmp_path / name)
        assert not list((tmp_path / name).glob(".vsodtool-spill*"))
    assert made["long"] == made["short"]
    (choice,) = made["short"][1].values()
    assert (choice["method"], choice["hidden"]) == ("large", HIDDEN)
    assert choice["hidden_j"]["large"] > 0.5


def test_several_objects(tmp_path: Path, film: Film, exact: Any) -> None:
    objects = {3: (72, 78, 12, 9), 9: (78, 87, 10, 12)}
    clip = film(PAN, size=LARGE, objects=objects)
    clip.write_folder(tmp_path / "clip")
    clip.write_masks(tmp_path / "masks", GIVEN, 1)

    class Swapping(RightOn):
        """Takes one object for the other."""

        def generate(self, evidence: Evidence) -> SoftLabel:
            made = super().generate(evidence)
            swapped = (made.labels.flip(1) > 0.5).float()  # sure of it: else colours would settle it
            return evidence.answer(swapped, torch.ones_like(made.trust))

    tried = [Swapping("swapping", LARGE), RightOn("large", LARGE)]
    report = run_pseudolabel(config(tmp_path, tmp_path / "clip"), estimator=exact, candidates=tried)
    assert report.videos[0].hidden_j == {"swapping": 0.0, "large": 1.0}
    for index, truth in enumerate(clip.truth):
        found = cv2.imread(str(tmp_path / f"out/masks/clip/{index:05d}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(found, truth)


class RightOnOne(RightOn):
    """Right on one object only, by channel; the other it has everywhere but where it is."""

    def __init__(self, name: str, channel: int) -> None:
        super().__init__(name, LARGE)
        self._channel = channel

    def generate(self, evidence: Evidence) -> SoftLabel:
        made = super().generate(evidence)
        asked = torch.tensor(evidence.present).view(1, -1, 1, 1)
        labels = (made.labels > 0.5).float() * asked
        other = 1 - self._channel
        labels[:, other] = (1 - made.labels.sum(dim=1)).round() if evidence.present[other] else 0
        return evidence.answer(labels, torch.ones_like(made.trust))


class Walks:
    """Walks through the interval with empty hands."""

    name = "walks"
    wants = Wants.INTERVAL

    def walk(
        self,
        interval: Interval,
        workers: Workers,
        on_label: Callable[[SoftLabel], None],
        on_seen: Callable[[int], None],
    ) -> None:
        nothing = torch.zeros_like(interval.known.labels)
        for index in interval.targets:
            on_label(SoftLabel(index, interval.size, whole(interval.size), nothing, nothing[:, :1]))


def test_each_object_gets_the_method_that_is_right_on_it(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film(PAN, size=LARGE, objects={3: (72, 74, 12, 9), 9: (78, 90, 10, 12)})
    clip.write_folder(tmp_path / "clip")
    clip.write_masks(tmp_path / "masks", GIVEN, 1)
    tried = [RightOnOne("first", 0), RightOnOne("second", 1)]
    walks = Walks()  # it may be chosen for the whole video, never for an object
    report = run_pseudolabel(config(tmp_path, tmp_path / "clip"), estimator=exact, candidates=[*tried, walks])
    video = report.videos[0]
    assert set(video.hidden_j) == {"first", "second", "walks"}
    assert video.objects == {"3": "first", "9": "second"}
    assert video.objects_j == {"3": {"first": 1.0, "second": 0.0}, "9": {"first": 0.0, "second": 1.0}}
    assert choices(tmp_path / "out")["clip"]["objects"] == video.objects
    for index, truth in enumerate(clip.truth):
        found = cv2.imread(str(tmp_path / f"out/masks/clip/{index:05d}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(found, truth)
    for tool in tried:
        tool.indices.clear()
    (tmp_path / "out/masks/clip/00005.png").unlink()  # a run that goes on keeps to it
    run_pseudolabel(config(tmp_path, tmp_path / "clip"), estimator=exact, candidates=[*tried, walks])
    found = cv2.imread(str(tmp_path / "out/masks/clip/00005.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(found, clip.truth[5])
    assert {5} <= set(tried[0].indices) == set(tried[1].indices)
    assert not {1, 2, 8, 9}.intersection(tried[0].indices)


@pytest.mark.parametrize(
    ("labelled", "scene", "reason"),
    [
        ([0, 11], {}, "fewer than 3 labelled frames"),
        (range(12), {}, "every frame is labelled"),
        (GIVEN, {"objects": {}}, "no label beside a hidden one shows an object"),
    ],
)
def test_where_nothing_can_be_tried_the_default_decides(
    tmp_path: Path, film: Film, labelled: Sequence[int], scene: dict[str, Any], reason: str
) -> None:
    set_up(tmp_path, film, labelled, **scene)
    first, second = candidates()
    report = run_pseudolabel(config(tmp_path, backend="dis", quality="fast"), candidates=[second, first])
    assert first.indices == []
    expected = {"method": "large", "hidden": [], "hidden_j": {}, "reason": reason, **ONE_OBJECT}
    assert choices(tmp_path / "out") == {"one": expected, "two": expected}
    assert [(video.method, video.hidden_j) for video in report.videos] == [("large", {})] * 2


def test_one_candidate_hides_nothing(tmp_path: Path, film: Film, exact: Any) -> None:
    clips = set_up(tmp_path, film)
    only = RightOn("large", LARGE)
    report = run_pseudolabel(config(tmp_path), estimator=exact, candidates=[only])
    assert sorted(only.indices) == sorted(2 * list(set(range(12)) - set(GIVEN)))
    check(tmp_path / "out", "two", clips["two"])
    assert choices(tmp_path / "out") == {}
    assert report.method == "large"
    plain = run_pseudolabel(config(tmp_path, output=tmp_path / "plain", method="warp"), estimator=exact)
    assert (plain.method, plain.videos[0].method, plain.videos[0].hidden_j) == ("warp", "warp", {})


# 4 calls try both methods on the two hidden labels of a video; 8 make its other frames.
@pytest.mark.parametrize("stop_after", [0, 1, 2, 5, 9, 11])
def test_an_interrupted_run_comes_to_the_same_result(
    tmp_path: Path, film: Film, exact: Any, stop_after: int
) -> None:
    set_up(tmp_path, film)
    run_pseudolabel(config(tmp_path, output=tmp_path / "whole"), estimator=exact, candidates=candidates())
    with pytest.raises(KeyboardInterrupt):
        run_pseudolabel(config(tmp_path), estimator=exact, candidates=candidates(stop_after=stop_after))
    again = candidates()
    report = run_pseudolabel(config(tmp_path), estimator=exact, candidates=again)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert choices(tmp_path / "out") == choices(tmp_path / "whole") == EXPECTED
    assert [video.hidden for video in report.videos] == [HIDDEN, HIDDEN]
    if stop_after >= 5:  # the choice for the first video stood in the journal, the second was not begun
        assert all(method.indices.count(3) == 1 for method in again)


def test_a_choice_once_made_is_held_to(tmp_path: Path, film: Film, exact: Any) -> None:
    set_up(tmp_path, film)
    run_pseudolabel(config(tmp_path), estimator=exact, candidates=candidates())
    before = tree(tmp_path / "out")
    (tmp_path / "out/masks/two/00005.png").unlink()
    again = candidates()
    report = run_pseudolabel(config(tmp_path), estimator=exact, candidates=again)
    assert [sorted(method.indices) for method in again] == [[], [4, 5, 6]]
    assert tree(tmp_path / "out") == before
    assert choices(tmp_path / "out") == EXPECTED
    assert [video.method for video in report.videos] == ["small", "large"]
    report = run_pseudolabel(config(tmp_path), estimator=exact, candidates=candidates())
    assert [video.hidden_j for video in report.videos] == [each["hidden_j"] for each in EXPECTED.values()]


def test_shards_choose_for_their_own_videos(tmp_path: Path, film: Film, exact: Any) -> None:
    set_up(tmp_path, film)
    run_pseudolabel(config(tmp_path, output=tmp_path / "whole"), estimator=exact, candidates=candidates())
    for shard in ("1/2", "2/2"):
        report = run_pseudolabel(config(tmp_path, shard=shard), estimator=exact, candidates=candidates())
        assert len(report.videos) == 1
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert choices(tmp_path / "out") == EXPECTED


def test_another_method_is_another_run(tmp_path: Path, film: Film, exact: Any) -> None:
    set_up(tmp_path, film)
    run_pseudolabel(config(tmp_path), estimator=exact, candidates=candidates())
    with pytest.raises(UsageError, match=r"--method changed: .* with 'auto', now it is 'large'"):
        run_pseudolabel(config(tmp_path), estimator=exact, generator=RightOn("large", LARGE))


def test_a_dry_run_says_what_would_be_tried(tmp_path: Path, film: Film, exact: Any) -> None:
    set_up(tmp_path, film)
    for index in GIVEN[2:]:
        (tmp_path / f"masks/two/{index:05d}.png").unlink()
    events: list[Event] = []
    tried = candidates()
    report = run_pseudolabel(
        config(tmp_path, dry_run=True), estimator=exact, candidates=tried, on_event=events.append
    )
    told = {event.video: event.message for event in events if event.video}
    assert told == {
        "one": "small or large, tried on the hidden labels 00003, 00007",
        "two": "method small, fewer than 3 labelled frames",
    }
    assert [(video.method, video.hidden) for video in report.videos] == [("", HIDDEN), ("small", [])]
    assert sorted(tried[0].indices) == [1, 2]  # the first interval, by the default, for the time it takes
    assert tried[1].indices == []
    (about,) = [event.message for event in events if event.message.startswith("about ")]
    assert "2 frames of one took" in about
    assert all(video.seconds > 0 for video in report.videos)
    assert not (tmp_path / "out").exists()


def test_a_dry_run_names_what_is_hidden_in_doubt_too(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film([(1, 0)] * 24)
    clip.write_folder(tmp_path / "videos/clip")
    clip.write_masks(tmp_path / "masks/clip", range(0, 25, 3))
    for cuts in ("auto", "none"):
        events: list[Event] = []
        report = run_pseudolabel(
            config(tmp_path, dry_run=True, cuts=cuts),
            estimator=exact,
            candidates=candidates(),
            on_event=events.append,
        )
        (video,) = report.videos
        more = ["00003", "00009", "00015", "00021"]
        assert (video.hidden, video.hidden_in_doubt) == (["00006", "00018"], more)
        told = [event.message for event in events]
        tried = f"tried on the hidden labels 00006, 00018; in doubt also on {', '.join(more)}"
        assert f"small or large, {tried}" in told
        caveat = "videos are not searched for cuts now: where there are some, other labels may be hidden"
        assert (caveat in told) == (cuts == "auto")
