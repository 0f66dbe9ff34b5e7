"""Addresses below ``microcred/``: pages and documents that anybody reads."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
