"""The only place where images, videos, masks, flow and checkpoints meet the disk."""
