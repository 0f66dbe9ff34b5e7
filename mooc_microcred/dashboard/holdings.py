"""What is held of a learner and for how long, what was sent of it, and what was done with it.

Read only, for the learner themselves. Members of staff are told of by their role and organisation, never
by name: who it was, the audit log of the organisation knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import Award, AwardEvent
from mooc_microcred.competencies.models import Mastery
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.models import AuditEntry, LearnerIdentity
from mooc_microcred.core.texts import Text
from mooc_microcred.credentials.models import Credential
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult

# Of each kind of line, the newest; all of them are in the download.
MOST_LINES = 300


@dataclass(frozen=True, slots=True)
class Held:
    """A kind of data: what it is, how many there are, and how long they are kept, in words."""

    what: str
    count: int
    kept: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was done.

    Attributes:
        who: in words; empty where nobody had to do anything.
        why: the reason in words, with what the person who decided wrote; may be empty.
    """

    at: datetime
    what: str
    who: str = ""
    why: str = ""


def what_is_held(*, learner_id: int) -> tuple[Held, ...]:
    """Return what is held of a learner; a query for each kind."""
    told = (ExamBatch.State.RELEASED, ExamBatch.State.SUPERSEDED)
    days = microcred_settings.IDENTITY_RETENTION_DAYS
    until_leaving = _("until you leave the platform")
    without_name = _("for good; when you leave, it stays under a number that names nobody")
    proof = _("for good, as a proof that what was done was allowed")
    identities = until_leaving
    if days is not None:
        identities = _("%(days)s days after it was last needed, and no longer than you are on the platform")
        identities %= {"days": days}
    mine = {"learner_id": learner_id}
    return (
        Held(
            _("Identity documents: kind, encrypted number, day of verification"),
            LearnerIdentity.objects.filter(**mine).count(),
            identities,
        ),
        Held(_("Awards with their history and evidence"), Award.objects.filter(**mine).count(), without_name),
        Held(
            _("Signed credentials, and whom you let see them"),
            Credential.objects.filter(**mine).count(),
            until_leaving,
        ),
        Held(_("Competencies that you have shown"), Mastery.objects.filter(**mine).count(), until_leaving),
        Held(_("Admissions to exams"), ExamAdmission.objects.filter(**mine).count(), until_leaving),
        Held(
            _("Released exam results"),
            ExamResult.objects.filter(**mine, batch__state__in=told).count(),
            without_name
            + " · "
            + _("the file in which the test centre sent them: %(days)s days")
            % {"days": microcred_settings.UPLOAD_KEEP_DAYS},
        ),
        Held(_("Consents that you gave or withdrew"), Consent.objects.filter(**mine).count(), proof),
        Held(
            _("Credit records, with the receipts of the banks"),
            CreditRecord.objects.filter(**mine).count(),
            without_name,
        ),
    )


def who_sees_credentials(*, learner_id: int) -> dict[str, int]:
    """Return how many credentials everybody sees, whoever has the link, and nobody else; one query."""
    rows = Credential.objects.filter(learner_id=learner_id, live=True, award__published_at__isnull=False)
    found: Counter[str] = Counter()
    for choice in rows.values_list("visibility", flat=True):
        found[choice or microcred_settings.CREDENTIAL_VISIBILITY] += 1
    return {one: found[one] for one in Credential.Visibility.values}


def what_was_sent(*, learner_id: int) -> list[Line]:
    """Return what credit banks were sent, the newest first; one query."""
    names = {code: bank.name for code, bank in creditbank.banks().items()}
    rows = (
        Delivery.objects.filter(record__learner_id=learner_id, sent_at__isnull=False)
        .select_related("record__award__version")
        .defer("sealed_body")
        .order_by("-sent_at", "-pk")[:MOST_LINES]
    )
    texts = {
        "deposit": _("Your name, identity number and the credit for “%(award)s”"),
        "replace": _("A correction of the credit for “%(award)s”, with your name and identity number"),
        "reverse": _("That the credit for “%(award)s” is taken back"),
    }
    return [
        Line(
            at=row.sent_at,
            what=texts[row.kind] % {"award": _here(Text.of(row.record.award.version.definition["name"]))},
            who=_here(names.get(row.bank, Text(en=row.bank))),
            why=_("received under number %(number)s") % {"number": row.receipt} if row.receipt else "",
        )
        for row in rows
        if row.sent_at is not None
    ]


def what_was_done(*, learner_id: int) -> list[Line]:
    """Return what people did with a learner's data and awards, the newest first; constant queries."""
    found = [
        *_decisions(learner_id),
        *_consents(learner_id),
        *_admissions(learner_id),
        *_log(learner_id),
    ]
    found.sort(key=lambda one: one.at, reverse=True)
    return found


def _here(text: Text) -> str:
    return text.in_language(get_language() or "en")


def _staff(role: str, organization: str) -> str:
    if not organization:
        return role
    return _("%(role)s of %(organization)s") % {"role": role, "organization": organization}


