"""Annotations in, labels out, and back into every format: the same masks all the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vsodtool.config import MASK_FORMATS, ConvertConfig, PseudoLabelConfig
from vsodtool.config.commands.convert import WRITTEN_FORMATS
from vsodtool.errors import ConfigError, DataError, UsageError
from vsodtool.media.annotations.formats.coco import write_coco
from vsodtool.media.annotations.formats.cvat_writing import write_cvat
from vsodtool.media.annotations.model import Annotations, Category, FrameKey, FrameLabels, Shape, VideoLabels
from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.annotations.table import FORMATS
from vsodtool.media.output.layout import OutputLayout
from vsodtool.pipelines.convert import ConvertReport, run_convert
from vsodtool.pipelines.converting.writing import MASKS, write
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.reviewing.notes import Notes
from vsodtool.types import Event, ignore_event

Film = Callable[..., Any]
NAMES = {1: "dog", 2: "ball"}
LOSSLESS = [entry.name for entry in FORMATS if entry.lossless and (entry.write or entry.write_files)]


def drawn(clip: Any, labelled: list[int], file_names: Callable[[int], str]) -> Annotations:
    """Annotations of some frames of a clip."""
    frames = []
    for number in labelled:
        truth = clip.truth[number]
        shapes = [
            Shape(name, lambda _, truth=truth, at=at: truth == at, "made", track=str(at))  # type: ignore[misc]
            for at, name in NAMES.items()
        ]
        frames.append(FrameLabels(FrameKey(file_names(number), number, truth.shape), tuple(shapes)))
    categories = (Category("dog", "#33ddff"), Category("ball"))
    return Annotations("made", "cvat", (VideoLabels("task", tuple(frames)),), categories)


@pytest.fixture
def clip(film: Film) -> Any:
    return film([(2, 1)] * 6, objects={1: (72, 72, 12, 9), 2: (78, 90, 6, 6)})


@pytest.fixture
def out(tmp_path: Path, clip: Any, exact: Any) -> Path:
    """OUT of `pseudolabel` with masks from a CVAT file."""
    source = clip.write_folder(tmp_path / "clip")
    annotations = drawn(clip, [0, 3, 6], lambda number: f"{number:05d}.png")
    path = tmp_path / "annotations.xml"
    path.write_text("".join(write_cvat(annotations, polygons=False)), "utf-8")
    config = PseudoLabelConfig(
        inputs=(str(source),), masks=path, output=tmp_path / "out", device="cpu", workers=1, method="warp"
    )
    events: list[Event] = []
    run_pseudolabel(config, estimator=exact, on_event=events.append)
    told = next(event.message for event in events if "annotations.xml" in event.message)
    assert "3 frames of 'clip', 00000.png ... 00006.png -> 00000 ... 00006 (by name)" in told
    assert "2 objects (dog, ball), 6 shapes" in told
    return tmp_path / "out"


def convert(source: Path, **options: Any) -> ConvertReport:
    return run_convert(ConvertConfig(source=source, **options))


def ids(folder: Path) -> list[Any]:
    return [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))]


def test_the_tables_are_those_of_the_configurations() -> None:
    assert set(MASK_FORMATS) == {"auto", *(entry.name for entry in FORMATS if entry.read is not None)}
    written = {entry.name for entry in FORMATS if entry.write or entry.write_files or entry.write_polygons}
    assert set(WRITTEN_FORMATS) == {MASKS, *written}


def test_labels_from_annotations_are_exact_and_named(out: Path, clip: Any) -> None:
    for found, truth in zip(ids(out / "masks" / "clip"), clip.truth, strict=True):
        np.testing.assert_array_equal(found, truth)
    content = json.loads((out / "objects.json").read_text("utf-8"))
    assert content["format"] == "cvat"
    assert [(each["id"], each["name"], each["color"]) for each in content["videos"]["clip"]] == [
        (1, "dog", "#33ddff"),
        (2, "ball", ""),
    ]
    palette = Image.open(out / "masks" / "clip" / "00000.png").getpalette()
    assert palette is not None
    assert palette[3:9] == [0x33, 0xDD, 0xFF, 0, 128, 0]


@pytest.mark.parametrize("name", LOSSLESS)
def test_what_is_written_comes_back(out: Path, tmp_path: Path, clip: Any, name: str) -> None:
    target = tmp_path / "back" / ("file.xml" if name == "cvat" else "file.json")
    many = next(entry for entry in FORMATS if entry.name == name).write_files is not None
    report = convert(out, output=str(target.parent if many else target), to=name)
    assert (report.frames, report.objects, report.masks, report.lossless) == (7, ["dog", "ball"], 14, True)
    assert report.hint
    convert(
        target.parent if many else target,
        input=(str(tmp_path / "clip"),),
        output=str(tmp_path / "masks"),
        to="masks",
        predictions=True,
    )
    for found, truth in zip(ids(tmp_path / "masks"), clip.truth, strict=True):
        np.testing.assert_array_equal(found, truth)


def test_names_that_differ_in_case_are_refused_where_the_disk_knows_none(
    clip: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = drawn(clip, [0, 3], lambda number: f"a{number}.png")
    (task,) = several.videos
    twins = replace(several, videos=(replace(task, name="Cat"), replace(task, name="cat")))
    first, second = task.frames
    twin = replace(task, frames=(first, replace(second, key=FrameKey("A0.png", 3, second.key.known_size))))
    config = ConvertConfig(source=tmp_path / "x", output=str(tmp_path / "m"), to="masks")
    monkeypatch.setattr("vsodtool.media.case.folds_case", lambda _: True)
    for wrong, told in (
        (twins, "the videos 'Cat' and 'cat'"),
        (replace(several, videos=(twin,)), "in task the frames 'a0' and 'A0'"),
    ):
        with pytest.raises(UsageError, match=f"{told} differ only in case"):
            write(wrong, tmp_path / "m", config, {}, ignore_event)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ({"frames": "given"}, [0, 3, 6]),
        ({"frames": "generated"}, [1, 2, 4, 5]),
        ({"frames": "every:2"}, [0, 2, 4, 6]),
        ({"frames": "generated", "max_confidence": 0.0}, []),
        ({"min_confidence": 0.0}, list(range(7))),
    ],
)
def test_frames_are_chosen(out: Path, tmp_path: Path, options: dict[str, Any], numbers: list[int]) -> None:
    if not numbers:
        with pytest.raises(DataError, match="found none that were asked for"):
            convert(out, output=str(tmp_path / "m"), to="masks", **options)
        return
    convert(out, output=str(tmp_path / "m"), to="masks", **options)
    assert [int(path.stem) for path in sorted((tmp_path / "m").iterdir())] == numbers


def test_a_list_of_frames_and_corrections(out: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("clip/00001\n00004\n", "utf-8")
    assert convert(out, check=True, frames=str(tmp_path / "list.txt")).frames == 2
    with pytest.raises(DataError, match="none that were asked for"):
        convert(out, check=True, frames="corrected")
    corrected = out / "corrections" / "clip" / "00002.png"
    corrected.parent.mkdir(parents=True)
    image = Image.open(out / "masks" / "clip" / "00002.png")
    image.paste(0, (0, 0, *image.size))
    image.save(corrected)
    assert convert(out, check=True, frames="corrected").frames == 1
    with pytest.raises(UsageError, match="file of frame names"):
        convert(out, check=True, frames="nosuch.txt")


def test_frames_that_were_flagged_on_the_page(out: Path, tmp_path: Path) -> None:
    notes = Notes(OutputLayout(out))
    notes.set("clip", "00001", "bad", "tail")
    notes.set("clip", "00002", "ok", "")
    notes.set("other", "00003", "bad", "")
    assert convert(out, check=True, frames=str(notes.path)).frames == 1
    bad = {"flag": "bad"}
    said = {"frames": {"00001": {"flag": ""}, "00002": bad}, "known": {"00001": bad, "00004": bad}}
    passed_on = {"version": 1, "videos": {"clip": said}}
    (tmp_path / "flags.json").write_text(json.dumps(passed_on), "utf-8")
    assert convert(out, check=True, frames=str(tmp_path / "flags.json")).frames == 2
    (tmp_path / "flags.json").write_text('{"version": 1}', "utf-8")
    with pytest.raises(DataError, match="expected flags of the review page"):
        convert(out, check=True, frames=str(tmp_path / "flags.json"))


def test_generated_frames_carry_their_confidence(out: Path, tmp_path: Path) -> None:
    convert(out, output=str(tmp_path / "c.json"), to="coco")
    content = json.loads((tmp_path / "c.json").read_text("utf-8"))
    files = {image["id"]: image["file_name"] for image in content["images"]}
    scored = {files[entry["image_id"]] for entry in content["annotations"] if "score" in entry}
    assert scored == {f"{number:05d}.png" for number in (1, 2, 4, 5)}


def test_what_is_there_is_not_overwritten_unasked(out: Path, tmp_path: Path) -> None:
    target = tmp_path / "c.json"
    target.write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="exists"):
        convert(out, output=str(target), to="coco")
    assert target.read_text("utf-8") == "mine"
    convert(out, output=str(target), to="coco", overwrite=True)
    assert target.read_text("utf-8").startswith("{")


def test_what_cannot_be_converted_is_refused(out: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in one way only"):
        convert(out, output=str(tmp_path / "y"), to="yolo", polygons=True)
    with pytest.raises(UsageError, match="polygons only"):
        convert(out, output=str(tmp_path / "v.xml"), to="cvat-video")
    with pytest.raises(DataError, match="expected the video 'other', found clip"):
        convert(out, output=str(tmp_path / "c.json"), to="coco", video="other")
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    (out / "manifest.json").write_text(json.dumps({**manifest, "status": "running"}), "utf-8")
    with pytest.raises(DataError, match="unfinished"):
        convert(out, check=True)
    with pytest.raises(ConfigError, match="expected what to write"):
        ConvertConfig(source=out, output="x")
    with pytest.raises(ConfigError, match="every:K"):
        ConvertConfig(source=out, check=True, frames="every:0")
    with pytest.raises(ConfigError, match="attribute:NAME"):
        ConvertConfig(source=out, check=True, objects="names")


def test_classes_that_do_not_occur_are_refused(out: Path, tmp_path: Path) -> None:
    convert(out, output=str(tmp_path / "c.xml"), to="cvat")
    with pytest.raises(DataError, match="expected the classes cat, found ball, dog"):
        convert(tmp_path / "c.xml", check=True, input=(str(tmp_path / "clip"),), classes="cat")
    report = convert(tmp_path / "c.xml", check=True, input=(str(tmp_path / "clip"),), classes="dog")
    assert report.objects == ["dog"]


def test_annotations_and_masks_together(tmp_path: Path, clip: Any, exact: Any) -> None:
    """An annotation file, another one that corrects it, and a folder of masks with its ids on top."""
    source = clip.write_folder(tmp_path / "clip")
    first, second = tmp_path / "first.xml", tmp_path / "second.xml"
    text = "".join(write_cvat(drawn(clip, [0, 3], lambda number: f"{number:05d}.png"), polygons=False))
    first.write_text(text, "utf-8")
    text = "".join(write_cvat(drawn(clip, [6], lambda number: f"{number:05d}.png"), polygons=False))
    second.write_text(text.replace("dog", "cat"), "utf-8")
    options = {"inputs": (str(source),), "device": "cpu", "workers": 1, "method": "warp"}
    once = PseudoLabelConfig(masks=(str(first), str(second)), output=tmp_path / "once", **options)  # type: ignore[arg-type]
    events: list[Event] = []
    run_pseudolabel(once, estimator=exact, on_event=events.append)
    told = [event.message for event in events]
    assert any(line.startswith("first.xml: cvat, 2 frames") for line in told)
    assert any(line.startswith("second.xml: cvat, 1 frame of") for line in told)
    content = json.loads((tmp_path / "once" / "objects.json").read_bytes())
    assert {info["name"]: info["id"] for info in content["videos"]["clip"]} == {"dog": 1, "ball": 2, "cat": 3}
    made = ids(tmp_path / "once" / "masks" / "clip")
    assert np.array_equal(made[0], clip.truth[0])
    assert np.array_equal(made[6], np.where(clip.truth[6] == 1, 3, clip.truth[6]))  # ball is the same one
    # Masks of that run, as corrections.
    (tmp_path / "more").mkdir()
    Image.open(tmp_path / "once" / "masks" / "clip" / "00006.png").save(tmp_path / "more" / "00005.png")
    masks = (str(first), str(second), str(tmp_path / "more"))
    report = run_pseudolabel(
        PseudoLabelConfig(masks=masks, output=tmp_path / "again", **options),  # type: ignore[arg-type]
        estimator=exact,
        on_event=events.append,
    )
    assert report.videos[0].given == 4
    assert np.array_equal(ids(tmp_path / "again" / "masks" / "clip")[5], made[6])
    assert any("from" in event.message and "more" in event.message for event in events)


def strange(tmp_path: Path, change: Callable[[Any], object]) -> Path:
    """COCO's golden file, changed."""
    golden = Path(__file__).parents[1] / "media" / "annotations" / "golden" / "coco" / "compressed.json"
    content = json.loads(golden.read_text("utf-8"))
    change(content)
    (tmp_path / "strange.json").write_text(json.dumps(content), "utf-8")
    return tmp_path / "strange.json"


