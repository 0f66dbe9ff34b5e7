"""Endpoints of the reporting room."""
