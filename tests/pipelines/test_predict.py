"""`run_predict` with a network of a few weights, against the same network called plainly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from tests.scenes import scene
from vsodtool.config import PredictConfig
from vsodtool.errors import DeviceError, UsageError, WeightsError
from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.output.run_state import ResumeState
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.models.architecture import FGPLG, IMAGE, VIDEO, Architecture
from vsodtool.models.detector.detector import Detector
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.network import FrameFeatures
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.clips import clip_ranges
from vsodtool.ops.network_image import to_frame_size, to_network_image
from vsodtool.pipelines.detect import smoothing, video
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.predict import resolve_batching, run_predict
from vsodtool.pipelines.running.engines import ENGINES, Engine, Job
from vsodtool.pipelines.running.reports import Result
from vsodtool.pipelines.running.units import Divider
from vsodtool.types import Event, FrameStatus

Film = Callable[..., Any]
Tree = dict[str, bytes]
SMALL = Architecture(
    kind=VIDEO,
    backbone="mobilenet_v3_small",
    context_width=8,
    skip_width=4,
    refine_width=8,
    decoder_width=8,
)
SEEN = Preprocessing(size=64)
PAN = [(2, 1), (1, 0), (-1, 1), (2, -1), (1, 1), (1, -1), (-2, 0), (1, 1), (0, -1)]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """The tests run beside others: torch's threads would wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The file of a network of a kind; its maps are neither black nor white."""
    folder = tmp_path_factory.mktemp("weights")

    def of(kind: str = VIDEO) -> Path:
        path = folder / f"{kind}.safetensors"
        if not path.exists():
            torch.manual_seed(3)
            network = create_network(replace(SMALL, kind=kind))
            for parameter in network.decoder.parameters():
                parameter.data *= 20
            save_network(path, network, SEEN)
        return path

    return of


@pytest.fixture
def predict(tmp_path: Path, weights: Callable[[str], Path]) -> Callable[..., Any]:
    """Run `predict` on a source into tmp_path/out."""

    def run(
        source: Path, *, kind: str = VIDEO, detector: Any = None, heard: Any = None, **options: Any
    ) -> Any:
        given = {
            "output": tmp_path / "out",
            "weights": str(weights(kind)),
            "device": "cpu",
            "precision": "fp32",
            "workers": 2,
            **options,
        }
        config = PredictConfig(inputs=(str(source),), **given)
        listen = {} if heard is None else {"on_event": heard.append}
        return run_predict(config, detector=detector, **listen)

    return run


def loaded(path: Path, detector: type[Detector] = Detector) -> Detector:
    from vsodtool.pipelines.networks.load import load_network

    network = load_network(str(path))
    return detector(network.network, network.preprocessing, device=torch.device("cpu"), precision="fp32")


def read(folder: Path) -> list[Any]:
    return [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(folder.iterdir())]


