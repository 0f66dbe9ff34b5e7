"""Template tags of the blocks' own templates."""

from __future__ import annotations

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def say(context, message, **values):
    """Return a message in the reader's language, from the package's own catalogue.

    Django's own tags read the catalogue of the site, and XBlock's change that one for every thread.
    """
    return context["block"].say(message, **values)
