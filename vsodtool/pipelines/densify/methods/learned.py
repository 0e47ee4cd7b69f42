"""The learned generator of vsodtool: a network weighs what `--method warp` fuses by rule."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.errors import ConfigError
from vsodtool.models.evidence.densifier import EvidenceDensifier
from vsodtool.models.evidence.network import EvidenceInput, EvidenceNet
from vsodtool.models.paper.densifier import FgplgDensifier
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.ops.boxes import Box, bounding_box, whole
from vsodtool.ops.confidence import ONE_SIDED, backing
from vsodtool.ops.labels.connected import connected_to
from vsodtool.ops.labels.evidence_maps import CELL, GUESS, claimed, evidence_maps, swap_sides
from vsodtool.ops.labels.object_frame import ObjectFrame, object_frame, reference_frame
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.keeping import KEPT
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import LabelledFrame, OfLatest, to_image
from vsodtool.pipelines.densify.method import FrameMethod, Method, MethodSetup, Wants
from vsodtool.pipelines.densify.methods.paper import DirectMethod, PaperMethod
from vsodtool.pipelines.densify.quality import rules
from vsodtool.types import Size

MARGIN, SHARE = 32, 0.25  # around an object in a labelled frame: pixels, share of its longer side
NEAR = 16


# The network is heard only where a label came, or near by: what merely looks like the object is not it. REACH
# is in units of the object's size; benchmarks/densifier_reach.py: on validation data 0.2 costs nothing.
REACH, CLAIM = 0.2, 0.02


FAINT = 1e-4  # keeps logits finite


OBJECT = 0.5


class LearnedMethod:
    """One pass per object on the box that holds the objects; several compete by softmax.

    Certain is what the network and the rules agree on: the lead of the network's winner, times the
    probability that the rules give to it. By itself the network is surer than it is right.
    """

    wants = Wants.BOXES

    def __init__(
        self,
        densifier: EvidenceDensifier,
        rules: FrameMethod,
        name: str = "fgplg",
        *,
        mirrored: bool = False,
    ) -> None:
        """Take over a network.

        Args:
            densifier: the network.
            rules: make the first guess, which it corrects.
            name: of the method, for manifests.
            mirrored: ask it a second time, mirrored left to right and in time, and take the mean.
        """
        self.name = name
        self._mirrored = mirrored
        self._densifier, self._rules = densifier, rules
        self._looks: OfLatest[Tensor] = OfLatest()

    def generate(self, evidence: Evidence) -> SoftLabel:
        """Let the network correct what the rules say."""
        ruled = self._rules.generate(evidence)
        guess = ruled.labels
        shape = (len(evidence.present), 1, *evidence.box.size)
        logits = guess.new_full(shape, -torch.inf)
        for number, present in enumerate(evidence.present):
            # Each on its own box: n objects far apart cost no n times the box of them all.
            part = evidence.around_object(number, guess, NEAR) if present else None
            if part is not None:
                part.crop(logits[number]).copy_(self._decide(evidence.part(part), number, part.crop(guess)))
        for number, area in evidence.interval.shown_twice.items():
            found, ruled_found = int((logits[number] > 0).sum()), int((guess[:, number] > OBJECT).sum())
            if found < KEPT * area <= ruled_found:  # lost by the network alone
                logits[number] = torch.logit(guess[:, number], eps=FAINT)
        labels = torch.cat((torch.zeros_like(logits[:1]), logits)).softmax(dim=0)[1:, 0][None]
        agreed = backing(labels, guess)
        one_sided = ONE_SIDED if len(evidence.sides) == 1 else 1.0
        # Powers chosen on validation videos: benchmarks/TRIED.md, "Confidence of the learned densifier".
        return evidence.answer(labels, agreed * one_sided, agreed * ruled.trust.sqrt())

    def _decide(self, evidence: Evidence, number: int, guess: Tensor) -> Tensor:
        """The logits of one object (1, h, w)."""
        sides = (evidence.sides[0], evidence.sides[-1])
        known = (sides[0].known, sides[1].known)
        height, width = evidence.box.size
        maps = object_maps(evidence, number, guess)
        maps = to_whole_cells(maps, (height + -height % CELL, width + -width % CELL))
        top, left = evidence.box.origin
        box = Box(top, left, top + maps.shape[-2], left + maps.shape[-1])
        given = [(frame.labels[0, number], (0, 0)) for frame in known]
        frame = reference_frame([(guess[0, number], evidence.box.origin), *given], evidence.box)
        boxes = known_boxes(known, number)
        told = EvidenceInput(
            maps=maps,
            distances=maps.new_tensor([[float(side.distance) for side in sides]]),
            positions=frame.positions(box, CELL, device=maps.device),
            images=maps[:, None, :3],  # `looks` saw the labelled frames
            labels=torch.stack([_label(k, number, box) for k, box in zip(known, boxes, strict=True)], dim=1),
            known_positions=torch.stack(
                [
                    (_frame_of(k, number) or frame).positions(box, CELL, device=maps.device)
                    for k, box in zip(known, boxes, strict=True)
                ],
                dim=1,
            ),
        )
        logits = self._densifier.decide(told, self._look(known, boxes))
        if self._mirrored:
            seen = self._look(known[::-1], boxes[::-1], mirrored=True)
            logits = (logits + self._densifier.decide(mirror(told), seen).flip(-1)) / 2
        near = grown(claimed(maps) > CLAIM, round(REACH * frame.unit))
        logits = heard(logits, near, maps[:, GUESS:])
        return logits[0, :, :height, :width]

    def _look(
        self, known: Sequence[LabelledFrame], boxes: Sequence[Box], *, mirrored: bool = False
    ) -> Tensor:
        """What the network sees in the labelled frames."""

        def look(frame: LabelledFrame, box: Box) -> Tensor:
            image = to_whole_cells(to_image(frame.rgb, box, frame.labels.device), box.size)
            return self._densifier.look((image.flip(-1) if mirrored else image)[None])

        seen = [
            self._looks.get(frame.rgb, (box, mirrored), partial(look, frame, box))
            for frame, box in zip(known, boxes, strict=True)
        ]
        return torch.cat(seen, dim=1)


def learned_method(setup: MethodSetup) -> Method:
    """`--method fgplg`: vsodtool's own densifier, or the paper's, as the weights are.

    Raises:
        ConfigError: `--label-flow direct`, which is of the paper's only.
    """
    loaded = setup.loaded
    assert loaded is not None
    if not isinstance(loaded.network, EvidenceNet):
        assert isinstance(loaded.network, RcrNet)  # the other kind that these weights can be of
        direct = setup.flow == "direct"
        densifier = FgplgDensifier(
            loaded.network,
            loaded.preprocessing,
            device=setup.device,
            precision="fp32" if direct else "auto",  # directly it is the paper to the last digit
        )
        return DirectMethod(densifier, setup.direct_flow()) if direct else PaperMethod(densifier)
    if setup.flow == "direct":
        raise ConfigError(
            f"label_flow: 'direct' is the way of the paper's FGPLG, "
            f"but {loaded.name} is vsodtool's own densifier",
            "leave out --label-flow, or name weights of FGPLG with --weights",
        )
    return own_method(loaded.network, setup.name, setup.quality, setup.device)


def own_method(network: EvidenceNet, name: str, quality: str, device: torch.device) -> LearnedMethod:
    """vsodtool's own densifier; the network is taken over."""
    densifier = EvidenceDensifier(network, device=device)
    return LearnedMethod(densifier, rules(quality), name, mirrored=quality == "best")


