"""vsodtool: from sparse masks to dense labels and a trained detector, for video salient object detection.

    import vsodtool

    report = vsodtool.pseudolabel(inputs="clip.mp4", masks="clip_masks", output="labels")

Method: Yan et al., "Semi-Supervised Video Salient Object Detection Using Pseudo-Labels", ICCV 2019.
Importing this package imports neither torch nor OpenCV: what stands in `__all__` is fetched when it is asked
for. Its types are in `__init__.pyi`, what it is for in docs/python.md; all else may move.
"""

import importlib

__version__ = "0.1.0"

# Where a public name is defined.
_HOMES = {
    **dict.fromkeys(("evaluate", "flow", "predict", "pseudolabel", "suggest", "train"), "verbs"),
    **dict.fromkeys(
        (
            *("EvaluateConfig", "FlowConfig", "PredictConfig", "PseudoLabelConfig", "SuggestConfig"),
            *("TrainConfig", "load_config"),
        ),
        "config",
    ),
    "EvaluateReport": "pipelines.scoring.report",
    "FlowReport": "pipelines.flow",
    "PredictReport": "pipelines.predict",
    "PseudoLabelReport": "pipelines.pseudolabel",
    "SuggestReport": "pipelines.suggest",
    "TrainReport": "pipelines.train",
    **dict.fromkeys(
        ("ConfigError", "DataError", "DeviceError", "UsageError", "VsodtoolError", "WeightsError"), "errors"
    ),
    **dict.fromkeys(("Event", "OnEvent"), "types"),
}

__all__ = ["__version__", *_HOMES]  # noqa: PLE0604  they are names


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # from now on without this detour
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
