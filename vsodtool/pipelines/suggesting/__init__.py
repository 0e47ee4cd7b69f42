"""Which frames to label: before anything is labelled, and next."""
