"""What users say of SAM 2's weights, and every way in which that can be wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.tiny_sam2 import write_tiny_sam2
from vsodtool.errors import ConfigError, WeightsError
from vsodtool.media.weights import pretrained
from vsodtool.pipelines.networks import sam2
from vsodtool.pipelines.networks.foreign import Request, load_foreign
from vsodtool.pipelines.networks.sam2 import DEFAULT, LoadedSam2, load_sam2, names_sam2
from vsodtool.types import Event


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_sam2(tmp_path_factory.mktemp("weights") / "tiny")


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "tiny"))


@pytest.fixture
def cache(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache as it lies on disk, with DEFAULT in it."""
    from huggingface_hub import constants

    root = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(root))
    repository = root / f"models--{DEFAULT.replace('/', '--')}"
    shutil.copytree(made, repository / "snapshots" / "0123abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123abc")
    return repository / "snapshots" / "0123abc"


@pytest.fixture
def no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)


def unreachable(name: str, **options: object) -> str:
    raise OSError("no route to the hub\nand more")


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the cache, and nothing to be had."""
    huggingface_hub = pytest.importorskip("huggingface_hub", reason="needs transformers, the extra sam2")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)


def test_a_folder(folder: Path) -> None:
    loaded = load_foreign("sam2", Request(weights=str(folder), wanted=True))
    assert isinstance(loaded, LoadedSam2)
    assert (loaded.name, loaded.named) == ("tiny", True)
    assert type(loaded.network).__name__ == "Sam2VideoModel"
    tensors = load_file(folder / "model.safetensors")
    state = loaded.network.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in tensors.items())
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}


def test_the_digest_is_of_all_that_says_what_it_computes(folder: Path) -> None:
    def digest() -> str:
        loaded = load_sam2(Request(weights=str(folder), wanted=True))
        assert loaded is not None
        return loaded.sha256

    before = digest()
    (folder / "README.md").write_text("of no matter")
    assert digest() == before
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_object_pointers_in_encoder": 4}))
    assert digest() != before


def test_auto_takes_it_from_the_cache_and_fetches_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sam2, "fetch_folder", lambda name: pytest.fail("fetched"))
    loaded = load_sam2(Request())
    assert loaded is not None
    assert (loaded.name, loaded.named) == (DEFAULT, False)
    assert load_sam2(Request(weights=DEFAULT, wanted=True)) is not None
    (cache / "model.safetensors").unlink()
    assert load_sam2(Request()) is None


@pytest.mark.usefixtures("cache")
def test_auto_goes_on_with_the_methods_that_the_run_was_begun_with() -> None:
    assert load_sam2(Request(known=frozenset({"flow"}))) is None
    assert load_sam2(Request(known=frozenset({DEFAULT}))) is not None


def test_auto_says_why_it_leaves_out_what_is_damaged(cache: Path) -> None:
    (cache / "config.json").write_text("{}")
    told: list[Event] = []
    assert load_sam2(Request(on_event=told.append)) is None
    assert [event.kind for event in told] == ["warning"]
    assert "sam2 is not tried" in told[0].message


@pytest.mark.usefixtures("no_extra")
def test_without_the_extra(tmp_path: Path) -> None:
    assert load_sam2(Request()) is None
    for request in (Request(wanted=True), Request(weights=str(tmp_path))):
        with pytest.raises(ConfigError, match="needs the package transformers") as caught:
            load_sam2(request)
        assert "pip install 'vsodtool[sam2]'" in caught.value.hint
        assert caught.value.exit_code == 2
    assert not names_sam2("facebook/sam2.1-hiera-tiny")  # then it is a file that does not exist


@pytest.mark.usefixtures("no_hub")
def test_what_cannot_be_had() -> None:
    told: list[Event] = []
    assert load_sam2(Request()) is None
    with pytest.raises(WeightsError, match=r"cannot be fetched: no route to the hub$") as caught:
        load_sam2(Request(wanted=True, on_event=told.append))
    assert caught.value.exit_code == 4
    assert "--weights FOLDER" in caught.value.hint
    assert [event.message for event in told] == [f"fetching the weights {DEFAULT} from their hub"]
    with pytest.raises(WeightsError, match="no such file or folder, no such name") as caught:
        load_sam2(Request(weights="someone/else"))
    assert "--method sam2 fetches them" in caught.value.hint


@pytest.mark.usefixtures("no_hub")
def test_a_connection_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    huggingface_hub = pytest.importorskip("huggingface_hub")
    of_connection, _ = huggingface_hub.errors.HfHubHTTPError.__bases__

    def lost(name: str, **options: object) -> str:
        raise of_connection("timed out")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lost)
    with pytest.raises(WeightsError, match="cannot be fetched: timed out"):
        load_sam2(Request(wanted=True))


@pytest.mark.usefixtures("no_hub")
def test_a_dry_run_says_what_it_would_fetch() -> None:
    told: list[Event] = []
    assert load_sam2(Request(wanted=True, dry_run=True, on_event=told.append)) is None
    assert [event.message for event in told] == [f"the weights {DEFAULT} would be fetched from their hub"]


@pytest.mark.parametrize("text", ["nowhere.safetensors", "no/where.pth", "a/b/c", "../up"])
def test_neither_folder_nor_name(made: Path, text: str) -> None:
    with pytest.raises(WeightsError, match="expected a folder of SAM 2 video or a name of its hub"):
        load_sam2(Request(weights=text, wanted=True))


@pytest.mark.parametrize(
    ("text", "meant"),
    [("", False), ("facebook/sam2.1-hiera-tiny", True), ("runs/best.safetensors", False), ("base", False)],
)
def test_whose_weights_are_meant(made: Path, text: str, meant: bool) -> None:
    assert names_sam2(text) is meant
    assert names_sam2(str(made))


def refused(folder: Path, message: str) -> WeightsError:
    with pytest.raises(WeightsError, match=message) as caught:
        load_sam2(Request(weights=str(folder), wanted=True))
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def change_config(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def test_no_config(folder: Path) -> None:
    (folder / "config.json").unlink()
    assert "facebook/sam2.1-hiera-tiny" in refused(folder, "found no config.json").hint


@pytest.mark.parametrize("content", ["{", "", "\xff", "[" * 100_000])
def test_a_damaged_config(folder: Path, content: str) -> None:
    (folder / "config.json").write_text(content, encoding="latin-1")
    refused(folder, "config.json cannot be read")


@pytest.mark.parametrize("kind", ["sam2", "sam3_video", "bert", 3, None])
def test_another_network(folder: Path, kind: object) -> None:
    change_config(folder, model_type=kind)
    refused(folder, "expected a network 'sam2_video', found")


def test_a_config_that_is_a_list(folder: Path) -> None:
    (folder / "config.json").write_text("[]")
    refused(folder, "found no model_type")


def test_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "pickles" in refused(folder, "expected model.safetensors beside its config.json").hint


def test_weights_that_are_cut_off(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:-1000])
    refused(folder, "model.safetensors")


def test_a_pickle_by_another_name(folder: Path) -> None:
    torch.save({"a": torch.zeros(3)}, folder / "model.safetensors")
    refused(folder, "expected all weights of SAM 2 video, found none that fit")


def test_weights_of_another_size(folder: Path) -> None:
    change_config(folder, memory_fuser_intermediate_dim=48)
    refused(folder, "found none that fit for memory_encoder|cannot be loaded")


def test_weights_that_are_missing(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["no_memory_embedding"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    refused(folder, "found none that fit for no_memory_embedding")


def test_a_value_that_no_config_allows(folder: Path) -> None:
    change_config(folder, num_maskmem="seven")
    refused(folder, "cannot be loaded as SAM 2 video")


def test_no_processor(folder: Path) -> None:
    (folder / "processor_config.json").unlink()
    refused(folder, "cannot be loaded as SAM 2 video")


def test_the_library_is_left_as_it_was(folder: Path) -> None:
    from transformers.utils import logging

    logging.enable_progress_bar()
    logging.set_verbosity_info()
    try:
        load_sam2(Request(weights=str(folder), wanted=True))
        assert logging.is_progress_bar_enabled()
        assert logging.get_verbosity() == logging.INFO
    finally:
        logging.disable_progress_bar()
        logging.set_verbosity_warning()
