"""A learner's consent to send their credit to a bank: rows are added, a withdrawal closes one."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.errors import InvalidInput, WrongState
from mooc_microcred.core.outbox import Note, append
from mooc_microcred.creditbank.banks import get_bank
from mooc_microcred.creditbank.data import ConsentData
from mooc_microcred.creditbank.models import Consent

LANGUAGES = ("th", "en")


def consent_data(row: Consent) -> ConsentData:
    """Return a consent as the other rooms see it."""
    return ConsentData(
        id=row.pk,
        learner_id=row.learner_id,
        bank=row.bank,
        text_version=row.text_version,
        language=row.language,
        given_at=row.given_at,
        withdrawn_at=row.withdrawn_at,
    )


def give_consent(*, learner_id: int, bank: str, text_version: str, language: str) -> ConsentData:
    """Record that the learner agrees to the bank's text; what waited for it goes on.

    Call it only for the learner who is signed in: nobody else can agree for them (credit bank
    notice B.E. 2565, clause 5(4); PDPA s. 19). Given again it returns the consent that there is.

    Args:
        learner_id: user id of the learner who is signed in.
        bank: code of the bank.
        text_version: version of the text that the learner was shown.
        language: in which they were shown it, ``th`` or ``en``.

    Raises:
        NotFound: there is no such bank.
        InvalidInput: the text has changed since, or there is none in the language.
    """
    configured = get_bank(bank)
    if language not in LANGUAGES:
        raise InvalidInput(_("The language of the consent must be th or en."))
    existing = Consent.objects.filter(learner_id=learner_id, bank=bank, live=True).first()
    if existing:
        return consent_data(existing)
    if text_version != configured.consent_version:
        raise InvalidInput(_("The text of the consent has changed. Read the new text and agree to it."))
    try:
        with transaction.atomic():
            row = Consent.objects.create(
                learner_id=learner_id,
                bank=bank,
                text_version=text_version,
                language=language,
                given_at=clock.now(),
            )
            append([Note("consent.given", learner_id, {"bank": bank})])
            log_action(
                actor_id=learner_id,
                action="consent.given",
                object_type="consent",
                object_id=row.pk,
                bank=bank,
                text_version=text_version,
                language=language,
            )
    except IntegrityError:
        # The same click arrived twice: the other one has written it.
        row = Consent.objects.get(learner_id=learner_id, bank=bank, live=True)
    return consent_data(row)


def withdraw_consent(*, learner_id: int, bank: str) -> ConsentData:
    """Withdraw the learner's consent: nothing that was not sent yet is sent any more.

    What the bank has stays with it. Call it only for the learner who is signed in.

    Raises:
        WrongState: there is no consent to withdraw.
    """
    with transaction.atomic():
        now = clock.now()
        # Waits for a delivery that is being sealed this moment; the next one sees the withdrawal.
        Consent.objects.filter(learner_id=learner_id, bank=bank, live=True).update(live=F("live"))
        row = Consent.objects.filter(learner_id=learner_id, bank=bank, live=True).first()
        if row is None:
            raise WrongState(_("You have not given a consent for this credit bank."))
        row.live, row.withdrawn_at = None, now
        row.save(update_fields=["live", "withdrawn_at"])
        append([Note("consent.withdrawn", learner_id, {"bank": bank})])
        log_action(
            actor_id=learner_id,
            action="consent.withdrawn",
            object_type="consent",
            object_id=row.pk,
            bank=bank,
        )
    return consent_data(row)
