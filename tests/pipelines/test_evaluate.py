"""`run_evaluate` on small trees, against computations by hand and independent implementations."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from vsodtool.cli.score_text import latex_rows, markdown_table, score_rows
from vsodtool.config import EvaluateConfig
from vsodtool.config.measures import MEASURES, Measure, Score
from vsodtool.errors import DataError, DeviceError, UsageError
from vsodtool.media.maps.score_files import ScoreTable
from vsodtool.media.output.tables.frames_csv import write_frames_csv
from vsodtool.metrics import boundary_f, region_j
from vsodtool.metrics.pair import Pair
from vsodtool.pipelines.evaluate import run_evaluate
from vsodtool.pipelines.scoring.report import EvaluateReport, MethodReport
from vsodtool.types import Event, FrameRecord, FrameStatus

Pixels = npt.NDArray[Any]
SIZE = (24, 32)


def put(folder: Path, maps: Sequence[Pixels], start: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index, values in enumerate(maps, start):
        assert cv2.imwrite(str(folder / f"{index:05d}.png"), values)
    return folder


def put_ids(folder: Path, maps: Sequence[Pixels]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index, ids in enumerate(maps):
        image = Image.fromarray(ids.astype(np.uint8), "L").convert("P")
        image.putdata(ids.astype(np.uint8).ravel().tolist())
        image.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0, 0, 0, 200] + [9] * 756)
        image.save(folder / f"{index:05d}.png")
    return folder


def truth_of(seed: int, count: int, size: tuple[int, int] = SIZE) -> list[Pixels]:
    """Rectangles, 0 and 255."""
    random = np.random.default_rng(seed)
    maps = []
    for _ in range(count):
        mask = np.zeros(size, np.uint8)
        top, left = random.integers(0, size[0] // 2), random.integers(0, size[1] // 2)
        mask[top : top + size[0] // 3, left : left + size[1] // 3] = 255
        maps.append(mask)
    return maps


def soften(truth: Sequence[Pixels], seed: int) -> list[Pixels]:
    """Blurred, shifted and noisy, as a network might predict."""
    random = np.random.default_rng(seed)
    maps = []
    for mask in truth:
        shifted = np.roll(mask, random.integers(-3, 4, 2), (0, 1)).astype(np.float64)
        noisy = cv2.GaussianBlur(shifted, (0, 0), 2.0) * 0.8 + random.uniform(0, 30, mask.shape)
        maps.append(noisy.astype(np.uint8))
    return maps


def masks_of(maps: Sequence[Pixels]) -> list[Pixels]:
    return [np.where(values > 127, np.uint8(255), np.uint8(0)) for values in maps]


@pytest.fixture
def two_videos(tmp_path: Path) -> tuple[Path, Path]:
    """Predictions and truth of a short and a longer video."""
    for name, count in (("a", 4), ("b", 9)):
        truth = truth_of(count, count)
        put(tmp_path / "gt" / name, truth)
        put(tmp_path / "p" / name, soften(truth, count))
    return tmp_path / "p", tmp_path / "gt"


def score(predictions: Path, truth: Path, **options: Any) -> MethodReport:
    (method,) = report(predictions, truth, **options).methods
    return method


def report(predictions: Path, truth: Path, **options: Any) -> EvaluateReport:
    config = EvaluateConfig(predictions=(str(predictions),), ground_truth=str(truth), workers=2, **options)
    return run_evaluate(config)


def refusal(predictions: Path, truth: Path, **options: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        report(predictions, truth, **options)
    return caught.value


def read(folder: Path) -> list[Pixels]:
    return [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in sorted(folder.glob("*.png"))]


def stretched(values: Pixels) -> Pixels:
    scaled = values / 255
    low, high = scaled.min(), scaled.max()
    return (scaled - low) / (high - low) if high > low else scaled


def f_curve(values: Pixels, truth: Pixels) -> Pixels:
    """F at the 256 thresholds, by the definition."""
    found = []
    for k in range(256):
        chosen = np.floor(values * 255) >= k
        hits = np.count_nonzero(chosen & truth)
        p, r = hits / max(np.count_nonzero(chosen), 1), hits / max(np.count_nonzero(truth), 1)
        found.append(1.3 * p * r / (0.3 * p + r) if hits else 0.0)
    return np.array(found)


def test_davsod_drops_the_ends_and_averages_videos(two_videos: tuple[Path, Path]) -> None:
    predictions, truth = two_videos
    curves, errors = [], []
    for name in ("a", "b"):
        pairs = list(zip(read(predictions / name), read(truth / name), strict=True))[1:-1]
        curves.append(np.mean([f_curve(stretched(p), g > 128) for p, g in pairs], axis=0))
        errors.append(np.mean([np.abs(stretched(p) - (g > 128)).mean() for p, g in pairs]))
    found = score(predictions, truth)
    assert found.frames.scored == 2 + 7
    assert found.frames.ends == 4
    assert found.scores["max_f"] == pytest.approx(np.mean(curves, axis=0).max(), abs=1e-12)
    assert found.scores["mean_f"] == pytest.approx(np.mean(curves), abs=1e-12)
    assert found.scores["mae"] == pytest.approx(np.mean(errors), abs=1e-12)
    assert found.videos["a"]["max_f"] == pytest.approx(curves[0].max(), abs=1e-12)
    assert found.scores == found.average_over_videos
    assert found.scores["mae"] != pytest.approx(found.average_over_frames["mae"], abs=1e-6)


def test_toolbox_takes_f_of_the_mean_precision_and_recall(two_videos: tuple[Path, Path]) -> None:
    predictions, truth = two_videos
    rows = []
    for name in ("a", "b"):
        for p, g in zip(read(predictions / name), read(truth / name), strict=True):
            values, object_ = np.floor(stretched(p) * 255), g > 128
            hits = [np.count_nonzero((values >= k) & object_) for k in range(256)]
            chosen = [max(np.count_nonzero(values >= k), 1) for k in range(256)]
            rows.append((np.divide(hits, chosen), np.divide(hits, np.count_nonzero(object_))))
    precision, recall = np.mean(rows, axis=0)
    expected = (1.3 * precision * recall / (0.3 * precision + recall)).max()
    found = score(predictions, truth, protocol="toolbox")
    assert found.scores["max_f"] == pytest.approx(expected, abs=1e-12)
    assert found.scores["mean_f"] == found.scores["adaptive_f"]
    same = score(predictions, truth, protocol="pysod", f_measure="mean-precision-recall")
    assert same.scores == found.scores


@pytest.mark.filterwarnings("ignore:This class will be removed in the future")
def test_pysod_equals_the_package_on_every_frame_and_on_average(
    two_videos: tuple[Path, Path], tmp_path: Path
) -> None:
    package = pytest.importorskip("py_sod_metrics")
    predictions, truth = two_videos
    measures = {
        "mae": package.MAE(),
        "s_measure": package.Smeasure(),
        "weighted_f": package.WeightedFmeasure(),
        "f": package.Fmeasure(),
        "e": package.Emeasure(),
    }
    for name in ("a", "b"):
        for p, g in zip(read(predictions / name), read(truth / name), strict=True):
            for measure in measures.values():
                measure.step(pred=p, gt=g)
    found = score(predictions, truth, protocol="pysod", csv=str(tmp_path / "s.csv"))
    f, e = measures["f"].get_results()["fm"], measures["e"].get_results()["em"]
    expected = {
        "mae": measures["mae"].get_results()["mae"],
        "s_measure": measures["s_measure"].get_results()["sm"],
        "weighted_f": measures["weighted_f"].get_results()["wfm"],
        "max_f": f["curve"].max(),
        "mean_f": f["curve"].mean(),
        "adaptive_f": f["adp"],
        "max_e": e["curve"].max(),
        "mean_e": e["curve"].mean(),
        "adaptive_e": e["adp"],
    }
    assert {name: found.scores[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["mae"]) for row in rows] == pytest.approx(measures["mae"].maes, abs=1e-9)
    assert [float(row["s_measure"]) for row in rows] == pytest.approx(measures["s_measure"].sms, abs=1e-9)
    assert [float(row["weighted_f"]) for row in rows] == pytest.approx(
        measures["weighted_f"].weighted_fms, abs=1e-9
    )


def test_the_published_figures_of_dss_on_sod(shared: Path) -> None:
    maps, truth = shared / "reference" / "sod-dss", shared / "data" / "sod" / "masks"
    scores = score(maps, truth, protocol="toolbox", measures=("mae", "f", "s_measure")).scores
    published = {"max_f": 0.844, "mean_f": 0.795, "mae": 0.121, "s_measure": 0.751}
    assert {name: round(scores[name], 3) for name in published} == published


def shift_davis(shared: Path, root: Path, frames: int) -> tuple[Path, Path]:
    """Truth of two DAVIS videos, cut short, and masks that are off by some pixels."""
    for name in ("camel", "bmx-trees"):
        files = sorted((shared / "data" / "davis-dev" / "Annotations" / "480p" / name).glob("*.png"))[:frames]
        truth = [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files]
        put(root / "gt" / name, truth)
        put(
            root / "p" / name,
            [np.roll(mask, (index % 7, -index), (0, 1)) for index, mask in enumerate(truth)],
        )
    return root / "p", root / "gt"


@pytest.mark.parametrize("every", [0, 5])
def test_davis_equals_the_independent_script(shared: Path, tmp_path: Path, every: int) -> None:
    predictions, truth = shift_davis(shared, tmp_path, 12)
    script = [
        sys.executable,
        str(shared / "tools" / "score_masks.py"),
        str(predictions),
        str(truth),
        "--json",
    ]
    done = subprocess.run([*script, "--every", str(every)], capture_output=True, text=True, check=True)
    expected = json.loads(done.stdout)
    found = score(predictions, truth, protocol="davis", every=every, ends="drop" if every else "keep")
    for name, scores in found.videos.items():
        own = expected["sequences"][name]
        assert (scores["j_mean"], scores["boundary_f_mean"]) == pytest.approx((own["J"], own["F"]), abs=1e-9)
        assert found.video_frames[name] == own["frames"]
    mean = expected["mean"]
    assert (found.scores["j_mean"], found.scores["boundary_f_mean"]) == pytest.approx(
        (mean["J"], mean["F"]), abs=1e-9
    )


def davis_statistics(values: Pixels) -> tuple[float, float, float]:
    """Mean, recall and decay as the MATLAB tools define them: quarters from round(linspace), ends shared."""
    count = len(values)
    borders = [int(np.floor(1 + k * (count - 1) / 4 + 0.5)) - 1 for k in range(5)]
    first, last = values[borders[0] : borders[1] + 1], values[borders[3] : borders[4] + 1]
    return values.mean(), (values > 0.5).mean(), first.mean() - last.mean()


@pytest.mark.parametrize("count", [9, 300])
def test_mean_recall_and_decay_of_short_and_of_long_videos(tmp_path: Path, count: int) -> None:
    truth = truth_of(1, count, (12, 16))
    random = np.random.default_rng(2)
    own = [
        np.roll(mask, random.integers(0, 1 + 6 * index // count, 2), (0, 1))
        for index, mask in enumerate(truth)
    ]
    found = score(put(tmp_path / "p", own), put(tmp_path / "gt", truth), protocol="davis")
    pairs = [(a > 127, b > 127) for a, b in zip(own, truth, strict=True)][1:-1]
    for kind, measure in (("j", region_j), ("boundary_f", boundary_f)):
        values = np.array([measure(a, b) for a, b in pairs])
        expected = davis_statistics(values)
        assert expected[2] > 0.05
        names = [f"{kind}_{what}" for what in ("mean", "recall", "decay")]
        assert [found.scores[name] for name in names] == pytest.approx(expected, abs=1e-9)


def test_soft_maps_are_cut_at_the_threshold_under_davis(tmp_path: Path) -> None:
    truth = truth_of(1, 3)
    soft = [np.where(mask > 0, np.uint8(128), np.uint8(127)) for mask in truth]
    predictions, gt = put(tmp_path / "p", soft), put(tmp_path / "gt", truth)
    assert score(predictions, gt, protocol="davis", ends="keep").scores["j_mean"] == 1
    above = score(predictions, gt, protocol="davis", ends="keep", threshold=0.51)
    assert above.scores["j_mean"] == 0


def test_dark_maps_score_the_same_whatever_the_truth_is_stored_as(tmp_path: Path) -> None:
    truth = truth_of(1, 5)
    rng = np.random.default_rng(0)
    dark = [(mask // 16 + rng.integers(0, 6, mask.shape)).astype(np.uint8) for mask in truth]
    binary, ids = put(tmp_path / "gt", truth), put_ids(tmp_path / "ids", [mask // 255 for mask in truth])
    scores = score(put(tmp_path / "p", dark), binary, normalize="none").scores
    assert score(tmp_path / "p", ids, normalize="none").scores == scores
    shutil.copytree(tmp_path / "p", tmp_path / "out" / "soft" / "p")
    (tmp_path / "out" / "frames.csv").write_text("video,frame,status,left,right,confidence\n")
    assert score(tmp_path / "out", ids, normalize="none").scores == scores


def two_objects(count: int) -> list[Pixels]:
    maps = []
    for index in range(count):
        ids = np.zeros(SIZE, np.uint8)
        ids[2:10, 2 : 10 + index] = 1
        if index >= 2:  # the second object comes later
            ids[14:22, 12:28] = 2
        maps.append(ids)
    return maps


def test_objects_are_scored_one_by_one_and_each_counts_the_same(tmp_path: Path) -> None:
    truth = two_objects(6)
    own = [np.roll(ids, 2, axis=1) for ids in truth]
    found = score(
        put_ids(tmp_path / "p", own), put_ids(tmp_path / "gt", truth), protocol="davis", ends="keep"
    )
    series = [
        np.array([region_j(a == number, b == number) for a, b in zip(own, truth, strict=True)])
        for number in (1, 2)
    ]
    assert series[1][0] == 1  # neither has it yet
    expected = np.mean([davis_statistics(values) for values in series], axis=0)
    names = ("j_mean", "j_recall", "j_decay")
    assert [found.scores[name] for name in names] == pytest.approx(expected, abs=1e-12)
    assert found.objects == {"gt": 2}
    union = score(tmp_path / "p", tmp_path / "gt", protocol="davis", ends="keep", objects="single")
    whole = np.mean([region_j(a > 0, b > 0) for a, b in zip(own, truth, strict=True)])
    assert union.scores["j_mean"] == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize("options", [{}, {"normalize": "none"}, {"values": "ids"}, {"protocol": "davis"}])
def test_masks_in_colours_score_as_the_same_masks_in_white(tmp_path: Path, options: dict[str, Any]) -> None:
    truth, one, other = (truth_of(seed, 6) for seed in (1, 2, 3))
    both = [np.maximum(a, b) for a, b in zip(one, other, strict=True)]
    for name, second in (("two", (0, 120, 0)), ("one", (0, 0, 200))):
        coloured = [np.where(a[..., None] > 0, (0, 0, 200), b[..., None] // 255 * np.array(second))
                    for a, b in zip(one, other, strict=True)]  # fmt: skip
        put(tmp_path / name, [mask.astype(np.uint8) for mask in coloured])
    put(tmp_path / "gt", truth)
    expected = score(put(tmp_path / "white", both), tmp_path / "gt", **options).scores
    assert score(tmp_path / "two", tmp_path / "gt", **options).scores == expected
    assert score(tmp_path / "one", tmp_path / "gt", **options).scores == expected


def test_false_colours_are_warned_of(tmp_path: Path) -> None:
    truth = truth_of(1, 5)
    put(tmp_path / "gt", truth)
    soft = [cv2.GaussianBlur(mask, (0, 0), 1.5) for mask in truth]
    put(tmp_path / "p", [cv2.applyColorMap(values, cv2.COLORMAP_JET) for values in soft])
    events: list[Event] = []
    run_evaluate(
        EvaluateConfig(predictions=(str(tmp_path / "p"), str(tmp_path / "gt"))), on_event=events.append
    )
    (warning,) = [event.message for event in events if event.kind == "warning"]
    assert "many shades of colour" in warning


def test_void_pixels_do_not_count(tmp_path: Path) -> None:
    truth = two_objects(3)
    own = [ids.copy() for ids in truth]
    for ids, prediction in zip(truth, own, strict=True):
        ids[10:14] = 255
        prediction[10:14] = 1
    found = score(
        put_ids(tmp_path / "p", own), put_ids(tmp_path / "gt", truth), protocol="davis", ends="keep"
    )
    assert (found.scores["j_mean"], found.scores["boundary_f_mean"]) == (1, 1)


def test_an_object_that_the_truth_never_has_is_refused(tmp_path: Path) -> None:
    truth = two_objects(4)
    own = [np.where(ids == 2, 3, ids) for ids in truth]
    error = refusal(put_ids(tmp_path / "p", own), put_ids(tmp_path / "gt", truth), protocol="davis")
    assert "found object 3, which the truth has neither in its first frame nor in one" in error.message


@pytest.mark.parametrize("found_in", [(), (1,), (0,), (0, 1, 3)])
def test_an_object_of_the_first_truth_counts_though_that_frame_is_dropped(
    tmp_path: Path, found_in: tuple[int, ...]
) -> None:
    truth = two_objects(6)
    own = [np.roll(ids, 1, axis=1) for ids in truth]
    without = score(put_ids(tmp_path / "q", own), put_ids(tmp_path / "gt2", truth), protocol="davis").scores
    truth[0][0:3, 0:3] = 3
    for index in found_in:
        own[index][0:3, 0:3] = 3
    found = score(put_ids(tmp_path / "p", own), put_ids(tmp_path / "gt", truth), protocol="davis")
    # Of the four frames that are scored it is right where neither has it.
    right = sum(index not in found_in for index in range(1, 5)) / 4
    for name in ("j_mean", "boundary_f_mean"):
        assert found.scores[name] == pytest.approx((2 * without[name] + right) / 3)
    assert next(iter(found.objects.values())) == 3


def test_an_object_of_the_last_truth_alone_is_none(tmp_path: Path) -> None:
    truth = two_objects(6)
    own = [ids.copy() for ids in truth]
    truth[-1][0:3, 0:3] = own[-1][0:3, 0:3] = 3
    found = score(put_ids(tmp_path / "p", own), put_ids(tmp_path / "gt", truth), protocol="davis")
    assert (found.scores["j_mean"], *found.objects.values()) == (1, 2)


def test_objects_against_binary_masks(tmp_path: Path) -> None:
    truth = two_objects(4)
    predictions = put(tmp_path / "p", [np.where(ids > 0, np.uint8(255), np.uint8(0)) for ids in truth])
    put_ids(tmp_path / "gt", truth)
    heard: list[Event] = []
    config = EvaluateConfig(predictions=(str(predictions), str(tmp_path / "gt")), protocol="davis")
    assert run_evaluate(config, on_event=heard.append).methods[0].scores["j_mean"] == 1
    assert any("2 objects, the predictions have no ids" in event.message for event in heard)
    assert (
        "expected object ids in the predictions"
        in refusal(predictions, tmp_path / "gt", protocol="davis", objects="multi").message
    )


def test_given_frames_are_left_out_by_number_or_by_frames_csv(tmp_path: Path) -> None:
    truth = truth_of(1, 11)
    put(tmp_path / "gt" / "clip", truth)
    put(tmp_path / "out" / "masks" / "clip", truth)
    records = [
        FrameRecord(
            "clip", f"{i:05d}", FrameStatus.GIVEN if i in (0, 3) else FrameStatus.GENERATED, "", "", 1.0
        )
        for i in range(11)
    ]
    write_frames_csv(tmp_path / "out" / "frames.csv", records)
    options: dict[str, Any] = {"protocol": "pysod", "csv": str(tmp_path / "s.csv"), "overwrite": True}

    def scored(**more: Any) -> list[int]:
        found = score(tmp_path / "out", tmp_path / "gt", **options, **more)
        with (tmp_path / "s.csv").open(newline="") as file:
            names = [int(row["frame"]) for row in csv.DictReader(file)]
        assert found.frames.scored == len(names)
        assert found.frames.scored + found.frames.given + found.frames.ends == 11
        return names

    assert scored() == list(range(11))
    assert scored(every=4) == [1, 2, 3, 5, 6, 7, 9]
    assert scored(skip_given=True) == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert scored(skip_given=True, ends="drop") == [1, 2, 4, 5, 6, 7, 8, 9]


def test_a_missing_prediction_is_refused_or_scores_worst(two_videos: tuple[Path, Path]) -> None:
    predictions, truth = two_videos
    (predictions / "b" / "00004.png").unlink()
    assert "found none for '00004'" in refusal(predictions, truth).message
    options: dict[str, Any] = {"protocol": "pysod", "allow_missing": True, "measures": ("auto", "j")}
    found = score(predictions, truth, **options)
    assert (found.frames.missing, found.frames.scored) == (1, 13)
    put(predictions / "b", [np.zeros(SIZE, np.uint8)], 4)
    black = score(predictions, truth, **options)
    assert found.average_over_frames["mae"] > black.average_over_frames["mae"]
    assert found.average_over_frames["j_mean"] == black.average_over_frames["j_mean"]


def test_another_size_is_refused_or_resized_and_counted(two_videos: tuple[Path, Path]) -> None:
    predictions, truth = two_videos
    small = [cv2.resize(values, (16, 12)) for values in read(predictions / "b")]
    put(predictions / "b", small)
    error = refusal(predictions, truth)
    assert "expected 32x24 like" in error.message
    assert "found 16x12" in error.message
    assert "--allow-resize" in error.hint
    found = score(predictions, truth, allow_resize=True)
    assert found.frames.resized == 7
    put(predictions / "b", [cv2.resize(values, (32, 24)) for values in small])
    assert score(predictions, truth).scores == found.scores


def test_empty_truth_is_told_apart_and_min_max_is_its_trap(tmp_path: Path) -> None:
    truth = truth_of(1, 4)
    predictions = soften(truth, 1)
    truth[2][:] = 0
    predictions[2] = np.random.default_rng(0).integers(0, 4, SIZE, dtype=np.uint8)  # almost black, and right
    put(tmp_path / "p", predictions)
    put(tmp_path / "gt", truth)
    trapped = score(tmp_path / "p", tmp_path / "gt", protocol="pysod")
    plain = score(tmp_path / "p", tmp_path / "gt", protocol="pysod", normalize="none")
    assert trapped.frames.empty_truth == plain.frames.empty_truth == 1
    assert trapped.empty_truth["mae"] > 0.4
    assert plain.empty_truth["mae"] < 0.01
    assert trapped.empty_truth["max_f"] == 0
    for folder in ("p", "gt"):
        (tmp_path / folder / "00002.png").unlink()
    without = score(tmp_path / "p", tmp_path / "gt", protocol="pysod")
    assert trapped.without_empty_truth == pytest.approx(without.scores, abs=1e-12)
    assert without.without_empty_truth == {}


@pytest.mark.parametrize("protocol", ["davsod", "pysod", "toolbox", "davis"])
@pytest.mark.parametrize("value", [0, 3, 255])
@pytest.mark.parametrize("truth", [0, 255])
def test_constant_maps_on_empty_and_full_truth_have_finite_scores(
    tmp_path: Path, protocol: str, value: int, truth: int
) -> None:
    predictions = put(tmp_path / "p", [np.full(SIZE, value, np.uint8)] * 3)
    gt = put(tmp_path / "gt", [np.full(SIZE, truth, np.uint8)] * 3)
    scores = score(predictions, gt, protocol=protocol).scores
    assert all(np.isfinite(number) for number in scores.values())
    if protocol == "davis":
        assert scores["j_mean"] == ((value > 127) == (truth == 255))
    elif value != 3:
        assert scores["mae"] == (value != truth)


def test_16_bit_and_palette_predictions(tmp_path: Path) -> None:
    truth = truth_of(1, 3)
    gt = put(tmp_path / "gt", truth)
    eight = score(put(tmp_path / "p8", soften(truth, 1)), gt)
    sixteen = score(put(tmp_path / "p16", [m.astype(np.uint16) * 257 for m in soften(truth, 1)]), gt)
    assert sixteen.scores == pytest.approx(eight.scores, abs=1e-9)
    perfect = score(put_ids(tmp_path / "pp", [mask // 255 for mask in truth]), gt)
    assert (perfect.scores["mae"], perfect.scores["max_f"]) == (0, 1)


def test_several_methods_are_read_in_one_pass_and_score_as_alone(
    two_videos: tuple[Path, Path], tmp_path: Path
) -> None:
    predictions, truth = two_videos
    for name in ("a", "b"):
        put(tmp_path / "q" / name, masks_of(read(predictions / name)))
    config = EvaluateConfig(predictions=(str(predictions), str(tmp_path / "q")), ground_truth=str(truth))
    both = run_evaluate(config)
    assert [method.name for method in both.methods] == ["p", "q"]
    for method, folder in zip(both.methods, (predictions, tmp_path / "q"), strict=True):
        assert method.scores == score(folder, truth).scores
    content = json.loads(json.dumps(both.as_dict()))
    assert set(content["methods"]) == {"p", "q"}
    assert set(content["methods"]["q"]) >= {"scores", "videos", "average_over_frames"}


def test_folders_of_one_name_are_told_apart_by_what_stands_before(tmp_path: Path) -> None:
    truth = truth_of(1, 3)
    put(tmp_path / "gt", truth)
    for name in ("one", "two"):
        put(tmp_path / name / "soft", soften(truth, 1))
    folders = tuple(str(tmp_path / name / "soft") for name in ("one", "two"))
    config = EvaluateConfig(predictions=folders, ground_truth=str(tmp_path / "gt"))
    assert [method.name for method in run_evaluate(config).methods] == ["one/soft", "two/soft"]
    with pytest.raises(DataError, match="found one twice"):
        run_evaluate(replace(config, predictions=(folders[0], folders[0])))


def test_threads_and_processes_change_no_digit(
    two_videos: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = EvaluateConfig(
        predictions=tuple(map(str, two_videos)), measures=("auto", "j", "boundary_f", "stability")
    )
    first, second = (run_evaluate(replace(config, workers=workers)).methods[0] for workers in (1, 3))
    monkeypatch.setattr("vsodtool.pipelines.evaluate._MANY", 1)
    third = run_evaluate(replace(config, workers=2), processes=True).methods[0]
    assert first.scores == second.scores == third.scores
    assert first.videos == second.videos == third.videos


def test_stability_and_hce_are_means_over_what_they_are_defined_on(tmp_path: Path) -> None:
    pytest.importorskip("skimage", reason="hce is computed by pysodmetrics, an extra")
    truth = truth_of(1, 1) * 5
    steady, flickering = put(tmp_path / "p", truth), put(tmp_path / "q", truth)
    put(flickering, [np.zeros(SIZE, np.uint8)], 2)
    gt = put(tmp_path / "gt", truth)
    options: dict[str, Any] = {"protocol": "pysod", "measures": ("hce", "stability")}
    assert score(steady, gt, **options).scores == {"hce": 0, "stability": 1}
    found = score(flickering, gt, **options).scores
    assert found["stability"] == 0.5  # two of the four pairs flicker wholly
    assert found["hce"] > 0
    gaps = score(flickering, gt, every=2, **options)
    assert "stability" not in gaps.scores  # no two neighbours are scored


def test_a_dry_run_reads_names_only(two_videos: tuple[Path, Path], tmp_path: Path) -> None:
    predictions, truth = two_videos
    for file in predictions.rglob("*.png"):
        file.write_bytes(b"no picture")
    found = report(predictions, truth, dry_run=True, csv=str(tmp_path / "s.csv"))
    assert found.dry_run
    assert (found.methods[0].scores, found.files) == ({}, ())
    assert not (tmp_path / "s.csv").exists()
    json.dumps(found.as_dict())


def test_refusals_before_anything_is_opened(two_videos: tuple[Path, Path], tmp_path: Path) -> None:
    predictions, truth = two_videos
    assert "found the ground truth itself" in refusal(truth, truth).message
    assert "no video in common" in refusal(put(tmp_path / "x" / "c", truth_of(1, 2)).parent, truth).message
    short = put(tmp_path / "short", truth_of(1, 2))
    assert "no frame is left to score" in refusal(put(tmp_path / "sp", truth_of(1, 2)), short).message
    with pytest.raises(UsageError, match="lies inside the input"):
        report(predictions, truth, csv=str(predictions / "s.csv"))
    with pytest.raises((DeviceError, UsageError)):
        report(predictions, truth, device="cuda:99")


def test_a_table_that_exists_is_refused_before_anything_is_looked_at(tmp_path: Path) -> None:
    for name in ("s.csv", "s-videos.csv"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(UsageError, match=f"{name} exists"):
            report(tmp_path / "no predictions", tmp_path / "no truth", csv=str(tmp_path / "s.csv"))
        assert (tmp_path / name).read_text() == "mine"
        (tmp_path / name).unlink()


@pytest.mark.parametrize("fails", ["open", "add", "videos"])
def test_a_table_that_cannot_be_written_costs_no_score(
    two_videos: tuple[Path, Path], tmp_path: Path, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictions, truth = two_videos
    target = tmp_path / "s.csv"
    if fails == "open":
        (tmp_path / "file").write_text("")
        target = tmp_path / "file" / "s.csv"
    expected = report(predictions, truth, overwrite=True)

    def full(table: ScoreTable, row: Any) -> None:
        if (fails == "videos") == ("frames" in row):
            raise DeviceError("disk full", "free some space")

    if fails != "open":
        monkeypatch.setattr(ScoreTable, "add", full)
    found = report(predictions, truth, csv=str(target))
    assert found.methods[0].scores == expected.methods[0].scores
    assert len(found.failures) == (2 if fails == "open" else 1)
    assert found.as_dict()["failures"] == list(found.failures)
    assert not list(tmp_path.glob(".*tmp"))
    assert target.exists() == (fails == "videos")


def test_a_truth_that_is_black_on_white_is_warned_of(tmp_path: Path) -> None:
    maps = truth_of(1, 4)
    for mask in maps:
        mask[[0, -1]] = mask[:, [0, -1]] = 0
    put(tmp_path / "p", maps)
    put(tmp_path / "t", [255 - mask for mask in maps])
    heard: list[Event] = []
    run_evaluate(
        EvaluateConfig(predictions=(str(tmp_path / "p"), str(tmp_path / "t"))), on_event=heard.append
    )
    (warning,) = [event for event in heard if event.kind == "warning"]
    assert "black on white" in warning.message


def test_a_video_without_frames_to_score_is_left_out_with_a_warning(two_videos: tuple[Path, Path]) -> None:
    predictions, truth = two_videos
    for tree in (predictions, truth):
        put(tree / "tiny", truth_of(1, 2))
    heard: list[Event] = []
    config = EvaluateConfig(predictions=(str(predictions), str(truth)))
    assert set(run_evaluate(config, on_event=heard.append).methods[0].videos) == {"a", "b"}
    assert [event.video for event in heard if event.kind == "warning"] == ["tiny"]
    progress = [(event.video, event.done, event.total) for event in heard if event.kind == "frame"]
    assert progress == [("a", 1, 2), ("a", 2, 2), *(("b", done, 7) for done in range(1, 8))]


def test_plots_and_tables_lie_where_they_are_asked_for(two_videos: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    predictions, truth = two_videos
    found = report(predictions, truth, csv=str(tmp_path / "s.csv"), plots=str(tmp_path / "plots"))
    names = {"pr.png", "f.png", "curves.csv", "videos.png", "worst.png"}
    assert {file.name for file in (tmp_path / "plots").iterdir()} == names
    assert all(file.is_file() for file in found.files)
    with (tmp_path / "s-videos.csv").open(newline="") as file:
        rows = {row["video"]: row for row in csv.DictReader(file)}
    assert float(rows["a"]["mae"]) == pytest.approx(found.methods[0].videos["a"]["mae"], abs=1e-11)
    worst = [frame.score for frame in found.methods[0].worst]
    with (tmp_path / "s.csv").open(newline="") as file:
        s_measures = sorted(float(row["s_measure"]) for row in csv.DictReader(file))
    assert worst == pytest.approx(s_measures[:8], abs=1e-11)
    with pytest.raises(UsageError, match="exists"):
        report(predictions, truth, plots=str(tmp_path / "plots"))


def covered(pair: Pair) -> dict[str, float]:
    """A toy measure: the share of the frame that is predicted."""
    return {"covered": float(pair.mask.mean())}


def test_a_toy_measure_through_nothing_but_the_table(
    two_videos: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("vsodtool.metrics.pair.covered", covered, raising=False)
    line = Measure(
        compute="vsodtool.metrics.pair:covered",
        missing=0.25,
        scores={"covered": Score(header="cover", lower=True, paper=("covered ↓", "covered"))},
        title="share covered",
        shown=0,
        worst=1,
    )
    monkeypatch.setitem(MEASURES, "covered", line)
    titles: list[str] = []
    monkeypatch.setattr(
        "vsodtool.pipelines.scoring.plots.draw_bars",
        lambda _, __, panels, *___: titles.append(panels[0].title),
    )
    predictions, truth = two_videos
    values = [(values >= 128).mean() for values in read(predictions / "a")]
    (predictions / "a" / "00003.png").unlink()
    found = report(
        predictions,
        truth,
        protocol="pysod",
        measures=("auto", "covered"),
        normalize="none",
        allow_missing=True,
        csv=str(tmp_path / "s.csv"),
        plots=str(tmp_path / "plots"),
    )
    (method,) = found.methods
    assert method.videos["a"]["covered"] == pytest.approx((sum(values[:3]) + 0.25) / 4)
    assert found.as_dict()["scores"]["covered"] == method.scores["covered"]
    for name in ("s.csv", "s-videos.csv"):
        with (tmp_path / name).open(newline="") as file:
            assert float(next(csv.DictReader(file))["covered"]) > 0
    assert found.worst_by == "covered"
    assert [frame.score for frame in method.worst] == sorted((f.score for f in method.worst), reverse=True)
    assert titles == ["share covered ↓"]
    header, rows = score_rows(found)
    assert header[-1] == "cover"
    assert rows[0].cells[-1] == f"{method.videos['a']['covered']:.4f}"
    assert "| covered ↓ |" in markdown_table(found)
    assert "& covered &" in latex_rows(found)
