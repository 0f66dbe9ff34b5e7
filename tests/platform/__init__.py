"""The suite inside a real edx-platform: see README.md for how to run it."""
