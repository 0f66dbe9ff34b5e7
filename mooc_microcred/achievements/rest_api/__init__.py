"""Endpoints of the achievements room."""
