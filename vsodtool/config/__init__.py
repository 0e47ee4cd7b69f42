"""Typed options of every verb, the YAML loader, and the files shipped with the package. Pure Python."""

from vsodtool.config.annotations import MASK_FORMATS, AnnotationConfig, ReadingConfig
from vsodtool.config.base import BACKENDS, QUALITIES, CommonConfig, MotionConfig, ShardedConfig
from vsodtool.config.convert import ConvertConfig
from vsodtool.config.demo import DemoConfig
from vsodtool.config.evaluate import EvaluateConfig
from vsodtool.config.flow import DIRECTIONS, FLOW_FORMATS, FlowConfig
from vsodtool.config.load import load_config, read_options
from vsodtool.config.option import Option, Panel, options_of
from vsodtool.config.predict import PredictConfig
from vsodtool.config.pseudolabel import LABEL_FLOWS, PseudoLabelConfig, candidate_methods, resolve_label_flow
from vsodtool.config.review import ReviewConfig
from vsodtool.config.shipped import shipped_path, shipped_trainings
from vsodtool.config.suggest import SuggestConfig
from vsodtool.config.train import TrainConfig

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
