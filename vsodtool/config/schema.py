"""The former place of what is now in a file for each verb."""

from vsodtool.config.base import BACKENDS, QUALITIES, CommonConfig, ShardedConfig
from vsodtool.config.demo import DemoConfig
from vsodtool.config.flow import DIRECTIONS, FLOW_FORMATS, FlowConfig
from vsodtool.config.pseudolabel import LABEL_FLOWS, PseudoLabelConfig, candidate_methods, resolve_label_flow

__all__ = [
    "BACKENDS",
    "DIRECTIONS",
    "FLOW_FORMATS",
    "LABEL_FLOWS",
    "QUALITIES",
    "CommonConfig",
    "DemoConfig",
    "FlowConfig",
    "PseudoLabelConfig",
    "ShardedConfig",
    "candidate_methods",
    "resolve_label_flow",
]
