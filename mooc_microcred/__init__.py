"""Micro-credentials for Open edX: the domain, a plain Django app."""

__version__ = "0.1.0"
