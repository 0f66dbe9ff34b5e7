"""Tests that typeset need Pango: where it is missing they skip and say so, except in CI."""

import os

import pytest

from mooc_microcred.credentials.pdf.typesetting import pdf_available

needs_pango = pytest.mark.skipif(
    os.environ.get("CI") != "true" and not pdf_available(),
    reason="WeasyPrint finds no Pango: apt install libpango-1.0-0 libpangoft2-1.0-0",
)