def tree(out: Path) -> Tree:
    """Every file but the manifest, which holds seconds."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def plainly(path: Path, frames: list[Any], length: int, stride: int) -> list[Tensor]:
    """Probabilities in the frames' size, clip by clip, without any of the machinery."""
    detector = loaded(path)
    length, stride = (length, stride) if detector.is_video else (1, 1)
    found: list[list[Tensor]] = [[] for _ in frames]
    for clip in clip_ranges(len(frames), length, stride):
        images = torch.stack([to_network_image(frames[position], detector.size) for position in clip])
        maps = detector.detect(detector.encode(images), len(clip))
        for position, values in zip(clip, maps, strict=True):
            found[position].append(values)
    size = frames[0].shape[:2]
    return [to_frame_size(torch.stack(maps).mean(dim=0), size)[0, 0] for maps in found]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (VIDEO, {}),
        (VIDEO, {"clip_length": 3}),
        (VIDEO, {"clip_length": 4, "stride": 1, "batch": 2}),
        (VIDEO, {"clip_length": 5, "stride": 3, "workers": 3}),
        (VIDEO, {"clip_length": 1}),
        (VIDEO, {"clip_length": 300}),
        (IMAGE, {}),
    ],
)
def test_maps_are_those_of_the_network(
    tmp_path: Path, film: Film, predict: Any, weights: Any, *, kind: str, options: dict[str, Any]
) -> None:
    clip = film(PAN)
    report = predict(clip.write_folder(tmp_path / "clip"), kind=kind, **options)
    length = options.get("clip_length", 4)
    expected = plainly(weights(kind), clip.frames, length, options.get("stride", length))
    found = read(tmp_path / "out/soft/clip")
    assert len(found) == len(clip.frames) == 10
    for soft, probabilities in zip(found, expected, strict=True):
        assert soft.dtype == np.uint8
        np.testing.assert_allclose(soft, 255 * probabilities.numpy(), atol=0.51)
    assert np.ptp(found[0]) > 20  # the comparison says something
    assert (report.videos[0].generated, report.videos[0].skipped, report.losses) == (10, 0, [])


def test_mirror_is_the_mean_with_the_mirrored_video(
    tmp_path: Path, film: Film, predict: Any, weights: Any
) -> None:
    clip = film(PAN)
    heard: list[Event] = []
    predict(clip.write_folder(tmp_path / "clip"), mirror=True, heard=heard)
    assert any("mirrored too" in event.message for event in heard)
    plain = plainly(weights(VIDEO), clip.frames, 4, 4)
    mirrored = plainly(weights(VIDEO), [np.ascontiguousarray(frame[:, ::-1]) for frame in clip.frames], 4, 4)
    assert (plain[0] - mirrored[0].flip(-1)).abs().max() > 0.05  # the comparison says something
    for soft, one, other in zip(read(tmp_path / "out/soft/clip"), plain, mirrored, strict=True):
        np.testing.assert_allclose(soft, 255 * (one + other.flip(-1)).numpy() / 2, atol=1)


def test_what_is_written(tmp_path: Path, film: Film, predict: Any, weights: Any) -> None:
    source = film(PAN).write_folder(tmp_path / "clip")
    report = predict(source)
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir() if not path.name.startswith(".")) == [
        "frames.csv",
        "manifest.json",
        "soft",
        "written.jsonl",
    ]
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["command"], manifest["status"]) == ("predict", "complete")
    assert manifest["weights"] == {"video.safetensors": file_sha256(weights(VIDEO))}
    assert manifest["videos"]["clip"]["generated"] == 10
    chosen = {name: manifest["config"][name] for name in ("precision", "size", "stride", "batch", "device")}
    assert chosen == {"precision": "fp32", "size": 64, "stride": 4, "batch": 1, "device": "cpu"}
    records = read_frames_csv(out / "frames.csv")
    assert [record.frame for record in records] == [f"{index:05d}" for index in range(10)]
    assert {(record.status, record.left, record.right) for record in records} == {
        (FrameStatus.GENERATED, "", "")
    }
    mean = sum(record.confidence for record in records) / 10
    assert report.videos[0].confidence == pytest.approx(mean, abs=1e-4)
    assert (report.weights, report.precision, report.device) == ("video.safetensors", "fp32", "cpu")


class Certain:
    """A network that knows: left half salient with probability p, the rest not."""

    is_video, sees_motion, size, precision, device = True, False, 64, "fp32", torch.device("cpu")

    def __init__(self, salient: float) -> None:
        self._salient = salient

    def encode(self, images: Tensor) -> FrameFeatures:
        nothing = torch.zeros(len(images), 1, 1, 1)
        return FrameFeatures(nothing, (nothing, nothing, nothing), (64, 64))

    def relate(self, context: Tensor) -> Tensor:
        return context

    def decode(self, features: FrameFeatures, context: Tensor) -> Tensor:
        maps = torch.zeros(len(context), 1, 64, 64)
        maps[..., :32] = self._salient
        return maps


