"""`vsodtool pseudolabel` on input that is odd, broken or wrong: exit code, message, what lies there then."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.cli.outputs import pictures, refused, skipped_frames, statuses, tree

pytestmark = pytest.mark.long

Cli = Callable[..., tuple[int, str, str]]
Make = Callable[..., Any]
Mount = Callable[[str], Path]
FAST = ["--quality", "fast", "--device", "cpu", "--workers", "2"]


@pytest.fixture
def label(cli: Cli, tmp_path: Path) -> Cli:
    """Run `pseudolabel INPUT --masks MASKS -o tmp_path/out`."""

    def run(source: object, masks: object, *more: object, out: Path | None = None) -> tuple[int, str, str]:
        return cli("pseudolabel", source, "--masks", masks, "-o", out or tmp_path / "out", *FAST, *more)

    return run


def assert_good(tmp_path: Path, clip: Any, skipped: frozenset[int] = frozenset()) -> None:
    """Every frame that is there has a mask of its size, near the truth where that is not tiny."""
    masks = pictures(tmp_path / "out", "masks")
    assert sorted(masks) == [f"{index:05d}" for index in range(clip.count) if index not in skipped]
    for name, mask in masks.items():
        truth = clip.mask(int(name))
        assert mask.shape == truth.shape
        assert set(np.unique(mask)) <= {0, 255}
        if truth.size > 1000:
            assert np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth) > 0.6


# What the contract refuses.


def test_a_mask_without_a_frame(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks(0, 5)
    shutil.copy(masks / "00005.png", masks / "00006.png")
    refused(label(source, masks), 3, "00006.png: mask without a frame", "00000 to 00005", "found 00006")
    refused(label(clip.file(), masks), 3, "00006.png: mask without a frame", "from 0 to 5", "found 00006")
    (masks / "00006.png").rename(masks / "left.png")
    refused(label(tmp_path / "clip.mp4", masks), 3, "left.png: expected a frame number", "found none")
    assert not (tmp_path / "out").exists()


def test_a_mask_of_another_size(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks(0)
    cv2.imwrite(str(masks / "00003.png"), np.zeros((18, 24), np.uint8))
    refused(label(source, masks), 3, "00003.png: expected a mask of 96x72", "found 24x18")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("data", [b"", b"not a picture", b"half"])
def test_a_mask_that_cannot_be_read(label: Cli, small_clip: Make, tmp_path: Path, data: bytes) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks(0, 3)
    path = masks / "00003.png"
    path.write_bytes(path.read_bytes()[:-20] if data == b"half" else data)
    refused(label(source, masks), 3, "00003.png: expected a mask, found a file that cannot be read")
    assert not (tmp_path / "out").exists()


def test_two_files_with_one_stem(label: Cli, small_clip: Make) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks(0, 3)
    cv2.imwrite(str(masks / "00003.bmp"), clip.mask(3))
    refused(label(source, masks), 3, "expected one file per frame, found 00003.bmp and 00003.png")
    (masks / "00003.bmp").rename(source / "00003.bmp")
    refused(label(source, masks), 3, str(source), "00003.bmp", "00003.png")


def test_no_masks_at_all(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks()
    refused(label(source, masks), 3, str(masks), "expected masks", "found none")
    refused(
        label(source, tmp_path / "nowhere"), 3, "nowhere: expected a folder of masks, found nothing there"
    )
    (masks / "Thumbs.db").write_bytes(b"x")
    refused(label(source, masks), 3, "found none")
    refused(label(source, source), 3, "expected masks, found the frames themselves")


def test_masks_for_another_video(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    source = clip.folder()
    clip.masks(0, name="masks/other")
    result = label(tmp_path / "clip", tmp_path / "masks")
    refused(result, 3, "expected a folder of masks for 'clip'", "'other'")
    assert source.exists()


def test_masks_in_encodings_that_do_not_go_together(label: Cli, small_clip: Make) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks(0)
    ids = clip.mask(3).astype(np.uint16) // 255
    ids[:10, :10] = 2
    cv2.imwrite(str(masks / "00003.png"), ids)
    refused(label(source, masks), 3, "00003.png", "like 00000.png")


def test_no_video(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    masks = small_clip().masks(0)
    refused(label(tmp_path / "none.mp4", masks), 3, "none.mp4")
    (tmp_path / "fake.mp4").write_bytes(b"this is no video" * 100)
    refused(label(tmp_path / "fake.mp4", masks), 3, "fake.mp4: expected a video")
    (tmp_path / "empty").mkdir()
    refused(label(tmp_path / "empty", masks), 3, str(tmp_path / "empty"))


def test_frames_of_two_sizes(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    source = clip.folder()
    cv2.imwrite(str(source / "00004.png"), np.zeros((20, 96, 3), np.uint8))
    masks, told = clip.masks(0, 2), ("00004.png: expected 96x72", "found 96x20")
    refused(label(source, masks), 3, *told)
    assert not (tmp_path / "out" / "masks").exists()  # seen before the work, as cuts are looked for
    refused(label(source, masks, "--cuts", "none", out=tmp_path / "one"), 3, *told)
    kept = {path.stem for path in (tmp_path / "one" / "masks" / "clip").iterdir()}
    assert kept >= {"00000", "00002"}  # what was finished before stays


@pytest.mark.parametrize("where", ["clip/out", "masks/out", "clip", "masks"])
def test_output_inside_the_input(label: Cli, small_clip: Make, tmp_path: Path, where: str) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks(0)
    before = sorted(tmp_path.rglob("*"))
    refused(label(source, masks, out=tmp_path / where), 2, "lies inside the")
    assert sorted(tmp_path.rglob("*")) == before


def test_output_that_would_swallow_the_masks(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    refused(label(clip.folder(), clip.masks(0, name="out/masks"), out=tmp_path / "out"), 2, "lies inside")
    (tmp_path / "file").write_text("mine")
    refused(label(tmp_path / "clip", tmp_path / "out/masks", out=tmp_path / "file"), 2, "is not a folder")


def test_output_with_files_of_somebody_else(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks(0)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/frames.csv").write_text("mine")
    for more in ([], ["--overwrite"]):
        refused(label(source, masks, *more), 2, "frames.csv exists and was not written by vsodtool")
        assert (tmp_path / "out/frames.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--device", "cuda:99"], 5, "device 'cuda:99' does not exist"),
        (["--device", "gpu"], 2, "device: expected auto, cpu, cuda"),
        (["--label-flow", "direct"], 2, "is the way of the paper's FGPLG"),
        (["--adapt", "-2"], 2, "adapt: expected a whole number"),
        (["--adapt", "5", "--method", "warp"], 2, "has nothing to learn"),
        (["--method", "fgplg", "--weights", "absent.pth"], 4, "absent.pth"),
        (["--method", "warp", "--weights", "absent.pth"], 2, "uses no weights"),
        (["--method", "warp", "--label-flow", "direct"], 2, "method 'warp' has only its own way"),
        (["--method", "fgplg", "--label-flow", "sideways"], 2, "expected one of auto, composed, direct"),
        (["--method", "magic"], 2, "magic"),
        (["--every", "-1"], 2, "every"),
        (["--workers", "-3"], 2, "workers"),
        (["--config", "absent.yaml"], 2, "absent.yaml"),
    ],
)
def test_options(label: Cli, small_clip: Make, more: list[str], code: int, said: str) -> None:
    clip = small_clip()
    refused(label(clip.folder(), clip.masks(0), *more), code, said)
    assert not (clip.root / "out").exists()


def test_an_unknown_key_in_a_configuration(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    path = tmp_path / "mine.yaml"
    path.write_text("qualty: best\n")
    refused(label(clip.folder(), clip.masks(0), "--config", path), 2, "qualty", "quality")


def test_masks_and_output_are_needed(cli: Cli, small_clip: Make) -> None:
    source = small_clip().folder()
    refused(cli("pseudolabel", source, "-o", "out"), 2, "masks")
    refused(cli("pseudolabel", source, "--masks", "masks"), 2, "output")


def test_a_changed_option_or_mask(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks(0)
    assert label(source, masks)[0] == 0
    before = tree(tmp_path / "out")
    refused(label(source, masks, "--soft"), 2, "--soft changed")
    cv2.imwrite(str(masks / "00000.png"), clip.mask(1))
    refused(label(source, masks), 3, "the masks of 'clip' changed")
    assert tree(tmp_path / "out") == before
    assert label(source, masks, "--soft", "--overwrite")[0] == 0


# Input that is damaged: what can be done is done.


def test_a_truncated_video(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip(24)
    source, masks = clip.file(), clip.masks(0, 6, 20)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 2 // 3])
    code, out, err = label(source, masks)
    assert code == 3
    assert out.splitlines()[1].split()[:3] == ["clip", "24", "3"]
    assert "warning: clip: frame 000" in err
    assert "the video ends here" in err
    assert "error: not everything could be read: clip: frame 000" in err
    table = statuses(tmp_path / "out")
    first_lost = table.index("skipped")
    assert 6 < first_lost < 23
    assert [index for index, status in enumerate(table) if status == "given"] == [0, 6, 20]
    assert set(table[1:6]) == {"generated"}
    assert set(table[first_lost:]) == {"skipped", "given"}
    lost = frozenset(range(first_lost, 24)) - {20}
    assert_good(tmp_path, clip, lost)
    before = tree(tmp_path / "out")
    again = label(source, masks)
    assert again[0] == 3
    assert "the video ends here" in again[2]
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("name", ["clip.avi", "clip.mkv"])
def test_a_video_whose_lost_frames_are_not_announced(
    label: Cli, small_clip: Make, tmp_path: Path, name: str
) -> None:
    """Some containers lose their frame count with their end: every run must tell of the loss all the same."""
    clip = small_clip(24)
    source, masks = clip.file(name), clip.masks(0)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 2 // 3])
    results = [label(source, masks, "--json") for _ in range(2)]
    assert [code for code, _, _ in results] == [3, 3]
    reports = [json.loads(out) for _, out, _ in results]
    assert reports[0]["losses"] == reports[1]["losses"] != []
    assert len(pictures(tmp_path / "out", "masks")) >= 2


@pytest.mark.parametrize("damaged", [2, 0, 5])
def test_a_frame_that_does_not_decode(label: Cli, small_clip: Make, tmp_path: Path, damaged: int) -> None:
    clip = small_clip()
    source, masks = clip.folder(suffix="jpg"), clip.masks(1, 4)
    path = source / f"{damaged:05d}.jpg"
    path.write_bytes(path.read_bytes()[:300])
    for _ in range(2):
        code, _, err = label(source, masks)
        assert code == 3
        assert f"error: not everything could be read: clip: frame {damaged:05d}: " in err
        assert skipped_frames(tmp_path / "out") == [damaged]
        assert_good(tmp_path, clip, frozenset({damaged}))


def test_a_labelled_frame_that_does_not_decode_keeps_its_mask(
    label: Cli, small_clip: Make, tmp_path: Path
) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks(0, 3)
    (source / "00003.png").write_bytes(b"broken")
    assert label(source, masks)[0] == 3
    assert statuses(tmp_path / "out") == [
        "given",
        "generated",
        "generated",
        "given",
        "generated",
        "generated",
    ]
    np.testing.assert_array_equal(pictures(tmp_path / "out", "masks")["00003"], clip.mask(3))
    assert_good(tmp_path, clip)


def test_nothing_that_is_labelled_decodes(label: Cli, small_clip: Make) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks(3)
    (source / "00003.png").write_bytes(b"broken")
    refused(label(source, masks), 3, "none of its 1 labelled frames decodes")


def test_nothing_decodes(label: Cli, small_clip: Make) -> None:
    clip = small_clip(2)
    source, masks = clip.folder(), clip.masks(0)
    for path in source.iterdir():
        path.write_bytes(b"broken")
    refused(label(source, masks), 3, "none of its 2 frames decodes")


# Input that is odd, and fine.


@pytest.mark.parametrize("kind", ["folder", "file"])
@pytest.mark.parametrize(
    ("count", "labelled"),
    [(6, [0]), (6, [5]), (6, [3]), (6, range(6)), (1, [0]), (2, [0]), (2, [1]), (2, [0, 1])],
)
def test_few_frames_and_few_labels(
    label: Cli, small_clip: Make, kind: str, count: int, labelled: list[int]
) -> None:
    clip = small_clip(count)
    tmp_path = clip.root
    source = clip.folder() if kind == "folder" else clip.file()
    code, out, _ = label(source, clip.masks(*labelled), "--overlay", "--json")
    assert code == 0
    report = json.loads(out)["videos"][0]
    assert (report["given"], report["generated"]) == (len(labelled), count - len(labelled))
    assert_good(tmp_path, clip)
    for index in labelled:
        np.testing.assert_array_equal(pictures(tmp_path / "out", "masks")[f"{index:05d}"], clip.mask(index))


@pytest.mark.parametrize("quality", ["fast", "balanced", "best"])
@pytest.mark.parametrize("size", [(16, 16), (35, 51), (17, 640), (5, 7), (1, 1), (2, 300)])
def test_small_and_odd_sizes(
    label: Cli, small_clip: Make, tmp_path: Path, size: tuple[int, int], quality: str
) -> None:
    clip = small_clip(5, size)
    options = ["--quality", quality, "--soft", "--confidence", "--overlay"]
    assert label(clip.folder(), clip.masks(1, 3), *options)[0] == 0
    assert_good(tmp_path, clip)
    for name in ("soft", "confidence"):
        extra = cv2.imread(str(tmp_path / f"out/{name}/clip/00002.png"), cv2.IMREAD_UNCHANGED)
        assert extra.shape == size


def test_4k(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip(3, (2160, 3840))
    assert label(clip.folder(suffix="jpg"), clip.masks(0))[0] == 0
    assert_good(tmp_path, clip)


def test_stray_files_among_masks_and_frames(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    source, masks = clip.folder(), clip.masks(0, 5)
    for folder in (source, masks):
        for name in ("Thumbs.db", ".DS_Store", "00001.json", "._00002.png", "notes.txt"):
            (folder / name).write_bytes(b"stray")
    assert label(source, masks)[0] == 0
    assert_good(tmp_path, clip)


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_paths_with_spaces_and_other_letters(label: Cli, small_clip: Make, tmp_path: Path, kind: str) -> None:
    clip = small_clip(root=tmp_path / "mein Ordner / größer 影片".replace(" / ", " "))
    name = "Vidéo nº 1 – 椅子"
    source = clip.folder(name) if kind == "folder" else clip.file(f"{name}.mp4")
    out = clip.root / "Ergebnis (1)"
    code, table, _ = label(source, clip.masks(0, 5, name="Masken ü"), "--overlay", out=out)
    assert code == 0
    assert name in table
    assert len(list((out / "masks" / name).iterdir())) == 6
    assert (out / f"overlay/{name}.mp4").exists()
    assert f"{name},00003,generated" in (out / "frames.csv").read_text(encoding="utf-8")


# Disks.


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_folder_without_permission(label: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    (tmp_path / "locked").mkdir(mode=0o555)
    refused(label(clip.folder(), clip.masks(0), out=tmp_path / "locked/out"), 5, "not writable")


def test_a_read_only_disk(label: Cli, small_clip: Make, mount_tmpfs: Mount) -> None:
    clip = small_clip()
    disk = mount_tmpfs("ro")
    refused(label(clip.folder(), clip.masks(0), out=disk / "out"), 5, "not writable", str(disk))


@pytest.mark.parametrize("size", ["16k", "48k", "200k"])
def test_a_full_disk(label: Cli, small_clip: Make, tmp_path: Path, mount_tmpfs: Mount, size: str) -> None:
    clip = small_clip(30)
    source, masks = clip.folder(), clip.masks(0, 5, 29)
    options = ["--soft", "--confidence", "--overlay"]
    assert label(source, masks, *options)[0] == 0
    out = mount_tmpfs(f"size={size}") / "out"
    refused(label(source, masks, *options, out=out), 5, "disk full", str(out))
    whole, part = tree(tmp_path / "out"), tree(out)
    assert all(whole[name] == data for name, data in part.items() if name.endswith((".png", ".mp4")))
    assert not [name for name in part if name.endswith(".tmp")]
    mount_tmpfs("remount,size=20m")
    assert label(source, masks, *options, out=out)[0] == 0
    assert tree(out) == whole


def test_a_full_disk_under_frames_put_aside(
    label: Cli, small_clip: Make, mount_tmpfs: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsodtool.media.video.frame_store.HELD_BYTES", 1)
    clip = small_clip(30)
    out = mount_tmpfs("size=100k") / "out"
    refused(label(clip.file(), clip.masks(0), out=out), 5, "no space left for frames put aside")
    assert not list(out.glob(".vsodtool-spill-*"))
