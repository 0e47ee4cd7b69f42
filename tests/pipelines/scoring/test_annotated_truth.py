"""A truth that is an annotation file gives the scores of the masks that it was made of."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vsodtool.config import EvaluateConfig
from vsodtool.errors import ConfigError, DataError
from vsodtool.pipelines.evaluate import run_evaluate
from vsodtool.pipelines.scoring.report import EvaluateReport
from vsodtool.types import Event

GOLDEN = Path(__file__).parents[2] / "media" / "annotations" / "golden"
EVERY_READER = [
    "coco/compressed.json",
    "coco/polygons.json",
    "cvat/images.xml",
    "cvat/video-masks.xml",
    "cvat-mask.zip",
    "labelme",
    "label-studio/export.json",
    "youtube-vis/instances.json",
    "yolo",
    "supervisely",
    "supervisely-video",
]


def ids_of(number: int) -> Any:
    return np.asarray(Image.open(GOLDEN / "truth" / f"{number:05d}.png"))


@pytest.fixture
def predicted(tmp_path: Path) -> Path:
    """The golden scene as somebody predicted it: right but for the upper row of the ball."""
    folder = tmp_path / "predicted" / "clip"
    folder.mkdir(parents=True)
    for number in range(5):
        ids = ids_of(number - number % 2).copy()
        ids[1, 7:9] = 0
        image = Image.fromarray(ids, "P")
        image.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])
        image.save(folder / f"{number:05d}.png")
    return folder


def scores(predicted: Path, truth: Path, heard: list[Event] | None = None, **more: Any) -> EvaluateReport:
    options = {"protocol": "davis", "ends": "keep", "allow_extra": True, "workers": 1} | more
    config = EvaluateConfig(predictions=(str(predicted), str(truth)), **options)
    return run_evaluate(config, on_event=(heard if heard is not None else []).append)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """The truth as a folder of masks, of the two frames that every format has."""
    folder = tmp_path / "truth" / "clip"
    folder.mkdir(parents=True)
    for number in (0, 2):
        image = Image.fromarray(ids_of(number), "P")
        image.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])
        image.save(folder / f"{number:05d}.png")
    return folder.parent


@pytest.mark.parametrize("name", EVERY_READER)
@pytest.mark.parametrize("objects", ["auto", "single"])
def test_scores_are_those_of_masks(
    predicted: Path, masks: Path, tmp_path: Path, name: str, objects: str
) -> None:
    expected = scores(predicted.parent, masks, objects=objects).methods[0]
    truth = masks_of_two_frames(GOLDEN / name, tmp_path / "copy")
    found = scores(predicted.parent, truth, objects=objects).methods[0]
    assert found.frames.scored == expected.frames.scored == 2
    assert found.scores == expected.scores
    assert 0.5 < found.scores["j_mean"] < 1


def masks_of_two_frames(source: Path, copy: Path) -> Path:
    """Formats that can say so call frame 4 empty: taken out, so that all say the same."""
    if source.name in ("labelme", "yolo"):
        shutil.copytree(source, copy)
        for path in copy.rglob("00004.*"):
            path.unlink()
        return copy
    if source.name == "export.json":
        copy.with_suffix(".json").write_text(json.dumps(json.loads(source.read_text("utf-8"))[:2]), "utf-8")
        return copy.with_suffix(".json")
    return source


def test_the_mapping_is_told_and_nothing_is_left(
    predicted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Event] = []
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    report = scores(predicted, GOLDEN / "coco" / "compressed.json", heard)
    assert not list(temporary.iterdir())
    told = "\n".join(event.message for event in heard)
    assert (
        "compressed.json: coco, 2 frames of 'clip', clip/00000.jpg ... clip/00002.jpg -> 00000 ... 00002"
        in told
    )
    assert report.dataset == "compressed"
    assert report.ground_truth == GOLDEN / "coco" / "compressed.json"


def test_ids_are_those_that_the_names_have_in_the_predictions(predicted: Path, masks: Path) -> None:
    """OUT calls the ball 1 and the dog 2, the other way round than the file's ids."""
    out = predicted.parents[1] / "out"
    (out / "masks" / "clip").mkdir(parents=True)
    rows = ["video,frame,status,left,right,confidence"]
    for number in range(5):
        image = Image.open(predicted / f"{number:05d}.png")
        swapped = Image.fromarray(np.array([0, 2, 1], np.uint8)[np.asarray(image)], "P")
        swapped.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])
        swapped.save(out / "masks" / "clip" / f"{number:05d}.png")
        rows.append(f"clip,{number:05d},generated,,,0.5")
    (out / "frames.csv").write_text("\n".join(rows) + "\n", "utf-8")
    known = [{"id": 1, "name": "ball", "category": "ball"}, {"id": 2, "name": "dog", "category": "dog"}]
    (out / "objects.json").write_text(json.dumps({"videos": {"clip": known}}), "utf-8")
    expected = scores(predicted.parent, masks).methods[0]
    found = scores(out, GOLDEN / "cvat" / "images.xml").methods[0]
    assert found.scores == expected.scores


