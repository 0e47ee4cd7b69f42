"""Which method a video, or an object of it, gets: tried on labels that are hidden."""