@pytest.mark.parametrize(
    ("salient", "white", "confidence"),
    [(1.0, 255, 1.0), (0.5, 255, None), (0.75, 255, 0.75), (0.49, 0, None)],
)
def test_masks_and_confidence(
    tmp_path: Path, film: Film, predict: Any, *, salient: float, white: int, confidence: float | None
) -> None:
    """Masks are white from one half on. The confidence is the J to expect if probabilities are right."""
    clip = film(PAN[:3], size=(48, 100))
    report = predict(clip.write_folder(tmp_path / "clip"), detector=Certain(salient), masks=True)
    for mask, soft in zip(read(tmp_path / "out/masks/clip"), read(tmp_path / "out/soft/clip"), strict=True):
        assert mask.shape == soft.shape == (48, 100)
        np.testing.assert_array_equal(mask, np.where(soft >= 128, 255, 0))
        assert (mask[:, :45] == white).all()
        assert (mask[:, 55:] == 0).all()
        assert (soft[:, :45] == round(255 * salient + 1e-9)).all()
    if confidence is not None:
        assert report.videos[0].confidence == pytest.approx(confidence)


def test_video_and_folder_of_the_same_frames_agree(tmp_path: Path, film: Film, predict: Any) -> None:
    clip = film(PAN)
    video = clip.write_video(tmp_path / "film.mp4")
    predict(video, masks=True, overlay=True)
    found = read(tmp_path / "out/soft/film")
    container = cv2.VideoCapture(str(video))
    folder = tmp_path / "film"
    folder.mkdir()
    for index in range(10):
        ok, picture = container.read()
        assert ok
        cv2.imwrite(str(folder / f"{index:05d}.png"), picture)
    predict(folder, output=tmp_path / "other")
    for one, other in zip(found, read(tmp_path / "other/soft/film"), strict=True):
        assert np.abs(one.astype(int) - other).mean() < 3  # two decoders
    assert (tmp_path / "out/overlay/film.mp4").stat().st_size > 0


def test_workers_change_nothing(tmp_path: Path, film: Film, predict: Any) -> None:
    source = film(PAN).write_folder(tmp_path / "clip")
    trees = []
    for workers in (1, 2, 5):
        predict(source, workers=workers, clip_length=4, stride=2, output=tmp_path / str(workers))
        trees.append(tree(tmp_path / str(workers)))
    assert trees[0] == trees[1] == trees[2]


class Stopping(Detector):
    """A detector during whose `stop_at`-th call of `decode` Ctrl-C comes."""

    stop_at = 10**9
    calls = 0

    def decode(self, features: FrameFeatures, context: Tensor) -> Tensor:
        self.calls += 1
        if self.calls > self.stop_at:
            raise KeyboardInterrupt
        return super().decode(features, context)


@pytest.mark.parametrize("stop_at", [0, 3, 7, 9])
@pytest.mark.parametrize(
    "options", [{}, {"clip_length": 4, "stride": 2, "batch": 2}], ids=["plain", "overlap"]
)
def test_an_interrupted_run_goes_on_to_the_same_result(
    tmp_path: Path, film: Film, predict: Any, weights: Any, *, stop_at: int, options: dict[str, Any]
) -> None:
    source = film(PAN).write_folder(tmp_path / "clip")
    options = {**options, "masks": True}

    def run(out: str, stop: int) -> Stopping:
        detector = loaded(weights(VIDEO), Stopping)
        assert isinstance(detector, Stopping)
        detector.stop_at = stop
        predict(source, detector=detector, output=tmp_path / out, **options)
        return detector

    calls = run("whole", 10**9).calls
    with pytest.raises(KeyboardInterrupt):
        run("out", stop_at)
    whole, part = tree(tmp_path / "whole"), tree(tmp_path / "out")
    pictures = {name: data for name, data in part.items() if name.endswith(".png")}
    assert len(pictures) < 20
    assert pictures.items() <= whole.items()
    again = run("out", 10**9)
    assert tree(tmp_path / "out") == whole
    assert again.calls <= calls


