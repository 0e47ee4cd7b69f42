"""`--method fgplg` where the network's input is known exactly: a camera that moves by whole pixels."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import DataError, UsageError, WeightsError
from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.media.video import frame_store
from vsodtool.models.architecture import Architecture
from vsodtool.models.inference import precision
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.weights.networks import create_network
from vsodtool.ops.confidence import ONE_SIDED
from vsodtool.pipelines.densify.methods import paper as fgplg_generator
from vsodtool.pipelines.networks.save import save_network
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.types import Event

SIZE = 64  # of the network, and of most frames here: then nothing is resized
PAN = [(2, 1), (1, 0), (-1, 1), (2, -1), (1, 1), (-2, 0)]
FLOWS = ["composed", "direct"]
Film = Callable[..., Any]


def network(kind: str = "fgplg") -> RcrNet:
    """Of random weights, with probabilities from near 0 to near 1."""
    torch.manual_seed(1)
    widths = {"context_width": 8, "skip_width": 8, "refine_width": 8, "decoder_width": 8}
    made = create_network(Architecture(kind=kind, backbone="mobilenet_v3_small", **widths)).eval()
    for module in made.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    with torch.no_grad():
        made.decoder.logit.weight.mul_(4)
        made.decoder.logit.bias.sub_(0.75).mul_(4)
    return made


@cache
def reference() -> RcrNet:
    return network()


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of that network; flows composed compute in fp32 too, where the machine would take bf16."""
    monkeypatch.setattr(precision, "_has_bf16", lambda device: False)
    path = tmp_path / "tiny.safetensors"
    save_network(path, network(), Preprocessing(size=SIZE))
    return path


def film_scene(film: Film, **more: Any) -> Any:
    return film(PAN, **{"size": (SIZE, SIZE), "objects": {1: (72, 75, 30, 25)}, **more})


def config(tmp_path: Path, flow: str = "direct", **options: Any) -> PseudoLabelConfig:
    given = {
        "inputs": (str(tmp_path / "clip"),),
        "masks": tmp_path / "masks",
        "output": tmp_path / "out",
        "weights": str(tmp_path / "tiny.safetensors"),
        "label_flow": flow,
        "soft": True,
        "device": "cpu",
        "workers": 2,
        **options,
    }
    return PseudoLabelConfig(method="fgplg", **given)


def set_up(tmp_path: Path, clip: Any, labelled: Sequence[int], scale: int = 255) -> None:
    clip.write_masks(tmp_path / "masks", labelled, scale)
    clip.write_folder(tmp_path / "clip")


def read(folder: Path, index: int) -> Any:
    return cv2.imread(str(folder / f"clip/{index:05d}.png"), cv2.IMREAD_UNCHANGED)


