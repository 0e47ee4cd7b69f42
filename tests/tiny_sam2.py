"""A SAM 2 video of chance weights, as a folder of the `transformers` library; made here, in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

SIZE = 64  # of the network's square; its logits are a quarter of that


def write_tiny_sam2(folder: Path, *, seed: int = 0, there: float = 3.0, **changes: Any) -> Path:
    """Write one; skips where the library is not installed.

    Args:
        folder: made if missing.
        seed: of the weights.
        there: added to what it says of an object's being there; 3 makes it say so, -9 denies it.
        changes: of the Sam2VideoConfig.
    """
    transformers = pytest.importorskip("transformers", reason="needs transformers, the extra sam2")
    transformers.utils.logging.disable_progress_bar()
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "image_size": [SIZE, SIZE],
        "window_positional_embedding_background_size": [4, 4],
        "embed_dim_per_stage": [8, 16, 32, 64],
        "blocks_per_stage": [1, 1, 2, 1],
        "num_attention_heads_per_stage": [1, 1, 1, 1],
        "window_size_per_stage": [8, 4, 4, 2],
        "global_attention_blocks": [3],
    }
    sizes = [[SIZE // 4] * 2, [SIZE // 8] * 2, [SIZE // 16] * 2]
    config = transformers.Sam2VideoConfig(
        vision_config={
            "model_type": "sam2_vision_model",
            "backbone_config": backbone,
            "backbone_channel_list": [64, 32, 16, 8],
            "backbone_feature_sizes": sizes,
            "fpn_hidden_size": 128,
        },
        prompt_encoder_config={"hidden_size": 128, "image_size": SIZE, "mask_input_channels": 4},
        mask_decoder_config={"hidden_size": 128, "mlp_dim": 32, "iou_head_hidden_dim": 16},
        **{
            "image_size": SIZE,
            "memory_attention_hidden_size": 128,
            "memory_attention_num_layers": 1,
            "memory_attention_feed_forward_hidden_size": 32,
            "memory_attention_rope_feat_sizes": sizes[-1],
            "memory_encoder_hidden_size": 128,
            "mask_downsampler_embed_dim": 128,
            "memory_fuser_embed_dim": 128,
            "memory_fuser_intermediate_dim": 32,
            "memory_fuser_num_layers": 1,
            **changes,
        },
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = transformers.Sam2VideoModel(config)
        for parameter in network.parameters():  # many begin as 0 or 1, and would hide what they do
            parameter.data += 0.1 * torch.randn(parameter.shape)
    network.mask_decoder.pred_obj_score_head.proj_out.bias.data += there
    network.save_pretrained(folder)
    square = {"height": SIZE, "width": SIZE}
    images = transformers.Sam2ImageProcessor(size=square, mask_size={"height": 16, "width": 16})
    video = transformers.Sam2VideoVideoProcessor(size=square)
    transformers.Sam2VideoProcessor(images, video).save_pretrained(folder)
    return folder