def test_a_finished_run_is_left_alone_and_a_missing_file_made_again(
    tmp_path: Path, film: Film, predict: Any, weights: Any
) -> None:
    source = film(PAN).write_folder(tmp_path / "clip")
    detector = loaded(weights(VIDEO), Stopping)
    assert isinstance(detector, Stopping)
    predict(source, detector=detector, masks=True)
    assert detector.calls == 12  # two frames are in the last clip too
    before = tree(tmp_path / "out")
    events: list[Event] = []
    report = predict(source, detector=detector, masks=True, heard=events)
    assert detector.calls == 12
    assert any("nothing left to do" in event.message for event in events)
    assert report.videos[0].generated == 10
    (tmp_path / "out/masks/clip/00005.png").unlink()
    predict(source, detector=detector, masks=True)
    assert detector.calls == 13
    assert tree(tmp_path / "out") == before


def test_an_overlay_that_is_missing_is_drawn_without_the_network(
    tmp_path: Path, film: Film, predict: Any, weights: Any
) -> None:
    source = film(PAN).write_folder(tmp_path / "clip")
    detector = loaded(weights(VIDEO), Stopping)
    assert isinstance(detector, Stopping)
    predict(source, detector=detector, overlay=True)
    before = tree(tmp_path / "out")
    assert "overlay/clip.mp4" in before
    assert not any(name.startswith("masks") for name in before)
    (tmp_path / "out/overlay/clip.mp4").unlink()
    predict(source, detector=detector, overlay=True)
    assert detector.calls == 12
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"clip_length": 3}, "--clip-length changed"),
        ({"stride": 2}, "--stride changed: .* with 4, now it is 2"),
        ({"size": 96}, "--size changed: .* with 64, now it is 96"),
        ({"precision": "bf16"}, "--precision changed"),
        ({"masks": True}, "--masks changed"),
        ({"batch": 3}, "--batch changed"),
    ],
)
def test_another_option_is_refused_and_overwrite_helps(
    tmp_path: Path, film: Film, predict: Any, options: dict[str, Any], said: str
) -> None:
    source = film(PAN[:3]).write_folder(tmp_path / "clip")
    predict(source)
    before = tree(tmp_path / "out")
    with pytest.raises(UsageError, match=said):
        predict(source, **options)
    assert tree(tmp_path / "out") == before
    predict(source, **options, overwrite=True)
    assert json.loads((tmp_path / "out/manifest.json").read_text())["status"] == "complete"


def test_other_weights_of_the_same_name_are_refused(
    tmp_path: Path, film: Film, predict: Any, weights: Any
) -> None:
    source = film(PAN[:3]).write_folder(tmp_path / "clip")
    predict(source)
    other = tmp_path / "video.safetensors"
    torch.manual_seed(5)
    save_network(other, create_network(SMALL), SEEN)
    with pytest.raises(WeightsError, match=r"weights 'video.safetensors' changed"):
        predict(source, weights=str(other))


def test_weights_of_another_kind_are_refused(tmp_path: Path, film: Film, predict: Any, weights: Any) -> None:
    source = film(PAN[:3]).write_folder(tmp_path / "clip")
    with pytest.raises(WeightsError, match="FGPLG") as refused:
        predict(source, weights=str(weights(FGPLG)))
    assert "pseudolabel --method fgplg" in refused.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("count", "frames"), [(1, "1 frame"), (2, "2 frames")])
