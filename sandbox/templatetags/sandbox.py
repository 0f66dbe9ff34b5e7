"""What the sandbox's templates need."""

from datetime import datetime

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from mooc_microcred.core.dates import display_date

register = template.Library()

KINDS = {
    "level1": _("Level 1"),
    "level2": _("Level 2"),
    "competency": _("Competency"),
    "programme": _("Programme"),
}
CONDITIONS = {
    "achievement": _("Level 1 is held"),
    "completion": _("units completed"),
    "course_grade": _("course grade"),
    "subsection_grade": _("graded part"),
    "certificate": _("course certificate"),
    "competency": _("competency"),
    "exam": _("standard exam"),
    "weighted": _("weighted total"),
}
STATES = {
    "active": _("valid"),
    "suspended": _("suspended"),
    "revoked": _("revoked"),
    "expired": _("expired"),
}


@register.filter
def day(moment):
    """Return a date for people, with the Buddhist year in Thai; ``moment`` may be ISO 8601."""
    if isinstance(moment, str) and moment:
        moment = datetime.fromisoformat(moment)
    return display_date(moment) if moment else ""


@register.filter
def spoken(text):
    """Return a text of the API, ``{"th": ..., "en": ...}``, in the reader's language."""
    if not text:
        return ""
    first, second = ("th", "en") if (get_language() or "").startswith("th") else ("en", "th")
    return text.get(first) or text.get(second) or ""


@register.filter
def kind_name(kind):
    """Return the name of a kind of achievement."""
    return KINDS.get(kind, kind)


@register.filter
def condition_name(kind):
    """Return the name of a kind of condition."""
    return CONDITIONS.get(kind, kind)


@register.filter
def state_name(state):
    """Return the name of an award's state."""
    return STATES.get(state, state)
