"""The learned generator of vsodtool: a network weighs what `--method warp` fuses by rule."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.errors import ConfigError
from vsodtool.models.evidence.densifier import EvidenceDensifier
from vsodtool.models.evidence.label_memory import Memories
from vsodtool.models.evidence.network import EvidenceNet, FrameInput
from vsodtool.models.paper.densifier import FgplgDensifier
from vsodtool.models.rcrnet.network import RcrNet
from vsodtool.ops.boxes import Box, whole
from vsodtool.ops.confidence import ONE_SIDED, backing
from vsodtool.ops.labels.connected import connected_to
from vsodtool.ops.labels.evidence_maps import CELL, GUESS, claimed, evidence_maps, swap_sides
from vsodtool.ops.labels.object_frame import ObjectFrame, reference_frame
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.keeping import KEPT
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, OfLatest, OfLiving, to_image
from vsodtool.pipelines.densify.method import FrameMethod, Method, MethodSetup, Wants
from vsodtool.pipelines.densify.methods.paper import DirectMethod, PaperMethod
from vsodtool.pipelines.densify.quality import rules
from vsodtool.types import Size

MARGIN, SHARE = 32, 0.25  # around an object in a labelled frame: pixels, share of its longer side
NEAR = 16


# The network is heard only where a label came, or near by: what merely looks like the object is not it. REACH
# is in units of the object's size; benchmarks/densifier_reach.py: on validation data 0.2 costs nothing.
REACH, CLAIM = 0.2, 0.02


# Boxes of several objects go through the network together: so many, of so many pixels each, as long as all of
# them at one size have no more than this many times their own pixels.
AT_ONCE, SMALL, WASTE = 16, 192 * 192, 1.3


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
        self._memories: OfLiving[Memories] = OfLiving()

    def generate(self, evidence: Evidence) -> SoftLabel:
        """Let the network correct what the rules say."""
        return self.generate_together([evidence])[0]

    def generate_together(self, evidences: Sequence[Evidence]) -> list[SoftLabel]:
        """As `generate`, of several groups in a frame; small ones go through the network together."""
        ruled = [self._rules.generate(evidence) for evidence in evidences]
        logits = [
            guess.labels.new_full((len(evidence.present), 1, *evidence.box.size), -torch.inf)
            for evidence, guess in zip(evidences, ruled, strict=True)
        ]
        asked = []
        for evidence, guess, answer in zip(evidences, ruled, logits, strict=True):
            for number, present in enumerate(evidence.present):
                # Each on its own box: n objects far apart cost no n times the box of them all.
                part = evidence.around_object(number, guess.labels, NEAR) if present else None
                if part is not None:
                    asked.append(_Asked(evidence, part, number, guess.labels, answer[number]))
        for batch in side_by_side([each.part.size for each in asked]):
            self._decide([asked[position] for position in batch])
        return [self._answer(*each) for each in zip(evidences, ruled, logits, strict=True)]

    def _answer(self, evidence: Evidence, ruled: SoftLabel, logits: Tensor) -> SoftLabel:
        """The label, of the logits of all objects (O, 1, h, w)."""
        guess = ruled.labels
        for number, area in evidence.interval.shown_twice.items():
            found, ruled_found = int((logits[number] > 0).sum()), int((guess[:, number] > OBJECT).sum())
            if found < KEPT * area <= ruled_found:  # lost by the network alone
                logits[number] = torch.logit(guess[:, number], eps=FAINT)
        labels = torch.cat((torch.zeros_like(logits[:1]), logits)).softmax(dim=0)[1:, 0][None]
        agreed = backing(labels, guess)
        one_sided = ONE_SIDED if len(evidence.sides) == 1 else 1.0
        # Powers chosen on validation videos: benchmarks/TRIED.md, "Confidence of the learned densifier".
        return evidence.answer(labels, agreed * one_sided, agreed * ruled.trust.sqrt())

    def _decide(self, asked: Sequence[_Asked]) -> None:
        """Answer for several objects, on boxes enlarged to a common size."""
        sizes = [_in_cells(each.part.size) for each in asked]
        size = max(height for height, _ in sizes), max(width for _, width in sizes)
        told = [_tell(each, size) for each in asked]
        logits = self._densifier.decide_together(
            [each.told for each in told], [self._remember(each) for each in told]
        )
        if self._mirrored:
            known = [self._remember(each, mirrored=True) for each in told]
            again = self._densifier.decide_together([mirror(each.told) for each in told], known)
            logits = (logits + again.flip(-1)) / 2
        for each, own, found, (height, width) in zip(asked, told, torch.split(logits, 1), sizes, strict=True):
            maps, said = own.told.maps[..., :height, :width], found[..., :height, :width]
            near = grown(claimed(maps) > CLAIM, round(REACH * own.frame.unit))
            answer = each.part.crop(each.answer)
            answer.copy_(heard(said, near, maps[:, GUESS:])[0, :, : answer.shape[-2], : answer.shape[-1]])

    def _remember(self, told: _Told, *, mirrored: bool = False) -> Memories:
        """What the network remembers of the labelled frames: of an object the same for all between them."""
        if None in (each.object_frames[told.number] for each in told.known):
            return self._memories_of(told, mirrored)  # where a place is, this frame says
        return self._memories.get(
            told.interval, (told.number, mirrored), partial(self._memories_of, told, mirrored)
        )

    def _memories_of(self, told: _Told, mirrored: bool) -> Memories:
        number, sides = told.number, list(zip(told.known, told.boxes, strict=True))
        labels = torch.stack([_label(known, number, box) for known, box in sides], dim=1)
        positions = torch.stack(
            [
                (known.object_frames[number] or told.frame).positions(box, CELL, device=labels.device)
                for known, box in sides
            ],
            dim=1,
        )
        if mirrored:  # in time too, see `mirror`
            sides, labels, positions = sides[::-1], labels.flip(1).flip(-1), positions.flip(1).flip(-1)
        looks = torch.cat([self._look(known, box, mirrored) for known, box in sides], dim=1)
        return self._densifier.remember(looks, labels, positions)

    def _look(self, known: LabelledFrame, box: Box, mirrored: bool) -> Tensor:
        """What the network sees in a labelled frame."""

        def look() -> Tensor:
            image = to_whole_cells(to_image(known.rgb, box, known.labels.device), box.size)
            return self._densifier.look((image.flip(-1) if mirrored else image)[None])

        return self._looks.get(known.rgb, (box, mirrored), look)


class _Asked(NamedTuple):
    """An object that the network is asked for.

    Attributes:
        evidence: of its group, as `guess` and `answer` are.
        part: of the group's box that is its own.
        number: its channel.
        guess: of the rules, of all objects (1, O, h, w).
        answer: takes its logits (1, h, w).
    """

    evidence: Evidence
    part: Box
    number: int
    guess: Tensor
    answer: Tensor


class _Told(NamedTuple):
    """What the network is told of an object: maps, and where it looks in the labelled frames.

    Attributes:
        told: of the frame.
        interval: of the labelled frames.
        number: channel of the object.
        known: the labelled frames.
        boxes: in these.
        frame: of reference.
    """

    told: FrameInput
    interval: Interval
    number: int
    known: tuple[LabelledFrame, LabelledFrame]
    boxes: tuple[Box, Box]
    frame: ObjectFrame


def _tell(asked: _Asked, size: Size) -> _Told:
    """What the network is told of an object, on its box enlarged to a size in whole cells."""
    evidence, number = asked.evidence.part(asked.part, copied=False), asked.number
    guess = asked.part.crop(asked.guess)
    known = (evidence.sides[0].known, evidence.sides[-1].known)
    maps = object_maps(evidence, number, guess, size)
    top, left = evidence.box.origin
    box = Box(top, left, top + size[0], left + size[1])
    given = [(each.labels[0, number], (0, 0)) for each in known]
    frame = reference_frame([(guess[0, number], evidence.box.origin), *given], evidence.box)
    distances = [float(side.distance) for side in (evidence.sides[0], evidence.sides[-1])]
    told = FrameInput(maps, maps.new_tensor([distances]), frame.positions(box, CELL, device=maps.device))
    return _Told(told, evidence.interval, number, known, known_boxes(known, number), frame)


def _in_cells(size: Size) -> Size:
    return size[0] + -size[0] % CELL, size[1] + -size[1] % CELL


def side_by_side(sizes: Sequence[Size]) -> list[list[int]]:
    """Which boxes go through the network at once, by their positions: small ones of about one size.

    A large box costs what its pixels cost, however many there are at once.

    Args:
        sizes: of boxes.
    """
    ranked = sorted(
        range(len(sizes)), key=lambda position: (sizes[position][0] * sizes[position][1], position)
    )
    batches: list[list[int]] = []
    for position in ranked:
        wider = [*batches[-1], position] if batches else [position]
        height, width = (max(sizes[each][axis] for each in wider) for axis in (0, 1))
        own = sum(sizes[each][0] * sizes[each][1] for each in wider)
        fits = (
            len(wider) <= AT_ONCE and height * width <= SMALL and height * width * len(wider) <= WASTE * own
        )
        if batches and fits:
            batches[-1] = wider
        else:
            batches.append([position])
    return batches


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
    for axis in (-1, -2):
        inside = functional.pad(inside, (radius, radius, 0, 0) if axis == -1 else (0, 0, radius, radius))
        reach = 1  # pixels that each one stands for so far: twice as many in each step
        while reach <= 2 * radius:
            step = min(reach, 2 * radius + 1 - reach)
            length = inside.shape[axis] - step
            inside = inside.narrow(axis, 0, length) | inside.narrow(axis, step, length)
            reach += step
    return inside


def mirror(told: FrameInput) -> FrameInput:
    """The same evidence mirrored left to right and backwards in time; positions stay with what lies there."""
    return FrameInput(swap_sides(told.maps).flip(-1), told.distances.flip(1), told.positions.flip(-1))


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
    found = [frame.boxes[number] for frame in known]
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


def object_maps(evidence: Evidence, number: int, guess: Tensor, size: Size | None = None) -> Tensor:
    """The maps of one object, float32 (1, MAPS, h, w) in [0, 1].

    Args:
        evidence: of one side or of both; one stands for both.
        number: of the object.
        guess: what the rules of `--method warp` say, of all objects (1, O, h, w).
        size: to which they are enlarged, the border repeated.
    """
    chosen = slice(number, number + 1)
    sides = [
        (side.labels[:, chosen], side.views, side.consistency)
        for side in (evidence.sides[0], evidence.sides[-1])
    ]
    return evidence_maps(evidence.image, sides, guess[:, chosen], size=size)
