"""Order of samples, splits over processes, learning rates over steps."""
