"""The credit banks that the settings name, and the checks of those settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from mooc_microcred.achievements.data import Text
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import NotFound, Problem
from mooc_microcred.creditbank.backends import BankBackend
from mooc_microcred.creditbank.data import Bank

KINDS = ("level1", "level2", "programme")
# Level 1 shows that a learner finished a course; by itself it is evidence, not credit.
DEFAULT_KINDS = ("level2", "programme")

_KEYS = {"backend", "name", "organizations", "kinds", "consent_text", "requires_identity", "options"}
_CODE = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")


def banks() -> dict[str, Bank]:
    """Return the configured banks by code, in the order of the settings."""
    return {code: _parse(code, raw) for code, raw in microcred_settings.BANKS.items()}


def get_bank(code: str) -> Bank:
    """Return one bank.

    Raises:
        NotFound: it is not configured.
    """
    raw = microcred_settings.BANKS.get(code)
    if raw is None:
        raise NotFound(_("There is no credit bank with this code."))
    return _parse(code, raw)


def bank_for(*, organization: str, kind: str) -> Bank | None:
    """Return the bank that gets awards of that organisation and kind: the first one that takes them."""
    for bank in banks().values():
        if bank.takes(organization=organization, kind=kind):
            return bank
    return None


def open_backend(bank: Bank) -> BankBackend:
    """Return a new instance of the back end that speaks to the bank."""
    return import_string(bank.backend)(bank)


def _parse(code: str, raw: Mapping[str, Any]) -> Bank:
    consent = raw.get("consent_text", {})
    organizations = raw.get("organizations")
    return Bank(
        code=code,
        backend=raw["backend"],
        name=Text.of(raw.get("name")) if raw.get("name") else Text(en=code),
        organizations=None if organizations is None else tuple(organizations),
        kinds=tuple(raw.get("kinds", DEFAULT_KINDS)),
        consent_version=str(consent.get("version", "")),
        consent_text=Text.of(consent),
        requires_identity=bool(raw.get("requires_identity", True)),
        options=raw.get("options", {}),
    )


def check_bank_settings() -> list[Problem]:
    """Return everything that is wrong with MOOC_MICROCRED["BANKS"]; values of options are never shown."""
    configured = microcred_settings.BANKS
    where = "MOOC_MICROCRED['BANKS']"
    if not isinstance(configured, Mapping):
        return [Problem(where, _("must be a dict of banks by code"))]
    problems: list[Problem] = []
    for code, raw in configured.items():
        problems += _check_bank(f"{where}[{code!r}]", code, raw)
    return problems or _check_order(where)


def _check_bank(where: str, code: Any, raw: Any) -> list[Problem]:
    if not isinstance(raw, Mapping):
        return [Problem(where, _("must be a dict"))]
    problems = []

    def wrong(key: str, message: str, value: object = "") -> None:
        problems.append(Problem(f"{where}[{key!r}]", message, str(value)[:100]))

    if not isinstance(code, str) or not _CODE.match(code):
        problems.append(
            Problem(where, _("the code must be 1 to 64 lower-case letters, digits, hyphens and underscores"))
        )
    for key in sorted(set(map(str, raw)) - _KEYS):
        wrong(key, _("is not a setting of a bank"))
    name = raw.get("name")
    if not isinstance(name, Mapping) or not (name.get("th") or name.get("en")):
        wrong("name", _('must be a dict with the name under "th", "en" or both'))
    organizations = raw.get("organizations")
    if organizations is not None and (
        isinstance(organizations, str)
        or not isinstance(organizations, list | tuple)
        or not all(isinstance(one, str) and one for one in organizations)
    ):
        wrong("organizations", _("must be None (all) or a list of short names of organisations"))
    kinds = raw.get("kinds", DEFAULT_KINDS)
    if isinstance(kinds, str) or not isinstance(kinds, list | tuple) or not kinds or set(kinds) - set(KINDS):
        wrong("kinds", _("must be a list of level1, level2 and programme"), kinds)
    problems += _check_consent_text(where, raw.get("consent_text"))
    if not isinstance(raw.get("requires_identity", True), bool):
        wrong("requires_identity", _("must be True or False"))
    problems += _check_backend(where, raw)
    return problems


def _check_consent_text(where: str, text: Any) -> list[Problem]:
    place = f"{where}['consent_text']"
    if not isinstance(text, Mapping):
        return [Problem(place, _('must be a dict with "version", "th" and "en"'))]
    problems = []
    version = text.get("version")
    if not isinstance(version, str) or not 1 <= len(version) <= 32:
        problems.append(Problem(f"{place}['version']", _("must be a text of 1 to 32 characters")))
    problems += [
        Problem(f"{place}[{language!r}]", _("must be the text that the learner agrees to"))
        for language in ("th", "en")
        if not isinstance(text.get(language), str) or not text[language].strip()
    ]
    return problems


def _check_backend(where: str, raw: Mapping[str, Any]) -> list[Problem]:
    place = f"{where}['backend']"
    path = raw.get("backend")
    if not isinstance(path, str):
        return [Problem(place, _("must be the dotted path of a class"))]
    try:
        backend = import_string(path)
    except ImportError:
        return [Problem(place, _("cannot be imported"), path[:100])]
    if not all(callable(getattr(backend, verb, None)) for verb in ("deliver", "inquire", "check_options")):
        return [
            Problem(place, _("is not a back end: it lacks deliver, inquire or check_options"), path[:100])
        ]
    options = raw.get("options", {})
    if not isinstance(options, Mapping):
        return [Problem(f"{where}['options']", _("must be a dict"))]
    return [
        Problem(f"{where}['options'][{key!r}]", message) for key, message in backend.check_options(options)
    ]


def _check_order(where: str) -> list[Problem]:
    """Return the banks that would never get an award, because one before them takes all of theirs."""
    problems = []
    earlier: list[Bank] = []
    for bank in banks().values():
        if any(one.organizations is None and set(bank.kinds) <= set(one.kinds) for one in earlier):
            problems.append(
                Problem(f"{where}[{bank.code!r}]", _("never gets an award: a bank before it takes them all"))
            )
        earlier.append(bank)
    return problems