MANY = [entry.name for entry in FORMATS if entry.write_files] + [MASKS]


@pytest.mark.parametrize("to", MANY)
@pytest.mark.parametrize("name", ["../../evil", "/evil", "..\\..\\evil", "C:\\evil"])
def test_nothing_is_written_beside_the_folder(tmp_path: Path, to: str, name: str) -> None:
    def change(content: Any) -> None:
        content["videos"] = [{"id": 1, "name": name}, {"id": 2, "name": "b"}]
        content["images"][1] |= {"video_id": 2, "file_name": "b/1.jpg"}

    source = strange(tmp_path, change)
    target = tmp_path / "a" / "b" / "c"
    with suppress(DataError):  # refused, unless the name is harmless where the format puts it
        convert(source, output=str(target), to=to)
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != source]
    assert all(target in path.parents for path in written)


@pytest.mark.parametrize("to", ["labelme", "yolo", "supervisely", MASKS])
def test_no_frame_is_written_over_another(tmp_path: Path, to: str) -> None:
    def change(content: Any) -> None:
        for number, image in enumerate(content["images"]):
            image["file_name"] = f"{number}/a.jpg"

    with pytest.raises(DataError, match=r"expected a name of its own for each file, found .* twice"):
        convert(strange(tmp_path, change), output=str(tmp_path / "out"), to=to)


