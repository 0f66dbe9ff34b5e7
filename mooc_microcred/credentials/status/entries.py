"""What a credential says about where its status is told.

Three entries stand in ``credentialStatus``, each with the ``id`` that Open Badges 3.0 requires (a
Bitstring entry's must differ from its list's address). The revocation bit comes first, since there
are verifiers that look at the first entry only; the 1EdTech list comes last, for verifiers that
know no other method. See ADR 0018.
"""

from __future__ import annotations

REVOCATION = "revocation"
SUSPENSION = "suspension"
PURPOSES = (REVOCATION, SUSPENSION)

BITSTRING_ENTRY = "BitstringStatusListEntry"
REVOCATION_LIST = "1EdTechRevocationList"


def status_entries(*, lists_url: str, revocations_url: str, index: int) -> list[dict[str, str]]:
    """Return the ``credentialStatus`` of a credential that is to be signed.

    Args:
        lists_url: address of the status list without purpose, such as ``https://…/microcred/status/<list>``.
        revocations_url: address of the issuer's 1EdTechRevocationList.
        index: the credential's place in the list.
    """
    return [
        *(
            {
                "id": f"{lists_url}/{purpose}#{index}",
                "type": BITSTRING_ENTRY,
                "statusPurpose": purpose,
                "statusListIndex": str(index),
                "statusListCredential": f"{lists_url}/{purpose}",
            }
            for purpose in PURPOSES
        ),
        {"id": revocations_url, "type": REVOCATION_LIST},
    ]
