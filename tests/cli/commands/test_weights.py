"""`vsodtool weights`, as a process where exit codes and streams matter."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vsodtool.media.fingerprint import file_sha256
from vsodtool.models.architecture import IMAGE, Architecture
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.models.weights.networks import create_network
from vsodtool.models.weights.registry import REGISTRY
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.networks.save import save_network

Cli = Callable[..., tuple[int, str, str]]
Process = Callable[..., object]
GOLDEN = Path(__file__).parents[2] / "data" / "golden.npz"
SMALL = Architecture(
    kind=IMAGE,
    backbone="mobilenet_v3_small",
    context_width=8,
    skip_width=4,
    refine_width=8,
    decoder_width=8,
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    save_network(path, create_network(SMALL), Preprocessing(size=96))
    return path


class Exploit:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"echo > {self.marker}",)


def test_without_a_command_it_says_which_there_are(cli: Cli) -> None:
    code, out, err = cli("weights")
    assert (code, out) == (2, "")
    for word in ("list", "show", "verify", "convert", "vsodtool weights --help"):
        assert word in err
    code, out, err = cli("weights", "lst")
    assert (code, out) == (2, "")
    assert "No such command 'lst'" in err


def test_list(cli: Cli) -> None:
    code, out, err = cli("weights", "list")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 1 + len(REGISTRY.entries)
    for line, entry in zip(lines[1:], REGISTRY.entries, strict=True):
        assert line.split()[:3] == [entry.name, entry.kind, entry.origin]
        assert entry.licence in line
    code, out, _ = cli("weights", "list", "--json")
    assert [one["name"] for one in json.loads(out)["weights"]] == [entry.name for entry in REGISTRY.entries]


def test_show(cli: Cli) -> None:
    code, out, err = cli("weights", "show", "fgplg-published")
    assert (code, err) == (0, "")
    rows = {line.split("  ")[0]: line for line in out.splitlines()}
    assert "resnet50" in rows["architecture backbone"]
    assert "448" in rows["preprocessing size"]
    assert "vsodtool weights convert" in rows["obtain"]
    _, out, _ = cli("weights", "show", "raft-large", "--json")
    shown = json.loads(out)
    assert (shown["sha256"], shown["architecture"], shown["path"]) == ("ff5fadd5", None, "")
    code, out, err = cli("weights", "show", "nothing")
    assert (code, out) == (4, "")
    assert "no weights are called 'nothing': expected one of densifier-small" in err


def test_verify_a_file(cli: Cli, small: Path) -> None:
    digest = file_sha256(small)
    code, out, _ = cli("weights", "verify", small)
    assert code == 0
    assert out.splitlines()[1].split()[:2] == ["small.safetensors", "intact"]
    code, out, _ = cli("weights", "verify", small, "--sha256", digest, "--json")
    (found,) = json.loads(out)["weights"]
    assert (found["state"], found["sha256"], found["architecture"]) == ("intact", digest, str(SMALL))
    code, out, err = cli("weights", "verify", small, "--sha256", "0" * 64)
    assert (code, out) == (4, "")
    assert "wrong SHA-256" in err
    code, _, err = cli("weights", "verify", "--sha256", "00")
    assert (code, "name the file" in err) == (2, True)


def test_verify_everything(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    code, out, err = cli("weights", "verify")
    assert (code, err) == (0, "")
    assert "not fetched" in out
    cached = tmp_path / "checkpoints" / "raft_small_C_T_V2-01064c6d.pth"
    cached.parent.mkdir()
    cached.write_bytes(b"half a down")
    code, out, err = cli("weights", "verify")
    assert code == 4
    (line,) = [line for line in out.splitlines() if line.startswith("raft-small")]
    assert line.split()[1] == "damaged"
    assert str(cached) in err


def test_convert_and_what_is_in_its_way(cli: Cli, small: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.safetensors"
    code, out, err = cli("weights", "convert", small, output, "--half")
    assert (code, err) == (0, "")
    assert ["precision", "fp16"] in [line.split() for line in out.splitlines()]
    assert ["reused", "no"] in [line.split() for line in out.splitlines()]
    code, out, err = cli("weights", "convert", small, output, "--half", "--json")
    assert (code, json.loads(out)["reused"]) == (0, True)
    assert "is there already" in err
    assert cli("weights", "convert", small, output)[0] == 2
    assert cli("weights", "convert", small, output, "--dry-run", "--overwrite")[0] == 0
    assert cli("weights", "convert", small, output, "--overwrite", "--quiet")[0] == 0
    assert load_network(str(output)).network.state_dict().keys() == create_network(SMALL).state_dict().keys()
    assert cli("weights", "convert", small)[0] == 2


def test_the_authors_checkpoint_through_the_command_line_is_their_network(
    process: Process, tmp_path: Path, published_weights: Callable[[str], dict[str, Tensor]]
) -> None:
    """Full size, in the format before PyTorch 1.6, as the authors' files."""
    source, output = tmp_path / "image_pretrained_model.pth", tmp_path / "out.safetensors"
    weights = {**published_weights(IMAGE), "flownet.a.weight": torch.zeros(1)}
    torch.save(weights, source, _use_new_zipfile_serialization=False)
    done = process("weights", "convert", source, output, "--json")
    assert done.returncode == 0, done.stderr  # type: ignore[attr-defined]
    report = json.loads(done.stdout)  # type: ignore[attr-defined]
    assert report["sha256"] == file_sha256(output)
    assert report["architecture"] == str(Architecture(kind=IMAGE))
    assert "FlowNet2 inside it is ignored" in done.stderr  # type: ignore[attr-defined]
    golden = np.load(GOLDEN)
    network = load_network(str(output), (IMAGE,)).network
    with torch.inference_mode():
        logits = network(torch.from_numpy(golden["image_input"]))
    np.testing.assert_allclose(logits.numpy(), golden["image_logits"], atol=1e-4)


@pytest.mark.parametrize("command", ["verify", "convert"])
def test_files_that_are_no_weights_are_exit_4_with_one_line_and_a_hint(
    cli: Cli, small: Path, tmp_path: Path, command: str
) -> None:
    marker, whole = tmp_path / "marker", small.read_bytes()
    torch.save({"a": torch.zeros(2), "b": Exploit(marker)}, tmp_path / "exploit.pth")
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "linear.pth")
    files = {
        "half.safetensors": whole[: len(whole) // 2],
        "text.pth": b"no weights here\n",
        "pointer.pth": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        "empty.pth": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    for name, words in (
        ("half.safetensors", "is damaged or incomplete"),
        ("text.pth", "is a text file"),
        ("pointer.pth", "is a Git LFS pointer"),
        ("empty.pth", "is empty"),
        ("exploit.pth", "would run code"),
        ("linear.pth", "is of another architecture"),
        ("none.pth", "no such name, no such file"),
    ):
        output = [tmp_path / "out.safetensors"] if command == "convert" else []
        code, out, err = cli("weights", command, tmp_path / name, *output)
        assert (code, out) == (4, ""), name
        error, hint = err.splitlines()
        assert error.startswith("error: ")
        assert hint.startswith("hint: ")
        assert words in error
        assert name in error
    assert not marker.exists()
    assert not (tmp_path / "out.safetensors").exists()