@pytest.mark.parametrize("text", ["a\x00", "a\x0b", "\ud800", "\uffff"])
def test_characters_that_no_name_has_are_refused(tmp_path: Path, text: str) -> None:
    path = strange(tmp_path, lambda content: content["categories"][0].update(name=text))
    with pytest.raises(DataError, match=r"categories\[0\]\.name: expected a text without control characters"):
        convert(path, output=str(tmp_path / "back.xml"), to="cvat")


def test_names_that_are_no_text_on_the_disk_come_back(tmp_path: Path) -> None:
    """A byte of a file name that is not UTF-8 is half a character in Python, and an escape in JSON."""

    def change(content: Any) -> None:
        for number, image in enumerate(content["images"]):
            image["file_name"] = f"\udcff{number}.jpg"

    convert(strange(tmp_path, change), output=str(tmp_path / "b.json"), to="coco")
    convert(tmp_path / "b.json", output=str(tmp_path / "back.json"), to="coco")
    names = [
        image["file_name"] for image in json.loads((tmp_path / "back.json").read_text("utf-8"))["images"]
    ]
    assert names == ["\udcff0.jpg", "\udcff1.jpg", "\udcff2.jpg"]


WITH_IDS = [
    entry.name
    for entry in FORMATS
    if (entry.write or entry.write_files or entry.write_polygons) and entry.name != "mots"
]


