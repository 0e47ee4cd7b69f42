"""What a learned densifier is trained on: squares of recorded evidence, varied."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from vsodtool.data.augmentation import Augmentation, Look
from vsodtool.data.batches import EvidenceBatch
from vsodtool.data.evidence.files import ByteMaps, EvidenceFile, read_array, require_evidence
from vsodtool.data.evidence.flow_errors import add_flow_errors, guess_again
from vsodtool.errors import ConfigError, DataError
from vsodtool.ops.boxes import Box
from vsodtool.ops.labels.evidence_maps import CELL, COLOURS, GUESS, LEFT, MAPS, RIGHT, swap_sides
from vsodtool.ops.labels.object_frame import ObjectFrame, object_frame, reference_frame
from vsodtool.ops.sampling.sample_order import SampleKey, resolve_key, sample_generator

_ERRING = 0.4  # share of samples to which errors of flow are added
_ONE_SIDED = 0.12  # share of samples that only one label is known of
_SCALES = (0.75, 1.4)  # things are made smaller or larger by these factors
_RESIZED = 0.6  # share of samples that are
_JITTER = 0.15  # how far the labelled frames are cropped beside the object's centre, in sides
_AT_ONCE = 4  # channels of bytes, of which torch resizes more at a quarter of the speed
_DOUBT = 0.05  # squares are put around pixels where the first guess is at least so far from 0 and 1


class EvidenceDataset(Dataset[EvidenceBatch]):
    """Squares of recorded evidence. A sample is a function of (seed, epoch, index) and of the files.

    Args:
        files: what was recorded.
        size: side S of the squares in pixels, a multiple of 8; the labelled frames are cropped to as much.
        seed: of everything random.
        augmentation: flips, reverses and recolours; None for validation, where the square lies around the
            object.

    Raises:
        ConfigError: the size is no positive multiple of 8.
        DataError: nothing was recorded.
    """

    def __init__(
        self,
        files: Sequence[EvidenceFile],
        *,
        size: int,
        seed: int = 0,
        augmentation: Augmentation | None = None,
    ) -> None:
        if size < CELL or size % CELL:
            raise ConfigError(f"evidence: expected a size that is a multiple of {CELL}, found {size}")
        require_evidence(len(files))
        self._files = tuple(files)
        self._size, self._seed, self._augmentation = size, seed, augmentation

    def __len__(self) -> int:
        """Number of hidden frames."""
        return len(self._files)

    def __getitem__(self, key: SampleKey) -> EvidenceBatch:
        """The sample (epoch, index), or the sample `index` of epoch 0, as a batch of one.

        Raises:
            DataError: a file cannot be read any more.
        """
        epoch, index = resolve_key(key, len(self._files))
        rng = sample_generator(self._seed, (epoch, index))
        file, varied = self._files[index], self._augmentation is not None
        recorded, known, hidden = _read(file)
        frame = reference_frame(
            [(_unit(recorded[GUESS]), file.origin), *((_unit(label[3]), (0, 0)) for label in known)],
            Box(*file.origin, file.origin[0] + recorded.shape[1], file.origin[1] + recorded.shape[2]),
        )
        side = self._size
        if varied and rng.random() < _RESIZED:
            side = round(self._size / rng.uniform(*_SCALES))
        box = self._place(recorded[GUESS], frame, file.origin, side, rng)
        there = box.shift(-file.origin[0], -file.origin[1])
        maps = self._cut(recorded, there)
        truth = self._cut(hidden[3:], box)
        weights = self._inside(recorded.shape[1:], there)
        cuts = [self._cut_known(frame_file, frame, side, rng) for frame_file in known]
        distances = list(file.distances)
        if varied and rng.random() < _ERRING:
            maps = _bytes(add_flow_errors(maps.float().div_(255), rng))
        if varied and rng.random() < _ONE_SIDED:
            stays = int(rng.integers(2))
            cuts = [cuts[stays]] * 2
            distances = [distances[stays]] * 2
            maps[LEFT if stays else RIGHT] = maps[RIGHT if stays else LEFT]
            maps[GUESS] = _bytes(guess_again(maps.float().div_(255)))
        look = Look()
        if self._augmentation is not None:
            look = self._augmentation.draw_look(rng)
            if rng.random() < self._augmentation.reverse:
                maps, cuts, distances = swap_sides(maps), cuts[::-1], distances[::-1]
        images = torch.stack([maps[first : first + 3] for first in COLOURS])
        coloured = look.apply(torch.cat((images, torch.stack([cut[0][:3] for cut in cuts]))))
        maps = look.mirror(maps)
        for first, image in zip(COLOURS, coloured, strict=False):
            maps[first : first + 3] = image
        return EvidenceBatch(
            maps=maps[None],
            distances=torch.tensor([distances], dtype=torch.float32),
            positions=look.mirror(_cells(frame, box, self._size)).contiguous(),
            images=coloured[len(COLOURS) :][None].contiguous(),
            labels=_shares(look.mirror(torch.stack([cut[0][3:] for cut in cuts]))[None]),
            known_positions=look.mirror(torch.stack([cut[1][0] for cut in cuts]))[None].contiguous(),
            truth=_shares(look.mirror(truth)[None]),
            weights=_shares(look.mirror(weights)[None]),
            videos=(file.video,),
            names=(file.name,),
        )

    def _place(
        self,
        guess: npt.NDArray[np.uint8],
        frame: ObjectFrame,
        origin: tuple[int, int],
        side: int,
        rng: np.random.Generator,
    ) -> Box:
        """Where the square lies, in the frame: around a doubtful pixel, or for validation the object."""
        row, column = frame.row, frame.column
        if self._augmentation is not None:
            few = guess[::2, ::2]
            doubtful = np.argwhere((few > 255 * _DOUBT) & (few < 255 * (1 - _DOUBT)))
            if len(doubtful):
                place = doubtful[rng.integers(len(doubtful))] * 2 + origin
                row, column = place + rng.uniform(-0.35, 0.35, 2) * side
        height, width = guess.shape
        top = _fit(row - side / 2, origin[0], height, side)
        left = _fit(column - side / 2, origin[1], width, side)
        return Box(top, left, top + side, left + side)

    def _cut_known(
        self, known: npt.NDArray[np.uint8], frame: ObjectFrame, side: int, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """A labelled frame around its object: RGB and label (4, S, S), and its cells' positions."""
        there = object_frame(_unit(known[3]), (0, 0))
        middle = np.array([frame.row, frame.column] if there is None else [there.row, there.column])
        if self._augmentation is not None:
            middle = middle + rng.uniform(-_JITTER, _JITTER, 2) * side
        height, width = known.shape[1:]
        top = _fit(float(middle[0]) - side / 2, 0, height, side)
        left = _fit(float(middle[1]) - side / 2, 0, width, side)
        box = Box(top, left, top + side, left + side)
        return self._cut(known, box), _cells(there or frame, box, self._size)

    def _cut(self, maps: npt.NDArray[np.uint8], box: Box) -> Tensor:
        """A square of maps, the border repeated outside, resized to S: uint8 (C, S, S)."""
        rows = np.clip(np.arange(box.top, box.bottom), 0, maps.shape[1] - 1)
        columns = np.clip(np.arange(box.left, box.right), 0, maps.shape[2] - 1)
        part = np.array(maps[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        if part.shape[1:] != box.size:
            part = part[:, rows - rows[0]][:, :, columns - columns[0]]
        return self._resize(torch.from_numpy(part))

    def _inside(self, size: tuple[int, ...], box: Box) -> Tensor:
        """255 inside maps of this size, 0 outside: (1, S, S)."""
        inside = torch.zeros(1, *box.size, dtype=torch.uint8)
        rows = slice(max(-box.top, 0), max(size[0] - box.top, 0))
        columns = slice(max(-box.left, 0), max(size[1] - box.left, 0))
        inside[:, rows, columns] = 255
        return self._resize(inside)

    def _resize(self, maps: Tensor) -> Tensor:
        if maps.shape[-1] == self._size:
            return maps
        size = (self._size, self._size)
        parts = [
            functional.interpolate(part[None], size, mode="bilinear", align_corners=False)[0]
            for part in torch.split(maps, _AT_ONCE)
        ]
        return torch.cat(parts)


def _read(file: EvidenceFile) -> tuple[ByteMaps, list[ByteMaps], ByteMaps]:
    """The maps, both labelled frames, and the hidden one.

    Raises:
        DataError: a file cannot be read any more, or they do not belong together.
    """
    recorded = read_array(file.maps, MAPS)
    before, hidden, after = (read_array(path, 4) for path in (file.before, file.hidden, file.after))
    bottom, right = (start + side for start, side in zip(file.origin, recorded.shape[1:], strict=True))
    if {before.shape, after.shape} != {hidden.shape} or bottom > hidden.shape[1] or right > hidden.shape[2]:
        raise DataError(
            f"{file.maps}: expected evidence about a frame of {hidden.shape[1:]}, found other sizes",
            f"delete {file.maps.parent}, and start the training again: evidence is then recorded again",
        )
    return recorded, [before, after], hidden


def _unit(values: npt.NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(values / np.float32(255))


def _cells(frame: ObjectFrame, box: Box, size: int) -> Tensor:
    """Positions of the cells of a box that is resized to a square of this size."""
    return frame.positions(box, box.size[0] * CELL / size, size // CELL)


def _fit(start: float, first: int, length: int, side: int) -> int:
    """Move a square's start into [first, first + length); around it where it does not fit."""
    if side >= length:
        return first - (side - length) // 2
    return int(min(max(start, first), first + length - side))


def _bytes(maps: Tensor) -> Tensor:
    return maps.mul(255).add_(0.5).clamp_(0, 255).to(torch.uint8)


def _shares(maps: Tensor) -> Tensor:
    """Bytes as shares of 255, float32."""
    return maps.to(torch.float32, memory_format=torch.contiguous_format).div_(255)
