"""INPUT -> videos, in all shapes, and what is refused."""

from __future__ import annotations

import io
import os
from pathlib import Path

import av
import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.video.inputs import VideoInput, discover_videos
from vsodtool.types import Event


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


@pytest.mark.parametrize("suffix", ["mp4", "mov", "avi", "mkv", "webm", "gif", "MP4"])
def test_a_video_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "ein schöner Film" / f"clip.v2.{suffix}"
    touch(path)
    assert discover_videos([str(path)]) == [VideoInput("clip.v2", path, "file")]


def test_a_folder_of_frames(tmp_path: Path) -> None:
    folder = tmp_path / "Kamel"
    touch(folder / "10.jpg", folder / "2.jpg", folder / "Thumbs.db", folder / "masks" / "2.png")
    (video,) = discover_videos([f"{folder}/"])
    assert (video.name, video.path, video.kind) == ("Kamel", folder, "folder")
    assert [file.name for file in video.files] == ["2.jpg", "10.jpg"]


def test_the_current_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "clip" / "0.png")
    monkeypatch.chdir(tmp_path / "clip")
    assert discover_videos(["."])[0].name == "clip"


def test_a_link_to_a_folder_has_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "a1" / "rgb" / "0.png", tmp_path / "b2" / "rgb" / "0.png")
    for name, store in (("chair", "a1"), ("dog", "b2")):
        (tmp_path / name).symlink_to(tmp_path / store / "rgb")
    links = [str(tmp_path / "chair"), f"{tmp_path / 'dog'}/"]
    assert [video.name for video in discover_videos(links)] == ["chair", "dog"]
    monkeypatch.chdir(tmp_path / "b2" / "rgb")
    assert discover_videos(["../../a1/rgb/../../b2/rgb/."])[0].name == "rgb"


@pytest.mark.parametrize("base", ["", "JPEGImages", "JPEGImages/480p"])
def test_folders_of_videos(tmp_path: Path, base: str) -> None:
    touch(tmp_path / base / "b10" / "0.jpg", tmp_path / base / "b9" / "0.jpg", tmp_path / "readme.txt")
    touch(tmp_path / "Annotations" / "480p" / "b9" / "0.png")
    if base:
        assert [video.name for video in discover_videos([str(tmp_path)])] == ["b9", "b10"]
    else:
        assert [video.name for video in discover_videos([str(tmp_path / "b9")])] == ["b9"]


def test_inputs_keep_their_order(tmp_path: Path) -> None:
    touch(tmp_path / "z.mp4", tmp_path / "a.mp4")
    names = [video.name for video in discover_videos([str(tmp_path / "z.mp4"), str(tmp_path / "a.mp4")])]
    assert names == ["z", "a"]


def test_dash_reads_one_input_per_line(tmp_path: Path) -> None:
    touch(tmp_path / "a b.mp4", tmp_path / "c.mp4")
    stdin = io.StringIO(f"{tmp_path}/a b.mp4\r\n\n{tmp_path}/c.mp4")
    assert [video.name for video in discover_videos(["-"], stdin=stdin)] == ["a b", "c"]


def refusal(*inputs: object, stdin: str = "") -> DataError:
    with pytest.raises(DataError) as caught:
        discover_videos([str(text) for text in inputs], stdin=io.StringIO(stdin))
    assert caught.value.exit_code == 3
    assert caught.value.hint
    return caught.value


def test_a_missing_input_is_refused(tmp_path: Path) -> None:
    assert f"{tmp_path / 'absent.mp4'}: expected" in refusal(tmp_path / "absent.mp4").message


def test_no_input_is_refused() -> None:
    assert "at least one input" in refusal("-", stdin="\n").message


def test_other_files_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "a.txt", tmp_path / "b", tmp_path / "c.jpg")
    assert "found a .txt file" in refusal(tmp_path / "a.txt").message
    assert "without suffix" in refusal(tmp_path / "b").message
    assert str(tmp_path) in refusal(tmp_path / "c.jpg").hint


def test_folders_without_frames_are_refused(tmp_path: Path) -> None:
    assert "found none" in refusal(tmp_path).message
    touch(tmp_path / "clip.mp4")
    assert "clip.mp4" in refusal(tmp_path).hint


def test_two_videos_of_one_name_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "clip.mp4", tmp_path / "clip" / "0.png")
    message = refusal(tmp_path / "clip.mp4", tmp_path / "clip").message
    assert str(tmp_path / "clip.mp4") in message
    assert "clip'" in message
    refusal(tmp_path / "clip.mp4", tmp_path / "clip.mp4")


def test_two_frames_with_one_stem_are_refused(tmp_path: Path) -> None:
    touch(tmp_path / "v" / "0.png", tmp_path / "v" / "0.jpg")
    assert "one stem" in refusal(tmp_path / "v").message


