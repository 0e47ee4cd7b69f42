"""Which frames to label: spacing, reach of labels, sharpness, expected gain."""
