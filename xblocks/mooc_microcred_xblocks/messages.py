"""Messages in the reader's language: the runtime's i18n service first, then the package's own catalogue."""

from __future__ import annotations

import gettext
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation import get_language, to_locale

FOLDER = Path(__file__).parent / "translations"
DOMAIN = "text"


def gettext_noop(message: str) -> str:
    """Mark a message for extraction where it is defined; it is translated where it is shown."""
    return message


def language() -> str:
    """Return the reader's language, such as ``th``."""
    return get_language() or "en"


@lru_cache(maxsize=32)
def _catalogue(locale: str) -> gettext.NullTranslations:
    locales = [locale, locale.partition("_")[0]]
    return gettext.translation(DOMAIN, str(FOLDER), locales, fallback=True)


def translated(message: str, service: Any = None) -> str:
    """Return the message in the reader's language.

    Args:
        service: the runtime's i18n service, by which an operator may bring translations of their own;
            runtimes without one, or without this package's messages in it, lose nothing.
    """
    if service is not None:
        translate = getattr(service, "gettext", None) or getattr(service, "ugettext", None)
        found = translate(message) if translate else message
        if found != message:
            return found
    return _catalogue(to_locale(language())).gettext(message)