def _decisions(learner_id: int) -> Iterator[Line]:
    rows = (
        AwardEvent.objects.filter(
            award__learner_id=learner_id, actor_id__isnull=False, award__published_at__isnull=False
        )
        .select_related("award__achievement", "award__version")
        .order_by("-pk")[:MOST_LINES]
    )
    texts = {
        "suspended": _("“%(award)s” was put on hold"),
        "reinstated": _("“%(award)s” is valid again"),
        "revoked": _("“%(award)s” was revoked"),
    }
    for row in rows:
        text = texts.get(row.kind, _("“%(award)s” was changed"))
        reason = str(achievements.describe_reason(row.reason)) if row.reason else ""
        yield Line(
            at=row.at,
            what=text % {"award": _here(Text.of(row.award.version.definition["name"]))},
            who=_staff(_("a programme officer"), row.award.achievement.organization),
            why=": ".join(filter(None, (reason, row.note))),
        )


def _consents(learner_id: int) -> Iterator[Line]:
    names = {code: bank.name for code, bank in creditbank.banks().items()}
    for row in Consent.objects.filter(learner_id=learner_id).order_by("-pk")[:MOST_LINES]:
        bank = {"bank": _here(names.get(row.bank, Text(en=row.bank))), "version": row.text_version}
        given = _("Consent given for %(bank)s (text version %(version)s)")
        yield Line(row.given_at, given % bank, _("you"))
        if row.withdrawn_at is not None:
            # Retirement withdraws, too; nobody who has left reads this.
            yield Line(row.withdrawn_at, _("Consent withdrawn for %(bank)s") % bank, _("you"))


def _admissions(learner_id: int) -> Iterator[Line]:
    admissions = list(ExamAdmission.objects.filter(learner_id=learner_id).order_by("-pk")[:MOST_LINES])
    since = {row.exam_code: row.created for row in admissions}
    exams = achievements.current_catalogue().exams
    names = {code: _here(exams[code][1].name) if code in exams else code for code in since}
    for row in admissions:
        words = {"exam": names[row.exam_code], "number": row.number}
        yield Line(
            row.created,
            _("You were admitted to “%(exam)s” under number %(number)s") % words,
            _staff(_("an exam officer"), row.organization),
        )
    if not since:
        return
    looked = AuditEntry.objects.filter(
        object_type="exam", object_id__in=since, action="exam.candidates_listed"
    ).order_by("-pk")[:MOST_LINES]
    for line in looked:
        if line.at >= since[line.object_id]:
            yield Line(
                line.at,
                _("The list of candidates of “%(exam)s”, with you in it, was downloaded for the test centre")
                % {"exam": names[line.object_id]},
                _staff(_("an exam officer"), line.organization),
            )


def _log(learner_id: int) -> Iterator[Line]:
    # Ids as values: with the object's kind they are what the log's index begins with.
    credentials = Credential.objects.filter(learner_id=learner_id).order_by("-pk")
    deliveries = Delivery.objects.filter(record__learner_id=learner_id).order_by("-pk")
    about = Q(object_type="learner", object_id=str(learner_id))
    about |= Q(
        object_type="credential", object_id__in=list(credentials.values_list("uuid", flat=True)[:MOST_LINES])
    )
    about |= Q(
        object_type="delivery",
        object_id__in=[str(one) for one in deliveries.values_list("pk", flat=True)[:MOST_LINES]],
    )
    lines = AuditEntry.objects.filter(about).order_by("-pk")[:MOST_LINES]
    for line in lines:
        yield Line(line.at, _words(line), _actor(line, learner_id))


def _words(line: AuditEntry) -> str:
    """Return a line of the log as a sentence; what is not known by name is told by its code."""
    if line.action == "credential.shared":
        sees = {
            "public": _("everybody"),
            "link": _("whoever has the link"),
            "private": _("only you"),
        }
        shown = sees.get(line.details.get("visibility", ""), _("as the platform sets it"))
        return _("It was decided who sees a credential: %(who)s") % {"who": shown}
    return {
        "identity.recorded": _("An identity document was recorded as verified"),
        "did.proved": _("A decentralised identifier (DID) was set for later credentials"),
        "did.forgotten": _("The decentralised identifier (DID) was forgotten"),
        "learner.exported": _("Everything that is held of you was exported, because somebody asked for it"),
        "delivery.replayed": _("A message to a credit bank was sent on its way again"),
    }.get(line.action, line.action)


def _actor(line: AuditEntry, learner_id: int) -> str:
    if line.actor_id == learner_id:
        return _("you")
    if line.action == "learner.exported":
        return _("the operator of the platform")
    if line.actor_id is None:
        return ""
    roles = {
        "identity.recorded": _("an identity verifier"),
        "delivery.replayed": _("a credit officer"),
    }
    return _staff(roles.get(line.action, _("a member of staff")), line.organization)
