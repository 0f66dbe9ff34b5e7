"""Endpoints of the programs room."""
