"""Options of `vsodtool evaluate`, and what they and the protocol make together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from vsodtool.config.protocols import (
    AVERAGES,
    ENDS,
    F_MEASURES,
    MEASURES,
    NORMALIZATIONS,
    OBJECTS,
    PROTOCOLS,
    Choices,
)
from vsodtool.config.schema import CommonConfig
from vsodtool.errors import ConfigError

AUTO = "auto"  # what the protocol says

_CHOICES: dict[str, tuple[str, ...]] = {
    "protocol": tuple(PROTOCOLS),
    "normalize": (AUTO, *NORMALIZATIONS),
    "ends": (AUTO, *ENDS),
    "average": (AUTO, *AVERAGES),
    "f_measure": (AUTO, *F_MEASURES),
    "objects": OBJECTS,
}


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(CommonConfig):
    """Options of `vsodtool evaluate`.

    Attributes:
        predictions: folders of predictions, one per method. Without `ground_truth` the last one is the truth.
        ground_truth: folder of the truth; "" if it is the last of `predictions`.
        protocol: davsod, pysod, toolbox or davis.
        measures: what to compute, among `MEASURES`; "auto" is what the protocol names.
        normalize: auto (what the protocol says), min-max or none.
        ends: auto, keep or drop the first and last frame of each video.
        average: auto, video or frame.
        f_measure: auto, frame-curves or mean-precision-recall.
        objects: auto, single or multi.
        threshold: from here on a pixel is object where a mask is needed; in (0, 1].
        every: frames 0, N, 2N, ... and the last of each video were given: leave them out; 0 = none.
        skip_given: leave out the frames that an output's frames.csv calls given.
        allow_missing: a missing prediction gets the worst score, a missing video is left out.
        allow_extra: predictions without truth are ignored.
        allow_resize: a prediction of another size is resized to the truth, bilinear.
        csv: file for the scores of each frame; those of each video go beside it. "" = none.
        plots: folder for curves, bars and the worst frames. "" = none.
        name: of the data set, for the captions of tables; "" = the folder of the truth.
    """

    predictions: tuple[str, ...] = ()
    ground_truth: str = ""
    protocol: str = "davsod"
    measures: tuple[str, ...] = (AUTO,)
    normalize: str = AUTO
    ends: str = AUTO
    average: str = AUTO
    f_measure: str = AUTO
    objects: str = AUTO
    threshold: float = 0.5
    every: int = 0
    skip_given: bool = False
    allow_missing: bool = False
    allow_extra: bool = False
    allow_resize: bool = False
    csv: str = ""
    plots: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse values outside their choices or ranges, and inputs that are not clear.

        Raises:
            ConfigError: naming the option, what was expected and what was found.
        """
        super().__post_init__()
        for option, choices in _CHOICES.items():
            value = getattr(self, option)
            if value not in choices:
                raise ConfigError(f"{option}: expected one of {', '.join(choices)}, found '{value}'")
        for measure in self.measures:
            if measure not in (AUTO, *MEASURES):
                raise ConfigError(f"measures: expected some of {', '.join(MEASURES)}, found '{measure}'")
        if not self.measures:
            raise ConfigError("measures: expected at least one, found none", f"some of {', '.join(MEASURES)}")
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"threshold: expected a number above 0, at most 1, found {self.threshold}")
        self._check_inputs()

    def _check_inputs(self) -> None:
        count = len(self.predictions)
        if count == 0 or (count == 1 and not self.ground_truth):
            what = "no ground truth given" if count else "no predictions given"
            raise ConfigError(
                what, "name two folders, PREDICTIONS GROUND_TRUTH, or several and --ground-truth"
            )
        if count > 2 and not self.ground_truth:
            raise ConfigError(
                f"{count} folders given, and it is not said which of them holds the truth",
                f"pass --ground-truth, for instance --ground-truth {self.predictions[-1]}",
            )

    @property
    def methods(self) -> tuple[Path, ...]:
        """The folders of predictions."""
        given = self.predictions if self.ground_truth else self.predictions[:-1]
        return tuple(map(Path, given))

    @property
    def truth(self) -> Path:
        """The folder of the truth."""
        return Path(self.ground_truth or self.predictions[-1])

    @property
    def choices(self) -> Choices:
        """What the protocol says, where no option says otherwise."""
        protocol = PROTOCOLS[self.protocol]
        asked = {option: getattr(self, option) for option in ("normalize", "ends", "average", "f_measure")}
        chosen = {option: value for option, value in asked.items() if value != AUTO}
        measures: list[str] = []
        for measure in self.measures:
            measures += protocol.measures if measure == AUTO else (measure,)
        return replace(
            protocol,
            **chosen,
            measures=tuple(name for name in MEASURES if name in measures),
            objects=protocol.objects if self.objects == AUTO else self.objects,
            threshold=self.threshold,
        )
