"""Pages of the programme office, and the place from which staff start."""
