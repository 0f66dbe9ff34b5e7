"""The public pages of awards."""

from __future__ import annotations

from collections.abc import Collection

from django.core.exceptions import ImproperlyConfigured

from mooc_microcred.credentials import api as credentials


def public_urls(award_uuids: Collection[str], *, to_others: bool = False) -> dict[str, str]:
    """Return the addresses by which awards are verified, where there are some; one read for all.

    Args:
        to_others: only those that others than the learner can open.
    """
    if not award_uuids:
        return {}
    try:
        return credentials.public_urls(award_uuids=award_uuids, to_others=to_others)
    except ImproperlyConfigured:
        # Without PUBLIC_URL nothing is issued either; what was earned is shown all the same.
        return {}
