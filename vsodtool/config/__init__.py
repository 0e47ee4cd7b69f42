"""Typed options of every verb, the YAML loader, and the files shipped with the package. Pure Python."""

from vsodtool.config.annotations import MASK_FORMATS, AnnotationConfig, ReadingConfig
from vsodtool.config.base import BACKENDS, QUALITIES, CommonConfig, MotionConfig, ShardedConfig
from vsodtool.config.commands.convert import ConvertConfig
from vsodtool.config.commands.demo import DemoConfig
from vsodtool.config.commands.evaluate import EvaluateConfig
from vsodtool.config.commands.flow import DIRECTIONS, FLOW_FORMATS, FlowConfig
from vsodtool.config.commands.predict import PredictConfig
from vsodtool.config.commands.pseudolabel import (
    LABEL_FLOWS,
    PseudoLabelConfig,
    candidate_methods,
    resolve_label_flow,
)
from vsodtool.config.commands.review import ReviewConfig
from vsodtool.config.commands.suggest import SuggestConfig
from vsodtool.config.commands.train import TrainConfig
from vsodtool.config.load import load_config, read_options
from vsodtool.config.option import Option, Panel, options_of
from vsodtool.config.shipped import shipped_path, shipped_trainings

__all__ = [
    "BACKENDS",
    "DIRECTIONS",
    "FLOW_FORMATS",
    "LABEL_FLOWS",
    "MASK_FORMATS",
    "QUALITIES",
    "AnnotationConfig",
    "CommonConfig",
    "ConvertConfig",
    "DemoConfig",
    "EvaluateConfig",
    "FlowConfig",
    "MotionConfig",
    "Option",
    "Panel",
    "PredictConfig",
    "PseudoLabelConfig",
    "ReadingConfig",
    "ReviewConfig",
    "ShardedConfig",
    "SuggestConfig",
    "TrainConfig",
    "candidate_methods",
    "load_config",
    "options_of",
    "read_options",
    "resolve_label_flow",
    "shipped_path",
    "shipped_trainings",
]
