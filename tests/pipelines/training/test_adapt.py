"""Fine-tuning on a video's own labels: what is learned from, that it learns, that it competes."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import ConfigError
from vsodtool.media.masks.sparse import match_masks
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.models.architecture import Architecture
from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.evidence.network import EvidenceNet
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.pipelines.densify import video as pseudolabel_video
from vsodtool.pipelines.densify.choosing.hidden_labels import HiddenTest
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.evidence.recorder import GuessMaker
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.training import adapt
from vsodtool.pipelines.training import task as train_task
from vsodtool.pipelines.training.adapt import Adaptation, plan_adaptation
from vsodtool.pipelines.training.task import Target, Task, clip_loss
from vsodtool.types import MethodChoice

Film = Callable[..., Any]
PAN = [(2, 1), (1, 0), (-1, 1), (2, -1), (1, 1), (-2, 0)] * 2
LABELLED = (0, 2, 4, 6, 8, 10, 12)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapt, "SIZE", 64)
    monkeypatch.setattr(adapt, "BATCH", 2)


def network() -> EvidenceNet:
    torch.manual_seed(0)
    return create_network(EvidenceArchitecture(fine_width=8, middle_width=8, coarse_width=8)).eval()


@pytest.fixture
def clip(film: Film, tmp_path: Path) -> Any:
    made = film(PAN, size=(64, 64), objects={1: (72, 75, 20, 15), 2: (80, 95, 12, 12)})
    made.write_folder(tmp_path / "clip")
    made.write_masks(tmp_path / "masks", LABELLED, 1)
    save_network(tmp_path / "tiny.safetensors", network(), Preprocessing(size=64))
    return made


def config(tmp_path: Path, out: str = "out", **options: Any) -> PseudoLabelConfig:
    given = {"weights": str(tmp_path / "tiny.safetensors"), "adapt": 3, "workers": 2, **options}
    return PseudoLabelConfig(
        inputs=(str(tmp_path / "clip"),),
        masks=tmp_path / "masks",
        output=tmp_path / out,
        device="cpu",
        **given,
    )


def open_clip(tmp_path: Path) -> SparseVideo:
    source = open_frames(discover_videos([str(tmp_path / "clip")])[0])
    return SparseVideo(source, match_masks(tmp_path / "masks", [source], 0)["clip"], tmp_path)


def test_labels_that_methods_are_tried_on_are_not_learned_from(clip: Any, tmp_path: Path) -> None:
    video = open_clip(tmp_path)
    every = plan_adaptation(video, [])
    assert every == [HiddenTest(at - 2, at, at + 2) for at in LABELLED[1:-1]]
    tried = [HiddenTest(2, 4, 6), HiddenTest(4, 6, 8)]
    assert [test.hidden for test in plan_adaptation(video, tried)] == [2, 8, 10]
    assert plan_adaptation(video, [*tried, HiddenTest(0, 2, 4), HiddenTest(6, 8, 10)]) == []


def adapted(tmp_path: Path, exact: Any, steps: int) -> EvidenceNet | None:
    video = open_clip(tmp_path)
    maker = GuessMaker(MotionEstimators(exact, exact), WarpMethod())
    with ThreadPoolExecutor(2) as pool, ThreadPoolExecutor(2) as drivers:
        adaptation = Adaptation(network(), steps, seed=0)
        return adaptation.fine_tuned(video, plan_adaptation(video, []), maker, Workers(pool, drivers))


def test_the_same_labels_give_the_same_weights_and_nothing_is_left_behind(
    clip: Any, tmp_path: Path, exact: Any
) -> None:
    before = {path.name for path in tmp_path.iterdir()}
    made = [adapted(tmp_path, exact, 2) for _ in range(2)]
    first, again = (each.state_dict() for each in made if each is not None)
    untouched = network().state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.weight"], untouched["head.weight"])
    for name, value in untouched.items():
        if name.startswith("backbone.") or "running" in name:
            assert torch.equal(first[name], value)
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_loss_that_is_no_number_gives_the_adaptation_up(
    clip: Any, tmp_path: Path, exact: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(task: Task, logits: torch.Tensor, target: Target) -> torch.Tensor:
        return clip_loss(task, logits, target) * torch.nan

    monkeypatch.setattr(train_task, "clip_loss", poisoned)
    assert adapted(tmp_path, exact, 2) is None


@pytest.mark.parametrize("method", ["fgplg", "auto"])
def test_it_is_one_more_candidate(clip: Any, tmp_path: Path, exact: Any, method: str) -> None:
    report = run_pseudolabel(config(tmp_path, method=method), estimator=exact)
    (video,) = report.videos
    assert report.method == "auto"
    candidates = {"fgplg", "adapted"} | ({"warp"} if method == "auto" else set())
    assert set(video.hidden_j) == candidates
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["config"]["adapt"] == 3
    assert len(list((tmp_path / "out" / "masks").rglob("*.png"))) == 13


def test_where_it_was_chosen_a_second_run_comes_to_the_same_masks(
    clip: Any, tmp_path: Path, exact: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(*_: Any, **__: Any) -> MethodChoice:
        return MethodChoice("adapted", ["00004"], {"adapted": 0.9}, "for this test")

    monkeypatch.setattr(pseudolabel_video, "try_methods", choose)
    run_pseudolabel(config(tmp_path), estimator=exact)
    first = {path.name: path.read_bytes() for path in (tmp_path / "out" / "masks").rglob("*.png")}
    monkeypatch.setattr(Adaptation, "fine_tuned", lambda *_: pytest.fail("learned again"))
    for name in ("00003.png", "00007.png"):
        next((tmp_path / "out" / "masks").rglob(name)).unlink()
    run_pseudolabel(config(tmp_path), estimator=exact)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out" / "masks").rglob("*.png")} == first


def test_an_update_uses_the_network_that_was_adapted_then(
    clip: Any, tmp_path: Path, exact: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(*_: Any, **__: Any) -> MethodChoice:
        return MethodChoice("adapted", ["00004"], {"adapted": 0.9}, "for this test")

    monkeypatch.setattr(pseudolabel_video, "try_methods", choose)
    run_pseudolabel(config(tmp_path), estimator=exact)
    masks = tmp_path / "out" / "masks" / "clip"
    before = {path.name: path.read_bytes() for path in masks.iterdir()}
    (tmp_path / "out/corrections/clip").mkdir(parents=True)
    (tmp_path / "out/corrections/clip/00003.png").write_bytes(before["00002.png"])
    monkeypatch.setattr(Adaptation, "fine_tuned", lambda *_: pytest.fail("learned again"))
    report = run_pseudolabel(config(tmp_path, update=True), estimator=exact)
    assert report.videos[0].method == "adapted"
    after = {path.name: path.read_bytes() for path in masks.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"00003.png"}


def test_an_update_adapts_to_a_video_that_is_new(
    clip: Any, tmp_path: Path, exact: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(*_: Any, **__: Any) -> MethodChoice:
        return MethodChoice("adapted", ["00004"], {"adapted": 0.1}, "for this test")

    monkeypatch.setattr(pseudolabel_video, "try_methods", choose)
    options = {**vars(config(tmp_path)), "masks": (str(tmp_path / "of"),)}
    for name in ("first", "second"):
        clip.write_folder(tmp_path / name)
        clip.write_masks(tmp_path / "of" / name, LABELLED, 1)
    both = {**options, "inputs": (str(tmp_path / "first"), str(tmp_path / "second"))}
    run_pseudolabel(PseudoLabelConfig(**{**options, "inputs": (str(tmp_path / "first"),)}), estimator=exact)
    report = run_pseudolabel(PseudoLabelConfig(**{**both, "update": True}), estimator=exact)
    fresh = run_pseudolabel(PseudoLabelConfig(**{**both, "output": tmp_path / "fresh"}), estimator=exact)
    assert [video.method for video in report.videos] == ["adapted", "adapted"]
    for path in (tmp_path / "fresh/masks").rglob("*.png"):
        assert path.read_bytes() == (tmp_path / "out" / path.relative_to(tmp_path / "fresh")).read_bytes()
    # What is doubtful about it was told by no run before.
    assert [len(video.doubts) for video in report.videos] == [0, 1]
    assert "repeating the nearest mask" in report.videos[1].doubts[0]
    assert report.videos[1].doubts == fresh.videos[1].doubts


def test_too_few_labels_are_told_and_the_network_is_used_as_it_is(
    film: Film, clip: Any, tmp_path: Path, exact: Any
) -> None:
    told: list[str] = []
    clip.write_masks(tmp_path / "few", (0, 6, 12), 1)
    few = PseudoLabelConfig(**{**vars(config(tmp_path)), "masks": tmp_path / "few"})
    report = run_pseudolabel(few, estimator=exact, on_event=lambda event: told.append(event.message))
    assert any("not adapted: too few labels" in line for line in told)
    assert report.videos[0].method == "fgplg"


def test_only_vsodtools_own_densifier_can_be_adapted(clip: Any, tmp_path: Path) -> None:
    widths = {"context_width": 8, "skip_width": 8, "refine_width": 8, "decoder_width": 8}
    paper = create_network(Architecture(kind="fgplg", backbone="mobilenet_v3_small", **widths))  # type: ignore[arg-type]
    save_network(tmp_path / "paper.safetensors", paper, Preprocessing(size=64))
    with pytest.raises(ConfigError, match=r"adapt: .*paper's FGPLG"):
        run_pseudolabel(config(tmp_path, weights=str(tmp_path / "paper.safetensors")))
    with pytest.raises(ConfigError, match="adapt: 3 given, but method 'warp'"):
        config(tmp_path, method="warp", weights="")
    with pytest.raises(ConfigError, match="adapt: expected a whole number of at least 0, found -1"):
        config(tmp_path, adapt=-1)
