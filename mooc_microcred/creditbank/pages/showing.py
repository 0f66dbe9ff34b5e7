"""How records, deliveries and banks are said to people."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.creditbank.data import RecordData
from mooc_microcred.creditbank.models import CreditRecord, Delivery

MOODS = {
    "waiting_consent": "warn",
    "waiting_identity": "warn",
    "held": "warn",
    "deposited": "good",
    "failed": "bad",
}
DELIVERY_MOODS = {"pending": "", "sent": "", "acknowledged": "good", "cancelled": "quiet", "dead": "bad"}


def record_state(state: str) -> Any:
    """Return a state of a record in the reader's language."""
    return CreditRecord.State(state).label


def delivery_state(state: str) -> Any:
    """Return a state of a delivery in the reader's language."""
    return Delivery.State(state).label


def delivery_kind(kind: str) -> Any:
    """Return what a bank is told, in the reader's language."""
    return Delivery.Kind(kind).label


def bank_names(language: str) -> dict[str, str]:
    """Return the names of the configured banks by code."""
    return {code: bank.name.in_language(language) for code, bank in creditbank.banks().items()}


def bank_name(code: str, names: Mapping[str, str]) -> str:
    """Return the name of a bank; one that is not configured any more is named by its code."""
    return names.get(code, code)


def credits_of(number: Decimal) -> str:
    """Return credits or hours without zeros that say nothing."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def method_name(code: str) -> str:
    """Return a method of assessment (credit bank notice B.E. 2565, clause 7(2)) in words, with its code."""
    words = {
        "CS": _("standardised test"),
        "CN": _("non-degree"),
        "CT": _("training"),
        "CP": _("portfolio"),
        "CE": _("examination"),
    }
    return f"{words[code]} ({code})" if code in words else code


def why_not(record: RecordData) -> str:
    """Return why the last delivery of a record that is not settled fails; empty where it does not."""
    pending = ("pending", "sent", "dead")
    return next((one.error_text for one in record.deliveries if one.state in pending and one.error_text), "")
