"""Certificates as PDF: typeset by WeasyPrint where the extra ``[pdf]`` is installed."""
