"""Motion as the networks see it: layout, averages, maps without the camera."""
