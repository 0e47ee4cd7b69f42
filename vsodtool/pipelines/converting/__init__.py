"""Labels into other formats: what OUT folders hold, and how files are written."""
