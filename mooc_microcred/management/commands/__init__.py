"""The commands, found by Django under their file names."""
