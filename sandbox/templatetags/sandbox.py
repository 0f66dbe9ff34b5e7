"""What the sandbox's templates need."""

from datetime import datetime

from django import template

from mooc_microcred.core.dates import display_date

register = template.Library()


@register.filter
def day(moment):
    """Return a date for people, with the Buddhist year in Thai; ``moment`` may be ISO 8601."""
    if isinstance(moment, str) and moment:
        moment = datetime.fromisoformat(moment)
    return display_date(moment) if moment else ""
