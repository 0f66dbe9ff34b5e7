"""Endorsements: a partner of industry or another institution speaks for an achievement.

The partner has an issuer profile in the catalogue and signs with its own key, so that anybody can
see who endorses. Credentials that are issued later carry the signed endorsement within their
achievement; those of before stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from mooc_microcred.achievements.models import Achievement, AchievementVersion, Issuer
from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.errors import InvalidInput, NotFound, WrongState
from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.core.texts import Text
from mooc_microcred.credentials import addresses
from mooc_microcred.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS
from mooc_microcred.credentials.data import EndorsementData
from mooc_microcred.credentials.filling import logo_of
from mooc_microcred.credentials.keys import current_key, handle_of, issuer_did
from mooc_microcred.credentials.models import Endorsement
from mooc_microcred.credentials.proofs import instant
from mooc_microcred.credentials.rendering import build_profile
from mooc_microcred.credentials.signing import sign_slowly
from mooc_microcred.credentials.status.entries import REVOCATION_LIST
from mooc_microcred.credentials.texts import in_languages, main_text

_LONGEST = 2000
_NAME = {"th": "การรับรองจากหน่วยงานภายนอก", "en": "Endorsement"}


def endorse(
    *, actor: Actor, endorser_code: str, achievement_code: str, comment: Mapping[str, str]
) -> EndorsementData:
    """Sign an endorsement of an achievement with the partner's key.

    Needs a programme officer of the partner: nobody speaks for somebody else.

    Args:
        comment: what the partner says, in Thai, English or both.

    Raises:
        NotFound: no such partner or achievement.
        NotAllowed: the actor is no programme officer of the partner.
        InvalidInput: no comment, or too long a one, or the partner is the achievement's own issuer.
        WrongState: the partner endorses the achievement already.
    """
    endorser = Issuer.objects.filter(code=endorser_code).first()
    if endorser is None:
        raise NotFound(_("There is no issuer with this code."))
    actor.require(Role.PROGRAMME_OFFICER, endorser.organization)
    achievement = Achievement.objects.filter(code=achievement_code).first()
    version = (
        AchievementVersion.objects.filter(achievement=achievement, activated_at__isnull=False)
        .order_by("-number")
        .first()
    )
    if achievement is None or version is None:
        raise NotFound(_("There is no achievement with this code."))
    if version.issuer_id == endorser.pk:
        raise InvalidInput(_("An issuer does not endorse its own achievements."))
    if not main_text(comment) or any(len(text) > _LONGEST for text in comment.values()):
        raise InvalidInput(_("Say in 1 to %(most)d characters what is endorsed.") % {"most": _LONGEST})
    try:
        with transaction.atomic():
            row = _sign(endorser, achievement, version.number, comment, actor)
            log_action(
                actor_id=actor.id,
                action="endorsement.made",
                object_type="achievement",
                object_id=achievement.code,
                organization=endorser.organization,
                endorsement=row.uuid,
                endorser=endorser.code,
            )
    except IntegrityError:
        raise WrongState(_("This partner endorses the achievement already.")) from None
    return _data(row)


def _sign(
    endorser: Issuer, achievement: Achievement, number: int, comment: Mapping[str, str], actor: Actor
) -> Endorsement:
    key = current_key(endorser)
    now = clock.now().replace(microsecond=0)
    row = Endorsement(
        endorser=endorser,
        achievement=achievement,
        comment=dict(comment),
        key=key,
        made_at=now,
        made_by=actor.id,
    )
    document = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES, OPEN_BADGES_EXTENSIONS, addresses.own_context_url()],
        "id": addresses.endorsement_url(row.uuid),
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": main_text(_NAME),
        "nameIn": in_languages(_NAME),
        "issuer": build_profile(endorser.definition, issuer_did(key), logo=logo_of(endorser)),
        "validFrom": instant(now),
        "credentialSubject": {
            "id": addresses.achievement_url(achievement.code, number),
            "type": ["EndorsementSubject"],
            "endorsementComment": main_text(comment),
            "commentIn": in_languages(comment),
        },
        "credentialStatus": {"id": addresses.revocations_url(endorser.code), "type": REVOCATION_LIST},
    }
    row.body = sign_slowly(document, handle_of(key), now).body.decode()
    row.save(force_insert=True)
    return row


def withdraw_endorsement(*, actor: Actor, uuid: str) -> EndorsementData:
    """Withdraw an endorsement: new credentials do not carry it, and the partner's list revokes it.

    Raises:
        NotFound, NotAllowed (no programme officer of the partner), WrongState (withdrawn before).
    """
    row = Endorsement.objects.select_related("endorser", "achievement").filter(uuid=uuid).first()
    if row is None:
        raise NotFound(_("There is no such endorsement."))
    actor.require(Role.PROGRAMME_OFFICER, row.endorser.organization)
    with transaction.atomic():
        now = clock.now()
        if not Endorsement.objects.filter(pk=row.pk, live=True).update(live=None, withdrawn_at=now):
            raise WrongState(_("This endorsement has already been withdrawn."))
        log_action(
            actor_id=actor.id,
            action="endorsement.withdrawn",
            object_type="achievement",
            object_id=row.achievement.code,
            organization=row.endorser.organization,
            endorsement=row.uuid,
        )
    row.refresh_from_db()
    return _data(row)


def list_endorsements(*, achievement_code: str) -> list[EndorsementData]:
    """Return the endorsements of an achievement that stand, oldest first."""
    rows = Endorsement.objects.filter(achievement__code=achievement_code, live=True)
    return [_data(row) for row in rows.select_related("endorser", "achievement").order_by("pk")]


def signed_endorsement(*, uuid: str) -> bytes:
    """Return a signed endorsement as JSON, byte for byte.

    Raises:
        NotFound: there is none.
    """
    found = Endorsement.objects.filter(uuid=uuid).values_list("body", flat=True).first()
    if found is None:
        raise NotFound(_("There is no such endorsement."))
    return found.encode()


def _data(row: Endorsement) -> EndorsementData:
    return EndorsementData(
        uuid=row.uuid,
        endorser=row.endorser.code,
        achievement=row.achievement.code,
        comment=Text.of(row.comment),
        made_at=row.made_at,
        withdrawn_at=row.withdrawn_at,
    )
