"""SAM 2 video follows objects from one mask each, frame by frame; its memory does not grow with the video.

Ravi et al., "SAM 2: Segment Anything in Images and Videos", arXiv 2408.00714, in the implementation of the
`transformers` library (Sam2VideoModel, Sam2VideoProcessor). What the library computes is left as it is.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vsodtool.types import ImageArray

_FIRST = 0  # the labelled frame, in the count of a track


class Sighting(NamedTuple):
    """What the network sees of the objects in a frame, as the library gives it.

    Attributes:
        logits: of each object (O, 1, h, w), float32, at a quarter of the network's size.
        scores: of each object, the logit of its being in the frame (O, 1).
    """

    logits: Tensor
    scores: Tensor


class Sam2Tracker:
    """The network and its processor; several threads may follow different tracks at once."""

    def __init__(self, network: Any, processor: Any, *, device: torch.device) -> None:
        """Take over what `media.weights.pretrained.read_sam2` read.

        Args:
            network: a Sam2VideoModel; moved and changed.
            processor: a Sam2VideoProcessor.
            device: that computes, in float32.
        """
        self.network = network.eval().requires_grad_(False).to(device)
        self.processor, self.device = processor, device
        config = network.config
        # The memory attention looks back at so many frames, and at the pointers of so many.
        self.remembered = max(int(config.num_maskmem), int(config.max_object_pointers_in_encoder)) - 1
        # A GPU gains nothing from several threads.
        self.turn = nullcontext() if device.type == "cpu" else threading.Lock()

    def follow(self, masks: Tensor) -> Sam2Track:
        """Begin with the masks of a labelled frame.

        Args:
            masks: (O, H, W), true where the object is; each shows something, O is at least 1.
        """
        return Sam2Track(self, masks)


class Sam2Track:
    """Objects on their way from a labelled frame, forwards or backwards in time alike.

    Backwards is a video that is played backwards: the library's `reverse` computes the same.
    """

    def __init__(self, tracker: Sam2Tracker, masks: Tensor) -> None:
        self._tracker, self._masks = tracker, masks
        self._session = tracker.processor.init_video_session(
            inference_device=tracker.device, dtype=torch.float32
        )
        self._position = _FIRST

    def see(self, rgb: ImageArray) -> Sighting:
        """The next frame, uint8 (H, W, 3); the first one is the labelled frame."""
        tracker, session, position = self._tracker, self._session, self._position
        images = tracker.processor(images=rgb, input_data_format="channels_last", return_tensors="pt")
        with tracker.turn:
            if position == _FIRST:
                tracker.processor.add_inputs_to_inference_session(
                    session,
                    frame_idx=_FIRST,
                    obj_ids=list(range(len(self._masks))),
                    input_masks=list(self._masks),
                )
            seen = tracker.network(
                inference_session=session, frame=images["pixel_values"][0], frame_idx=position
            )
        self._position += 1
        self._forget()
        count = len(self._masks)
        return Sighting(seen.pred_masks.view(count, 1, *seen.pred_masks.shape[-2:]), seen.object_score_logits)

    @property
    def frames_held(self) -> int:
        """How many frames the session holds anything of, the labelled one included."""
        session = self._session
        parts = [session.processed_frames or {}, *session.frames_tracked_per_obj.values()]
        parts += [kept for outputs in session.output_dict_per_obj.values() for kept in outputs.values()]
        return len(set[int]().union(*parts))

    def _forget(self) -> None:
        """Drop what no later frame looks at: the library keeps everything of every frame."""
        session, oldest = self._session, self._position - self._tracker.remembered
        session.processed_frames.clear()
        for inputs in session.mask_inputs_per_obj.values():
            inputs.clear()
        for tracked in session.frames_tracked_per_obj.values():
            tracked.clear()
        for outputs in session.output_dict_per_obj.values():
            old = outputs["non_cond_frame_outputs"]
            for position in [at for at in old if at < oldest]:
                del old[position]
            for kept in outputs.values():
                for output in kept.values():  # seen already; the memory is of other tensors
                    output.pop("high_res_masks", None)
                    output.pop("pred_masks", None)
