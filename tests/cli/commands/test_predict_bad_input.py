"""`vsodtool predict` on input that is odd, broken or wrong: exit code, message, what lies there then."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.cli.outputs import pictures, refused, skipped_frames, statuses, tree

pytestmark = pytest.mark.long

Cli = Callable[..., tuple[int, str, str]]
Make = Callable[..., Any]
Mount = Callable[[str], Path]


@pytest.fixture
def predict(cli: Cli, tmp_path: Path, small_network: Callable[..., Path]) -> Cli:
    """Run `predict INPUT -o tmp_path/out` with tiny weights."""
    weights = small_network()

    def run(source: object, *more: object, out: Path | None = None) -> tuple[int, str, str]:
        common = ["--weights", weights, "--device", "cpu", "--workers", "2", "--precision", "fp32"]
        return cli("predict", source, "-o", out or tmp_path / "out", *common, *more)

    return run


def assert_good(tmp_path: Path, clip: Any, skipped: frozenset[int] = frozenset()) -> None:
    """Every frame that is there has a grey map of its size."""
    maps = pictures(tmp_path / "out", "soft")
    assert sorted(maps) == [f"{index:05d}" for index in range(clip.count) if index not in skipped]
    assert {(soft.shape, soft.dtype) for soft in maps.values()} == {(clip.size, np.dtype(np.uint8))}


# What is refused.


def test_no_video(predict: Cli, tmp_path: Path) -> None:
    refused(predict(tmp_path / "none.mp4"), 3, "none.mp4")
    (tmp_path / "fake.mp4").write_bytes(b"this is no video" * 100)
    refused(predict(tmp_path / "fake.mp4"), 3, "fake.mp4: expected a video")
    (tmp_path / "empty").mkdir()
    refused(predict(tmp_path / "empty"), 3, str(tmp_path / "empty"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--device", "cuda:99"], 5, "device 'cuda:99' does not exist"),
        (["--device", "gpu"], 2, "device: expected auto, cpu, cuda"),
        (["--weights", "nothing"], 4, "nothing"),
        (["--weights", "rcrnet-ner-published"], 4, "do not come with vsodtool"),
        (["--clip-length", "-1"], 2, "clip_length"),
        (["--config", "absent.yaml"], 2, "absent.yaml"),
    ],
)
def test_options(predict: Cli, small_clip: Make, more: list[str], code: int, said: str) -> None:
    clip = small_clip()
    refused(predict(clip.folder(), *more), code, said)
    assert not (clip.root / "out").exists()


def test_weights_for_another_command(predict: Cli, small_clip: Make, small_network: Any) -> None:
    result = predict(small_clip().folder(), "--weights", small_network("fgplg"))
    refused(result, 4, "is FGPLG", "vsodtool pseudolabel --method fgplg")


@pytest.mark.parametrize("content", [b"these are no weights\n", b"\x80\x02}q\x00.", b""])
def test_weights_that_are_none(predict: Cli, small_clip: Make, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    refused(predict(small_clip().folder(), "--weights", tmp_path / "w.pth"), 4, "w.pth")
    assert not (tmp_path / "out").exists()


def test_output_inside_the_input(predict: Cli, small_clip: Make, tmp_path: Path) -> None:
    source = small_clip().folder()
    before = sorted(tmp_path.rglob("*"))
    for out in (source, source / "out"):
        refused(predict(source, out=out), 2, "lies inside the")
    assert sorted(tmp_path.rglob("*")) == before


def test_output_of_another_command(cli: Cli, predict: Cli, small_clip: Make, tmp_path: Path) -> None:
    source = small_clip().folder()
    assert cli("flow", source, "-o", tmp_path / "out", "--quality", "fast")[0] == 0
    refused(predict(source), 2, "was begun by the command 'flow', this is 'predict'", "--overwrite")
    assert predict(source, "--overwrite")[0] == 0
    assert not (tmp_path / "out/flow").exists()


def test_a_changed_option_or_input(predict: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip()
    source = clip.folder()
    assert predict(source)[0] == 0
    before = tree(tmp_path / "out")
    refused(predict(source, "--clip-length", "2"), 2, "--clip-length changed")
    refused(predict(source, "--masks"), 2, "--masks changed")
    refused(predict(source, "--masks", "--dry-run"), 2, "--masks changed")
    cv2.imwrite(str(source / "00003.png"), clip.frame(1))
    refused(predict(source), 3, "the video 'clip'", "has changed")
    assert tree(tmp_path / "out") == before
    assert predict(source, "--masks", "--overwrite")[0] == 0
    assert len(pictures(tmp_path / "out", "masks")) == 6


def test_a_dry_run_writes_nothing(predict: Cli, small_clip: Make, tmp_path: Path) -> None:
    code, out, err = predict(small_clip().folder(), "--dry-run", "--json")
    assert code == 0
    assert json.loads(out)["dry_run"] is True
    assert "would make maps of 6 frames" in err
    assert not (tmp_path / "out").exists()


# Input that is damaged: what can be done is done.


def test_frames_of_two_sizes(predict: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip(12)
    source = clip.folder()
    cv2.imwrite(str(source / "00010.png"), np.zeros((20, 96, 3), np.uint8))
    refused(predict(source), 3, "00010.png: expected 96x72", "found 96x20")
    assert not (tmp_path / "out/frames.csv").exists()
    assert not [name for name in tree(tmp_path / "out") if name.endswith(".tmp")]
    (source / "00010.png").unlink()
    cv2.imwrite(str(source / "00010.png"), clip.frame(10))
    assert predict(source, "--overwrite")[0] == 0
    assert_good(tmp_path, clip)


def pictures_as_video(path: Path, pictures: list[Any]) -> Path:
    """JPEGs one after the other in a container that announces the size of the first one."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuvj420p"
        stream.time_base = Fraction(1, 25)
        for index, picture in enumerate(pictures):
            packet = av.Packet(cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes())
            packet.stream, packet.pts, packet.dts = stream, index, index
            packet.time_base, packet.is_keyframe = Fraction(1, 25), True
            container.mux(packet)
    return path


