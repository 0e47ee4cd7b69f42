"""The mask over the video: each object tinted and outlined in its colour, in an mp4 that browsers play.

Each frame may say its name and how its mask came about, in a corner.
"""

from __future__ import annotations

import colorsys
import math
import platform
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import av
import av.video.stream
import cv2
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from PIL import Image, ImageDraw, ImageFont

from vsodtool.errors import DataError, DeviceError
from vsodtool.media.atomic import atomic_path, disk_error
from vsodtool.types import ImageArray, LabelArray, Size

Colour: TypeAlias = tuple[int, int, int]
ColourOf: TypeAlias = Callable[[int], Colour]

_TINT = 0.45
_SMALLEST_TEXT = 10  # pixels
_SQUARE = Fraction(1)
_LARGEST_ASPECT = 65535  # H.264 stores both numbers in 16 bits
_UNEVEN = 0.25  # of the time of a frame: times that stay nearer to a steady rate are one, rounded
_FINE = Fraction(1, 90000)  # seconds, for frames that come at other times; as in MPEG
_GOLDEN_TURN = 0.618033988749895  # successive hues never come close to each other
# Bright, far apart, and not the colours of skin, grass or sky.
_FIRST_COLOURS = (
    (255, 45, 85), (0, 200, 255), (255, 204, 0), (170, 70, 255), (60, 230, 60), (255, 130, 0), (0, 90, 255),
    (255, 100, 220), (0, 220, 170), (190, 255, 0), (165, 90, 40), (0, 110, 60),
)  # fmt: skip

# x264's AVX-512 code gives other bytes at every run for the same frames, its AVX2 code does not.
_SAME_BYTES = {"x264-params": "asm=avx2"} if platform.machine().lower() in ("x86_64", "amd64") else {}


def object_colour(object_id: int) -> Colour:
    """The RGB colour of an object, always the same; 0, the background, is black."""
    if object_id == 0:
        return (0, 0, 0)
    if object_id <= len(_FIRST_COLOURS):
        return _FIRST_COLOURS[object_id - 1]
    hue = object_id * _GOLDEN_TURN % 1
    red, green, blue = colorsys.hsv_to_rgb(
        hue, (1.0, 0.6, 0.8)[object_id % 3], (1.0, 1.0, 0.7)[object_id % 3]
    )
    return (round(255 * red), round(255 * green), round(255 * blue))


def blend(
    rgb: ImageArray, labels: LabelArray, contour: bool = True, colour_of: ColourOf = object_colour
) -> ImageArray:
    """The image with its objects tinted to 45 % and, if wanted, outlined just inside their borders.

    Args:
        rgb: uint8 (H, W, 3).
        labels: object ids (H, W), 0 = background, which stays as it is.
        contour: draw the outlines; they are about 1/480 of the shorter side wide, and at least one pixel.
        colour_of: RGB of each id above 0.

    Raises:
        DataError: the two differ in size.
    """
    if rgb.shape != (*labels.shape, 3):
        raise DataError(f"overlay: expected labels of size {rgb.shape[:2]}, found {labels.shape}")
    ids = labels.astype(np.uint16, copy=False)
    colours = _colour_table(int(ids.max(initial=0)).bit_length(), colour_of)[ids]
    owned = (ids > 0).astype(np.uint8)
    picture = rgb.copy()
    cv2.copyTo(cv2.addWeighted(rgb, 1 - _TINT, colours, _TINT, 0), owned, picture)
    if contour:
        width = max(1, round(min(ids.shape) / 480))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
        border = (cv2.dilate(ids, kernel) != cv2.erode(ids, kernel)).astype(np.uint8)
        cv2.copyTo(colours, owned & border, picture)
    return picture


@cache
def _colour_table(bits: int, colour_of: ColourOf) -> npt.NDArray[np.uint8]:
    return np.array([(0, 0, 0), *(colour_of(number) for number in range(1, 1 << bits))], np.uint8)


def write_caption(picture: ImageArray, text: str) -> ImageArray:
    """The picture with a line of text in its upper left corner; without, where it would not fit.

    Args:
        picture: uint8 (H, W, 3).
        text: one line.
    """
    height, width = picture.shape[:2]
    size = max(_SMALLEST_TEXT, height // 32)
    font = ImageFont.load_default(size)
    pad = size // 3
    left, top, right, bottom = font.getbbox(text)
    area = (round(right - left) + 2 * pad, round(bottom - top) + 2 * pad)
    if not text or area[0] > width or area[1] > height // 3:
        return picture
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, *area), fill=(0, 0, 0))
    pen.text((pad - left, pad - top), text, (255, 255, 255), font)
    return np.asarray(image, np.uint8)


class Clock:
    """When the frames of a video are shown.

    Frames that come at a steady rate are counted in it, others are shown at the times of the input.
    """

    def __init__(self, fps: float | Fraction, times: Sequence[Fraction] = ()) -> None:
        """Frames at `fps`, or at `times` (seconds by frame index) where those are another thing.

        Raises:
            DataError: the frame rate is not a number above zero.
        """
        if not (math.isfinite(fps) and fps > 0):
            raise DataError(f"overlay: expected a frame rate above 0, found {fps}")
        rate = Fraction(fps).limit_denominator(1001)  # 1001: 29.97 is 30000/1001
        self.rate = rate if rate > 0 else Fraction(1, 1001)
        steady = all(abs(time * self.rate - index) <= _UNEVEN for index, time in enumerate(times))
        self._times = () if steady else times
        self.time_base = _FINE if self._times else 1 / self.rate

    def at(self, index: int) -> int:
        """When a frame is shown, in units of `time_base`."""
        if not self._times:
            return index
        beyond = max(index - len(self._times) + 1, 0)
        return round((self._times[index - beyond] + beyond / self.rate) / self.time_base)