def test_a_clip_longer_than_the_video_is_told(
    tmp_path: Path, film: Film, predict: Any, count: int, frames: str
) -> None:
    events: list[Event] = []
    predict(film(PAN[: count - 1]).write_folder(tmp_path / "clip"), clip_length=8, heard=events)
    notices = [event for event in events if "fewer than a clip of 8" in event.message]
    assert [(event.kind, event.video) for event in notices] == [("notice", "clip")]
    assert notices[0].message.startswith(f"{frames}, ")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_out_of_memory_names_what_helps(tmp_path: Path, film: Film, predict: Any, error: Exception) -> None:
    class Full(Certain):
        def relate(self, context: Tensor) -> Tensor:
            raise error

    source = film(PAN).write_folder(tmp_path / "clip")
    with pytest.raises(DeviceError, match="out of memory on cpu in the video 'clip'") as refused:
        predict(source, detector=Full(1.0))
    for option in ("--clip-length", "--size", "--batch", "--precision", "--workers"):
        assert option in refused.value.hint


def test_a_bug_is_no_lack_of_memory(tmp_path: Path, film: Film, predict: Any) -> None:
    class Broken(Certain):
        def relate(self, context: Tensor) -> Tensor:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    source = film(PAN).write_folder(tmp_path / "clip")
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        predict(source, detector=Broken(1.0))
    assert json.loads((tmp_path / "out/manifest.json").read_text())["status"] == "running"


def test_two_videos_and_a_dry_run(tmp_path: Path, film: Film, predict: Any) -> None:
    for name, steps in (("one", PAN), ("two", PAN[:3])):
        film(steps).write_folder(tmp_path / "videos" / name)
    events: list[Event] = []
    report = predict(tmp_path / "videos", dry_run=True, heard=events)
    assert report.dry_run
    assert [(video.name, video.generated) for video in report.videos] == [("one", 10), ("two", 4)]
    assert any("would make maps of 4 frames" in event.message for event in events)
    assert not (tmp_path / "out").exists()
    events.clear()
    predict(tmp_path / "videos", heard=events)
    assert [record.video for record in read_frames_csv(tmp_path / "out/frames.csv")] == ["one"] * 10 + [
        "two"
    ] * 4
    of_one = [event for event in events if event.kind == "frame" and event.video == "one"]
    # It is told of when it begins, and of each frame when the network has seen it and when it is written.
    assert [event.message for event in of_one] == ["finding cuts"] + [""] * 21
    shares = [event.share or 0 for event in of_one]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert sorted({event.done for event in of_one}) == list(range(11))


def test_torch_gets_its_threads_back(tmp_path: Path, film: Film, predict: Any) -> None:
    threads = torch.get_num_threads()
    predict(film(PAN[:2]).write_folder(tmp_path / "clip"))
    assert torch.get_num_threads() == threads


def test_what_goes_through_the_network_together() -> None:
    config = PredictConfig(inputs=("a",), output=Path("o"))

    class On(Certain):
        def __init__(self, device: str, is_video: bool = True) -> None:
            self.device, self.is_video = torch.device(device), is_video

    def chosen(detector: Any, **options: Any) -> tuple[int, int, int, int, int]:
        found = resolve_batching(replace(config, **options), detector, 3)
        return found.clip_length, found.stride, found.clips, found.frames, found.at_once

    assert chosen(On("cpu")) == (4, 4, 1, 1, 4)
    assert chosen(On("cuda")) == (4, 4, 8, 16, 3)
    assert chosen(On("cuda"), clip_length=100, stride=50) == (100, 50, 1, 16, 3)
    assert chosen(On("cuda"), batch=2) == (4, 4, 2, 16, 3)
    assert chosen(On("cpu", False), clip_length=9)[:3] == (1, 1, 1)
    assert chosen(On("cuda", False)) == (1, 1, 16, 16, 3)
    assert chosen(On("cpu"), compile=True)[4] == 2


