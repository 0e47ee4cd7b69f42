"""Masks of whole videos: validated together, read one by one, described."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.masks.sparse import MaskFolder, describe_mapping, match_masks
from vsodtool.media.video.frames import FolderFrames, open_frames
from vsodtool.media.video.inputs import discover_videos


def make_video(folder: Path, names: Sequence[str], size: tuple[int, int] = (12, 16)) -> FolderFrames:
    folder.mkdir(parents=True)
    for name in names:
        cv2.imwrite(str(folder / f"{name}.png"), np.full((*size, 3), 90, np.uint8))
    frames = open_frames(discover_videos([str(folder)])[0])
    assert isinstance(frames, FolderFrames)
    return frames


def make_mask(path: Path, value: int, size: tuple[int, int] = (12, 16)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(size, np.uint8)
    mask[2:6, 3:9] = value
    cv2.imwrite(str(path), mask)


def test_labels_of_two_videos(tmp_path: Path) -> None:
    names = [str(number) for number in range(12)]
    videos = [make_video(tmp_path / "in ü" / name, names) for name in ("b", "a")]
    for name in ("0", "10", "9"):
        make_mask(tmp_path / "masks" / "a" / f"{name}.png", 255)
        make_mask(tmp_path / "masks" / "b" / f"{name}.png", 3 if name == "9" else 2)
    make_mask(tmp_path / "masks" / "other" / "0.png", 255)
    (tmp_path / "masks" / "a" / "Thumbs.db").write_bytes(b"x")
    sets = match_masks(tmp_path / "masks", videos)
    assert list(sets) == ["b", "a"]
    assert sets["a"].names == ["0", "9", "10"]
    assert (sets["a"].object_ids, sets["b"].object_ids) == ((1,), (2, 3))
    assert sets["a"].size == (12, 16)
    assert set(np.unique(sets["b"].read("9"))) == {0, 3}
    assert set(np.unique(np.asarray(Image.open(io.BytesIO(sets["a"].given_png("9")))))) == {0, 255}
    with pytest.raises(KeyError):
        sets["a"].read("1")
    first, second, third = describe_mapping(sets)
    pairs = "0.png is frame 0, ..., 10.png is frame 10"
    b, a = tmp_path / "masks" / "b", tmp_path / "masks" / "a"
    assert first == f"b: 3 masks for 12 frames, ids in 8-bit grey, 2 objects, from {b}: {pairs}"
    assert second == f"a: 3 masks for 12 frames, 0/255 grey, 1 object, from {a}: {pairs}"
    assert third == "masks without an input video are ignored: other"


def test_with_every_the_other_masks_are_never_opened(tmp_path: Path) -> None:
    frames = make_video(tmp_path / "clip", [f"{number:02d}" for number in range(20)])
    for number in range(2, 17):
        make_mask(tmp_path / "masks" / f"{number:02d}.png", 255)
        if number not in (2, 6, 10, 14, 16):
            (tmp_path / "masks" / f"{number:02d}.png").write_bytes(b"not to be opened")
    masks = match_masks(tmp_path / "masks", [frames], every=4)["clip"]
    assert masks.names == ["02", "06", "10", "14", "16"]
    assert masks.read("16").any()
    (line,) = describe_mapping({"clip": masks})
    assert "15 masks for 20 frames, 5 of them used" in line
    with pytest.raises(DataError, match=r"03\.png: expected a mask"):
        match_masks(tmp_path / "masks", [frames])


def test_an_empty_mask_is_honoured(tmp_path: Path) -> None:
    frames = make_video(tmp_path / "clip", ["0", "1"])
    make_mask(tmp_path / "masks" / "0.png", 0)
    make_mask(tmp_path / "masks" / "1.png", 255)
    masks = match_masks(tmp_path / "masks", [frames])["clip"]
    assert masks.names == ["0", "1"]
    assert not masks.read("0").any()
    assert not np.asarray(Image.open(io.BytesIO(masks.given_png("0")))).any()


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    frames = make_video(tmp_path / "clip", ["0", "1"])
    make_mask(tmp_path / "masks" / "0.png", 255)
    make_mask(tmp_path / "masks" / "1.png", 255, (24, 32))
    with pytest.raises(
        DataError, match=r"1\.png: expected a mask of 16x12 like its frame, found 32x24$"
    ) as caught:
        match_masks(tmp_path / "masks", [frames])
    assert caught.value.exit_code == 3
    assert "resize it" in caught.value.hint


def test_a_mask_of_a_frame_that_was_not_turned(tmp_path: Path) -> None:
    frames = make_video(tmp_path / "clip", ["0"])
    make_mask(tmp_path / "masks" / "0.png", 255, (16, 12))
    with pytest.raises(DataError, match=r"found 12x16 \(width and height are swapped\)") as caught:
        match_masks(tmp_path / "masks", [frames])
    assert "resize" not in caught.value.hint
    assert "turn it like the frame" in caught.value.hint


def test_an_orphan_of_any_video_is_refused_before_masks_are_opened(tmp_path: Path) -> None:
    videos = [make_video(tmp_path / "in" / name, ["0"]) for name in "ab"]
    (tmp_path / "masks" / "a").mkdir(parents=True)
    (tmp_path / "masks" / "a" / "0.png").write_bytes(b"damaged")
    make_mask(tmp_path / "masks" / "b" / "7.png", 255)
    with pytest.raises(DataError, match=r"7\.png: mask without a frame"):
        match_masks(tmp_path / "masks", videos)


def test_a_mask_that_is_damaged_later_is_refused_when_read(tmp_path: Path) -> None:
    frames = make_video(tmp_path / "clip", ["0"])
    make_mask(tmp_path / "masks" / "0.png", 255)
    masks = match_masks(tmp_path / "masks", [frames])["clip"]
    (tmp_path / "masks" / "0.png").unlink()
    with pytest.raises(DataError, match=r"0\.png: expected a mask"):
        masks.read("0")


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (37, 53)])
def test_small_and_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    frames = make_video(tmp_path / "clip", ["0"], size)
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks" / "0.png"), np.full(size, 255, np.uint8))
    masks = match_masks(tmp_path / "masks", [frames])["clip"]
    assert masks.read("0").shape == size
    assert masks.read("0").all()


def test_palette_masks_of_a_real_video_file(shared: Path) -> None:
    folder = shared / "data" / "videos"
    frames = open_frames(discover_videos([str(folder / "chair.mp4")])[0])
    masks = match_masks(folder / "chair_masks", [frames], every=6)["chair"]
    assert masks.names == [f"{number:05d}" for number in [*range(0, 60, 6), 59]]
    assert masks.object_ids == (1,)
    assert masks.encoding.kind == "palette"
    name = "00012"
    source = Image.open(masks.files[name])
    assert masks.files[name].name == "frame_000012.png"
    for data in (masks.given_png(name), masks.encoding.encode(masks.read(name))):
        image = Image.open(io.BytesIO(data))
        assert image.mode == "P"
        assert image.getpalette() == source.getpalette()
        assert np.array_equal(np.asarray(image), np.asarray(source))


@pytest.mark.parametrize("root", ["davis-dev", "davis-train"])
def test_real_roots(shared: Path, root: str) -> None:
    folder = shared / "data" / root
    videos = [open_frames(video) for video in discover_videos([str(folder)])]
    for masks in match_masks(folder, videos, every=20).values():
        assert masks.encoding.kind == "binary255"
        assert masks.object_ids == (1,)
        for name in masks.names[:2]:
            expected = cv2.imread(str(masks.files[name]), cv2.IMREAD_UNCHANGED)
            found = cv2.imdecode(np.frombuffer(masks.given_png(name), np.uint8), cv2.IMREAD_UNCHANGED)
            assert np.array_equal(found, expected)
            assert np.array_equal(masks.read(name) > 0, expected > 127)


def test_a_mask_that_is_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    frames = make_video(tmp_path / "clip", ["0", "1"])
    make_mask(tmp_path / "masks" / "0.png", 255)
    (tmp_path / "masks" / "1.png").symlink_to("/nowhere/1.png")
    with pytest.raises(
        DataError, match=r"1\.png: expected a mask, found a file that cannot be read: No such"
    ):
        match_masks(tmp_path / "masks", [frames])


def test_later_places_win_frame_by_frame(tmp_path: Path) -> None:
    videos = [make_video(tmp_path / "in" / name, ["0", "1", "2", "3"]) for name in ("a", "b")]
    for name in ("0", "2"):
        make_mask(tmp_path / "first" / "a" / f"{name}.png", 255)
        make_mask(tmp_path / "first" / "b" / f"{name}.png", 255)
    second = tmp_path / "second" / "a" / "2.png"  # RGB, and of one of the videos only
    second.parent.mkdir(parents=True)
    Image.new("RGB", (16, 12), "black").save(second)
    drawn = np.zeros((12, 16, 3), np.uint8)
    drawn[7:9, 1:4] = (200, 30, 30)
    Image.fromarray(drawn).save(second.with_name("3.png"))
    sets = match_masks([MaskFolder(tmp_path / "first"), MaskFolder(tmp_path / "second")], videos)
    a, b = sets["a"], sets["b"]
    assert list(a.files.values()) == [tmp_path / "first" / "a" / "0.png", second, second.with_name("3.png")]
    assert b.names == ["0", "2"]
    assert [int(a.read(name).sum()) for name in a.names] == [24, 0, 6]
    # Labels are written as the first place stores them.
    assert set(np.unique(np.asarray(Image.open(io.BytesIO(a.encoding.encode(a.read("3"))))))) == {0, 255}
    lines = describe_mapping(sets)
    assert len(lines) == 3
    assert "a: 2 masks for 4 frames, 1 of them used, 0/255 grey" in lines[0]
    assert f"from {tmp_path / 'second' / 'a'}: 2.png is frame 2, ..., 3.png is frame 3" in lines[1]


def test_with_every_places_are_taken_together_first(tmp_path: Path) -> None:
    frames = make_video(tmp_path / "clip", [str(number) for number in range(10)])
    for number in range(10):
        make_mask(tmp_path / ("even" if number % 2 == 0 else "odd") / f"{number}.png", 255)
    places = [MaskFolder(tmp_path / "odd"), MaskFolder(tmp_path / "even")]
    assert match_masks(places, [frames], every=3)["clip"].names == ["0", "3", "6", "9"]


def test_each_video_has_masks_in_one_place_or_another(tmp_path: Path) -> None:
    videos = [make_video(tmp_path / "in" / name, ["0", "1"]) for name in ("a", "b")]
    make_mask(tmp_path / "first" / "a" / "0.png", 255)
    make_mask(tmp_path / "second" / "a" / "1.png", 255)
    make_mask(tmp_path / "third" / "c" / "1.png", 255)
    first, second, third = (MaskFolder(tmp_path / name) for name in ("first", "second", "third"))
    with pytest.raises(DataError, match="expected masks of 'b' in one of the 2 places given, found none"):
        match_masks([first, second], videos)
    with pytest.raises(DataError, match=r"third: expected .* found folders 'c': no video in common"):
        match_masks([first, third], videos[:1])


def test_ids_in_two_encodings_do_not_go_together(tmp_path: Path) -> None:
    frames = make_video(tmp_path / "clip", ["0", "1"])
    picture = Image.new("P", (16, 12), 0)
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    picture.putpixel((3, 3), 1)
    picture.putpixel((8, 8), 2)
    (tmp_path / "palette").mkdir()
    picture.save(tmp_path / "palette" / "1.png")
    both = np.zeros((12, 16), np.uint8)
    both[2:6, 3:9], both[8:, :4] = 1, 2
    (tmp_path / "grey").mkdir()
    cv2.imwrite(str(tmp_path / "grey" / "0.png"), both)
    with pytest.raises(DataError, match=r"1\.png: expected a grey8 mask like 0\.png, found palette"):
        match_masks([MaskFolder(tmp_path / "grey"), MaskFolder(tmp_path / "palette")], [frames])


def test_of_a_folder_only_some_may_be_corrections(tmp_path: Path) -> None:
    video = make_video(tmp_path / "in" / "a", ["0", "1", "2"])
    make_mask(tmp_path / "masks" / "a" / "0.png", 255)
    for name in ("0", "1", "2", "9"):
        make_mask(tmp_path / "out" / "a" / f"{name}.png", 255)
    meant = frozenset(tmp_path / "out" / folder / f"{name}.png" for folder in "ab" for name in ("1", "9"))
    edits = MaskFolder(tmp_path / "out", corrections=True, only=meant)
    (masks,) = match_masks([MaskFolder(tmp_path / "masks"), edits], [video]).values()
    assert masks.files == {"0": tmp_path / "masks/a/0.png", "1": tmp_path / "out/a/1.png"}
