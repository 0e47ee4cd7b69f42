"""Networks of the `transformers` library on disk: folders, and those that its hub keeps in a cache.

Both libraries are optional extras, and imported only where one of their networks is asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vsodtool.errors import ConfigError, WeightsError
from vsodtool.media.fingerprint import content_fingerprint
from vsodtool.media.regular_file import read_regular
from vsodtool.media.weights.files import read_weights

WEIGHTS, CONFIG = "model.safetensors", "config.json"
SAM2_VIDEO = "sam2_video"  # as `model_type` says it
_FETCHED = [WEIGHTS, "*.json"]
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_FILES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
_INSTALL = "pip install 'vsodtool[sam2]'"


def is_hub_name(text: str) -> bool:
    """Whether a text can be a name of the hub, and is neither a file nor called like one."""
    path = Path(text)
    return _HUB_NAME.fullmatch(text) is not None and path.suffix not in _FILES and not path.exists()


def transformers_installed() -> bool:
    """Whether the extra is there; nothing is imported."""
    return find_spec("transformers") is not None


def cached_folder(name: str) -> Path | None:
    """Where the hub's cache keeps a network; None where it does not, or not all of it. Nothing is fetched."""
    from huggingface_hub import constants  # alone it is light: every run of `auto` comes by here

    known = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    if not known.is_dir():
        return None
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(name, allow_patterns=_FETCHED, local_files_only=True))
    except (OSError, ValueError):  # parts of it, or a name that is none
        return None
    return folder if (folder / WEIGHTS).is_file() and (folder / CONFIG).is_file() else None


def fetch_folder(name: str) -> Path:
    """Fetch a network into the hub's cache; what is there already is not fetched again.

    Raises:
        WeightsError: there is none of that name, or it cannot be had now.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        return Path(snapshot_download(name, allow_patterns=_FETCHED))
    except (ValueError, RuntimeError, *HfHubHTTPError.__bases__) as error:  # OSError, and a lost connection's
        reason = str(error).strip().split("\n")[0]
        raise WeightsError(
            f"the weights '{name}' are not in the hub's cache and cannot be fetched: {reason}",
            f"check the name and the network, or copy the folder of another machine (`hf download {name}`) "
            "and say --weights FOLDER",
        ) from error
    finally:
        if shown:
            enable_progress_bars()


def read_sam2(folder: Path) -> tuple[Any, Any, str]:
    """A Sam2VideoModel and its Sam2VideoProcessor, on the CPU in float32, and the digest of their files.

    Raises:
        ConfigError: `transformers` is not installed, or too old.
        WeightsError: the folder holds another network, or this one not whole; pickles are not read.
    """
    _check_kind(folder)
    if not (folder / WEIGHTS).is_file():
        raise WeightsError(
            f"{folder}: expected {WEIGHTS} beside its {CONFIG}, found none",
            "fetch the whole folder again; weights as pickles are not read",
        )
    tensors = read_weights(folder / WEIGHTS).tensors  # not damaged, all finite, and no code in them
    model_class, processor_class = _classes()
    import torch
    from huggingface_hub.errors import StrictDataclassError

    refused = (OSError, ValueError, TypeError, KeyError, RuntimeError, AttributeError, StrictDataclassError)
    with _quiet():
        try:
            config = model_class.config_class.from_pretrained(folder, local_files_only=True)
            network, found = model_class.from_pretrained(
                None, config=config, state_dict=tensors, dtype=torch.float32, output_loading_info=True
            )
            processor = processor_class.from_pretrained(folder, local_files_only=True)
        except refused as error:
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            raise WeightsError(
                f"{folder}: cannot be loaded as SAM 2 video: {reason}", _other(folder)
            ) from error
    missing = sorted([*found["missing_keys"], *(str(key[0]) for key in found["mismatched_keys"])])
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise WeightsError(
            f"{folder}: expected all weights of SAM 2 video, found none that fit for {missing[0]}{more}",
            _other(folder),
        )
    files = [path for path in folder.iterdir() if path.suffix == ".json" or path.name == WEIGHTS]
    return network, processor, content_fingerprint(files)


def _check_kind(folder: Path) -> None:
    path = folder / CONFIG
    if not path.is_file():
        raise WeightsError(
            f"{folder}: expected a folder of SAM 2 video with {CONFIG} and {WEIGHTS}, found no {CONFIG}",
            "say --weights with a name of the hub, as facebook/sam2.1-hiera-tiny, or with such a folder",
        )
    try:
        content = json.loads(read_regular(path))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path} cannot be read: {error}", "fetch the folder again") from error
    kind = content.get("model_type") if isinstance(content, dict) else None
    if kind != SAM2_VIDEO:
        found = f"'{kind}'" if isinstance(kind, str) else "no model_type"
        raise WeightsError(f"{path}: expected a network '{SAM2_VIDEO}', found {found}", _other(folder))


def _other(folder: Path) -> str:
    return f"{folder.name} is no SAM 2 video; facebook/sam2.1-hiera-tiny is one"


def _classes() -> tuple[Any, Any]:
    check_transformers()
    try:
        from transformers import Sam2VideoModel, Sam2VideoProcessor
    except ImportError as error:
        raise ConfigError(
            f"transformers {version('transformers')} has no SAM 2 video: {error}", f"{_INSTALL} --upgrade"
        ) from error
    return Sam2VideoModel, Sam2VideoProcessor


def check_transformers() -> None:
    """Refuse to go on without the extra.

    Raises:
        ConfigError: it is not installed.
    """
    if not transformers_installed():
        raise ConfigError(
            "method: 'sam2' needs the package transformers, which is not installed",
            f"{_INSTALL}, or choose another --method",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's progress bars and remarks; what it was set to comes back."""
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        restore: Callable[[], None] = logging.enable_progress_bar if bars else logging.disable_progress_bar
        restore()
