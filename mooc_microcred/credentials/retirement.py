"""What the credentials room does when a learner is retired, and what it holds of one."""

from __future__ import annotations

from typing import Any

from mooc_microcred.credentials import library
from mooc_microcred.credentials.models import Credential, CredentialDue, LearnerDid, SignedDocument


def forget_learner(learner_id: int) -> None:
    """Delete the learner's signed documents and choices. Idempotent.

    With the documents goes the salt, without which nobody can tell from the hash, in whatever copy
    of a database, whose e-mail address it was. The rows stay, without a name and private: status
    lists go on telling the truth about copies that the learner has given away.
    """
    mine = Credential.objects.filter(learner_id=learner_id)
    SignedDocument.objects.filter(credential__in=mine).delete()
    mine.update(visibility=Credential.Visibility.PRIVATE, name_choice="", shown_name="")
    LearnerDid.objects.filter(learner_id=learner_id).delete()
    CredentialDue.objects.filter(award__learner_id=learner_id).delete()


def export_learner(learner_id: int) -> dict[str, Any]:
    """Return what the room holds of a learner, for their right of access."""
    did = LearnerDid.objects.filter(learner_id=learner_id).first()
    mine = library.credentials_of_learner(learner_id=learner_id, superseded=True)
    return {
        "did": {"did": did.did, "proved_at": did.proved_at.isoformat()} if did else None,
        "credentials": [
            {
                "uuid": one.uuid,
                "achievement": one.achievement,
                "award": one.award_uuid,
                "state": one.state,
                "visibility": one.visibility,
                "name_choice": one.name_choice,
                "shown_name": one.shown_name,
                "document": None if one.erased else library.signed_document(uuid=one.uuid),
                "record": library.signed_document(uuid=one.uuid, record=True) if one.record else None,
            }
            for one in mine
        ],
    }