def heard(logits: Tensor, near: Tensor, guess: Tensor) -> Tensor:
    """The network's logits where it is believed, elsewhere those of the first guess.

    It may move the borders of what the guess calls object, and fill its gaps. What it finds apart from all
    of that, nowhere object by the guess, is more often another thing of the same looks.

    Args:
        logits: the network's (1, 1, h, w).
        near: where a label came, or near by.
        guess: the first guess (1, 1, h, w) in [0, 1].
    """
    doubtful = torch.logit(guess, eps=FAINT)
    logits = torch.where(near, logits, doubtful)
    found = logits > 0
    stray = found[0, 0] & ~connected_to(guess[0, 0] > OBJECT, found[0, 0])
    return torch.where(stray, torch.minimum(logits, doubtful), logits)


def grown(inside: Tensor, radius: int) -> Tensor:
    """A map (1, 1, h, w) grown by so many pixels in each direction."""
    width = 2 * radius + 1
    for axis in (
        -1,
        -2,
    ):  # is there anything in the window around a pixel? Running sums do not mind its width
        sums = functional.pad(inside.transpose(axis, -1).int(), (radius + 1, radius)).cumsum(-1)
        inside = (sums[..., width:] > sums[..., :-width]).transpose(axis, -1)
    return inside


def mirror(told: EvidenceInput) -> EvidenceInput:
    """The same evidence mirrored left to right and backwards in time; positions stay with what lies there."""
    return EvidenceInput(
        maps=swap_sides(told.maps).flip(-1),
        distances=told.distances.flip(1),
        positions=told.positions.flip(-1),
        images=told.images.flip(1).flip(-1),
        labels=told.labels.flip(1).flip(-1),
        known_positions=told.known_positions.flip(1).flip(-1),
    )