def test_real_data(shared: Path) -> None:
    videos = discover_videos(
        [str(shared / "data" / "davis-dev"), str(shared / "data" / "videos" / "chair.mp4")]
    )
    assert len(videos) == 9
    assert sum(len(video.files) for video in videos) == 587
    assert videos[2].name == "camel"
    assert videos[2].files[0].name == "00000.jpg"


@pytest.mark.parametrize("mark", ["\ufeff", "\udcef\udcbb\udcbf"])
def test_a_byte_order_mark_on_stdin_is_no_part_of_a_name(tmp_path: Path, mark: str) -> None:
    touch(tmp_path / "a.mp4")
    (video,) = discover_videos(["-"], stdin=io.StringIO(f"{mark}{tmp_path}/a.mp4\n"))
    assert video.path == tmp_path / "a.mp4"


@pytest.mark.parametrize("suffix", ["m4v", "ts", "mts", "m2ts", "flv", "3gp", "3g2", "wmv", "mpg", "mpeg"])
def test_more_suffixes_of_videos(tmp_path: Path, suffix: str) -> None:
    touch(tmp_path / f"a.{suffix}")
    assert discover_videos([str(tmp_path / f"a.{suffix}")])[0].kind == "file"


def test_the_content_decides_about_unknown_suffixes(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        rgb = np.zeros((32, 48, 3), np.uint8)
        file.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        file.mux(stream.encode(None))
    for name in ("a.dat", "recording"):
        (tmp_path / name).write_bytes((tmp_path / "a.mp4").read_bytes())
        assert discover_videos([str(tmp_path / name)])[0].kind == "file"


def test_pipes_devices_and_dead_links_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").symlink_to("/nowhere.mp4")
    assert "found a named pipe" in refusal(tmp_path / "a.mp4").message
    assert "found a device" in refusal("/dev/zero").message
    assert "a link that leads nowhere" in refusal(tmp_path / "b.mp4").message


def test_names_are_in_one_unicode_form(tmp_path: Path) -> None:
    touch(tmp_path / "cafe\u0301" / "0.png", tmp_path / "u\u0308.mp4")
    videos = discover_videos([str(tmp_path / "cafe\u0301"), str(tmp_path / "u\u0308.mp4")])
    assert [video.name for video in videos] == ["caf\u00e9", "\u00fc"]


def test_a_video_file_beside_frames_is_named(tmp_path: Path) -> None:
    folder, events = tmp_path / "clip", list[Event]()
    touch(
        folder / "0.jpg", folder / "1.jpg", folder / "whole.MP4", folder / "b.avi", folder / "masks" / "0.png"
    )
    (folder / "more.mov").mkdir()
    (video,) = discover_videos([str(folder)], on_event=events.append)
    assert [file.name for file in video.files] == ["0.jpg", "1.jpg"]
    text = f"{folder}: 2 pictures read, not b.avi, whole.MP4 beside: video files are named themselves"
    assert [(event.kind, event.message) for event in events] == [("notice", text)]


def test_a_video_file_beside_folders_of_frames_is_named(tmp_path: Path) -> None:
    events = list[Event]()
    touch(tmp_path / "a" / "0.jpg", tmp_path / "b.mp4")
    assert [video.name for video in discover_videos([str(tmp_path)], on_event=events.append)] == ["a"]
    assert [event.message.partition(": ")[2] for event in events] == [
        "1 folder read, not b.mp4 beside: video files are named themselves"
    ]


@pytest.mark.parametrize("beside", ["holiday.mp4", "holiday/0.jpg"])
def test_a_cover_beside_videos_is_no_video(tmp_path: Path, beside: str) -> None:
    touch(tmp_path / "cover.jpg", tmp_path / beside)
    with pytest.raises(DataError, match=r"found one picture, cover.jpg, beside holiday") as caught:
        discover_videos([str(tmp_path)])
    assert "move cover.jpg elsewhere" in caught.value.hint


def test_one_picture_is_a_video(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "cover.jpg", tmp_path / "b" / "0.jpg", tmp_path / "b" / "masks" / "0.png")
    assert [len(discover_videos([str(tmp_path / name)])) for name in "ab"] == [1, 1]


def test_a_url_on_stdin_is_told_from_a_path(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"s3://team/clip.mp4: expected a path, found a URL on stdin"):
        discover_videos(["-"], stdin=io.StringIO("s3://team/clip.mp4\n"))


@pytest.mark.parametrize("kind", ["masks", "preview"])
def test_an_output_folder_is_no_input(tmp_path: Path, kind: str) -> None:
    touch(tmp_path / "labels" / kind / "clip" / "00000.png")
    manifest = tmp_path / "labels" / "manifest.json"
    manifest.write_text('{"name": "of a web page"}', "utf-8")
    assert [video.name for video in discover_videos([str(tmp_path / "labels")])] == ["clip"]
    manifest.write_text('{"tool": "vsodtool", "command": "pseudolabel"}', "utf-8")
    with pytest.raises(DataError, match="expected frames, found an output folder of vsodtool pseudolabel"):
        discover_videos([str(tmp_path / "labels")])
