"""The verbs as functions of Python: options by name or a configuration in, a report out.

They do what the commands of the same names do, but print nothing: errors are raised, and what goes on is told
to `on_event`. Their options are the attributes of the configuration, as `help(vsodtool.FlowConfig)` says, and
stand one by one in `vsodtool/__init__.pyi`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from vsodtool.config import (
    CommonConfig,
    EvaluateConfig,
    FlowConfig,
    PredictConfig,
    PseudoLabelConfig,
    SuggestConfig,
    TrainConfig,
    load_config,
)
from vsodtool.errors import UsageError
from vsodtool.types import OnEvent, ignore_event

if TYPE_CHECKING:
    from vsodtool.pipelines.flow import FlowReport
    from vsodtool.pipelines.predict import PredictReport
    from vsodtool.pipelines.pseudolabel import PseudoLabelReport
    from vsodtool.pipelines.scoring.report import EvaluateReport
    from vsodtool.pipelines.suggest import SuggestReport
    from vsodtool.pipelines.train import TrainReport

C = TypeVar("C", bound=CommonConfig)


def pseudolabel(
    config: PseudoLabelConfig | None = None, /, *, on_event: OnEvent = ignore_event, **options: Any
) -> PseudoLabelReport:
    """A mask for every frame of videos, from masks of a few; see `vsodtool.pipelines.pseudolabel`."""
    from vsodtool.pipelines.pseudolabel import run_pseudolabel

    return run_pseudolabel(_configuration(PseudoLabelConfig, config, options), on_event=on_event)


def train(
    config: TrainConfig | None = None, /, *, on_event: OnEvent = ignore_event, **options: Any
) -> TrainReport:
    """A network, trained on images or videos with masks; see `vsodtool.pipelines.train`.

    A script calls this under `if __name__ == "__main__":`, as the processes that read data import it again.
    """
    from vsodtool.pipelines.train import run_train

    return run_train(_configuration(TrainConfig, config, options), on_event=on_event)


def predict(
    config: PredictConfig | None = None, /, *, on_event: OnEvent = ignore_event, **options: Any
) -> PredictReport:
    """The salient object in every frame of videos; see `vsodtool.pipelines.predict`."""
    from vsodtool.pipelines.predict import run_predict

    return run_predict(_configuration(PredictConfig, config, options), on_event=on_event)


def evaluate(
    config: EvaluateConfig | None = None, /, *, on_event: OnEvent = ignore_event, **options: Any
) -> EvaluateReport:
    """Scores of predictions against truth; see `vsodtool.pipelines.evaluate`. Works in threads."""
    from vsodtool.pipelines.evaluate import run_evaluate

    return run_evaluate(_configuration(EvaluateConfig, config, options), on_event=on_event)


def flow(
    config: FlowConfig | None = None, /, *, on_event: OnEvent = ignore_event, **options: Any
) -> FlowReport:
    """Optical flow between the frames of videos; see `vsodtool.pipelines.flow`."""
    from vsodtool.pipelines.flow import run_flow

    return run_flow(_configuration(FlowConfig, config, options), on_event=on_event)


def suggest(
    config: SuggestConfig | None = None, /, *, on_event: OnEvent = ignore_event, **options: Any
) -> SuggestReport:
    """Which frames to label, and pictures of them to draw on; see `vsodtool.pipelines.suggest`."""
    from vsodtool.pipelines.suggest import run_suggest

    return run_suggest(_configuration(SuggestConfig, config, options), on_event=on_event)


def _configuration(cls: type[C], given: C | None, options: dict[str, Any]) -> C:
    """What was given, checked: text may stand for a path, and one text for a list of one.

    Raises:
        UsageError: both a configuration and options.
        ConfigError: an option is unknown, missing, of another type or out of bounds.
    """
    if given is None:
        return load_config(cls, None, options)
    if options:
        raise UsageError(
            f"expected a {cls.__name__} or options, found both: {', '.join(options)}",
            "dataclasses.replace(config, ...) changes options of a configuration",
        )
    return given
