from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from vsodtool import __version__
from vsodtool.errors import UsageError, WeightsError
from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.weights.files import read_weights
from vsodtool.models.architecture import IMAGE, Architecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.models.weights.networks import create_network
from vsodtool.pipelines.networks.convert import convert_weights
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.networks.save import save_network
from vsodtool.types import Event

SMALL = Architecture(
    kind=IMAGE,
    backbone="mobilenet_v3_small",
    context_width=8,
    skip_width=4,
    refine_width=8,
    decoder_width=8,
)
SEEN = Preprocessing(size=96)


@pytest.fixture
def network() -> RcrNet:
    torch.manual_seed(3)
    return create_network(SMALL)


@pytest.fixture
def source(tmp_path: Path, network: RcrNet) -> Path:
    path = tmp_path / "in.safetensors"
    save_network(path, network, SEEN, metadata={"seed": "3"})
    return path


def test_converted_once_and_then_reused(source: Path, tmp_path: Path, network: RcrNet) -> None:
    before, output = source.read_bytes(), tmp_path / "new" / "out.safetensors"
    report = convert_weights(str(source), output)
    assert source.read_bytes() == before
    assert (report.source, report.source_sha256) == (source, file_sha256(source))
    assert (report.output, report.sha256) == (output, file_sha256(output))
    assert (report.size, report.precision, report.reused) == (output.stat().st_size, "fp32", False)
    assert (report.architecture, report.tensors) == (str(SMALL), len(network.state_dict()))
    assert json.loads(json.dumps(report.as_dict()))["output"] == str(output)
    file = read_weights(output)
    assert file.metadata["seed"] == "3"
    assert file.metadata["source"] == "in.safetensors"
    assert file.metadata["source_sha256"] == file_sha256(source)
    assert file.metadata["vsodtool"] == __version__
    loaded = load_network(str(output))
    assert (loaded.architecture, loaded.preprocessing) == (SMALL, SEEN)
    found = loaded.network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in network.state_dict().items())
    written = output.stat().st_mtime_ns
    events: list[Event] = []
    again = convert_weights(str(source), output, on_event=events.append)
    assert again.reused
    assert again.sha256 == report.sha256
    assert output.stat().st_mtime_ns == written
    assert "is there already" in events[0].message


def test_half_is_half_the_size_and_rounds(source: Path, tmp_path: Path, network: RcrNet) -> None:
    report = convert_weights(str(source), tmp_path / "half.safetensors", half=True)
    assert report.precision == "fp16"
    assert report.size < 0.6 * source.stat().st_size
    found = load_network(str(report.output)).network.state_dict()
    for name, value in network.state_dict().items():
        assert torch.equal(found[name], value.half().float() if value.is_floating_point() else value)


def test_another_file_at_the_output_is_kept_until_overwrite(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.safetensors"
    for content in (b"notes", (tmp_path / "in.safetensors").read_bytes()):
        output.write_bytes(content)
        with pytest.raises(UsageError, match="exists and ") as caught:
            convert_weights(str(source), output)
        assert "--overwrite" in caught.value.hint
        assert output.read_bytes() == content
    convert_weights(str(source), output, half=True, overwrite=True)
    with pytest.raises(UsageError, match="another conversion"):
        convert_weights(str(source), output)


def test_a_damaged_output_is_not_taken_for_finished(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.safetensors"
    convert_weights(str(source), output)
    data = bytearray(output.read_bytes())
    data[-100] ^= 1
    output.write_bytes(data)
    with pytest.raises(UsageError, match="exists and holds other weights"):
        convert_weights(str(source), output)


def test_a_dry_run_checks_and_writes_nothing(source: Path, tmp_path: Path) -> None:
    report = convert_weights(str(source), tmp_path / "out.safetensors", dry_run=True)
    assert (report.size, report.sha256, report.reused) == (0, "", False)
    assert [path.name for path in tmp_path.iterdir()] == ["in.safetensors"]
    source.write_bytes(source.read_bytes()[:-10])
    with pytest.raises(WeightsError, match="damaged or incomplete"):
        convert_weights(str(source), tmp_path / "out.safetensors", dry_run=True)


def test_places_that_are_none(source: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    link = tmp_path / "link.safetensors"
    link.hardlink_to(source)
    before = source.read_bytes()
    for output, words in (
        (tmp_path / "out.pth", r"expected a name ending in \.safetensors"),
        (tmp_path / "folder.safetensors", "is a folder"),
        (source, "is the input itself"),
        (link, "is the input itself"),
    ):
        with pytest.raises(UsageError, match=words):
            convert_weights(str(source), output, overwrite=True)
    assert source.read_bytes() == before
