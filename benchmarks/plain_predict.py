"""The yardstick of predict.py: the same network as a paper's code would run it, files in to files out.

    python benchmarks/plain_predict.py WEIGHTS INPUT OUT [--clip-length 4] [--clips N]

Frame by frame in float32 through encoder and decoder, the N x N attention of the non-local blocks formed,
three convolutions a step in the GRUs, nothing folded, nothing beside the network. Prints one JSON object:
frames, seconds of the loop (network and everything around it), seconds of the network alone.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from torch import Tensor

from vsodtool.media.images import write_png
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.models.rcrnet.video import ConvGru, NonLocalBlock, VideoRcrNet
from vsodtool.ops.network_image import to_frame_size, to_network_image
from vsodtool.pipelines.networks.load import load_network


def plain_non_local(block: NonLocalBlock, frames: Tensor) -> Tensor:
    """x + W(y), y = (theta^T phi / N) g with the N x N product formed; (T, C, h, w)."""
    video = frames.transpose(0, 1)[None]  # (1, C, T, h, w)
    theta, phi, g = (part(video).flatten(2) for part in (block.theta, block.phi, block.g))
    attention = theta.transpose(1, 2) @ phi / phi.shape[-1]
    y = (attention @ g.transpose(1, 2)).transpose(1, 2)
    related = block.W(y.view(1, -1, *video.shape[2:])) + video
    return related[0].transpose(0, 1)


def plain_gru(gru: ConvGru, inputs: list[Tensor], state: Tensor) -> list[Tensor]:
    """Each step (1, C, h, w) through three convolutions of [x, h]."""
    states = []
    for x in inputs:
        both = torch.cat((x, state), dim=1)
        reset, update = torch.sigmoid(gru.reset_gate(both)), torch.sigmoid(gru.update_gate(both))
        candidate = torch.tanh(gru.output_gate(torch.cat((x, reset * state), dim=1)))
        state = (1 - update) * candidate + update * state
        states.append(state)
    return states


def plain_clip(network: VideoRcrNet, images: list[Tensor]) -> list[Tensor]:
    """Logits of the frames of one clip, each (1, 3, S, S) -> (1, 1, S, S)."""
    features = [network.encode(image) for image in images]
    related = plain_non_local(network.ner.before, torch.cat([frame.context for frame in features])).split(1)
    onward = plain_gru(network.ner.forward_gru, list(related), related[0])
    backward = plain_gru(network.ner.backward_gru, onward[::-1], onward[-1])[::-1]
    joined = [
        torch.tanh(network.ner.join(torch.cat(pair, dim=1))) for pair in zip(onward, backward, strict=True)
    ]
    contexts = plain_non_local(network.ner.after, torch.cat(joined)).split(1)
    return [network.decode(frame, context) for frame, context in zip(features, contexts, strict=True)]


@torch.inference_mode()
def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights")
    parser.add_argument("input")
    parser.add_argument("output", type=Path)
    parser.add_argument("--clip-length", type=int, default=4)
    parser.add_argument("--clips", type=int, default=4)
    arguments = parser.parse_args()
    loaded = load_network(arguments.weights, ("video",))
    network, preprocessing = loaded.network, loaded.preprocessing
    assert isinstance(network, VideoRcrNet)
    source = open_frames(discover_videos([arguments.input])[0])
    clip, names, done, inside = [], [], 0, 0.0
    start = time.perf_counter()
    for frame in source:
        image = to_network_image(frame.rgb, preprocessing.size)[None].float() / 255
        clip.append(preprocessing.normalise(image))
        names.append(frame.name)
        if len(clip) < arguments.clip_length:
            continue
        before = time.perf_counter()
        maps = plain_clip(network, clip)
        inside += time.perf_counter() - before
        for name, logits in zip(names, maps, strict=True):
            soft = to_frame_size(torch.sigmoid(logits), source.size)[0, 0]
            write_png(arguments.output / f"{name}.png", (soft * 255).round().to(torch.uint8).numpy())
        done += len(clip)
        clip, names = [], []
        if done >= arguments.clips * arguments.clip_length:
            break
    seconds = time.perf_counter() - start
    print(json.dumps({"frames": done, "seconds": seconds, "network_seconds": inside}))


if __name__ == "__main__":
    main()