@pytest.mark.parametrize("name", WITH_IDS)
def test_objects_without_names_come_back_with_their_ids(
    tmp_path: Path, film: Film, exact: Any, name: str
) -> None:
    """The second one is seen first, and alone: order of appearance is not the order of ids."""
    clip = film([(2, 1)] * 6, objects={5: (72, 72, 12, 9), 3: (78, 90, 6, 6)})
    for truth in clip.truth[:3]:
        truth[truth == 3] = 0
    source = clip.write_folder(tmp_path / "clip")
    masks = clip.write_masks(tmp_path / "masks", range(7), 1)
    config = PseudoLabelConfig(
        inputs=(str(source),), masks=masks, output=tmp_path / "out", device="cpu", workers=1, method="warp"
    )
    run_pseudolabel(config, estimator=exact)
    polygons = name == "cvat-video"
    path = tmp_path / ("there" if name in ("yolo", "labelme", "x-anylabeling") else "there.file")
    convert(tmp_path / "out", output=str(path), to=name, polygons=polygons)
    convert(
        path, output=str(tmp_path / "back"), to=MASKS, input=(str(source),), predictions=True, empty="given"
    )
    for given, back in zip(clip.truth, ids(tmp_path / "back"), strict=True):
        np.testing.assert_array_equal(back, given)


