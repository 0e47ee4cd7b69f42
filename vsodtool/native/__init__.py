"""What is compiled when vsodtool is installed: loops for which torch and OpenCV are slow."""
