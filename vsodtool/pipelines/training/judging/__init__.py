"""How good a network in training is: validation, what may be said of it, what it looks like."""