class OverlayWriter:
    """Writes the overlay of one video frame by frame: H.264, yuv420p, BT.709, index in front (+faststart).

    Memory does not grow with the number of frames. The file appears under its name at `close`; without
    frames there is none. As a context manager it closes after success and discards after an exception.
    """

    def __init__(
        self,
        path: Path,
        size: Size,
        clock: Clock | float | Fraction,
        pixel_aspect: Fraction = _SQUARE,
        colour_of: ColourOf = object_colour,
    ) -> None:
        """Prepare a video of `size` (H, W); odd sizes are padded by repeating the last row or column.

        Args:
            path: where it is to appear.
            size: (H, W) of the frames.
            clock: when they are shown, or their number per second.
            pixel_aspect: width of a pixel, as it is to be shown, by its height.
            colour_of: RGB of each id above 0.

        Raises:
            DataError: the frame rate is not a number above zero.
        """
        self._path = path
        self._size = size
        self._clock = clock if isinstance(clock, Clock) else Clock(clock)
        self._aspect = pixel_aspect
        self._colour_of = colour_of
        self._following = 0
        self._target: AbstractContextManager[Path] | None = None
        self._container: av.container.OutputContainer | None = None
        self._stream: av.video.stream.VideoStream | None = None

    def add(
        self,
        rgb: ImageArray,
        labels: LabelArray,
        contour: bool = True,
        index: int | None = None,
        caption: str = "",
    ) -> None:
        """Append one frame.

        Args:
            rgb: uint8 (H, W, 3).
            labels: object ids (H, W).
            contour: draw the outlines.
            index: of the frame in its video; the next if None. What is left out makes the one before longer.
            caption: what stands in its corner.

        Raises:
            DataError: the frame or the labels are not of the size of the video.
            DeviceError: the disk is full or not writable.
        """
        if rgb.shape[:2] != self._size:
            raise DataError(f"overlay {self._path}: expected a frame {self._size}, found {rgb.shape[:2]}")
        height, width = self._size
        drawn = write_caption(blend(rgb, labels, contour, self._colour_of), caption)
        picture = np.pad(drawn, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        # Said outright: left to guess, players take BT.601 for small pictures and BT.709 for large ones.
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
        index = self._following if index is None else index
        self._following = index + 1
        frame.pts, frame.time_base = self._clock.at(index), self._clock.time_base
        try:
            if self._stream is None:
                self._open()
            self._encode(frame)
        except FFmpegError as error:
            self._discard(error)
            raise self._disk_error(error) from error

    def close(self) -> None:
        """Finish the file and give it its name. Closing twice is harmless.

        Raises:
            DeviceError: the disk is full or not writable.
        """
        if self._target is None:
            return
        try:
            self._encode(None)
            if self._container is not None:
                self._container.close()
        except FFmpegError as error:
            self._discard(error)
            raise self._disk_error(error) from error
        target, self._target, self._container = self._target, None, None
        target.__exit__(None, None, None)

    def __enter__(self) -> OverlayWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._discard(error)

    def _open(self) -> None:
        self._target = atomic_path(self._path)
        temporary = self._target.__enter__()
        # `file:`, or FFmpeg takes what stands before a colon for a protocol.
        self._container = av.open(f"file:{temporary}", "w", format="mp4", options={"movflags": "+faststart"})
        try:
            stream = self._container.add_stream(
                "libx264", rate=self._clock.rate, options={"preset": "veryfast", "crf": "20", **_SAME_BYTES}
            )
        except (ValueError, LookupError) as error:
            self._discard(error)
            raise DeviceError(
                "this build of PyAV has no H.264 encoder (libx264)",
                "install the wheel of PyAV, or leave --overlay away",
            ) from error
        height, width = self._size
        stream.height, stream.width, stream.pix_fmt = height + height % 2, width + width % 2, "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = self._clock.time_base
        if self._aspect != 1:
            context.sample_aspect_ratio = self._aspect.limit_denominator(_LARGEST_ASPECT)
        context.gop_size = max(1, round(2 * self._clock.rate))  # players jump to key frames only
        context.color_range = context.colorspace = context.color_primaries = context.color_trc = (
            1  # MPEG, BT.709
        )
        context.thread_count = 1  # the bytes would depend on their number
        self._stream = stream

    def _encode(self, frame: av.VideoFrame | None) -> None:
        if self._container is not None and self._stream is not None:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)

    def _discard(self, error: BaseException) -> None:
        target, self._target = self._target, None
        container, self._container = self._container, None
        self._stream = None
        if container is not None:
            with suppress(FFmpegError):  # it cannot finish the file, which is the error being reported
                container.close()
        if target is not None:
            with suppress(type(error)):
                target.__exit__(type(error), error, error.__traceback__)

    def _disk_error(self, error: FFmpegError) -> DeviceError:
        return disk_error(OSError(error.errno, error.strerror), self._path)
