"""The shots of a run: found in folders and files, listed, and told apart by what they are."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tests.scenes import scene
from vsodtool.errors import DataError
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.ops.shots.shots import ONE_SHOT, Shots
from vsodtool.pipelines.running.shots import NO_CUTS, Cuts, find_shots, resolve_cuts


@pytest.fixture
def source(tmp_path: Path) -> FrameSource:
    """Two shots of ten frames; the fourth and the eleventh do not decode."""
    folder = tmp_path / "clip"
    folder.mkdir()
    for index, frame in enumerate([*scene(1, 10), *scene(2, 10)]):
        path = folder / f"{index:05d}.png"
        assert cv2.imwrite(str(path), frame[..., ::-1])
        if index in (3, 10):
            path.write_bytes(path.read_bytes()[:100])
    (video,) = discover_videos([str(folder)])
    return open_frames(video)


def test_a_shot_begins_at_its_first_frame_that_decodes(source: FrameSource) -> None:
    assert find_shots(source) == Shots((11,))


def test_what_the_option_means(source: FrameSource, tmp_path: Path) -> None:
    assert resolve_cuts("auto", [source]) == Cuts(None)
    assert resolve_cuts("auto", [source]).known("clip") is None
    assert resolve_cuts("none", [source]).known("clip") == ONE_SHOT
    (tmp_path / "cuts.txt").write_text("clip 00010\n")
    assert resolve_cuts(str(tmp_path / "cuts.txt"), [source]).known("clip") == Shots((10,))
    with pytest.raises(DataError, match="cannot read the cuts in"):
        resolve_cuts(str(tmp_path / "nowhere.txt"), [source])


def test_a_digest_tells_cuts_apart_and_nothing_else() -> None:
    listed = [Cuts({"a": Shots((3,))}), Cuts({"a": Shots((4,))}), Cuts({"b": Shots((3,))})]
    assert len({each.digest for each in (*listed, Cuts(), NO_CUTS)}) == 5
    assert Cuts({"a": Shots((3,)), "b": ONE_SHOT}).digest == listed[0].digest
    assert Cuts({"a": ONE_SHOT}).digest == NO_CUTS.digest == "none"