def write_correction(out: Path, frame: str, labels: Any) -> None:
    path = OutputLayout(out).correction("clip", frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(labels.astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0, 0, 0, 200])
    image.save(path)


def test_an_object_that_only_a_correction_has_is_written_by_its_name(
    out: Path, tmp_path: Path, clip: Any
) -> None:
    corrected = clip.truth[2].copy()
    corrected[:4, :5] = 3
    write_correction(out, "00002", corrected)
    Notes(OutputLayout(out)).add_object("clip", lambda _: ObjectInfo(3, "bird", "bird"))
    report = convert(out, output=str(tmp_path / "coco.json"), to="coco", frames="corrected")
    assert report.objects == ["dog", "ball", "bird"]
    entries = json.loads((tmp_path / "coco.json").read_text("utf-8"))["annotations"]
    assert [(entry["track_id"], entry["area"]) for entry in entries][-1] == (3, 20)
    convert(out, output=str(tmp_path / "masks"), to=MASKS, frames="corrected")
    np.testing.assert_array_equal(ids(tmp_path / "masks")[0], corrected)


def test_a_correction_that_is_stored_otherwise_is_written(tmp_path: Path, film: Film, exact: Any) -> None:
    clip = film([(2, 1)] * 4)
    masks = clip.write_masks(tmp_path / "masks", (0, 4), 255)
    source = clip.write_folder(tmp_path / "clip")
    config = PseudoLabelConfig(
        inputs=(str(source),), masks=masks, output=tmp_path / "out", device="cpu", workers=1, method="warp"
    )
    run_pseudolabel(config, estimator=exact)
    corrected = clip.truth[2] > 0
    corrected[:4, :5] = True
    write_correction(tmp_path / "out", "00002", corrected)
    convert(tmp_path / "out", output=str(tmp_path / "masks_of_it"), to=MASKS, frames="corrected")
    np.testing.assert_array_equal(ids(tmp_path / "masks_of_it")[0] > 0, corrected)


@pytest.mark.parametrize(("void", "found"), [("none", {3, 255}), ("3", {255}), ("auto", {3})])
def test_void_is_what_the_run_was_told(
    tmp_path: Path, film: Film, exact: Any, void: str, found: set[int]
) -> None:
    clip = film([(2, 1)] * 4, objects={3: (72, 72, 12, 9), 255: (78, 90, 6, 6)})
    (tmp_path / "masks").mkdir()
    for number in (0, 4):
        image = Image.fromarray(clip.truth[number], "P")
        image.putpalette(bytes(value for colour in range(256) for value in (colour, 255 - colour, 9)))
        image.save(tmp_path / "masks" / f"{number:05d}.png")
    source = clip.write_folder(tmp_path / "clip")
    config = PseudoLabelConfig(
        inputs=(str(source),),
        masks=tmp_path / "masks",
        output=tmp_path / "out",
        device="cpu",
        workers=1,
        method="warp",
        void=void,
    )
    run_pseudolabel(config, estimator=exact)
    convert(tmp_path / "out", output=str(tmp_path / "coco.json"), to="coco")
    entries = json.loads((tmp_path / "coco.json").read_text("utf-8"))["annotations"]
    assert {entry["track_id"] for entry in entries} == found


def shown_in(videos: dict[str, dict[str, str]]) -> Annotations:
    """Videos of one frame in which a pixel for each object is drawn: track -> class."""
    labels = []
    for video, tracks in videos.items():
        shapes = []
        for place, (track, category) in enumerate(tracks.items()):
            mask = np.zeros((4, 8), bool)
            mask[0, place] = True
            shapes.append(Shape(category, lambda _, mask=mask: mask, "made", track=track))  # type: ignore[misc]
        labels.append(VideoLabels(video, (FrameLabels(FrameKey("00000.png", 0, (4, 8)), tuple(shapes)),)))
    return Annotations("made", "coco", tuple(labels), (Category("dog"), Category("cat")))


