"""Optical flow on the disk: Middlebury .flo, KITTI 16-bit PNG, NumPy .npz.

A flow is float32 (H, W, 2) in pixels, channel 0 right, channel 1 down. A vector with a NaN or an infinity is
unknown; what a format has for "unknown" is read back as NaN in both channels.

    flo     float32, little-endian; unknown is 1e10, as in the Middlebury code        exact
    png     16 bit per channel, 64 steps per pixel; see `write_flow`                  within 1/128 pixel
    npz     the array under the key "flow", as it is                                  exact
"""

from __future__ import annotations

import io
import struct
import threading
import zipfile
import zlib
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError, UsageError
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.regular_file import read_regular

FlowArray: TypeAlias = npt.NDArray[np.float32]  # (H, W, 2)

FLOW_FORMATS = ("flo", "png", "npz")

_FLO_MAGIC = b"PIEH"
_FLO_UNKNOWN = np.float32(1e10)
_FLO_LARGEST = 1e9  # Middlebury: anything beyond is unknown
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADERS = (
    threading.Lock()
)  # two threads that parse them at once end, rarely, in a SystemError of Python 3.11
_HINT = "the file may be truncated; compute the flow again"


def write_flow(path: Path, flow: FlowArray, format: str) -> None:
    """Write one flow field, atomically.

    KITTI PNG: R = u * 64 + 2^15, G = v * 64 + 2^15 (rounded), B = 1 where valid. A vector that does not fit
    (below -512 or from about 512 pixels on) or is unknown becomes invalid: all three channels 0.

    Args:
        path: of the file; its suffix is not looked at.
        flow: (H, W, 2), pixels.
        format: "flo", "png" or "npz".

    Raises:
        UsageError: the format is none of these.
        DataError: `flow` is of another shape, or empty.
        DeviceError: the file cannot be written.
    """
    if flow.ndim != 3 or flow.shape[2] != 2 or 0 in flow.shape:
        raise DataError(f"flow for {path}: expected an array (H, W, 2), found {flow.shape}")
    encoders = {"flo": _encode_flo, "png": _encode_png, "npz": _encode_npz}
    if format not in encoders:
        raise UsageError(f"unknown flow format '{format}'", f"choose one of {', '.join(FLOW_FORMATS)}")
    write_bytes_atomically(path, encoders[format](flow.astype(np.float32, copy=False)))


def read_flow(path: Path) -> FlowArray:
    """Read a flow field in the format that the suffix says; unknown vectors are NaN.

    Raises:
        DataError: the file is missing, truncated, damaged, or of another format.
    """
    decoders = {".flo": _decode_flo, ".png": _decode_png, ".npz": _decode_npz}
    decode = decoders.get(path.suffix.lower())
    if decode is None:
        raise DataError(f"{path}: not a flow file", f"expected one of {', '.join(decoders)}")
    try:
        data = read_regular(path)
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror}", "check the path and its permissions"
        ) from error
    return decode(path, data)


def _encode_flo(flow: FlowArray) -> bytes:
    height, width = flow.shape[:2]
    known = np.isfinite(flow).all(axis=2, keepdims=True)
    values = np.where(known, flow, _FLO_UNKNOWN).astype("<f4")
    return _FLO_MAGIC + struct.pack("<ii", width, height) + values.tobytes()


def _decode_flo(path: Path, data: bytes) -> FlowArray:
    if data[:4] != _FLO_MAGIC or len(data) < 12:
        raise DataError(f"{path}: expected a .flo file beginning with PIEH, found {data[:4]!r}", _HINT)
    width, height = struct.unpack("<ii", data[4:12])
    if width < 1 or height < 1 or len(data) != 12 + 8 * width * height:
        expected = f"{12 + 8 * width * height} bytes for {width}x{height}"
        raise DataError(f"{path}: expected {expected}, found {len(data)}", _HINT)
    flow = np.frombuffer(data, "<f4", offset=12).astype(np.float32).reshape(height, width, 2)
    known = (np.abs(flow) <= _FLO_LARGEST).all(axis=2, keepdims=True)
    return np.where(known, flow, np.float32(np.nan))


def _encode_png(flow: FlowArray) -> bytes:
    with np.errstate(invalid="ignore", over="ignore"):
        # Rounded before the large number is added: float32 has no digits left for the fraction then.
        steps = np.rint(flow * np.float32(64)) + np.float32(32768)
        valid = ((steps >= 0) & (steps <= 65535)).all(axis=2)
    rgb = np.zeros((*flow.shape[:2], 3), np.uint16)
    rgb[..., :2] = np.where(valid[..., None], steps, 0)
    rgb[..., 2] = valid
    # cv2 wants blue first. One step of compression: at the higher ones zlib takes longer than the flow does.
    done, encoded = cv2.imencode(".png", rgb[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise DataError(f"a flow of {flow.shape[1]}x{flow.shape[0]} pixels does not fit into a PNG")
    return encoded.tobytes()


def _decode_png(path: Path, data: bytes) -> FlowArray:
    _check_png(path, data)
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if bgr is None:
        raise DataError(f"{path}: the PNG does not decode", _HINT)
    if bgr.dtype != np.uint16 or bgr.ndim != 3 or bgr.shape[2] != 3:
        channels = 1 if bgr.ndim == 2 else bgr.shape[2]
        found = f"{8 * bgr.dtype.itemsize} bit with {channels}"
        raise DataError(
            f"{path}: expected a PNG of 16 bit with 3 channels, found {found}", "is it a flow file?"
        )
    flow = (bgr[..., :0:-1].astype(np.float32) - np.float32(32768)) / np.float32(64)
    return np.where(bgr[..., :1] > 0, flow, np.float32(np.nan))


def _check_png(path: Path, data: bytes) -> None:
    """Refuse a PNG with a damaged or missing chunk: decoders silently fill in zeros."""
    if not data.startswith(_PNG_SIGNATURE):
        raise DataError(f"{path}: not a PNG", _HINT)
    position = len(_PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            break
        checksum = struct.unpack_from(">I", data, end - 4)[0]
        if zlib.crc32(data[position + 4 : end - 4]) != checksum:
            raise DataError(
                f"{path}: the PNG is damaged (checksum of {kind.decode('ascii', 'replace')})", _HINT
            )
        if kind == b"IEND":
            return
        position = end
    raise DataError(f"{path}: the PNG ends too early, after {len(data)} bytes", _HINT)


def _encode_npz(flow: FlowArray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, flow=flow)
    return buffer.getvalue()


def _decode_npz(path: Path, data: bytes) -> FlowArray:
    try:
        with _HEADERS, np.load(io.BytesIO(data), allow_pickle=False) as archive:
            flow = archive["flow"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, TypeError) as error:
        raise DataError(f"{path}: expected an .npz file with the array 'flow': {error}", _HINT) from error
    if flow.ndim != 3 or flow.shape[2] != 2 or flow.dtype.kind not in "fiu":
        raise DataError(
            f"{path}: expected numbers (H, W, 2), found {flow.dtype} {flow.shape}", "is it a flow file?"
        )
    values: FlowArray = flow.astype(np.float32)
    known = np.isfinite(values).all(axis=2, keepdims=True)
    return np.where(known, values, np.float32(np.nan))
