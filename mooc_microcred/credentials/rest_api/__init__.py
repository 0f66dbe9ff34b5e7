"""Endpoints of the credentials room."""
