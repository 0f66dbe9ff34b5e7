"""The audit log in words. What has none is shown by its code, so that nothing is ever left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from mooc_microcred.core.models import OutboxMessage

ACTIONS: dict[str, Any] = {
    "award.corrected": _("award: allowed to be earned again"),
    "award.reinstated": _("award: reinstated"),
    "award.revoked": _("award: revoked"),
    "award.suspended": _("award: suspended"),
    "certificate.allowlisted": _("course certificate: put on the list of exceptions"),
    "competency.criteria": _("competency: rule of mastery changed"),
    "consent.given": _("consent: given"),
    "consent.withdrawn": _("consent: withdrawn"),
    "credential.shared": _("credential: who may see it was changed"),
    "delivery.replayed": _("delivery to a bank: replayed"),
    "did.forgotten": _("wallet of a learner: forgotten"),
    "did.proved": _("wallet of a learner: proved"),
    "endorsement.made": _("endorsement: made"),
    "endorsement.withdrawn": _("endorsement: withdrawn"),
    "exam.admitted": _("exam: candidates admitted"),
    "exam.candidates_listed": _("exam: list of candidates downloaded"),
    "exam_batch.cancelled": _("batch of results: cancelled"),
    "exam_batch.imported": _("batch of results: imported"),
    "exam_batch.released": _("batch of results: released"),
    "exam_batch.signed": _("batch of results: signed"),
    "exam_batch.superseded": _("batch of results: superseded"),
    "exam_batch.uploaded": _("batch of results: uploaded"),
    "framework.draft": _("competency framework: taken back to a draft"),
    "framework.import": _("competency framework: imported"),
    "framework.published": _("competency framework: published"),
    "framework.retired": _("competency framework: retired"),
    "framework.taxonomy": _("competency framework: taxonomy made"),
    "framework.taxonomy_linked": _("competency framework: taxonomy linked"),
    "identity.recorded": _("identity: document recorded"),
    "identity.reencrypt": _("identities: encrypted anew"),
    "identity.rehash": _("identities: fingerprints made anew"),
    "issuer.added": _("issuer: added"),
    "issuer.changed": _("issuer: changed"),
    "issuer_key.created": _("key of an issuer: made"),
    "issuer_key.reencrypted": _("key of an issuer: encrypted anew"),
    "issuer_key.rotated": _("key of an issuer: replaced"),
    "learner.exported": _("learner: data exported"),
    "learner.retired": _("learner: data erased"),
    "outbox.replay": _("messages: handed on again"),
    "picture.uploaded": _("picture of an issuer: uploaded"),
    "role.changed": _("role: changed"),
    "role.granted": _("role: granted"),
    "role.withdrawn": _("role: withdrawn"),
    "run.adopted": _("re-run: adopted"),
    "run.declined": _("re-run: declined"),
    "template.set": _("certificate template: set"),
    "version.activated": _("definition: brought into force"),
    "version.created": _("definition: written"),
    "version.replaced": _("definition: draft replaced"),
    "version.retired": _("definition: retired"),
}

OBJECTS: dict[str, Any] = {
    "achievement": _("achievement"),
    "achievement_version": _("definition"),
    "award": _("award"),
    "consent": _("consent"),
    "course": _("course"),
    "credential": _("credential"),
    "delivery": _("delivery to a bank"),
    "exam": _("exam"),
    "exam_batch": _("batch of results"),
    "framework": _("competency framework"),
    "issuer": _("issuer"),
    "issuer_key": _("key of an issuer"),
    "learner": _("learner"),
    "learner_identity": _("learner identity"),
    "outbox_message": _("outbox message"),
    "picture": _("picture"),
    "staff_role": _("staff role"),
}

_SUBSCRIBERS: dict[str, Any] = {
    "credentials.issue": _("making the signed credential"),
    "credentials.status": _("writing the status of the credential"),
    "creditbank": _("preparing what credit banks are told"),
    "exams.queue_learners": _("judging the learners of released results"),
    "achievements.offer_run": _("offering a re-run for adoption"),
    "achievements.feed_criteria": _("judging learners after a rule of mastery changed"),
    "achievements.evaluate_demonstrated": _("judging a learner who demonstrated competencies"),
    "events.award": _("telling other parts of the platform about an award"),
    "events.badge": _("telling other parts of the platform about a badge"),
    "events.credit": _("telling other parts of the platform about a deposit"),
    "achievements.feed_course": _("judging learners after tags changed"),
    "core.retire_learner": _("erasing the data of a learner who left"),
}


_DETAILS: dict[str, Any] = {
    "bank": _("credit bank"),
    "changed": _("changed"),
    "code": _("code"),
    "colour": _("colour"),
    "count": _("how many"),
    "course_key": _("course run"),
    "endorsement": _("endorsement"),
    "endorser": _("endorser"),
    "error": _("error"),
    "first": _("from number"),
    "ids": _("ids"),
    "item": _("competency"),
    "key": _("key"),
    "kind": _("kind"),
    "language": _("language"),
    "last": _("to number"),
    "learner": _("learner"),
    "moved": _("moved"),
    "name": _("how the name is shown"),
    "new": _("new"),
    "number": _("version"),
    "only_right_rows": _("only the right rows"),
    "public_key": _("public key"),
    "purpose": _("purpose"),
    "record": _("credit record"),
    "refusal": _("why it was refused"),
    "retired": _("retired"),
    "returned": _("back in force"),
    "role": _("role"),
    "rows": _("rows"),
    "same_bytes": _("the same message again"),
    "sha256": "SHA-256",
    "signatories": _("signatories"),
    "tags": _("tags"),
    "taxonomy": _("taxonomy"),
    "text_version": _("version of the text"),
    "user": _("user"),
    "verified_by": _("who vouches for it"),
    "visibility": _("who may see it"),
    "wrong": _("wrong rows"),
}


def describe_action(action: str) -> str:
    """Return what was done, in the reader's language; an unknown code as it is."""
    return str(ACTIONS.get(action, action))


def describe_object(object_type: str) -> str:
    """Return what it was done to, in the reader's language; an unknown code as it is."""
    return str(OBJECTS.get(object_type, object_type))


def describe_details(details: Mapping[str, Any]) -> str:
    """Return the ids and codes of a line: ``credit bank: central, the same message again: yes``."""
    return ", ".join(
        f"{_DETAILS.get(name, name)}: {_value(value)}"
        for name, value in details.items()
        if value not in (None, "", [])
    )


def _value(value: Any) -> str:
    """Return ids, codes and numbers as they are; of what programs write, the words for people."""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)


def describe_failure(message: OutboxMessage) -> str:
    """Return why a message could not be handed on, in one sentence without the error's own words."""
    subscriber, __, error = message.last_error.partition(": ")
    doing = _SUBSCRIBERS.get(subscriber, subscriber)
    if not subscriber:
        return str(_("It could not be handed on. Tell the operator."))
    if error in ("PlatformUnavailable", "OperationalError", "InterfaceError"):
        text = _("%(doing)s failed, because the platform or the database was away. Replay it.")
    elif error in ("LeaseBusy", "LeaseLost"):
        text = _("%(doing)s failed, because the learner's awards were being worked on. Replay it.")
    else:
        text = _("%(doing)s failed (%(error)s). Tell the operator; replay it when the cause is mended.")
    sentence = str(text) % {"doing": doing, "error": error}
    return sentence[:1].upper() + sentence[1:]
