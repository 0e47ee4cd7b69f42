"""The options of `vsodtool evaluate`, and what they and the protocol make together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vsodtool.config.annotations import ReadingConfig, check_objects
from vsodtool.config.measures import AUTO, MEASURE_CHOICES, MEASURE_NAMES
from vsodtool.config.option import Panel, configuration, option
from vsodtool.config.protocols import (
    AVERAGES,
    ENDS,
    F_MEASURES,
    NORMALIZATIONS,
    OBJECTS,
    PROTOCOLS,
    Choices,
)
from vsodtool.config.void import check_void, void_option
from vsodtool.errors import ConfigError

_OBJECTS = (*OBJECTS, "track", "category")


@configuration
class EvaluateConfig(ReadingConfig):
    """Options of `vsodtool evaluate`."""

    predictions: tuple[str, ...] = option(
        "Folders of maps: of one video, or with one sub-folder per video, DAVIS-style roots, or OUT folders "
        "of predict and pseudolabel. The last is the truth, or --ground-truth is: folders of maps likewise, "
        "or annotations (file, folder or zip) of another tool.",
        default=(),
        panel=Panel.WHERE,
        argument=True,
        urls=True,
        metavar="PREDICTIONS... GROUND_TRUTH",
    )
    ground_truth: str = option(
        "The truth; then every folder before is a method.",
        default="",
        panel=Panel.WHERE,
        metavar="GT",
        urls=True,
    )
    protocol: str = option(
        "Whose numbers to compare with; docs/evaluate.md says which.",
        default="davsod",
        choices=PROTOCOLS,
    )
    measures: tuple[str, ...] = option(
        "What to compute, with commas; auto is what the protocol names.",
        default=(AUTO,),
        choices=MEASURE_CHOICES,
    )
    every: int = option(
        "Frames 0, N, 2N, ... and the last of each video were given: leave them out.", default=0, zero="none"
    )
    skip_given: bool = option("Leave out the frames that OUT/frames.csv calls given.", default=False)
    normalize: str = option(
        "Stretch each prediction to [0, 1] first, or take it as it is.",
        default=AUTO,
        choices=(AUTO, *NORMALIZATIONS),
        panel=Panel.CHOICES,
    )
    ends: str = option(
        "Score the first and last frame of each video, or do not.",
        default=AUTO,
        choices=(AUTO, *ENDS),
        switch=ENDS,
        panel=Panel.CHOICES,
    )
    average: str = option(
        "Every video counts the same, or every frame.",
        default=AUTO,
        choices=(AUTO, *AVERAGES),
        panel=Panel.CHOICES,
    )
    f_measure: str = option(
        "What max F and mean F are taken from.",
        default=AUTO,
        choices=(AUTO, *F_MEASURES),
        panel=Panel.CHOICES,
    )
    objects: str = option(
        "J and boundary F of all objects as one (single), or of each (multi). If the truth is an annotation "
        "file, what an object is there: also track|category|attribute:NAME.",
        default=AUTO,
        usual=_OBJECTS,
        metavar="HOW",
        panel=Panel.CHOICES,
    )
    void: str = void_option()
    values: str = option(
        "What the values of predictions are: probabilities (soft; colours by their brightness) or object "
        "ids; auto tells by the files, and refuses where grey may be both.",
        default=AUTO,
        choices=(AUTO, "soft", "ids"),
        panel=Panel.CHOICES,
    )
    threshold: float = option(
        "From here on a pixel is object, where a mask is needed.",
        default=0.5,
        above=0,
        most=1,
        panel=Panel.CHOICES,
        metavar="P",
    )
    allow_missing: bool = option(
        "A frame without a prediction gets the worst score, a video without any is left out.",
        default=False,
        panel=Panel.ALLOW,
    )
    allow_extra: bool = option("Predictions without truth are ignored.", default=False, panel=Panel.ALLOW)
    allow_resize: bool = option(
        "Predictions of another size are resized to the truth, bilinear, and counted.",
        default=False,
        panel=Panel.ALLOW,
    )
    csv: str = option(
        "Scores of each frame; those of each video go to FILE-videos.csv beside it.",
        default="",
        panel=Panel.EXTRA,
        metavar="FILE",
    )
    plots: str = option(
        "PR and F curves, bars per video, the worst frames, as PNG (needs matplotlib).",
        default="",
        panel=Panel.EXTRA,
        metavar="DIR",
    )
    name: str = option("Of the data set, for captions.", default="", panel=Panel.EXTRA, metavar="TEXT")

    def __post_init__(self) -> None:
        """Refuse inputs that are not clear, too."""
        super().__post_init__()
        check_void(self.void)
        check_objects(self.objects, _OBJECTS)
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
        asked = {name: getattr(self, name) for name in ("normalize", "ends", "average", "f_measure")}
        chosen = {name: value for name, value in asked.items() if value != AUTO}
        measures: list[str] = []
        for measure in self.measures:
            measures += protocol.measures if measure == AUTO else (measure,)
        return replace(
            protocol,
            **chosen,
            measures=tuple(name for name in MEASURE_NAMES if name in measures),
            objects=self.objects if self.objects in ("single", "multi") else protocol.objects,
            threshold=self.threshold,
        )
