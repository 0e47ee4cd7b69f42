"""`pseudolabel --method sam2` with chance weights: what holds for our methods holds for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.scenes import scene
from tests.tiny_sam2 import write_tiny_sam2
from vsodtool.cli.app import app
from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import ConfigError, UsageError, WeightsError
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.media.weights import pretrained
from vsodtool.pipelines.densify.methods.sam2 import Sam2Method
from vsodtool.pipelines.pseudolabel import PseudoLabelReport, run_pseudolabel
from vsodtool.pipelines.update import Updater
from vsodtool.types import Event, FrameStatus, ImageArray

GIVEN = (2, 6, 11)
LENGTH = 13
COMPARED = ("masks", "soft", "confidence", "frames.csv")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny_sam2(tmp_path_factory.mktemp("weights") / "tiny"))


@pytest.fixture
def clip(film: Callable[..., Any], tmp_path: Path) -> Any:
    made = film([(1, 0), (0, 1), (-1, 0), (0, -1)] * 3, objects={1: (72, 78, 12, 9), 2: (78, 87, 10, 12)})
    made.write_folder(tmp_path / "clip")
    made.write_masks(tmp_path / "masks", GIVEN, 1)
    return made


def config(folder: Path, out: str, **options: Any) -> PseudoLabelConfig:
    given = {"method": "sam2", "soft": True, "confidence": True, "device": "cpu", "workers": 2, **options}
    inputs, masks = (str(folder / "clip"),), (str(folder / "masks"),)
    return PseudoLabelConfig(inputs=inputs, masks=masks, output=folder / out, **given)


def run(folder: Path, out: str, heard: list[Event] | None = None, **options: Any) -> PseudoLabelReport:
    told = heard if heard is not None else []
    return run_pseudolabel(config(folder, out, **options), on_event=told.append)


def content(out: Path) -> dict[str, bytes]:
    files = [file for part in COMPARED for file in [out / part, *(out / part).rglob("*")] if file.is_file()]
    return {str(file.relative_to(out)): file.read_bytes() for file in files}


@pytest.mark.usefixtures("clip")
def test_given_masks_stay_and_every_frame_gets_one(tmp_path: Path, weights: str) -> None:
    report = run(tmp_path, "out", weights=weights)
    assert (report.method, report.flow) == ("sam2", "none")
    assert (report.videos[0].given, report.videos[0].generated) == (len(GIVEN), LENGTH - len(GIVEN))
    for index in GIVEN:
        name = f"{index:05d}.png"
        given, found = (cv2.imread(str(tmp_path / place / name), -1) for place in ("masks", "out/masks/clip"))
        np.testing.assert_array_equal(found, given)
    records = {record.frame: record for record in read_frames_csv(tmp_path / "out/frames.csv")}
    made = [record for record in records.values() if record.status is FrameStatus.GENERATED]
    assert all(0 <= record.confidence < 1 for record in made)
    assert len({record.confidence for record in made}) > 5
    assert (records["00004"].left, records["00004"].right) == ("00002", "00006")
    assert (records["00012"].left, records["00012"].right) == ("00011", "")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert list(manifest["weights"]) == ["tiny"]
    assert (manifest["config"]["method"], manifest["config"]["backend"]) == ("sam2", "auto")
    assert manifest["libraries"]["transformers"] == pytest.importorskip("transformers").__version__


@pytest.mark.usefixtures("clip")
def test_neither_workers_nor_an_interruption_change_anything(
    tmp_path: Path, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, "one", weights=weights, workers=1)
    walk, begun = Sam2Method.walk, []

    def interrupted(self: Sam2Method, *args: Any) -> None:
        begun.append(args[0])
        if len(begun) == 3:
            raise KeyboardInterrupt
        walk(self, *args)

    monkeypatch.setattr(Sam2Method, "walk", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, "two", weights=weights)
    made = len(list((tmp_path / "two/masks/clip").iterdir()))
    assert len(GIVEN) < made < LENGTH
    run(tmp_path, "two", weights=weights)
    assert 3 < len(begun) < 3 + 4  # finished intervals are not made again
    assert content(tmp_path / "two") == content(tmp_path / "one")


def test_update_makes_again_what_a_new_mask_touches(tmp_path: Path, clip: Any, weights: str) -> None:
    run(tmp_path, "out", weights=weights)
    before = content(tmp_path / "out")
    assert cv2.imwrite(str(tmp_path / "masks/00008.png"), clip.truth[8])
    run(tmp_path, "out", weights=weights, update=True)
    after = content(tmp_path / "out")
    assert before["masks/clip/00004.png"] == after["masks/clip/00004.png"]
    run(tmp_path, "fresh", weights=weights)
    assert after == content(tmp_path / "fresh")
    (tmp_path / "masks/00008.png").unlink()
    with Updater(tmp_path / "out") as updater:  # knows the folder of weights from the manifest
        assert [(each.left, each.right) for each in updater.stale()] == [("00006", "00011")]
        updater.run()
    assert content(tmp_path / "out") == before


def test_nothing_goes_across_a_cut(tmp_path: Path, weights: str) -> None:
    shots: list[list[ImageArray]] = [scene(seed, 7, size=(40, 56)) for seed in (1, 2)]
    mask = np.zeros((40, 56), np.uint8)
    mask[10:30, 15:40] = 255

    def write(folder: Path, frames: list[ImageArray], given: int, cuts: str) -> None:
        (folder / "clip").mkdir(parents=True)
        (folder / "masks").mkdir()
        for index, frame in enumerate(frames):
            assert cv2.imwrite(str(folder / f"clip/{index:05d}.png"), frame[..., ::-1])
        assert cv2.imwrite(str(folder / f"masks/{given:05d}.png"), mask)
        run(folder, "out", weights=weights, cuts=cuts)

    listed = tmp_path / "cuts.txt"
    listed.write_text("clip 00007\n")
    write(tmp_path / "both", shots[0] + shots[1], 3, str(listed))
    write(tmp_path / "first", shots[0], 3, "none")
    for index in range(7):
        made, alone = (tmp_path / f"{name}/out/masks/clip/{index:05d}.png" for name in ("both", "first"))
        assert made.read_bytes() == alone.read_bytes()
    records = list(read_frames_csv(tmp_path / "both/out/frames.csv"))[7:]
    assert all((each.left, each.right, each.confidence) == ("", "", 0.3) for each in records)
    for index in range(7, 14):
        assert not cv2.imread(str(tmp_path / f"both/out/masks/clip/{index:05d}.png"), -1).any()


@pytest.mark.usefixtures("clip")
def test_other_weights_are_noticed(tmp_path: Path, weights: str) -> None:
    own = Path(shutil.copytree(weights, tmp_path / "own"))
    run(tmp_path, "out", weights=str(own))
    with pytest.raises(UsageError, match="option --weights changed"):
        run(tmp_path, "out", weights=weights)
    shutil.rmtree(own)
    write_tiny_sam2(own, seed=1)
    with pytest.raises(WeightsError, match="weights 'own' changed"):
        run(tmp_path, "out", weights=str(own))


@pytest.mark.usefixtures("clip")
def test_auto_tries_it_where_its_weights_are_named(tmp_path: Path, weights: str) -> None:
    heard: list[Event] = []
    report = run(tmp_path, "out", heard, method="auto", weights=weights, quality="fast")
    assert any(event.message.startswith("method: auto (fgplg or warp or sam2)") for event in heard)
    video = report.videos[0]
    assert set(video.hidden_j) == {"fgplg", "warp", "sam2"}
    assert video.method != "sam2"  # of chance weights
    assert video.hidden_j["sam2"] < video.hidden_j["warp"]


@pytest.mark.usefixtures("clip")
def test_auto_goes_on_as_it_was_begun(tmp_path: Path, weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed, or found in the cache, between a run and its update."""
    run(tmp_path, "out", method="auto", quality="fast")
    monkeypatch.setattr("vsodtool.pipelines.networks.sam2.cached_folder", lambda name: Path(weights))
    heard: list[Event] = []
    run(tmp_path, "out", heard, method="auto", quality="fast", update=True)
    assert any("method: auto (fgplg or warp)," in event.message for event in heard)
    run(tmp_path, "new", heard, method="auto", quality="fast", dry_run=True)
    assert any(event.message.startswith("fgplg or warp or sam2, tried on") for event in heard)


