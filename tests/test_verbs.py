"""`import vsodtool`: its names, and that they cost nothing until they are used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vsodtool
from vsodtool.config import CommonConfig, options_of

VERBS = ("evaluate", "flow", "predict", "pseudolabel", "suggest", "train")


def test_importing_is_free_of_what_is_heavy() -> None:
    program = (
        "import sys, vsodtool\n"
        "dir(vsodtool), vsodtool.FlowConfig, vsodtool.ConfigError, vsodtool.load_config\n"
        "print([name for name in ('torch', 'cv2', 'numpy', 'typer', 'rich') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "[]\n"


def test_every_public_name_is_there() -> None:
    for name in vsodtool.__all__:
        assert getattr(vsodtool, name) is not None
        assert name in dir(vsodtool)
    assert issubclass(vsodtool.ConfigError, vsodtool.VsodtoolError)
    with pytest.raises(AttributeError, match="has no attribute 'segment'"):
        vsodtool.segment  # noqa: B018


def test_the_types_are_those_of_the_names() -> None:
    tree = ast.parse(Path(vsodtool.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    imported = [
        alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    public = {name for name in imported if name} | {node.name for node in functions} | {"__version__"}
    assert public == set(vsodtool.__all__)


@pytest.mark.parametrize("name", VERBS)
def test_options_by_name_or_as_an_object(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[CommonConfig] = []

    def run(config: CommonConfig, *, on_event: object) -> str:
        assert on_event is print
        seen.append(config)
        return "report"

    monkeypatch.setattr(f"vsodtool.pipelines.{name}.run_{name}", run)
    given = {
        "evaluate": {"predictions": [tmp_path], "ground_truth": tmp_path},
        "flow": {"inputs": "clip.mp4", "output": "out"},
        "suggest": {"inputs": "clip.mp4", "frames": "3"},
        "predict": {"inputs": ["a", tmp_path], "output": "out", "weights": tmp_path / "w.safetensors"},
        "pseudolabel": {"inputs": tmp_path, "output": tmp_path / "out", "masks": "masks"},
        "train": {"kind": "video", "data": "davis", "output": "run", "gaps": [5]},
    }[name]
    verb = getattr(vsodtool, name)
    assert verb(**given, on_event=print) == "report"
    assert verb(seen[0], on_event=print) == "report"
    assert seen[0] is seen[1]
    for option, value in given.items():
        kind = options_of(type(seen[0]))[option].kind
        values = value if isinstance(value, list) else [value]
        expected = tuple(item if item == 5 else str(item) for item in values)
        found = getattr(seen[0], option)
        assert found == (Path(str(value)) if kind is Path else expected if kind not in (str,) else str(value))
    with pytest.raises(vsodtool.UsageError, match="found both: seed"):
        verb(seen[0], seed=1)


def test_what_is_refused_says_what_to_do() -> None:
    with pytest.raises(vsodtool.ConfigError, match="unknown option 'input'") as caught:
        vsodtool.flow(input="clip.mp4", output="out")  # type: ignore[call-overload]
    assert caught.value.hint == "did you mean 'inputs'?"
    with pytest.raises(vsodtool.ConfigError, match="no masks given"):
        vsodtool.pseudolabel(inputs="clip.mp4", output="out")  # type: ignore[call-overload]
