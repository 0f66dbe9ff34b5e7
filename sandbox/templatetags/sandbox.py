"""What the sandbox's templates need."""

from django import template
from django.utils.translation import get_language

from mooc_microcred.core.dates import display_date

register = template.Library()


@register.filter
def day(moment):
    """Return a date for people: with the Buddhist year in Thai."""
    return display_date(moment) if moment else ""


@register.filter
def spoken(text):
    """Return a Text of the catalogue in the reader's language."""
    return text.in_language(get_language() or "en") if text else ""
