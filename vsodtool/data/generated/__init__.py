"""A generated clip with known truth."""
