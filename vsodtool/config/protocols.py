"""The conventions under which scores are computed, as data. Which table uses which: docs/evaluate.md."""

from __future__ import annotations

from dataclasses import dataclass

NORMALIZATIONS = ("min-max", "none")
ENDS = ("keep", "drop")
AVERAGES = ("video", "frame")
F_MEASURES = ("frame-curves", "mean-precision-recall")
OBJECTS = ("auto", "single", "multi")

_SALIENCY = ("mae", "f", "e", "s_measure", "weighted_f", "iou")


@dataclass(frozen=True)
class Choices:
    """Everything that changes a score without changing a prediction.

    Attributes:
        measures: what is computed, among those of `config.measures`.
        normalize: "min-max" stretches each prediction to [0, 1] first, "none" takes it as it is.
        ends: whether the first and the last frame of each video are scored ("keep") or not ("drop").
        average: "video": over the frames of each video, then over videos; "frame": over all frames.
        f_measure: "frame-curves": max F and mean F are those of the mean F curve. "mean-precision-recall":
            max F is the maximum of F of the mean precision and recall, mean F the mean over frames of F at
            the frame's adaptive threshold.
        objects: J and boundary F of each object id ("multi") or of all together ("single"); "auto" is multi
            where truth and predictions both hold ids.
        threshold: from here on a pixel of a prediction is object, for iou, j, boundary_f, hce, stability.
        truth_above: grey truth is object above this, in 8-bit steps.
        prefers: "soft" or "masks": which folder of an output of `predict` or `pseudolabel` is read.
    """

    measures: tuple[str, ...]
    normalize: str
    ends: str
    average: str
    f_measure: str
    objects: str
    threshold: float
    truth_above: int
    prefers: str


PROTOCOLS: dict[str, Choices] = {
    # The VSOD benchmark toolbox of Fan et al., "Shifting More Attention to Video Salient Object Detection",
    # CVPR 2019.
    "davsod": Choices(
        measures=_SALIENCY,
        normalize="min-max",
        ends="drop",
        average="video",
        f_measure="frame-curves",
        objects="single",
        threshold=0.5,
        truth_above=128,
        prefers="soft",
    ),
    # PySODMetrics, `pysodmetrics` on PyPI.
    "pysod": Choices(
        measures=_SALIENCY,
        normalize="min-max",
        ends="keep",
        average="frame",
        f_measure="frame-curves",
        objects="single",
        threshold=0.5,
        truth_above=128,
        prefers="soft",
    ),
    # The toolbox behind many tables of image saliency, such as that of DSS (Hou et al., CVPR 2017).
    "toolbox": Choices(
        measures=_SALIENCY,
        normalize="min-max",
        ends="keep",
        average="frame",
        f_measure="mean-precision-recall",
        objects="single",
        threshold=0.5,
        truth_above=128,
        prefers="soft",
    ),
    # Perazzi et al., CVPR 2016 (one object), and Pont-Tuset et al., arXiv 1704.00675 (several).
    "davis": Choices(
        measures=("j", "boundary_f"),
        normalize="none",
        ends="drop",
        average="video",
        f_measure="frame-curves",
        objects="auto",
        threshold=0.5,
        truth_above=127,
        prefers="masks",
    ),
}
