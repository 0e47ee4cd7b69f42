"""What the label of a frame was made from, so that a run knows which labels a changed mask touches.

Nothing crosses a label or a cut: the frames between two labelled frames are made from these two and from what
lies between. So a record that notes them says by itself whether it still holds, whoever changed what
meanwhile.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property

from vsodtool.media.fingerprint import file_sha256
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.ops.shots.shots import Shots
from vsodtool.types import FrameRecord, FrameStatus

_LENGTH = 16  # hexadecimal digits


class Basis:
    """The labels of one video as they are now.

    Args:
        masks: of the video.
        names: of all its frames, in order.
        shots: of the video.
    """

    def __init__(self, masks: MaskSet, names: Sequence[str], shots: Shots) -> None:
        self._masks, self._names, self._shots = masks, names, shots
        self._place = {name: index for index, name in enumerate(names)}

    def of(self, frame: str, left: str, right: str) -> str:
        """Digest of the labels from one labelled frame to another, of all objects and the encoding.

        Args:
            frame: name of a frame between them.
            left: name of the first; "" is the beginning of the shot.
            right: name of the last; "" is its end. May be the same.
        """
        shot = self._shots.around(self._place[frame], len(self._names))
        first = bisect_left(self._labelled, self._place[left] if left else shot.start)
        last = bisect_right(self._labelled, self._place[right] if right else shot.stop - 1)
        between = [self._names[index] for index in self._labelled[first:last]]
        content = [left, right, self._whole, [(name, self.digests[name]) for name in between]]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_LENGTH]

    def holds(self, record: FrameRecord) -> bool:
        """Whether a frame would be made from the same labels again; True of those that did not decode."""
        if record.frame in self._masks.files:
            return record.status is FrameStatus.GIVEN and record.basis == self.of(
                record.frame, record.frame, record.frame
            )
        if record.status is not FrameStatus.GENERATED:
            return record.status is FrameStatus.SKIPPED
        names = (record.frame, record.left, record.right)
        known = all(not name or name in self._place for name in names)
        return known and record.basis == self.of(*names)

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """What says all of the mask of each labelled frame: its content, and how that is read."""
        ways = self._masks.ways
        return {name: file_sha256(file) + ways.get(name, "") for name, file in self._masks.files.items()}

    @cached_property
    def _labelled(self) -> list[int]:
        return sorted(self._place[name] for name in self._masks.files)

    @cached_property
    def _whole(self) -> list[object]:
        """What concerns every frame: how labels are written, and the objects, whose number rounds sums."""
        return [self._masks.encoding.digest, *self._masks.object_ids]
