"""Weight files: safetensors, checkpoints, pickles read without running them."""