def tree(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def places() -> list[tuple[int, int]]:
    """Where the camera stands: (right, down)."""
    return list(accumulate(PAN, lambda at, step: (at[0] + step[0], at[1] + step[1]), initial=(0, 0)))


def expected(clip: Any, index: int, sides: tuple[int, int], number: int = 1) -> Any:
    """The paper's formula, in NumPy but for the network: probability (H, W) of an object."""
    rgb = clip.frames[index].astype(np.float32) / 255
    frame = (rgb - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    labels, lengths = [], []
    for side in sides:
        right, down = (here - there for here, there in zip(places()[index], places()[side], strict=True))
        rows = np.clip(np.arange(SIZE) + down, 0, SIZE - 1)
        columns = np.clip(np.arange(SIZE) + right, 0, SIZE - 1)
        labels.append((clip.truth[side] == number)[rows][:, columns])
        lengths.append(np.full((SIZE, SIZE), np.hypot(right / SIZE, down / SIZE)))
    channels = [*frame.transpose(2, 0, 1), *labels, *lengths]
    values = torch.from_numpy(np.stack([np.asarray(channel, np.float32) for channel in channels]))
    with torch.inference_mode():
        return torch.sigmoid(reference()(values[None]))[0, 0].numpy()


@pytest.mark.parametrize("flow", FLOWS)
def test_the_papers_formula(tmp_path: Path, film: Film, exact: Any, flow: str) -> None:
    clip = film_scene(film)
    set_up(tmp_path, clip, [0, 6])
    report = run_pseudolabel(config(tmp_path, flow), estimator=exact)
    seen = []
    for index in range(1, 6):
        probability = expected(clip, index, (0, 6))
        soft = read(tmp_path / "out/soft", index)
        np.testing.assert_allclose(soft, probability * 255, rtol=0, atol=1)
        np.testing.assert_array_equal(read(tmp_path / "out/masks", index) > 0, soft > 127)
        seen += [soft.min(), soft.max()]
    assert min(seen) < 100  # the network does say something
    assert max(seen) > 156
    assert report.method == "fgplg"
    assert report.flow == ("direct exact-translation" if flow == "direct" else "exact-translation")
    for index in (0, 6):
        np.testing.assert_array_equal(read(tmp_path / "out/masks", index), clip.truth[index] * 255)


@pytest.mark.parametrize("flow", FLOWS)
def test_the_known_side_stands_for_both(tmp_path: Path, film: Film, exact: Any, flow: str) -> None:
    clip = film_scene(film)
    set_up(tmp_path, clip, [3])
    run_pseudolabel(config(tmp_path, flow, confidence=True), estimator=exact)
    for index in (0, 1, 2, 4, 5, 6):
        probability = expected(clip, index, (3, 3))
        np.testing.assert_allclose(read(tmp_path / "out/soft", index), probability * 255, rtol=0, atol=1)
        sure = abs(2 * probability - 1) * ONE_SIDED
        np.testing.assert_allclose(read(tmp_path / "out/confidence", index), sure * 255, rtol=0, atol=2)


@pytest.mark.parametrize("flow", FLOWS)
def test_objects_compete_and_keep_their_ids(tmp_path: Path, film: Film, exact: Any, flow: str) -> None:
    clip = film_scene(film, objects={3: (72, 68, 25, 20), 9: (80, 92, 20, 25), 40: (65, 65, 4, 4)})
    for truth in clip.truth[:5]:
        truth[truth == 40] = 0  # neither label of the first interval shows it
    set_up(tmp_path, clip, [0, 4, 6], scale=1)
    run_pseudolabel(config(tmp_path, flow), estimator=exact)
    for index in (1, 2, 3):
        alone = np.stack([expected(clip, index, (0, 4), number) for number in (3, 9)])
        ids = np.where(alone.max(axis=0) > 0.5, np.array([3, 9])[alone.argmax(axis=0)], 0)
        second, best = np.sort(np.stack([*alone, np.full_like(alone[0], 0.5)]), axis=0)[1:]
        clear = best - second > 1e-3
        assert clear.mean() > 0.5
        assert {3, 9} <= set(np.unique(ids[clear]))
        np.testing.assert_array_equal(read(tmp_path / "out/masks", index)[clear], ids[clear])


@pytest.mark.parametrize("flow", FLOWS)
def test_empty_labels_stay_empty(tmp_path: Path, film: Film, exact: Any, flow: str) -> None:
    clip = film_scene(film, objects={})
    set_up(tmp_path, clip, [0, 6])
    run_pseudolabel(config(tmp_path, flow), estimator=exact)
    assert not any(read(tmp_path / "out/soft", index).any() for index in range(7))
    records = read_frames_csv(tmp_path / "out/frames.csv")
    assert all(record.confidence == 1 for record in records)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_long_intervals_are_byte_identical(
    tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch, flow: str, kind: str
) -> None:
    clip = film_scene(film, size=(72, 100))  # resized on the way in and on the way out
    set_up(tmp_path, clip, [0, 6])
    inputs = (str(tmp_path / "clip" if kind == "folder" else clip.write_video(tmp_path / "clip.mp4")),)
    for name, held in (("short", frame_store.HELD_BYTES), ("long", 1)):
        monkeypatch.setattr(frame_store, "HELD_BYTES", held)
        options = config(tmp_path, flow, output=tmp_path / name, inputs=inputs)
        run_pseudolabel(options)
    assert tree(tmp_path / "long") == tree(tmp_path / "short")
    assert read(tmp_path / "long/soft", 3).shape == (72, 100)


@pytest.mark.parametrize("flow", FLOWS)
def test_an_interrupted_run_goes_on_to_the_same_result(
    tmp_path: Path, film: Film, exact: Any, monkeypatch: pytest.MonkeyPatch, flow: str
) -> None:
    clip = film_scene(film)
    set_up(tmp_path, clip, [0, 3, 6])
    run_pseudolabel(config(tmp_path, flow, output=tmp_path / "whole"), estimator=exact)
    generate, calls = fgplg_generator.FgplgDensifier.generate, []

    def stop_at_third(*arguments: Any, **more: Any) -> Tensor:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return generate(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(fgplg_generator.FgplgDensifier, "generate", stop_at_third)
        with pytest.raises(KeyboardInterrupt):
            run_pseudolabel(config(tmp_path, flow), estimator=exact)
    run_pseudolabel(config(tmp_path, flow), estimator=exact)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def test_the_manifest_knows_the_weights_and_the_flow(
    tmp_path: Path, film: Film, exact: Any, weights: Path
) -> None:
    set_up(tmp_path, film_scene(film), [0, 6])
    run_pseudolabel(config(tmp_path), estimator=exact)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["weights"] == {"tiny.safetensors": file_sha256(weights)}
    assert (manifest["config"]["method"], manifest["config"]["label_flow"]) == ("fgplg", "direct")
    with pytest.raises(UsageError, match="--label-flow changed"):
        run_pseudolabel(config(tmp_path, "composed"), estimator=exact)
    other = network()
    with torch.no_grad():
        other.decoder.logit.bias.add_(1)
    save_network(weights, other, Preprocessing(size=SIZE))
    with pytest.raises((UsageError, DataError, WeightsError), match=r"tiny\.safetensors"):
        run_pseudolabel(config(tmp_path), estimator=exact)


def test_a_dry_run_reads_the_weights_and_writes_nothing(
    tmp_path: Path, film: Film, exact: Any, weights: Path
) -> None:
    set_up(tmp_path, film_scene(film), [0, 6])
    events: list[Event] = []
    options = config(tmp_path, dry_run=True)
    report = run_pseudolabel(options, estimator=exact, on_event=events.append)
    assert (report.method, report.dry_run) == ("fgplg", True)
    assert not (tmp_path / "out").exists()
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(WeightsError, match=r"tiny\.safetensors"):
        run_pseudolabel(options, estimator=exact)


def test_weights_of_a_detector_are_refused(tmp_path: Path, film: Film, exact: Any, weights: Path) -> None:
    set_up(tmp_path, film_scene(film), [0, 6])
    save_network(weights, network("image"), Preprocessing(size=SIZE))
    with pytest.raises(WeightsError, match=r"expected .*densifier.* or FGPLG") as refused:
        run_pseudolabel(config(tmp_path), estimator=exact)
    assert "predict" in refused.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import vsodtool.pipelines.pseudolabel", ["torchvision", "vsodtool.models.rcrnet.network"]),
        # Its import costs 1.5 CPU seconds and 170 MiB, which every run would pay.
        (
            "from vsodtool.pipelines.networks.load import load_network; load_network('densifier-small')",
            ["torchvision"],
        ),
    ],
    ids=["warp brings no networks", "the shipped densifier does without torchvision"],
)
def test_what_is_not_imported(code: str, unwanted: list[str]) -> None:
    code = f"import sys; {code}; print([name for name in {unwanted} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
