"""A long generated video with masks, for the benchmarks of speed and memory.

    python benchmarks/long_video.py OUT --frames N [--labels every10|ends] [--height 480 --width 854]

Writes OUT/long.mp4 and OUT/masks/<index>.png. The generated clip is played forwards and backwards, so that
motion never jumps.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
import numpy as np

from vsodtool.data.generated.clip import ClipConfig, generate_clip
from vsodtool.media.images import write_png

PERIOD = 96  # frames of the clip before it turns round


def main() -> None:
    """Render, encode, write masks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("output", type=Path)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--labels", choices=["every10", "ends"], default="every10")
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--width", type=int, default=854)
    arguments = parser.parse_args()
    if arguments.height % 2 or arguments.width % 2:
        parser.error("the codec needs an even height and width")
    count = arguments.frames
    length = min(PERIOD, count)
    clip = generate_clip(ClipConfig(frames=length, height=arguments.height, width=arguments.width))
    arguments.output.mkdir(parents=True, exist_ok=True)
    with av.open(str(arguments.output / "long.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = arguments.width, arguments.height, "yuv420p"
        for index in range(count):
            picture = av.VideoFrame.from_ndarray(clip.frames[_place(index, length)], format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    labelled = {0, count - 1} if arguments.labels == "ends" else {*range(0, count, 10), count - 1}
    for index in sorted(labelled):
        mask = clip.masks[_place(index, length)].astype(np.uint8) * 255
        write_png(arguments.output / "masks" / f"{index:06d}.png", mask)


def _place(index: int, length: int) -> int:
    """Forwards, then backwards, and so on."""
    turn = max(2 * length - 2, 1)
    place = index % turn
    return place if place < length else turn - place


if __name__ == "__main__":
    main()
