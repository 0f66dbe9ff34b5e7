"""Endpoints of the dashboard room."""
