"""How many threads OpenCV uses."""

from __future__ import annotations

import cv2


def use_one_thread() -> None:
    """For this process: no threads inside OpenCV. For processes that work side by side."""
    cv2.setNumThreads(0)
