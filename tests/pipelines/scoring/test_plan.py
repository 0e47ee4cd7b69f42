"""What is going to be scored: names of methods, frames left out, what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.config import EvaluateConfig
from vsodtool.errors import DataError
from vsodtool.pipelines.scoring.plan import make_plan, name_methods
from vsodtool.types import Event, ignore_event


def tree(root: Path, name: str, **videos: int) -> Path:
    """Files that are never opened."""
    for video, count in videos.items():
        (root / name / video).mkdir(parents=True)
        for index in range(count):
            (root / name / video / f"{index:05d}.png").write_bytes(b"not opened")
    return root / name


def test_methods_are_called_by_as_much_of_their_paths_as_differs(tmp_path: Path) -> None:
    assert name_methods([tmp_path / "a" / "out", tmp_path / "b" / "out"]) == ("a/out", "b/out")
    assert name_methods([tmp_path / "a", tmp_path / "b"]) == ("a", "b")
    with pytest.raises(DataError, match="found one twice"):
        name_methods([tmp_path / "a", tmp_path / "a"])


@pytest.mark.parametrize(
    ("options", "scored", "ends", "given"),
    [
        ({"ends": "keep"}, 7, 0, 0),
        ({"ends": "drop"}, 5, 2, 0),
        ({"ends": "keep", "every": 3}, 4, 0, 3),
        ({"ends": "drop", "every": 3}, 4, 0, 3),
    ],
)
def test_which_frames_are_scored(
    tmp_path: Path, options: dict[str, object], scored: int, ends: int, given: int
) -> None:
    config = EvaluateConfig(
        predictions=(str(tree(tmp_path, "p", v=7)), str(tree(tmp_path, "gt", v=7))),
        **options,  # type: ignore[arg-type]
    )
    plan = make_plan(config, tmp_path, ignore_event)
    assert (len(plan.videos[0].scored), plan.ends, plan.given) == (scored, ends, given)
    assert len(plan.videos[0].truths) == len(plan.videos[0].predictions(0)) == 7


def test_a_video_too_short_is_warned_of_and_none_left_is_refused(tmp_path: Path) -> None:
    truth, heard = tree(tmp_path, "gt", tiny=2, v=4), list[Event]()
    config = EvaluateConfig(predictions=(str(tree(tmp_path, "p", tiny=2, v=4)), str(truth)))
    plan = make_plan(config, tmp_path, heard.append)
    assert [video.name for video in plan.videos] == ["v"]
    assert [event.video for event in heard if event.kind == "warning"] == ["tiny"]
    assert any("davsod: 2 frames of 1 video; left out: 4 first or last" in event.message for event in heard)
    alone = EvaluateConfig(predictions=(str(tmp_path / "p" / "tiny"), str(truth / "tiny")))
    with pytest.raises(DataError, match="no frame is left to score: 2 are the first or last"):
        make_plan(alone, tmp_path, ignore_event)


def test_options_of_annotations_with_a_folder_of_truth_are_said_to_be_in_vain(tmp_path: Path) -> None:
    paths = (str(tree(tmp_path, "p", v=4)), str(tree(tmp_path, "gt", v=4)))
    heard = list[Event]()
    make_plan(EvaluateConfig(predictions=paths, classes="dog", frame_offset=-1), tmp_path, heard.append)
    assert any(event.message.startswith("--frame-offset, --classes: of annotation") for event in heard)
    heard.clear()
    make_plan(EvaluateConfig(predictions=paths), tmp_path, heard.append)
    assert not any("of annotation files only" in event.message for event in heard)
