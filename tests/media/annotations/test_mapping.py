"""Which frame is meant: names, numbers, places, and what is refused because nobody can know."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.media.annotations.mapping import MatchRule, match_annotations
from vsodtool.media.annotations.model import Annotations, FrameKey, FrameLabels, Shape, VideoLabels
from vsodtool.types import Size

SHAPE = Shape("dog", lambda size: np.ones(size, bool), "file: shape")


@dataclass(frozen=True)
class Clip:
    names: tuple[str, ...]
    name: str = "clip"
    is_file: bool = False
    size: Size | None = (4, 6)


def numbered(count: int, **more: object) -> Clip:
    return Clip(tuple(f"{number:05d}" for number in range(count)), **more)  # type: ignore[arg-type]


def labels(*keys: FrameKey, name: str = "", length: int | None = None, shapes: bool = True) -> VideoLabels:
    frames = tuple(FrameLabels(key, (SHAPE,) if shapes else ()) for key in keys)
    return VideoLabels(name, frames, length)


def found(
    clip: Clip, *keys: FrameKey, rule: MatchRule | None = None, **more: object
) -> tuple[list[str], str]:
    video = labels(*keys, **more)  # type: ignore[arg-type]
    matched = match_annotations(Annotations("file", "made", (video,)), [clip], rule or MatchRule()).videos[
        "clip"
    ]
    return list(matched.frames), matched.rule


@pytest.mark.parametrize(
    ("clip", "key", "frame", "rule"),
    [
        (Clip(("a", "b")), FrameKey("b.png"), "b", "by name"),
        (Clip(("a", "b")), FrameKey("some\\where\\b.png"), "b", "by name"),
        (Clip(("B", "b")), FrameKey("b.png"), "b", "by name"),
        (Clip(("img.v2", "b")), FrameKey("img.v2.jpg"), "img.v2", "by name"),
        (Clip(("a", "b")), FrameKey("0a1b2c3d-b.png"), "b", "by name, without the upload's prefix"),
        (Clip(("000007", "b")), FrameKey("frame_000007.png"), "000007", "by name, without frame_"),
        (Clip(("x", "y", "z")), FrameKey("frame_000002.png"), "z", "by number"),  # a place, not a name
        (Clip(("x", "y", "z")), FrameKey("", 1), "y", "by number"),
        (numbered(9, is_file=True), FrameKey("frame_000007"), "00007", "by number"),
        (numbered(9, is_file=True), FrameKey("a1b2c3d4-video-8.png"), "00008", "by number"),
        (
            numbered(9, is_file=True),
            FrameKey("whatever_3.png", 5),
            "00005",
            "by number",
        ),  # what is stated counts
    ],
)
def test_one_entry_finds_its_frame(clip: Clip, key: FrameKey, frame: str, rule: str) -> None:
    assert found(clip, key) == ([frame], rule)


def of_task(*names: str, numbers: tuple[int, ...] | None = None) -> list[FrameKey]:
    """Images as CVAT lists them: with their places in the task."""
    places = numbers or range(len(names))
    return [FrameKey(name, number, in_task=True) for name, number in zip(names, places, strict=True)]


FILE = numbered(9, is_file=True)


def test_images_of_some_frames_of_a_video_file_are_found_by_the_numbers_in_their_names() -> None:
    names = ("00001.png", "00004.png", "00007.png")
    assert found(FILE, *of_task(*names)) == (["00001", "00004", "00007"], "by the number in the name")
    assert found(FILE, *of_task("00004.png"))[0] == ["00004"]
    by_hand = MatchRule("number")
    assert found(FILE, *of_task(*names), rule=by_hand) == (["00000", "00001", "00002"], "by number")


def test_places_in_a_task_are_those_of_frames_where_the_task_has_all_of_them() -> None:
    keys = of_task(*(f"{number + 1:05d}.png" for number in range(9)))  # as ffmpeg calls them
    everything = ([f"{number:05d}" for number in range(9)], "by number")
    assert found(FILE, *keys) == everything
    folder = Clip(tuple("abcdefghi"))
    assert found(folder, *keys) == (list("abcdefghi"), "by number")
    video = of_task("frame_000003", "frame_000007", numbers=(3, 7))
    assert found(FILE, *video) == (["00003", "00007"], "by number")


def test_every_second_frame_of_a_video_in_a_task_of_cvat_is_found_by_its_name() -> None:
    keys = of_task("frame_000000", "frame_000002", "frame_000004")
    assert found(FILE, *keys)[0] == ["00000", "00002", "00004"]
    assert found(Clip(tuple("abcdefghi")), *keys) == (["a", "c", "e"], "by number")


def test_names_that_count_from_1_and_places_that_count_from_0_are_not_decided() -> None:
    keys = of_task("00001.png", "00002.png", "00003.png")
    with pytest.raises(
        DataError, match=r"found 00001\.png, number 0 of its task .* and 1 in its name"
    ) as caught:
        found(FILE, *keys)
    assert "--match number" in caught.value.hint
    assert "--match name" in caught.value.hint
    assert found(FILE, *keys, rule=MatchRule("number"))[0] == ["00000", "00001", "00002"]
    assert found(FILE, *keys, rule=MatchRule("name"))[0] == ["00001", "00002", "00003"]


def test_places_in_a_task_of_some_images_mean_no_frames_of_a_folder() -> None:
    for names in (("x.png", "y.png"), ("00004.png", "00010.png")):  # none or one of them is there
        with pytest.raises(DataError, match="label without a frame"):
            found(numbered(9), *of_task(*names))


def test_a_frame_of_cvat_is_no_name_in_a_folder_of_all_frames_that_counts_from_1() -> None:
    folder = Clip(tuple(f"{number:06d}" for number in range(1, 10)))
    keys = of_task("frame_000002", "frame_000005", numbers=(2, 5))
    with pytest.raises(DataError, match="000002 as the name of number 1"):
        found(folder, *keys)
    assert found(folder, *keys, rule=MatchRule("number"))[0] == ["000003", "000006"]
    assert found(folder, *keys, rule=MatchRule("name"))[0] == ["000002", "000005"]
    some = Clip(tuple(f"{number:06d}" for number in (2, 5, 7, 8, 9, 11)))
    assert found(some, *keys) == (["000002", "000005"], "by name, without frame_")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("clip_mp4-4_jpg.rf.0a1b2c3d4e5f60718293a4b5c6d7e801.jpg", "none there"),
        ("x.rf.0a1b2c3d4e5f60718293a4b5c6d7e801.jpg", "none there"),
        ("clip_-004.png", "a negative number"),
        ("task-5-annotation-3-tag-0.png", "several numbers"),
        ("00-00-01.4.png", "a time"),
    ],
)
def test_a_number_in_a_name_that_may_be_none_of_a_frame_is_refused(name: str, why: str) -> None:
    with pytest.raises(DataError, match=rf"label without a frame.*\(frame number in its name: {why}"):
        found(FILE, FrameKey(name))


def test_the_hash_of_roboflow_is_left_away() -> None:
    name = "{}_png.rf.0a1b2c3d4e5f60718293a4b5c6d7e801.jpg"
    assert found(FILE, FrameKey(name.format("00004"))) == (["00004"], "by number")
    folder = Clip(("a", "b"))
    assert found(folder, FrameKey(name.format("b"))) == (["b"], "by name, without the upload's hash")


@given(st.permutations(range(12)), st.integers(-3, 3))
def test_numbers_are_numbers_in_any_order(order: list[int], offset: int) -> None:
    """Lexical order of an exporter (2 behind 10) does not matter; an offset is added to each."""
    keys = [FrameKey(f"img_{number}.jpg") for number in order[:6]]
    rule = MatchRule(match="number", offset=offset)
    expected = sorted(number + offset for number in order[:6])
    clip = numbered(12, is_file=True)
    if expected[0] >= 0 and expected[-1] < 12:
        assert found(clip, *keys, rule=rule) == ([f"{number:05d}" for number in expected], "by number")
    else:
        with pytest.raises(DataError, match="label without a frame"):
            found(clip, *keys, rule=rule)


def test_places_count_only_where_that_is_asked_for() -> None:
    keys = [FrameKey("z"), FrameKey("a")]
    assert found(numbered(4), *keys, rule=MatchRule("index", 1)) == (["00001", "00002"], "by order")
    with pytest.raises(DataError, match=r"expected one of the 4 frames of clip \(.* are near\), found z"):
        found(numbered(4), *keys)


@pytest.mark.parametrize(("numbers", "offset"), [((1, 2, 4), -1), ((-1, 0, 2), 1)])
def test_the_offset_that_makes_all_fit_is_named(numbers: tuple[int, ...], offset: int) -> None:
    keys = [FrameKey("", number) for number in numbers]
    with pytest.raises(DataError, match="label without a frame") as caught:
        found(numbered(4, is_file=True), *keys)
    assert f"--frame-offset {offset}" in caught.value.hint


def test_sizes_lengths_and_doubles() -> None:
    with pytest.raises(
        DataError, match=r"expected labels of 6x4 like the frame, found 4x6 \(width and height"
    ):
        found(numbered(4), FrameKey("00000", None, (6, 4)))
    assert found(numbered(4, size=None), FrameKey("00000", None, (6, 4)))[0] == ["00000"]
    with pytest.raises(DataError, match="expected labels of 4 frames like clip, found 5 frames"):
        found(numbered(4), FrameKey("00000"), length=5)
    with pytest.raises(
        DataError, match=r"expected one entry for frame 00001 of clip, found a/00001\.jpg and b"
    ):
        found(numbered(4), FrameKey("a/00001.jpg"), FrameKey("b/00001.jpg"), name="clip")


def test_listed_frames_say_nothing_unless_they_are_said_to() -> None:
    with pytest.raises(DataError, match="found 2 listed frames without any shape") as caught:
        found(numbered(4), FrameKey("00000"), FrameKey("00002"), shapes=False)
    assert "--empty given" in caught.value.hint
    keys = [FrameKey("00000"), FrameKey("00002")]
    assert found(numbered(4), *keys, rule=MatchRule(empty="given"), shapes=False)[0] == ["00000", "00002"]


def test_videos_are_found_by_name_file_or_folder() -> None:
    clips = [
        numbered(4, name="walk"),
        numbered(4, name="run"),
        numbered(4, name="jump"),
        numbered(4, name="sit"),
    ]
    videos = (
        VideoLabels("walk.mp4", (FrameLabels(FrameKey("", 0), (SHAPE,)),)),
        VideoLabels("Task 3", (FrameLabels(FrameKey("", 1), (SHAPE,)),), file="run.mov"),
        VideoLabels("", (FrameLabels(FrameKey("data/jump/00002.jpg"), (SHAPE,)),)),
        VideoLabels("/data/upload/0a1b2c3d-sit.mp4", (FrameLabels(FrameKey("", 3), (SHAPE,)),)),
        VideoLabels("other", (FrameLabels(FrameKey("", 0), (SHAPE,)),) * 2),
    )
    mapping = match_annotations(Annotations("file", "made", videos), clips, MatchRule())
    assert {name: list(one.frames) for name, one in mapping.videos.items()} == {
        "walk": ["00000"],
        "run": ["00001"],
        "jump": ["00002"],
        "sit": ["00003"],
    }
    assert mapping.ignored == {"other": 2}


def test_a_file_without_labels_says_what_was_left_out() -> None:
    left_out = Counter({"task without an annotation (it has predictions: --predictions takes them)": 8})
    annotations = Annotations("tasks.json", "made", (VideoLabels("", ()),), left_out=left_out)
    with pytest.raises(DataError, match=r"tasks\.json: expected labelled frames, found none.*--predictions"):
        match_annotations(annotations, [numbered(4, name="walk")], MatchRule())
    with pytest.raises(DataError, match=r"a\.json: expected labelled frames, found none$"):
        match_annotations(Annotations("a.json", "made", ()), [numbered(4, name="walk")], MatchRule())


def test_inputs_without_labels_are_refused_or_left_out() -> None:
    clips = [numbered(4, name="walk"), numbered(4, name="run")]
    annotations = Annotations("file", "made", (labels(FrameKey("00000"), name="walk"),))
    with pytest.raises(DataError, match="expected labels for 'run', found 'walk'"):
        match_annotations(annotations, clips, MatchRule())
    assert list(match_annotations(annotations, clips, MatchRule(), every=False).videos) == ["walk"]
    unknown = [numbered(4, name="sit"), numbered(4, name="lie")]
    with pytest.raises(DataError, match="expected labels for 'sit', 'lie', found 'walk'"):
        match_annotations(annotations, unknown, MatchRule(), every=False)


def test_names_in_two_unicode_forms_are_one_video() -> None:
    clips = [numbered(4, name=unicodedata.normalize("NFC", "Läufer")), numbered(4, name="b")]
    apart = unicodedata.normalize("NFD", "Läufer")
    videos = (
        VideoLabels(apart, (FrameLabels(FrameKey("00000.jpg"), (SHAPE,)),)),
        VideoLabels("", (FrameLabels(FrameKey(f"{apart}/00001.jpg"), (SHAPE,)),)),
    )
    mapping = match_annotations(Annotations("file", "made", videos), clips, MatchRule(), every=False)
    assert [list(one.frames) for one in mapping.videos.values()] == [["00000", "00001"]]