def test_a_frame_without_a_prediction_and_a_video_without_one_are_refused(
    predicted: Path, tmp_path: Path
) -> None:
    truth = GOLDEN / "coco" / "compressed.json"
    (predicted / "00002.png").unlink()
    with pytest.raises(DataError, match=r"in .*compressed.json, found none for '00002'"):
        scores(predicted.parent, truth)
    assert scores(predicted.parent, truth, allow_missing=True).methods[0].frames.missing == 1
    loaded = json.loads(truth.read_text("utf-8"))
    loaded["videos"].append({"id": 2, "name": "other"})
    loaded["images"].append({"id": 9, "file_name": "other/0.jpg", "width": 4, "height": 4, "video_id": 2})
    path = tmp_path / "two.json"
    path.write_text(json.dumps(loaded), "utf-8")
    with pytest.raises(DataError, match=r"two\.json: .*found also 'other'"):
        scores(predicted.parent, path)


def test_another_size_is_refused_unless_it_may_be_resized(predicted: Path) -> None:
    for file in predicted.glob("*.png"):
        Image.open(file).resize((20, 16), Image.Resampling.NEAREST).save(file)
    truth = GOLDEN / "coco" / "compressed.json"
    with pytest.raises(DataError, match="expected labels of 20x16 like the frame, found 10x8"):
        scores(predicted, truth)
    assert scores(predicted, truth, allow_resize=True).methods[0].frames.resized == 2


def test_saliency_never_asks_who_is_who(predicted: Path, tmp_path: Path) -> None:
    loaded = json.loads((GOLDEN / "coco" / "compressed.json").read_text("utf-8"))
    for entry in loaded["annotations"]:
        entry["category_id"] = 1
        del entry["track_id"]
    path = tmp_path / "twins.json"
    path.write_text(json.dumps(loaded), "utf-8")
    with pytest.raises(DataError, match="dog occurs 2 times") as caught:
        scores(predicted, path)
    assert "--objects" in caught.value.hint
    assert scores(predicted, path, objects="single").methods[0].frames.scored == 2
    assert scores(predicted, path, protocol="pysod").methods[0].frames.scored == 2


def test_ways_to_tell_objects_apart_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected one of auto, single, multi, track, category"):
        EvaluateConfig(predictions=("a", "b"), objects="who")
    assert EvaluateConfig(predictions=("a", "b"), objects="attribute:name").choices.objects == "single"
    config = EvaluateConfig(predictions=("a", "b"), protocol="davis", objects="track")
    assert config.choices.objects == "auto"


def test_tracks_are_the_ids_of_predictions_that_have_no_names(
    predicted: Path, masks: Path, tmp_path: Path
) -> None:
    expected = scores(predicted.parent, masks).methods[0]
    for path in predicted.glob("*.png"):
        image = Image.fromarray(np.array([0, 7, 4], np.uint8)[np.asarray(Image.open(path))], "P")
        image.putpalette(bytes(range(256)) * 3)
        image.save(path)
    content = json.loads((GOLDEN / "coco/compressed.json").read_text("utf-8"))
    for entry in content["annotations"]:
        entry["track_id"] = {1: 7, 2: 4}[entry["category_id"]]
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps(content), "utf-8")
    assert scores(predicted.parent, truth).methods[0].scores == expected.scores
