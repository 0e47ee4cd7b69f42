"""Which masks belong to which frames, by names only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.media.masks.matching import choose_every, find_mask_folders, match_frames
from vsodtool.media.video.inputs import Loss, VideoInput
from vsodtool.types import Frame


@dataclass
class FakeFrames:
    """A frame source of which only the names matter."""

    video: VideoInput
    names: list[str]
    size: tuple[int, int] = (2, 2)
    fps: float = 24.0
    losses: list[Loss] = field(default_factory=list)

    def __iter__(self) -> Iterator[Frame]:
        return iter(())


def file_frames(count: int) -> FakeFrames:
    names = [f"{index:05d}" for index in range(count)]
    return FakeFrames(VideoInput("clip", Path("clip.mp4"), "file"), names)


def folder_frames(folder: Path, *names: str) -> FakeFrames:
    return FakeFrames(VideoInput(folder.name, folder, "folder"), list(names))


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


@given(st.integers(0, 200), st.integers(0, 60))
def test_every_nth_and_the_last(count: int, every: int) -> None:
    chosen = choose_every(count, every)
    step = max(every, 1)
    assert chosen == sorted(set(chosen))
    assert set(chosen) == set(range(0, count, step)) | ({count - 1} if count else set())


@pytest.mark.parametrize("base", ["", "Annotations", "Annotations/480p"])
def test_one_folder_per_video(tmp_path: Path, base: str) -> None:
    touch(*(tmp_path / base / name / "0.png" for name in ("a", "b", "c")))
    folders, ignored = find_mask_folders(tmp_path, ["c", "a"])
    assert folders == {"c": tmp_path / base / "c", "a": tmp_path / base / "a"}
    assert ignored == ["b"]


def test_a_folder_of_masks_is_that_of_the_only_video(tmp_path: Path) -> None:
    touch(tmp_path / "0.png")
    assert find_mask_folders(tmp_path, ["clip"]) == ({"clip": tmp_path}, [])
    touch(tmp_path / "other" / "0.png")
    assert find_mask_folders(tmp_path, ["clip"])[0] == {"clip": tmp_path}
    touch(tmp_path / "clip" / "0.png")
    assert find_mask_folders(tmp_path, ["clip"])[0] == {"clip": tmp_path / "clip"}


def refused(masks: Path, *videos: str) -> DataError:
    with pytest.raises(DataError) as caught:
        find_mask_folders(masks, videos)
    assert caught.value.exit_code == 3
    assert caught.value.hint
    return caught.value


def test_no_masks_are_refused(tmp_path: Path) -> None:
    assert "found nothing there" in refused(tmp_path / "absent", "clip").message
    touch(tmp_path / "empty" / "Thumbs.db", tmp_path / "empty" / "meta.json")
    assert "found none" in refused(tmp_path / "empty", "clip").message
    assert "found a file there" in refused(tmp_path / "empty" / "meta.json", "clip").message


def test_a_tree_without_a_common_video_is_refused(tmp_path: Path) -> None:
    touch(*(tmp_path / name / "0.png" for name in "xyzw"))
    error = refused(tmp_path, "clip")
    assert "for 'clip', found folders 'w', 'x', 'y' and 1 more: no video in common" in error.message
    assert str(tmp_path / "w") in error.hint


def test_videos_without_masks_are_named(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "0.png")
    error = refused(tmp_path, "a", "b", "c", "d", "e")
    assert "expected a folder of masks for 'b', 'c', 'd' and 1 more, found folders 'a'" in error.message


def test_masks_of_several_videos_need_folders(tmp_path: Path) -> None:
    touch(tmp_path / "0.png")
    assert "found 1 masks without folders" in refused(tmp_path, "a", "b").message


def test_frames_are_not_masks(tmp_path: Path) -> None:
    touch(tmp_path / "JPEGImages" / "480p" / "a" / "0.jpg")
    refused(tmp_path, "a")
    folder = tmp_path / "JPEGImages" / "480p" / "a"
    with pytest.raises(DataError, match="found the frames themselves"):
        match_frames(folder, folder_frames(folder, "0"))


def test_stems_of_a_folder_agree(tmp_path: Path) -> None:
    touch(tmp_path / "m" / "b10.png", tmp_path / "m" / "b9.PNG", tmp_path / "m" / ".DS_Store")
    (tmp_path / "f").mkdir()
    frames = folder_frames(tmp_path / "f", "b8", "b9", "b10")
    assert list(match_frames(tmp_path / "m", frames).items()) == [
        ("b9", tmp_path / "m" / "b9.PNG"),
        ("b10", tmp_path / "m" / "b10.png"),
    ]


@given(
    st.integers(0, 119),
    st.sampled_from(["{}", "{:05d}", "frame_{:06d}", "clip2_{}", "take3 {}", "IMG{}", "clip - {}"]),
)
def test_the_number_at_the_end_counts_frames_of_a_file(
    tmp_path_factory: pytest.TempPathFactory, n: int, form: str
) -> None:
    folder = tmp_path_factory.mktemp("masks")
    touch(folder / f"{form.format(n)}.png")
    assert list(match_frames(folder, file_frames(120))) == [f"{n:05d}"]


def test_masks_of_a_file_come_in_the_order_of_the_frames(tmp_path: Path) -> None:
    touch(tmp_path / "10.png", tmp_path / "b_9.png", tmp_path / "00000.png")
    assert list(match_frames(tmp_path, file_frames(11))) == ["00000", "00009", "00010"]


def orphan(folder: Path, frames: FakeFrames) -> DataError:
    with pytest.raises(DataError) as caught:
        match_frames(folder, frames)
    assert caught.value.hint
    return caught.value


def test_orphans_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "m" / "12.png")
    (tmp_path / "f").mkdir()
    error = orphan(tmp_path / "m", file_frames(12))
    assert (
        "12.png: mask without a frame: expected a number from 0 to 11 (clip.mp4), found 12" in error.message
    )
    assert "counted from 0" in error.hint
    error = orphan(tmp_path / "m", folder_frames(tmp_path / "f", "012", "013"))
    assert "12.png: mask without a frame: expected the stem of a frame" in error.message
    assert "(012 to 013), found 12" in error.message


def test_a_mask_of_a_file_needs_a_number(tmp_path: Path) -> None:
    touch(tmp_path / "first.png")
    assert (
        "expected a frame number at the end of the name (0 to 11)"
        in orphan(tmp_path, file_frames(12)).message
    )


def test_two_masks_for_one_frame_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "1.png", tmp_path / "00001.png")
    message = orphan(tmp_path, file_frames(12)).message
    assert "1.png" in message
    assert "00001.png" in message
    assert "for frame 00001" in message
    touch(tmp_path / "1.bmp")
    assert "one stem" in orphan(tmp_path, file_frames(12)).message


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "found none" in orphan(tmp_path, file_frames(12)).message


def test_a_single_mask_file_of_a_single_video(tmp_path: Path) -> None:
    touch(tmp_path / "00003.png")
    assert find_mask_folders(tmp_path / "00003.png", ["clip"]) == ({"clip": tmp_path / "00003.png"}, [])
    assert match_frames(tmp_path / "00003.png", file_frames(5)) == {"00003": tmp_path / "00003.png"}
    assert "found a file there" in refused(tmp_path / "00003.png", "a", "b").message


@pytest.mark.parametrize(
    "name", ["00004 (1).png", "c.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f2.png", "task-5-tag-0.png"]
)
def test_doubtful_numbers_are_refused(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "00000.png", tmp_path / name)
    error = orphan(tmp_path, file_frames(12))
    assert name in error.message
    assert "expected a frame number at the end of the name" in error.message


def test_masks_in_the_other_unicode_form_match(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    touch(tmp_path / "m" / "cafe\u03011.png")
    assert list(match_frames(tmp_path / "m", folder_frames(tmp_path / "f", "caf\u00e91"))) == ["caf\u00e91"]


@pytest.mark.parametrize("offset", [-1, 0, 2])
def test_an_offset_moves_masks_of_a_file(tmp_path: Path, offset: int) -> None:
    touch(tmp_path / "00001.png", tmp_path / "00004.png")
    assert list(match_frames(tmp_path, file_frames(9), offset)) == [f"{1 + offset:05d}", f"{4 + offset:05d}"]


def test_an_offset_moves_masks_of_a_folder_by_places(tmp_path: Path) -> None:
    touch(tmp_path / "m" / "f10.png", tmp_path / "m" / "f30.png")
    (tmp_path / "f").mkdir()
    frames = folder_frames(tmp_path / "f", "f10", "f20", "f30", "f40")
    assert list(match_frames(tmp_path / "m", frames, 1)) == ["f20", "f40"]


def test_with_an_offset_a_stem_need_not_be_a_frame(tmp_path: Path) -> None:
    touch(tmp_path / "m" / "img_000.png", tmp_path / "m" / "img_001.png")
    (tmp_path / "f").mkdir()
    frames = folder_frames(tmp_path / "f", "img_001", "img_002", "img_003")
    matched = match_frames(tmp_path / "m", frames, 1)
    assert {name: file.stem for name, file in matched.items()} == {"img_001": "img_000", "img_002": "img_001"}


@pytest.mark.parametrize("folder", [False, True])
def test_who_counts_otherwise_is_told(tmp_path: Path, folder: bool) -> None:
    touch(tmp_path / "m" / "001.png", tmp_path / "m" / "005.png")
    (tmp_path / "f").mkdir()
    frames = folder_frames(tmp_path / "f", *(f"{n:03d}" for n in range(5))) if folder else file_frames(5)
    assert orphan(tmp_path / "m", frames).hint.endswith("all of them have a frame with --frame-offset -1")
    with pytest.raises(DataError, match="with --frame-offset -2") as caught:
        match_frames(tmp_path / "m", frames, -2)
    assert caught.value.hint.endswith("all of them have a frame with --frame-offset -1")


def test_a_wrong_offset_is_to_be_left_out(tmp_path: Path) -> None:
    touch(tmp_path / "000.png", tmp_path / "003.png")
    with pytest.raises(
        DataError, match=r"expected a number from 1 to 5 \(clip.mp4, with --frame-offset -1\)"
    ) as caught:
        match_frames(tmp_path, file_frames(5), -1)
    assert caught.value.hint.endswith("all of them have a frame without --frame-offset")


def test_masks_that_lie_elsewhere_beside_those_taken_are_named(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "0.png", tmp_path / "0.png")
    assert find_mask_folders(tmp_path, ["a"]) == ({"a": tmp_path / "a"}, [f"those directly in {tmp_path}"])
    assert find_mask_folders(tmp_path, ["clip"]) == ({"clip": tmp_path}, ["a"])


@pytest.mark.parametrize(
    ("stem", "told"),
    [
        ("{}_mask", "end in '_mask'"),
        ("frame_{}", "begin with 'frame_'"),
        ("m-{}.jpg", "begin with 'm-' and end in '.jpg'"),
    ],
)
def test_what_masks_have_beside_the_names_of_frames_is_named(tmp_path: Path, stem: str, told: str) -> None:
    names = ["00000", "00001", "00010"]
    (tmp_path / "clip").mkdir()
    touch(*(tmp_path / "masks" / f"{stem.format(name)}.png" for name in names))
    with pytest.raises(DataError, match="mask without a frame") as caught:
        match_frames(tmp_path / "masks", folder_frames(tmp_path / "clip", *names))
    assert told in caught.value.hint
    touch(tmp_path / "masks" / "other.png")
    with pytest.raises(DataError, match="mask without a frame") as caught:
        match_frames(tmp_path / "masks", folder_frames(tmp_path / "clip", *names))
    assert caught.value.hint == "rename or remove the mask, or add its frame"