def test_one_name_may_have_another_id_in_each_video(tmp_path: Path) -> None:
    path = tmp_path / "coco.json"
    made = shown_in({"a": {"300": "dog", "2": "cat"}, "b": {"1": "dog", "2": "cat"}})
    path.write_text("".join(write_coco(made, polygons=False)), "utf-8")
    convert(path, output=str(tmp_path / "masks"), to=MASKS)
    assert ids(tmp_path / "masks/a")[0][0].tolist() == [300, 2, 0, 0, 0, 0, 0, 0]
    assert ids(tmp_path / "masks/b")[0][0].tolist() == [1, 2, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("to", ["coco", "cvat", "labelme"])
def test_tracks_that_are_no_numbers_are_not_dropped(tmp_path: Path, to: str) -> None:
    path = tmp_path / "coco.json"
    made = shown_in({"a": {"41": "dog", "42": "dog", "1": "dog"}})
    content = json.loads("".join(write_coco(made, polygons=False)))
    for entry, track in zip(content["annotations"], ("left", "right", 1), strict=True):
        entry["track_id"] = track
    path.write_text(json.dumps(content), "utf-8")
    there = tmp_path / ("there" if to == "labelme" else "there.file")
    convert(path, output=str(there), to=to)
    report = convert(there, output=str(tmp_path / "masks"), to=MASKS)
    assert len(report.objects) == 3
    assert sorted(ids(tmp_path / "masks")[0][0, :3].tolist()) == [1, 2, 3]


def palette_of_my_own(labels: Any) -> Image.Image:
    image = Image.fromarray(labels.astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 250, 0, 0, 0, 250, 0])  # none for a third object
    return image


STORED: dict[str, Callable[[Any], Image.Image]] = {
    "palette": palette_of_my_own,
    "ids of 8 bit": lambda labels: Image.fromarray(labels.astype(np.uint8), "L"),
    "ids of 16 bit": lambda labels: Image.fromarray(labels.astype(np.uint16)),
    "a colour for each": lambda labels: palette_of_my_own(labels).convert("RGB"),
}


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("to", [MASKS, "labelme", "cvat", "coco"])
def test_what_is_written_fits_beside_the_masks_of_the_run(
    tmp_path: Path, clip: Any, exact: Any, stored: str, to: str
) -> None:
    """As drafts of `suggest` do that somebody corrects: a third object is added, if there is room for one."""
    source = clip.write_folder(tmp_path / "clip")
    (tmp_path / "masks").mkdir()
    for number in (0, 3, 6):
        STORED[stored](clip.truth[number]).save(tmp_path / "masks" / f"{number:05d}.png")
    options: dict[str, Any] = {
        "inputs": (str(source),),
        "output": tmp_path / "out",
        "device": "cpu",
        "workers": 1,
        "method": "warp",
    }
    run_pseudolabel(PseudoLabelConfig(masks=(str(tmp_path / "masks"),), **options), estimator=exact)
    before = ids(tmp_path / "out/masks/clip")
    listed = tmp_path / "frames.txt"
    listed.write_text("00001\n00004\n", "utf-8")
    there = tmp_path / ("there" if to in (MASKS, "labelme") else "there.file")
    convert(tmp_path / "out", output=str(there), to=to, frames=str(listed))
    third = to == "labelme" and stored != "a colour for each"
    if third:
        path = there / "00004.json"
        content = json.loads(path.read_text("utf-8"))
        box = {"label": "bird", "shape_type": "rectangle", "points": [[0, 0], [3, 2]], "group_id": None}
        path.write_text(json.dumps({**content, "shapes": [*content["shapes"], box]}), "utf-8")
    masks = (str(tmp_path / "masks"), str(there))
    again = PseudoLabelConfig(masks=masks, update=True, **options)
    run_pseudolabel(again, estimator=exact)
    after = ids(tmp_path / "out/masks/clip")
    assert np.array_equal(after[0], before[0])
    assert np.array_equal(after[1], before[1])
    if third:
        before[4] = before[4].copy()
        before[4][:3, :4] = 3
    assert np.array_equal(after[4], before[4])


def in_coco(path: Path, videos: dict[str, dict[str, str]]) -> Path:
    path.write_text("".join(write_coco(shown_in(videos), polygons=False)), "utf-8")
    return path


