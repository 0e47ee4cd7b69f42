"""SAM 2 video of the `transformers` library, as a stream with bounded memory."""
