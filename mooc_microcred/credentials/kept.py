"""Signed documents as they are kept, byte for byte as they were signed, many by one query."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mooc_microcred.credentials.models import SignedDocument
from mooc_microcred.credentials.storing import unpack

Kind = SignedDocument.Kind


def kept_documents(*, uuids: Collection[str], kind: str = Kind.CREDENTIAL) -> Mapping[str, bytes]:
    """Return the signed documents of credentials, JSON in UTF-8, by uuid; what there is not is left out.

    Args:
        uuids: of credentials, at most a few thousand.
        kind: ``credential``, or ``record`` for the learner records of programmes.
    """
    rows = SignedDocument.objects.filter(credential__uuid__in=uuids, kind=kind)
    found = rows.values_list("credential__uuid", "body", "dictionary_id")
    return {uuid: unpack(packed, dictionary) for uuid, packed, dictionary in found}
