"""`predict` with a network that sees motion: against the network called plainly; interrupted; one frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from vsodtool.config import PredictConfig
from vsodtool.models.architecture import FUSED, IMAGE, VIDEO, Architecture
from vsodtool.models.detector.detector import Detector
from vsodtool.models.flow.by_patches import motion_estimator
from vsodtool.models.fused.architecture import FusedArchitecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.clips import clip_ranges
from vsodtool.ops.motion.frame_motion import frame_motion
from vsodtool.ops.network_image import to_frame_size, to_network_image
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.predict import run_predict
from vsodtool.types import Event

SIDE = 64
PAN = [(2, 1), (1, 0), (-1, 1), (2, -1), (1, 1), (1, -1), (-2, 0), (1, 1), (0, -1)]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def weights(tmp_path: Path) -> Callable[[str], Path]:
    def make(kind: str) -> Path:
        torch.manual_seed(3)
        widths = dict.fromkeys(("context_width", "skip_width", "refine_width", "decoder_width"), 8)
        cls = FusedArchitecture if kind == FUSED else Architecture
        architecture = cls(kind=kind, backbone="mobilenet_v3_small", motion_input=True, **widths)
        network = create_network(architecture)
        for parameter in network.decoder.parameters():
            parameter.data *= 20
        path = tmp_path / f"{kind}.safetensors"
        save_network(path, network, Preprocessing(size=SIDE))
        return path

    return make


def config(source: Path, weights: Path, out: Path, **options: Any) -> PredictConfig:
    given = {"device": "cpu", "precision": "fp32", "workers": 2, **options}
    return PredictConfig(inputs=(str(source),), output=out, weights=str(weights), **given)


def maps(out: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((out / "soft" / "clip").iterdir())]


def flicker(out: Path) -> float:
    """How much maps change from frame to frame."""
    found = [cv2.imread(str(path), 0) for path in sorted((out / "soft" / "clip").iterdir())]
    return float(np.diff(np.stack(found).astype(np.float32), axis=0).std())


@pytest.mark.parametrize("kind", [FUSED, VIDEO, IMAGE])
def test_maps_are_those_of_the_network(tmp_path: Path, film: Any, weights: Any, kind: str) -> None:
    clip, path = film(PAN), weights(kind)
    run_predict(config(clip.write_folder(tmp_path / "clip"), path, tmp_path / "out", smooth="off"))
    loaded = load_network(str(path))
    cpu = torch.device("cpu")
    detector = Detector(loaded.network, loaded.preprocessing, device=cpu, precision="fp32")
    last = len(clip.frames) - 1
    images = {number: to_network_image(frame, SIDE) for number, frame in enumerate(clip.frames)}
    estimator = motion_estimator()
    motion = torch.stack([frame_motion(images, number, 0, last, estimator) for number in images])
    assert motion.any()
    found: list[list[torch.Tensor]] = [[] for _ in images]
    length = 4 if detector.is_video else 1
    for places in clip_ranges(len(images), length, length):
        pictures = torch.stack([images[place] for place in places])
        for place, values in zip(
            places, detector.detect(detector.encode(pictures, motion[list(places)]), len(places)), strict=True
        ):
            found[place].append(values)
    files = sorted((tmp_path / "out/soft/clip").iterdir())
    for file, values in zip(files, found, strict=True):
        probabilities = to_frame_size(torch.stack(values).mean(0), clip.frames[0].shape[:2])[0, 0]
        soft = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        assert np.abs(soft - 255 * probabilities.numpy()).max() <= 0.51


def test_an_interrupted_run_and_other_workers_give_the_same_bytes(
    tmp_path: Path, film: Any, weights: Any
) -> None:
    source, path = film(4 * PAN).write_folder(tmp_path / "clip"), weights(VIDEO)
    run_predict(config(source, path, tmp_path / "whole"))

    def stop(event: Event) -> None:
        if event.kind == "frame" and event.done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_predict(config(source, path, tmp_path / "parts"), on_event=stop)
    assert 0 < len(maps(tmp_path / "parts")) < 37
    run_predict(config(source, path, tmp_path / "parts"))
    run_predict(config(source, path, tmp_path / "single", workers=1))
    assert maps(tmp_path / "parts") == maps(tmp_path / "whole") == maps(tmp_path / "single")


@pytest.mark.parametrize(("smooth", "same"), [("auto", True), ("on", True), ("off", False)])
def test_networks_that_see_motion_are_smoothed(
    tmp_path: Path, film: Any, weights: Any, smooth: str, same: bool
) -> None:
    source, path = film(PAN).write_folder(tmp_path / "clip"), weights(VIDEO)
    events: list[Event] = []
    run_predict(config(source, path, tmp_path / "a"), on_event=events.append)
    assert any("with motion, smoothed" in event.message for event in events)
    run_predict(config(source, path, tmp_path / "b", smooth=smooth))
    assert (maps(tmp_path / "a") == maps(tmp_path / "b")) is same
    if smooth == "off":
        assert flicker(tmp_path / "a") < flicker(tmp_path / "b")


def test_a_single_frame_is_a_video_at_rest(tmp_path: Path, film: Any, weights: Any) -> None:
    source = film([]).write_folder(tmp_path / "clip")
    report = run_predict(config(source, weights(VIDEO), tmp_path / "out"))
    assert [video.generated for video in report.videos] == [1]


def test_frames_that_do_not_decode_are_gone_over(tmp_path: Path, film: Any, weights: Any) -> None:
    clip, path = film(PAN), weights(VIDEO)
    whole, cut = clip.write_folder(tmp_path / "a" / "clip"), clip.write_folder(tmp_path / "b" / "clip")
    lost = sorted(cut.iterdir())[4]
    kept = sorted(whole.iterdir())[4]
    lost.write_bytes(lost.read_bytes()[:40])
    kept.unlink()
    report = run_predict(config(cut, path, tmp_path / "with"))
    assert [(video.generated, video.skipped) for video in report.videos] == [(9, 1)]
    run_predict(config(whole, path, tmp_path / "without"))
    assert maps(tmp_path / "with") == maps(tmp_path / "without")
