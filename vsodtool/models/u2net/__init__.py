"""U²-Net: salient objects in single pictures, by their looks."""
