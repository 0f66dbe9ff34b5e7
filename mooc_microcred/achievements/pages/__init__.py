"""Pages of the programme officer about awards and re-runs."""
