"""What a run will use is known, and refused, before anything is made or written."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.pipelines.intervals import make_job
from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import ConfigError, WeightsError
from vsodtool.models.architecture import Architecture
from vsodtool.models.evidence.architecture import EvidenceArchitecture
from vsodtool.models.evidence.network import EvidenceNet
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.labels.tracking import grid_size
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.far import Tracked
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.method import WarpMethod
from vsodtool.pipelines.densify.setup import Setup, create_candidates, prepare
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.types import Event, ignore_event

WIDTHS = {"context_width": 8, "skip_width": 8, "refine_width": 8, "decoder_width": 8}


@pytest.fixture
def own(tmp_path: Path) -> str:
    torch.manual_seed(0)
    network = create_network(EvidenceArchitecture(fine_width=8, middle_width=8, coarse_width=8))
    save_network(tmp_path / "own.safetensors", network, Preprocessing(size=64))
    return str(tmp_path / "own.safetensors")


@pytest.fixture
def paper(tmp_path: Path) -> str:
    network = create_network(Architecture(kind="fgplg", backbone="mobilenet_v3_small", **WIDTHS))  # type: ignore[arg-type]
    save_network(tmp_path / "paper.safetensors", network, Preprocessing(size=64))
    return str(tmp_path / "paper.safetensors")


def config(**options: Any) -> PseudoLabelConfig:
    given = {"inputs": ("clip",), "masks": Path("masks"), "output": Path("out"), "device": "cpu", **options}
    return PseudoLabelConfig(**given)


def prepared(**options: Any) -> Setup:
    return prepare(config(**options), estimator=None, methods=(), on_event=ignore_event)


def test_what_the_manifest_says_for_auto(own: str) -> None:
    setup = prepared(weights=own)
    assert setup.names == ["fgplg", "warp"]
    assert setup.resolved == {"method": "auto", "label_flow": "composed", "backend": "dis", "device": "cpu"}
    assert list(setup.weights) == ["own.safetensors", "densifier-small", "rcrnet-ner-looks"]
    assert setup.adaptable is None


def test_a_method_has_its_own_flow_whatever_others_are_at_hand(own: str) -> None:
    """Else labels by `auto` would not be those of the method that it chose."""
    both = create_candidates(prepared(weights=own, quality="fast"), ignore_event)
    for name, method in both.methods.items():
        weights = own if name == "fgplg" else ""
        alone = create_candidates(prepared(weights=weights, quality="fast", method=name), ignore_event)
        flows = [made.flow_of([method]).adjacent.name for made in (both, alone)]
        assert flows[0] == flows[1]
    coarse, fine = (both.flow_of([both.methods[name]]).adjacent.name for name in ("warp", "fgplg"))
    assert coarse != fine == both.flow_of(both.methods.values()).adjacent.name


def test_what_follows_objects_far_from_masks(own: str, paper: str) -> None:
    names = ("densifier-small", "rcrnet-ner-looks")
    assert prepared(weights=own).tracking == prepared(method="fgplg", weights=own).tracking == names
    without = [prepared(weights=own, track="off"), prepared(weights=paper), prepared(method="warp")]
    assert [setup.tracking for setup in without] == [(), (), ()]
    assert list(without[0].weights) == ["own.safetensors"]


def test_a_single_method_is_auto_only_where_it_is_adapted(own: str) -> None:
    assert prepared(method="fgplg", weights=own).method == "fgplg"
    assert prepared(method="fgplg", weights=own, adapt=2).method == "auto"
    assert prepared(method="warp").method == "warp"


def test_without_a_method_that_needs_them_no_weights_are_read() -> None:
    missing = str(Path("nowhere.safetensors"))
    with pytest.raises(WeightsError):
        prepared(weights=missing)
    of_caller = prepare(
        config(weights=missing), estimator=None, methods=[WarpMethod()], on_event=ignore_event
    )
    assert (of_caller.names, of_caller.loaded, of_caller.weights) == (["warp"], None, {})


def test_notices_about_weights_are_told(own: str) -> None:
    events: list[Event] = []
    setup = prepare(config(weights=own), estimator=None, methods=(), on_event=events.append)
    assert setup.loaded is not None
    assert [event.message for event in events] == list(setup.loaded.notices)


def test_the_network_to_be_adapted_is_not_the_one_that_is_folded(own: str) -> None:
    setup = prepared(method="fgplg", weights=own, adapt=2)
    assert isinstance(setup.adaptable, EvidenceNet)
    before = {name: value.clone() for name, value in setup.adaptable.state_dict().items()}
    create_candidates(setup, ignore_event)
    after = setup.adaptable.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_the_flow_of_all_methods_is_told(own: str, paper: str, exact: Any) -> None:
    def flow(weights: str, **options: Any) -> str:
        setup = prepare(
            config(weights=weights, **options), estimator=exact, methods=(), on_event=ignore_event
        )
        assert setup.flow == exact.name
        return create_candidates(setup, ignore_event).flow

    assert flow(own) == exact.name
    assert flow(paper, method="fgplg", label_flow="direct") == f"direct {exact.name}"
    assert flow(paper, label_flow="direct") == f"direct {exact.name}; {exact.name}"


def test_one_more_candidate(own: str) -> None:
    class Other(WarpMethod):
        name = "other"

    candidates = create_candidates(prepared(method="warp"), ignore_event)
    assert candidates.beside(Other()).names == ["warp", "other"]
    assert candidates.names == ["warp"]


class Elsewhere:
    """Finds every object in a corner."""

    def __init__(self) -> None:
        self.asked_after: list[int] = []
        self.labels: dict[int, SoftLabel] = {}

    def follow(
        self, interval: Interval, workers: Workers, on_done: Callable[[float], None] = lambda _: None
    ) -> dict[int, Tracked]:
        self.asked_after.append(len(self.labels))
        on_done(1.0)
        found = torch.zeros(1, *grid_size(interval.size), dtype=torch.uint8)
        found[:, -12:, -12:] = 255
        met = [1.0] if len(interval.labelled) == 2 else []
        return {index: Tracked(found, 1.0, [1.0], met, met) for index in interval.targets}


@pytest.mark.parametrize(
    ("confidences", "both", "asked_after"),
    [
        ({}, True, []),
        ({7: 0.3, 8: 0.3}, True, [13 - 2]),
        ({7: 0.85}, True, []),  # in doubt, but hardly
        ({}, False, [0]),
    ],
)
def test_between_two_masks_the_tracker_is_asked_where_enough_is_in_doubt(
    tmp_path: Path,
    film: Callable[..., Any],
    exact: Any,
    *,
    confidences: dict[int, float],
    both: bool,
    asked_after: list[int],
) -> None:
    class Warp(WarpMethod):
        def generate(self, evidence: Evidence) -> SoftLabel:
            label = super().generate(evidence)
            sure = confidences.get(label.index)
            return label if sure is None else replace(label, shown={0: sure})

    interval = make_job(film([(0, 0)] * 14), tmp_path / "clip")
    interval = interval if both else replace(interval, right=None)
    tracker, shares = Elsewhere(), list[float]()
    candidates = create_candidates(
        prepare(config(), estimator=exact, methods=[Warp()], on_event=ignore_event), ignore_event
    )
    with ThreadPoolExecutor(1) as pool:
        candidates.tracked_by(tracker).fill(
            candidates.methods["warp"],
            interval,
            workers=Workers(pool),
            on_label=lambda label: tracker.labels.update({label.index: label}),
            on_tracked=shares.append,
        )
    assert tracker.asked_after == asked_after
    assert sum(shares) == 1
    assert sorted(tracker.labels) == interval.targets
    moved = {index for index, label in tracker.labels.items() if label.ids([1])[-2, -2]}
    changed = set(confidences) if both else set(interval.targets)
    assert moved == (changed if asked_after else set())


@pytest.mark.parametrize("dry_run", [True, False])
def test_weights_that_cannot_be_adapted_are_refused_before_work_and_in_a_dry_run(
    tmp_path: Path, film: Callable[..., Any], paper: str, *, dry_run: bool
) -> None:
    clip = film([(1, 0)] * 4)
    options = {
        "inputs": (str(clip.write_folder(tmp_path / "clip")),),
        "masks": clip.write_masks(tmp_path / "masks", [0, 4]),
        "output": tmp_path / "out",
        "dry_run": dry_run,
    }
    with pytest.raises(ConfigError, match=r"adapt: paper.safetensors is the paper's FGPLG"):
        run_pseudolabel(config(weights=paper, adapt=3, **options))
    assert not (tmp_path / "out").exists()