@pytest.mark.parametrize("to", ["label-studio", "yolo", "supervisely"])
def test_formats_of_classes_say_that_tracks_are_lost(tmp_path: Path, to: str) -> None:
    path = in_coco(tmp_path / "coco.json", {"a": {"1": "dog", "2": "dog", "3": "cat"}})
    events: list[Event] = []
    config = ConvertConfig(source=path, output=str(tmp_path / "plain"), to=to)
    report = run_convert(config, on_event=events.append)
    assert (report.objects, report.lossless) == (["dog", "cat"], False)
    assert any("2 of 'dog' in a become one class; --objects track" in event.message for event in events)
    told_apart = convert(path, output=str(tmp_path / "apart"), to=to, objects="track")
    assert (told_apart.objects, told_apart.lossless) == (["dog 1", "dog 2", "cat"], True)
    alone = in_coco(tmp_path / "alone.json", {"a": {"1": "dog", "3": "cat"}})
    assert convert(alone, output=str(tmp_path / "alone"), to=to).lossless


@pytest.mark.parametrize("to", ["label-studio", "yolo", "labelme", "x-anylabeling"])
def test_a_frame_of_which_nothing_is_said_does_not_become_an_empty_one(tmp_path: Path, to: str) -> None:
    path = in_coco(tmp_path / "coco.json", {"a": {"1": "dog"}})
    content = json.loads(path.read_text("utf-8"))
    content["images"].append({**content["images"][0], "id": 2, "file_name": "00001.png", "frame_id": 1})
    path.write_text(json.dumps(content), "utf-8")
    (tmp_path / "a").mkdir()
    for number in range(2):
        Image.new("RGB", (8, 4)).save(tmp_path / "a" / f"{number:05d}.png")

    def masks(**options: Any) -> int:
        there, back = (tmp_path / f"{name}{len(options)}" for name in ("there", "back"))
        convert(path, output=str(there), to=to, **options)
        inputs = (str(tmp_path / "a"),)
        report = convert(there, output=str(back), to=MASKS, input=inputs, predictions=True)
        return report.frames

    assert masks() == 1
    assert masks(empty="given") == 2


def test_frames_that_show_other_classes_only_are_empty_whether_matched_or_not(tmp_path: Path) -> None:
    path = in_coco(tmp_path / "coco.json", {"a": {"1": "dog"}})
    content = json.loads(path.read_text("utf-8"))
    content["images"].append({**content["images"][0], "id": 2, "file_name": "00001.png", "frame_id": 1})
    cat = next(each["id"] for each in content["categories"] if each["name"] == "cat")
    entry = {**content["annotations"][0], "id": 2, "image_id": 2, "category_id": cat, "track_id": 2}
    content["annotations"].append(entry)
    path.write_text(json.dumps(content), "utf-8")
    (tmp_path / "a").mkdir()
    for number in range(2):
        Image.new("RGB", (8, 4)).save(tmp_path / "a" / f"{number:05d}.png")
    for name, given in (("plain", ()), ("matched", (str(tmp_path / "a"),))):
        for to in (MASKS, "yolo"):
            target = tmp_path / f"{name} {to}"
            assert convert(path, output=str(target), to=to, input=given, classes="dog").frames == 2
        assert [int(each.max()) for each in ids(tmp_path / f"{name} {MASKS}")] == [1, 0]


@pytest.mark.parametrize("to", ["yolo", "coco", "burst", "youtube-vis", "mots"])
def test_a_class_that_meta_json_does_not_declare_is_written(tmp_path: Path, to: str) -> None:
    path = in_coco(tmp_path / "coco.json", {"a": {"1": "dog", "2": "cat"}})
    convert(path, output=str(tmp_path / "sly"), to="supervisely")
    meta = tmp_path / "sly" / "meta.json"
    content = json.loads(meta.read_text("utf-8"))
    meta.write_text(json.dumps({**content, "classes": content["classes"][:1]}), "utf-8")
    report = convert(tmp_path / "sly", output=str(tmp_path / "there"), to=to)
    assert report.objects == ["dog", "cat"]


def test_only_pictures_give_frames_their_file_names(out: Path, tmp_path: Path) -> None:
    for suffix in ("json", "txt", "xml"):  # as annotation tools put them beside
        for number in range(7):
            (tmp_path / "clip" / f"{number:05d}.{suffix}").write_text("{}", "utf-8")
    convert(out, output=str(tmp_path / "c.json"), to="coco")
    images = json.loads((tmp_path / "c.json").read_text("utf-8"))["images"]
    assert [image["file_name"] for image in images] == [f"{number:05d}.png" for number in range(7)]


