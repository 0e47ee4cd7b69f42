"""Where training data comes from, what is wrong with it, and which part validates."""
