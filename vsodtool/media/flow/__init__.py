"""Flow files and flow as a picture."""
