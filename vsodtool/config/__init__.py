"""Typed options of every verb, the YAML loader, and the files shipped with the package. Pure Python."""

from vsodtool.config.evaluate import EvaluateConfig
from vsodtool.config.load import load_config, read_options
from vsodtool.config.schema import (
    BACKENDS,
    DIRECTIONS,
    FLOW_FORMATS,
    FLOWS,
    METHODS,
    QUALITIES,
    CommonConfig,
    DemoConfig,
    FlowConfig,
    PseudoLabelConfig,
    candidate_methods,
    resolve_flow,
)
from vsodtool.config.shipped import shipped_path
from vsodtool.config.train import TrainConfig

__all__ = [
    "BACKENDS",
    "DIRECTIONS",
    "FLOWS",
    "FLOW_FORMATS",
    "METHODS",
    "QUALITIES",
    "CommonConfig",
    "DemoConfig",
    "EvaluateConfig",
    "FlowConfig",
    "PseudoLabelConfig",
    "TrainConfig",
    "candidate_methods",
    "load_config",
    "read_options",
    "resolve_flow",
    "shipped_path",
]
