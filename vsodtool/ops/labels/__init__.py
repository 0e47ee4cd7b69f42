"""From warped labels, looks and motion to one label of a frame."""
