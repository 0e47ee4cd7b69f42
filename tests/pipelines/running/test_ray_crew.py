"""`--engine ray`: the same bytes as in one process, whoever is killed."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from vsodtool.config import FlowConfig, PredictConfig, PseudoLabelConfig
from vsodtool.errors import DataError, DeviceError
from vsodtool.media.output.layout import OutputLayout
from vsodtool.pipelines.flow import run_flow
from vsodtool.pipelines.predict import run_predict
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.running import ray_crew
from vsodtool.pipelines.running.ray_cluster import load_ray
from vsodtool.types import Event

pytestmark = pytest.mark.long

Film = Callable[..., Any]
Tree = dict[str, bytes]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Ray on this machine, with two cores; runs use the one that is there."""
    ray = pytest.importorskip("ray", reason="needs Ray: pip install 'vsodtool[ray]'")
    load_ray()
    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=100 * 2**20,
        include_dashboard=False,
        log_to_driver=False,
        configure_logging=False,
    )
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield ray
    ray.shutdown()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three clips, `in`, and of masks of every fifth frame of the first two, `masks`."""
    from tests.pipelines.conftest import Scene

    root = tmp_path_factory.mktemp("clips")
    for name, count in {"long": 26, "short": 4, "other": 7}.items():
        clip = Scene([(1, 0), (0, 1), (-1, 1), (2, -1)] * (count // 4 + 1)).film()
        clip.frames[count:] = []
        clip.write_folder(root / "in" / name)
        clip.write_masks(root / "masks" / name, range(0, count, 5))
    return root


def config(clips: Path, out: Path, **more: Any) -> PseudoLabelConfig:
    given: dict[str, Any] = {
        "inputs": (str(clips / "in"),),
        "masks": str(clips / "masks"),
        "output": out,
        "method": "warp",
        "quality": "fast",
        "workers": 2,
    }
    return PseudoLabelConfig(**{**given, **more})


def tree(out: Path) -> Tree:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def warnings(events: list[Event]) -> list[str]:
    return [event.message for event in events if event.kind == "warning"]


def test_labels_are_the_same_bytes_and_a_run_goes_on_with_either_engine(
    cluster: Any, clips: Path, tmp_path: Path
) -> None:
    more = {"soft": True, "overlay": True, "method": "auto"}
    whole = run_pseudolabel(config(clips, tmp_path / "whole", **more))
    events: list[Event] = []
    spread = run_pseudolabel(config(clips, tmp_path / "out", engine="ray", **more), on_event=events.append)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    timeless = [replace(video, seconds=0.0) for video in spread.videos]
    assert timeless == [replace(video, seconds=0.0) for video in whole.videos]
    assert next(video.seconds for video in spread.videos if video.name == "long") > 0
    assert (events[-1].kind, events[-1].video, events[-1].done) == ("done", "3 videos", 37)
    assert warnings(events) == []

    shutil.rmtree(tmp_path / "out/soft/long")
    (tmp_path / "out/overlay/other.mp4").unlink()
    run_pseudolabel(config(clips, tmp_path / "out", engine="ray", **{**more, "workers": 1}))
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    events = []
    run_pseudolabel(config(clips, tmp_path / "out", **more), on_event=events.append)
    assert any("nothing left to do" in event.message for event in events)


class Mortal:
    """No motion; kills the process that asks for it, so often and no more."""

    name = "mortal"

    def __init__(self, deaths: Path) -> None:
        self._deaths = deaths

    def estimate(
        self, image_a: torch.Tensor, image_b: torch.Tensor, *, initial: torch.Tensor | None = None
    ) -> torch.Tensor:
        del image_b, initial
        left = sorted(self._deaths.iterdir())
        if left:
            left[0].unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return torch.zeros(len(image_a), 2, *image_a.shape[-2:])


def deaths(folder: Path, count: int) -> Mortal:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:03d}").touch()
    return Mortal(folder)


def test_a_killed_worker_is_replaced_and_nothing_is_lost(
    cluster: Any, clips: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_pseudolabel(config(clips, tmp_path / "whole"), estimator=deaths(tmp_path / "none", 0))
    events: list[Event] = []
    run_pseudolabel(
        config(clips, tmp_path / "out", engine="ray"),
        estimator=deaths(tmp_path / "two", 2),
        on_event=events.append,
    )
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert warnings(events)
    assert all("its worker was lost; it is tried again" in line for line in warnings(events))
    assert capfd.readouterr().out == ""


def test_flows_are_the_same_bytes_and_a_refused_video_is_told(
    cluster: Any, clips: Path, tmp_path: Path
) -> None:
    shutil.copytree(clips / "in", tmp_path / "in")
    given: dict[str, Any] = {"quality": "fast", "workers": 1, "preview": True}
    good = tuple(str(tmp_path / "in" / name) for name in ("long", "short"))
    whole = run_flow(FlowConfig(inputs=good, output=tmp_path / "whole", **given))
    for path in (tmp_path / "in/other").iterdir():
        path.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    options = FlowConfig(inputs=(str(tmp_path / "in"),), output=tmp_path / "out", engine="ray", **given)
    spread = run_flow(options)
    assert [(video.name, video.flows) for video in spread.videos] == [
        (video.name, video.flows) for video in whole.videos
    ]
    assert len(spread.losses) == 1
    assert spread.losses[0].startswith("other: ")
    written = {name: data for name, data in tree(tmp_path / "out").items() if name != "journal.jsonl"}
    assert written == {
        name: data for name, data in tree(tmp_path / "whole").items() if name != "written.jsonl"
    }


def test_maps_are_the_same_bytes(cluster: Any, clips: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"inputs": (str(clips / "in"),), "size": 64, "workers": 1, "masks": True}
    run_predict(PredictConfig(output=tmp_path / "whole", **given))
    run_predict(PredictConfig(output=tmp_path / "out", engine="ray", **given))
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_workers_of_another_version_are_refused(
    cluster: Any, clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ray_crew.versions()
    monkeypatch.setattr(ray_crew, "versions", lambda: {**own, "torch": "1.0"})
    with pytest.raises(DeviceError, match=r"torch: expected 1\.0 on .*, found "):
        run_flow(FlowConfig(inputs=(str(clips / "in"),), output=tmp_path / "out", engine="ray", workers=1))


def test_a_worker_that_does_not_see_the_output_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # and back afterwards
    layout = OutputLayout(tmp_path / "out")
    with pytest.raises(DataError, match="found nothing"):
        ray_crew.Actor().hello(str(tmp_path / "elsewhere"), str(layout.manifest), "")
    with pytest.raises(DataError, match="found another file or none"):
        ray_crew.Actor().hello(str(tmp_path), str(layout.manifest), "")
