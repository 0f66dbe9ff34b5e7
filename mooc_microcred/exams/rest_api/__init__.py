"""Endpoints of the exams room."""
