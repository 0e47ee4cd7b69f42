"""Where outputs lie, and where they may not lie."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vsodtool.config.shard import Shard
from vsodtool.errors import DeviceError, UsageError
from vsodtool.media.output.layout import OutputLayout, check_output


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    (folder / "a").mkdir(parents=True)
    (folder / "clip.mp4").write_bytes(b"")
    return folder


def test_paths_are_those_of_the_contract() -> None:
    layout = OutputLayout(Path("out"))
    paths = {
        layout.masks("bear", "00001"): "out/masks/bear/00001.png",
        layout.soft("bear", "00001"): "out/soft/bear/00001.png",
        layout.confidence("bear", "00001"): "out/confidence/bear/00001.png",
        layout.overlay("bear"): "out/overlay/bear.mp4",
        layout.frames_csv: "out/frames.csv",
        layout.manifest: "out/manifest.json",
        layout.flow("bear", "00001", "forward", "flo"): "out/flow/bear/forward/00001.flo",
        layout.preview("bear", "00001", "backward"): "out/preview/bear/backward/00001.png",
    }
    assert {str(path): expected for path, expected in paths.items()} == {
        expected: expected for expected in paths.values()
    }


def test_names_with_dots_keep_them() -> None:
    assert OutputLayout(Path("out")).masks("v1.2", "frame.001").name == "frame.001.png"
    assert OutputLayout(Path("out")).overlay("v1.2").name == "v1.2.mp4"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b"])
def test_names_that_would_leave_the_folder_are_refused(name: str) -> None:
    layout = OutputLayout(Path("out"))
    for make in (layout.masks, layout.soft, layout.confidence):
        with pytest.raises(UsageError, match="cannot be the name"):
            make(name, "00000")
        with pytest.raises(UsageError, match="cannot be the name"):
            make("bear", name)


def test_a_folder_beside_the_input_is_fine(tmp_path: Path, videos: Path) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    layout = check_output(tmp_path / "new" / "out", [videos / "a", videos / "clip.mp4"], [masks])
    assert layout.root == tmp_path / "new" / "out"
    assert not (tmp_path / "new").exists()
    check_output(tmp_path / "videos-out", [videos], [masks])
    check_output(videos, [videos / "clip.mp4"])  # beside the video, as ffmpeg does


@pytest.mark.parametrize("out", ["videos", "videos/out", "videos/a/deep/out", "videos/../videos/out"])
def test_inside_the_input_is_refused(tmp_path: Path, videos: Path, out: str) -> None:
    with pytest.raises(UsageError, match="lies inside the input"):
        check_output(tmp_path / out, [videos])
    with pytest.raises(UsageError, match="lies inside the masks"):
        check_output(tmp_path / out, [tmp_path / "other.mp4"], [videos])


def test_inside_the_input_through_a_link_is_refused(tmp_path: Path, videos: Path) -> None:
    (tmp_path / "link").symlink_to(videos)
    with pytest.raises(UsageError, match="lies inside the input"):
        check_output(tmp_path / "link" / "out", [videos])
    with pytest.raises(UsageError, match="lies inside the input"):
        check_output(videos / "out", [tmp_path / "link"])


def test_a_linked_sub_folder_may_not_lead_into_the_masks(tmp_path: Path, videos: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "masks").symlink_to(videos)
    with pytest.raises(UsageError, match="lies inside the masks"):
        check_output(tmp_path / "out", [tmp_path / "clip.mp4"], [videos])


def test_inputs_inside_a_folder_that_is_written_to_are_refused(tmp_path: Path) -> None:
    masks = tmp_path / "out" / "masks" / "bear"
    masks.mkdir(parents=True)
    with pytest.raises(UsageError, match="which the tool writes to"):
        check_output(tmp_path / "out", [tmp_path / "clip.mp4"], [masks])


def test_the_same_folder_by_another_name_is_refused(tmp_path: Path, videos: Path) -> None:
    """A relative path, and one through `..`."""
    with pytest.raises(UsageError, match="lies inside"):
        check_output(videos / "a" / "..", [Path(os.path.relpath(videos))])


def test_a_file_is_no_output_folder(tmp_path: Path, videos: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        check_output(videos / "clip.mp4", [videos / "clip.mp4"])
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is not a folder"):
        check_output(tmp_path / "dangling", [videos])


def test_below_a_file_is_refused(videos: Path) -> None:
    with pytest.raises(DeviceError, match="not writable"):
        check_output(videos / "clip.mp4" / "out", [videos / "a"])


def test_read_only_is_refused(tmp_path: Path, videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DeviceError, match="not writable") as caught:
        check_output(tmp_path / "new" / "out", [videos])
    assert str(tmp_path) in caught.value.message


def test_really_read_only_is_refused(mount_tmpfs: Callable[[str], Path], videos: Path) -> None:
    disk = mount_tmpfs("ro")
    with pytest.raises(DeviceError, match="not writable"):
        check_output(disk / "out", [videos])


def test_occupied_names(tmp_path: Path) -> None:
    layout = OutputLayout(tmp_path)
    assert layout.occupied() == []
    (tmp_path / "masks").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    assert layout.occupied() == []
    for path in (layout.masks("a", "1"), layout.overlay("a"), layout.flow("a", "1", "forward", "npz")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "masks" / "a" / "notes.txt").write_text("mine")
    layout.frames_csv.write_text("")
    assert layout.occupied() == [tmp_path / name for name in ("frames.csv", "masks", "overlay", "flow")]


def test_the_files_of_shards(tmp_path: Path) -> None:
    layout = OutputLayout(tmp_path)
    assert (layout.journals(), layout.shard_locks()) == ([], {})
    shards = [Shard(1, 2), Shard(12, 120)]
    for shard in shards:
        layout.shard_journal(shard).touch()
        layout.shard_lock(shard).touch()
    for name in ("journal-1.jsonl", "journal-a-of-b.jsonl", ".vsodtool.lock", ".vsodtool-gate.lock"):
        (tmp_path / name).touch()
    assert layout.journals() == [layout.shard_journal(shard) for shard in shards]
    assert layout.occupied() == layout.journals()
    assert layout.shard_locks() == {shard: layout.shard_lock(shard) for shard in shards}
    layout.journal.touch()
    assert layout.journals()[0] == layout.journal
