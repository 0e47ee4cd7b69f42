"""Frames in: video files, folders of frames, what a video file says about itself; overlays out."""