@pytest.mark.usefixtures("clip")
def test_a_dry_run_estimates_if_nothing_has_to_be_fetched(
    tmp_path: Path, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(tmp_path, "out", weights=weights, dry_run=True).videos[0].seconds > 0
    monkeypatch.setattr("vsodtool.pipelines.networks.sam2.cached_folder", lambda name: None)
    report = run(tmp_path, "out", dry_run=True)
    assert (report.method, report.videos[0].seconds) == ("sam2", 0)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("clip")
def test_without_the_extra_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        run(tmp_path, "out")
    assert "pip install 'vsodtool[sam2]'" in caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", [{"adapt": 3}, {"label_flow": "direct"}, {"backend": "dis"}])
def test_what_it_does_not_use_is_refused(tmp_path: Path, option: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(option))}: .*method 'sam2'"):
        config(tmp_path, "out", **option)


@pytest.mark.usefixtures("clip")
def test_from_the_command_line(tmp_path: Path, weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [tmp_path / "clip", "--masks", tmp_path / "masks", "-o", tmp_path / "out", "--device", "cpu"]
    options = ["--method", "sam2", "--weights", weights, "--json"]
    app(["pseudolabel", *map(str, arguments), *options], standalone_mode=False)
    captured = capsys.readouterr()
    assert json.loads(captured.out)["method"] == "sam2"
    assert "it/s" not in captured.err
