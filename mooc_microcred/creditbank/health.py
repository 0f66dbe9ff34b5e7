"""What the doctor asks of the creditbank room."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count
from django.utils.translation import gettext as _

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.doctor import Finding, Level, dead_letter_findings, queue_findings
from mooc_microcred.creditbank.models import CreditRecord, Delivery


def probe_deliveries() -> Iterable[Finding]:
    """Say which banks there are, what waits for them and what they refused."""
    banks = sorted(microcred_settings.BANKS)
    if banks:
        message = _("Credit banks: %(banks)s.") % {"banks": ", ".join(banks)}
        yield Finding("banks.configured", Level.FINE, message, "", {"banks": banks})
    else:
        yield Finding(
            "banks.configured",
            Level.NOTE,
            _("No credit bank is configured: no credit record is made."),
            _("See BANKS in docs/reference/settings.md."),
            {"banks": []},
        )
    pending = Delivery.objects.filter(state=Delivery.State.PENDING)
    yield from queue_findings("banks.queue", name=_("Deliveries to banks"), waiting=pending)
    yield from dead_letter_findings(
        "banks.dead",
        name=_("Deliveries to banks"),
        dead=Delivery.objects.filter(state=Delivery.State.DEAD).count(),
        hint=_("A credit officer can see why and replay them."),
    )
    yield from _records()
    orphaned = (
        Delivery.objects.filter(state__in=[Delivery.State.PENDING, Delivery.State.SENT])
        .exclude(bank__in=banks)
        .count()
    )
    if orphaned:
        yield Finding(
            "banks.unknown",
            Level.WRONG,
            _("%(count)d deliveries are meant for banks that are not configured any more.")
            % {"count": orphaned},
            _("Put the bank back into BANKS until everything is delivered."),
            {"deliveries": orphaned},
        )


def _records() -> Iterable[Finding]:
    counts = dict(CreditRecord.objects.values_list("state").annotate(Count("pk")).order_by())
    labels = dict(CreditRecord.State.choices)
    for state in (CreditRecord.State.WAITING_CONSENT, CreditRecord.State.WAITING_IDENTITY):
        if counts.get(state):
            yield Finding(
                f"banks.{state}",
                Level.NOTE,
                _("Credit records, %(state)s: %(count)d.") % {"state": labels[state], "count": counts[state]},
                "",
                {"records": counts[state]},
            )
    if counts.get(CreditRecord.State.FAILED):
        yield Finding(
            "banks.failed",
            Level.WRONG,
            _("Credit records, %(state)s: %(count)d.")
            % {"state": labels[CreditRecord.State.FAILED], "count": counts[CreditRecord.State.FAILED]},
            _("A credit officer can see why and replay them."),
            {"records": counts[CreditRecord.State.FAILED]},
        )