def test_a_video_that_changes_size_halfway(predict: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip(12)
    frames = [clip.frame(index) for index in range(12)]
    for index in (5, 6, 7):
        frames[index] = np.ascontiguousarray(frames[index][:48, :64])
    source = pictures_as_video(tmp_path / "clip.mkv", frames)
    for _ in range(2):  # the loss is told again
        code, out, err = predict(source, "--masks", "--overlay")
        assert code == 3
        assert out.splitlines()[1].split()[:4] == ["clip", "12", "9", "3"]
        assert "warning: clip: frame 00005: changes size from 96x72 to 64x48" in err
        assert "error: not everything could be read: clip: frame 00005" in err
        assert skipped_frames(tmp_path / "out") == [5, 6, 7]
        assert_good(tmp_path, clip, frozenset({5, 6, 7}))


def test_a_truncated_video(predict: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip(24)
    source = clip.file()
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 2 // 3])
    code, _, err = predict(source)
    assert code == 3
    assert "the video ends here" in err
    first_lost = statuses(tmp_path / "out").index("skipped")
    assert 6 < first_lost < 23
    assert_good(tmp_path, clip, frozenset(range(first_lost, 24)))
    before = tree(tmp_path / "out")
    assert predict(source)[0] == 3
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("damaged", [[0], [2], [5], [1, 4], [0, 1, 2, 3, 4]])
def test_frames_that_do_not_decode(
    predict: Cli, small_clip: Make, tmp_path: Path, damaged: list[int]
) -> None:
    clip = small_clip()
    source = clip.folder(suffix="jpg")
    for index in damaged:
        path = source / f"{index:05d}.jpg"
        path.write_bytes(path.read_bytes()[:300])
    for _ in range(2):
        code, _, err = predict(source)
        assert code == 3
        assert f"error: not everything could be read: clip: frame {damaged[0]:05d}: " in err
        assert skipped_frames(tmp_path / "out") == damaged
        assert_good(tmp_path, clip, frozenset(damaged))


def test_nothing_decodes(predict: Cli, small_clip: Make) -> None:
    source = small_clip(2).folder()
    for path in source.iterdir():
        path.write_bytes(b"broken")
    refused(predict(source), 3, "none of its 2 frames decodes")


# Input that is odd, and fine.


@pytest.mark.parametrize(("kind", "count"), [("folder", 1), ("file", 1), ("file", 3), ("folder", 5)])
@pytest.mark.parametrize("length", [1, 4, 300])
def test_few_frames_and_long_clips(
    predict: Cli, small_clip: Make, tmp_path: Path, *, kind: str, count: int, length: int
) -> None:
    clip = small_clip(count)
    source = clip.folder() if kind == "folder" else clip.file()
    code, out, err = predict(source, "--clip-length", length, "--overlay", "--json")
    assert code == 0
    assert json.loads(out)["videos"][0]["generated"] == count
    assert ("fewer than a clip" in err) == (count < length)
    assert_good(tmp_path, clip)


@pytest.mark.parametrize("size", [(16, 16), (35, 51), (17, 640), (5, 7), (1, 1), (2, 300)])
def test_small_and_odd_sizes(predict: Cli, small_clip: Make, tmp_path: Path, size: tuple[int, int]) -> None:
    clip = small_clip(5, size)
    assert predict(clip.folder(), "--masks", "--overlay")[0] == 0
    assert_good(tmp_path, clip)
    assert {mask.shape for mask in pictures(tmp_path / "out", "masks").values()} == {size}


def test_4k(predict: Cli, small_clip: Make, tmp_path: Path) -> None:
    clip = small_clip(3, (2160, 3840))
    assert predict(clip.folder(suffix="jpg"))[0] == 0
    assert_good(tmp_path, clip)


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_paths_with_spaces_and_other_letters(
    predict: Cli, small_clip: Make, tmp_path: Path, kind: str
) -> None:
    clip = small_clip(root=tmp_path / "mein Ordner größer 影片")
    name = "Vidéo nº 1 – 椅子"
    source = clip.folder(name) if kind == "folder" else clip.file(f"{name}.mp4")
    out = clip.root / "Ergebnis (1)"
    code, table, _ = predict(source, "--overlay", out=out)
    assert code == 0
    assert name in table
    assert len(list((out / "soft" / name).iterdir())) == 6
    assert (out / f"overlay/{name}.mp4").exists()
    assert f"{name},00003,generated" in (out / "frames.csv").read_text(encoding="utf-8")


# Disks.


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_folder_without_permission(predict: Cli, small_clip: Make, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    refused(predict(small_clip().folder(), out=tmp_path / "locked/out"), 5, "not writable")


@pytest.mark.parametrize("size", ["16k", "100k"])
def test_a_full_disk(predict: Cli, small_clip: Make, tmp_path: Path, mount_tmpfs: Mount, size: str) -> None:
    source = small_clip(40).folder()
    assert predict(source, "--masks")[0] == 0
    out = mount_tmpfs(f"size={size}") / "out"
    refused(predict(source, "--masks", out=out), 5, "disk full", str(out))
    whole, part = tree(tmp_path / "out"), tree(out)
    assert all(whole[name] == data for name, data in part.items() if name.endswith(".png"))
    assert not [name for name in part if name.endswith(".tmp")]
    mount_tmpfs("remount,size=20m")
    assert predict(source, "--masks", out=out)[0] == 0
    assert tree(out) == whole