def _label(known: LabelledFrame, number: int, box: Box) -> Tensor:
    return to_whole_cells(box.crop(known.labels[:, number : number + 1]), box.size)


def to_whole_cells(maps: Tensor, size: Size) -> Tensor:
    """Maps (1, C, h, w) enlarged to a size, the border repeated; themselves where they have it."""
    if (maps.shape[-2], maps.shape[-1]) == size:
        return maps
    return functional.pad(maps, (0, size[1] - maps.shape[-1], 0, size[0] - maps.shape[-2]), mode="replicate")


def known_boxes(known: tuple[LabelledFrame, LabelledFrame], number: int) -> tuple[Box, Box]:
    """Where an object is in both labelled frames, with a margin: of one size, in whole cells.

    A box may leave the frame at the bottom or at the right by a part of a cell.
    """
    size = known[0].rgb.shape[0], known[0].rgb.shape[1]
    found = [bounding_box(frame.labels[:, number, None], 0.5) for frame in known]
    grown = [box.grow(MARGIN, SHARE, size) if box else None for box in found]
    shown = [box for box in grown if box is not None] or [whole(size)]
    wanted = tuple(-(-max(box.size[axis] for box in shown) // CELL) * CELL for axis in (0, 1))
    left, right = (_placed(box or shown[0], (wanted[0], wanted[1]), size) for box in grown)
    return left, right


def _placed(box: Box, wanted: Size, size: Size) -> Box:
    """A box of the wanted size around the middle of another, inside the frame unless larger than that."""
    top = max(min((box.top + box.bottom - wanted[0]) // 2, size[0] - wanted[0]), 0)
    left = max(min((box.left + box.right - wanted[1]) // 2, size[1] - wanted[1]), 0)
    return Box(top, left, top + wanted[0], left + wanted[1])


def _frame_of(known: LabelledFrame, number: int) -> ObjectFrame | None:
    return object_frame(known.labels[0, number], (0, 0))


def object_maps(evidence: Evidence, number: int, guess: Tensor) -> Tensor:
    """The maps of one object, float32 (1, MAPS, h, w) in [0, 1].

    Args:
        evidence: of one side or of both; one stands for both.
        number: of the object.
        guess: what the rules of `--method warp` say, of all objects (1, O, h, w).
    """
    chosen = slice(number, number + 1)
    sides = [
        (side.labels[:, chosen], side.views, side.consistency)
        for side in (evidence.sides[0], evidence.sides[-1])
    ]
    return evidence_maps(evidence.image, sides, guess[:, chosen])
