"""The folder of a training run: files, log, options, TensorBoard."""
