"""Where meanings were looked for before encodings had modules for detecting and decoding; see `meaning`."""

from __future__ import annotations

from vsodtool.media.masks.meaning import VOID, Meaning

__all__ = ["VOID", "Meaning"]
