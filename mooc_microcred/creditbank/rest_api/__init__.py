"""Endpoints of the creditbank room."""
