"""Tasks of Label Studio as they are written."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from vsodtool.media.annotations.formats.label_studio_writing import write_label_studio
from vsodtool.media.annotations.model import Annotations, FrameKey, FrameLabels, Shape, VideoLabels
from vsodtool.media.annotations.reading import read_annotations

SIZE = (4, 6)


def tasks(*shapes: Shape, empty: bool = False, **options: bool | str) -> list[dict[str, object]]:
    labels = FrameLabels(FrameKey("00001.png", size=SIZE), shapes, empty=empty)
    made = Annotations("out", "made", (VideoLabels("clip", (labels,)),))
    return list(json.loads("".join(write_label_studio(made, **options))))  # type: ignore[arg-type]


def dog(score: float | None = None) -> Shape:
    return Shape("dog", lambda size: np.ones(size, bool), "x", score=score)


def test_predictions_have_the_lowest_score_and_annotations_none() -> None:
    (task,) = tasks(dog(0.9), dog(0.4))
    assert task["annotations"] == []
    assert task["predictions"][0]["score"] == 0.4  # type: ignore[index]
    (task,) = tasks(dog(), as_annotations=True)
    assert task["predictions"] == []
    assert "score" not in task["annotations"][0]  # type: ignore[index]


def test_nobody_said_anything_of_a_frame_unless_it_is_empty() -> None:
    assert tasks()[0]["predictions"] == []
    assert tasks(empty=True)[0]["predictions"] != []


def test_names_of_the_labelling_configuration() -> None:
    (task,) = tasks(dog(), tag="bitmask", from_name="masks", to_name="still")
    (result,) = task["predictions"][0]["result"]  # type: ignore[index]
    assert (result["type"], result["from_name"], result["to_name"]) == ("bitmasklabels", "masks", "still")
    assert result["value"]["bitmasklabels"] == ["dog"]


@pytest.mark.parametrize(
    "template", ["/data/local-files/?d={path}", "https://a.b/{path}", "s3://bucket/{path}"]
)
@pytest.mark.parametrize("name", ["my clip", "50% & more", "a+b", "take #2?", "100%41", "Größe", "clip"])
def test_links_to_images_hold_any_name(tmp_path: Path, template: str, name: str) -> None:
    shape = Shape("dog", lambda size: np.ones(size, bool), "x")
    labels = FrameLabels(FrameKey(f"{name}/00001.png", size=SIZE), (shape,))
    path = tmp_path / "tasks.json"
    made = Annotations("out", "made", (VideoLabels(name, (labels,)),))
    path.write_text("".join(write_label_studio(made, image_url=template, as_annotations=True)), "utf-8")
    link = json.loads(path.read_text("utf-8"))[0]["data"]["image"]
    assert template.startswith("s3") or not set(" &+#") & set(link)
    assert PurePosixPath(read_annotations(path).videos[0].frames[0].key.name).parts[-2:] == (
        name,
        "00001.png",
    )