def test_frames_have_their_file_names_wherever_convert_is_started(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    manifest["config"]["output"] = "out"
    manifest["inputs"]["clip"]["path"] = "clip"
    (out / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    convert(Path("../out"), output="c.json", to="coco")
    assert json.loads(Path("c.json").read_text("utf-8"))["images"][0]["file_name"] == "00000.png"


def test_a_list_of_frames_as_windows_and_macs_write_it(out: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_bytes(b"\xef\xbb\xbfclip/00001\r\n\r\n00004\r\n")
    assert convert(out, check=True, frames=str(listed)).frames == 2
    listed.write_bytes(b'\xef\xbb\xbf{"version": 1, "videos": {}}')
    with pytest.raises(DataError, match="none that were asked for"):
        convert(out, check=True, frames=str(listed))


@pytest.mark.parametrize("line", ["00044", "other/00001", "clip/", "0000"])
def test_a_line_that_names_no_frame_is_refused(out: Path, tmp_path: Path, line: str) -> None:
    (tmp_path / "list.txt").write_text(f"00001\n{line}\n", "utf-8")
    with pytest.raises(UsageError, match=r"list\.txt, line 2: expected a frame of clip, found") as caught:
        convert(out, check=True, frames=str(tmp_path / "list.txt"))
    assert caught.value.hint == "as 00000 or clip/00000"


@pytest.mark.parametrize(
    "options",
    [{"classes": "dog"}, {"input": ("clip",)}, {"objects": "single"}, {"frame_offset": 1}, {"boxes": True}],
)
def test_options_of_annotations_are_refused_with_an_out_folder(out: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is about annotations of another tool, found an OUT folder"):
        convert(out, check=True, **options)


def test_one_video_of_several_that_are_matched(tmp_path: Path) -> None:
    path = in_coco(tmp_path / "coco.json", {"a": {"1": "dog"}, "b": {"1": "cat"}})
    for name in "ab":
        (tmp_path / name).mkdir()
        Image.new("RGB", (8, 4)).save(tmp_path / name / "00000.png")
    given = tuple(str(tmp_path / name) for name in "ab")
    report = convert(path, check=True, input=given, video="b")
    assert (report.videos, report.objects) == (1, ["cat"])
    with pytest.raises(DataError, match="expected the video 'c', found a, b"):
        convert(path, check=True, input=given, video="c")


def test_files_of_an_earlier_conversion_are_named(out: Path, tmp_path: Path) -> None:
    target = str(tmp_path / "yolo")
    convert(out, output=target, to="yolo")
    events: list[Event] = []
    config = ConvertConfig(source=out, output=target, to="yolo", frames="given", overwrite=True)
    run_convert(config, on_event=events.append)
    (told,) = [event.message for event in events if event.kind == "warning"]
    names = "labels/train/00001.txt, labels/train/00002.txt, labels/train/00004.txt"
    assert told.endswith(f"not of this conversion, and left as they are: {names} and 1 more")


def test_a_file_where_a_folder_is_wanted_and_the_source_itself_are_refused(out: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="--to coco writes a file, found a folder of that name"):
        convert(out, output=str(tmp_path / "folder"), to="coco", overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--to yolo writes a folder, found a file of that name"):
        convert(out, output=str(tmp_path / "file"), to="yolo", overwrite=True)
    path = in_coco(tmp_path / "coco.json", {"a": {"1": "dog"}})
    with pytest.raises(UsageError, match="is what is converted"):
        convert(path, output=str(path), to="coco", overwrite=True)


@pytest.mark.parametrize("to", [entry.name for entry in FORMATS if entry.write_files] + [MASKS])
def test_frames_without_a_video_beside_those_of_one(tmp_path: Path, to: str) -> None:
    for folder in (tmp_path / "in", tmp_path / "in" / "b"):
        folder.mkdir()
        shape = {
            "label": "dog",
            "points": [[0, 0], [3, 0], [3, 3]],
            "shape_type": "polygon",
            "group_id": None,
        }
        content = {"shapes": [shape], "imagePath": "1.png", "imageHeight": 8, "imageWidth": 9}
        (folder / "1.json").write_text(json.dumps(content), "utf-8")
    report = convert(tmp_path / "in", output=str(tmp_path / "out"), to=to)
    assert (report.videos, report.frames) == (2, 2)
    assert (
        len([path for path in (tmp_path / "out").rglob("*") if path.suffix in (".json", ".txt", ".png")]) >= 2
    )
