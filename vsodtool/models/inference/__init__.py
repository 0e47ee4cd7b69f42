"""Networks made ready for use: precision, folding and faster equal forms."""
