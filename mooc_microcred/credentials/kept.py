"""Signed documents as they are kept, byte for byte as they were signed, many by two queries."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mooc_microcred.credentials.models import DocumentDictionary, SignedDocument
from mooc_microcred.credentials.storing import expand

Kind = SignedDocument.Kind


def kept_documents(*, uuids: Collection[str], kind: str = Kind.CREDENTIAL) -> Mapping[str, bytes]:
    """Return the signed documents of credentials, JSON in UTF-8, by uuid; what there is not is left out.

    Args:
        uuids: of credentials, at most a few thousand.
        kind: ``credential``, or ``record`` for the learner records of programmes.
    """
    rows = SignedDocument.objects.filter(credential__uuid__in=uuids, kind=kind)
    found = list(rows.values_list("credential__uuid", "body", "dictionary_id"))
    texts = DocumentDictionary.objects.filter(pk__in={dictionary for _uuid, _packed, dictionary in found})
    contents = {pk: bytes(content) for pk, content in texts.values_list("pk", "content")}
    return {uuid: expand(bytes(packed), contents.get(dictionary, b"")) for uuid, packed, dictionary in found}
