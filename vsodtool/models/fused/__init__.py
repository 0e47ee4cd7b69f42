"""RCRNet+NER with a second opinion: what U²-Net makes of the looks of a frame."""