def test_u2netp_alone_sees_every_frame_by_itself(tmp_path: Path, film: Film, predict: Any) -> None:
    clip = film(PAN[:1])
    heard: list[Event] = []
    predict(clip.write_folder(tmp_path / "clip"), weights="u2netp", heard=heard)
    assert any("u2netp, every frame by itself, 320x320" in event.message for event in heard)
    maps = plainly(Path("u2netp"), clip.frames, 4, 4)
    for soft, probabilities in zip(read(tmp_path / "out/soft/clip"), maps, strict=True):
        np.testing.assert_allclose(soft, 255 * probabilities.numpy(), atol=0.51)


@pytest.mark.parametrize("smooth", ["off", "on"])
def test_a_shot_is_as_if_it_were_a_video(tmp_path: Path, predict: Callable[..., Any], smooth: str) -> None:
    shots = [scene(1, 9), scene(2, 6)]
    for name, frames in (("both", [*shots[0], *shots[1]]), ("first", shots[0]), ("second", shots[1])):
        (tmp_path / name / "clip").mkdir(parents=True)
        for index, frame in enumerate(frames):
            assert cv2.imwrite(str(tmp_path / name / "clip" / f"{index:05d}.png"), frame[..., ::-1])
        predict(tmp_path / name / "clip", output=tmp_path / name / "out", smooth=smooth)
    maps = {
        name: [path.read_bytes() for path in sorted((tmp_path / name / "out" / "soft" / "clip").iterdir())]
        for name in ("both", "first", "second")
    }
    assert maps["both"] == [*maps["first"], *maps["second"]]
    assert json.loads((tmp_path / "both" / "out" / "manifest.json").read_text())["cuts"] == {"clip": [9]}
    predict(tmp_path / "both" / "clip", output=tmp_path / "one", smooth=smooth, cuts="none")
    one = [path.read_bytes() for path in sorted((tmp_path / "one" / "soft" / "clip").iterdir())]
    assert one != maps["both"]


def in_parts(config: Any, job: Job[Any], state: ResumeState, on_event: Any) -> Result:
    """As workers would make a video among them: the last part first."""
    outcomes = {}
    for task in job.tasks:
        bench = job.bench
        assert isinstance(bench, Divider)
        assert task.divisible
        parts = bench.begin(task, state, on_event, 4, []).groups
        assert len(parts) > 1
        for part in reversed(parts):
            bench.fill(task, part, state, on_event)
        outcomes[task.name] = bench.make(task, state, on_event)
    return Result(outcomes)


@pytest.mark.parametrize(
    "options", [{"smooth": "off", "stride": 3}, {"smooth": "on"}, {"smooth": "off", "batch": 2}]
)
def test_parts_give_the_maps_of_the_whole(
    tmp_path: Path, predict: Any, monkeypatch: pytest.MonkeyPatch, *, options: dict[str, Any]
) -> None:
    (tmp_path / "clip").mkdir()
    for index, frame in enumerate([*scene(1, 14), *scene(2, 9)]):
        assert cv2.imwrite(str(tmp_path / "clip" / f"{index:05d}.png"), frame[..., ::-1])
    (tmp_path / "clip" / "00002.png").write_bytes(b"no picture")
    for module in (video, smoothing):
        monkeypatch.setattr(module, "BLOCK", 4)
    monkeypatch.setattr(smoothing, "REACH", 3)
    monkeypatch.setattr(video, "LEAST_SMOOTHED", 4)
    report = predict(tmp_path / "clip", output=tmp_path / "whole", **options)
    monkeypatch.setitem(cast("dict[str, Engine]", ENGINES), "process", Engine(lambda _: None, in_parts))
    again = predict(tmp_path / "clip", output=tmp_path / "out", **options)
    whole, parts = tree(tmp_path / "whole"), tree(tmp_path / "out")
    assert whole.keys() == parts.keys()
    assert [name for name in whole if whole[name] != parts[name]] == []
    timeless = [[replace(each, seconds=0.0) for each in run.videos] for run in (again, report)]
    assert timeless[0] == timeless[1]
    assert again.losses == report.losses
