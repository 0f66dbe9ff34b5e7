"""What the doctor asks of the credentials room."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Count
from django.utils.translation import gettext as _

from mooc_microcred.achievements.models import AchievementVersion, Issuer
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.doctor import Finding, Level, queue_findings
from mooc_microcred.credentials.addresses import public_base
from mooc_microcred.credentials.keys import handle_of
from mooc_microcred.credentials.models import Credential, CredentialDue, IssuerKey, IssueWalk

# Keys that are tried out: each costs a decryption or a call to the signer.
_TRIED = 200


def probe_credentials() -> Iterable[Finding]:
    """Say whether credentials can be issued, and which wait."""
    try:
        base = public_base()
        yield Finding(
            "credentials.url", Level.FINE, _("Credentials have addresses below %(url)s.") % {"url": base}
        )
    except ImproperlyConfigured:
        yield Finding(
            "credentials.url",
            Level.WRONG,
            _("Credentials cannot be issued: they would have no address."),
            _("Set MOOC_MICROCRED['PUBLIC_URL'], such as https://lms.example.org"),
        )
    yield from _keys()
    count = Credential.objects.filter(live=True).count()
    walk = IssueWalk.objects.filter(pk=1).first()
    walking = walk is not None and walk.finished_at is None
    yield Finding(
        "credentials.issued",
        Level.NOTE if walking else Level.FINE,
        _("Credentials: %(count)d. Awards of before are being looked through.") % {"count": count}
        if walking
        else _("Credentials: %(count)d.") % {"count": count},
        figures={"credentials": count},
    )
    yield from queue_findings(
        "credentials.queue",
        name=_("Credentials to be issued"),
        waiting=CredentialDue.objects.filter(attempts=0),
    )
    yield from _postponed()


def _keys() -> Iterable[Finding]:
    active = AchievementVersion.objects.filter(state=AchievementVersion.State.ACTIVE).values("issuer")
    issuers = Issuer.objects.filter(pk__in=active)
    keyed = IssuerKey.objects.filter(current=True).values("issuer")
    without = issuers.exclude(pk__in=keyed).count()
    broken = 0
    for key in IssuerKey.objects.filter(current=True).select_related("issuer").order_by("pk")[:_TRIED]:
        try:
            handle_of(key).sign(b"mooc-microcred: does the key sign?")
        except Exception:  # noqa: BLE001 a signer elsewhere may fail in any way
            broken += 1
    if broken:
        hint = (
            _("Put the key that encrypted them back into MOOC_MICROCRED['ISSUER_KEY_ENCRYPTION_KEYS'].")
            if microcred_settings.SIGNER.endswith("DatabaseSigner")
            else _("Look at the service that MOOC_MICROCRED['SIGNER'] uses.")
        )
        yield Finding(
            "credentials.keys",
            Level.WRONG,
            _("Issuers whose key cannot sign: %(count)d.") % {"count": broken},
            hint,
            {"broken": broken},
        )
    if without:
        yield Finding(
            "credentials.no_key",
            Level.NOTE,
            _("Issuers without a key: %(count)d. Each gets one with its first credential.")
            % {"count": without},
            figures={"issuers": without},
        )


def _postponed() -> Iterable[Finding]:
    hints = {
        "no_email": _("These learners have no e-mail address on the platform."),
        "platform_away": _("They are made when the platform can be read again."),
        "cannot_sign": _("The log of the worker says why."),
        "cannot_render": _("The log of the worker says why."),
    }
    rows = CredentialDue.objects.filter(attempts__gt=0).values("reason").annotate(count=Count("pk"))
    for row in rows.order_by("reason"):
        wrong = row["reason"].startswith("cannot")
        yield Finding(
            f"credentials.waits.{row['reason'] or 'other'}",
            Level.WRONG if wrong else Level.NOTE,
            _("Credentials that wait: %(count)d (%(reason)s).")
            % {"count": row["count"], "reason": row["reason"]},
            hints.get(row["reason"], ""),
            {"waiting": row["count"]},
        )
