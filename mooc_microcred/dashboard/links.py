"""The public pages of awards."""

from __future__ import annotations

from collections.abc import Collection


def public_urls(award_uuids: Collection[str]) -> dict[str, str]:
    """Return the addresses by which others verify awards, where there are some; one read for all."""
    return {}
