"""The page of a course certificate, with our panel in it."""

from __future__ import annotations

import logging
import re

from mooc_microcred_openedx import compat
from mooc_microcred_openedx.guards import failures

log = logging.getLogger(__name__)

PAGE = "certificates/valid.html"
# Where the panel goes: before what the platform says about itself, else at the end of the certificate,
# else at the end of the page. A theme may have left out any of them.
_PLACES = (
    re.compile(r'<div class="wrapper-about"'),
    re.compile(r"(?<=</main>)"),
    re.compile(r"</body>"),
)


class PageWithPanel:
    """Stands where the platform expects a certificate template of the operator.

    The platform renders ``template`` as Mako with the context of the certificate; this one renders the
    platform's own page, themed as ever, and puts the panel into it.
    """

    template = (
        "<%! from mooc_microcred_openedx.certificates import page_with_panel %>"
        "${page_with_panel(context.kwargs) | n}"
    )


def page_with_panel(context: dict) -> str:
    """Return the platform's certificate page with ``microcred_panel`` in it."""
    page = compat.render_mako(PAGE, context)
    try:
        return _with_panel(page, str(context["microcred_panel"]))
    except Exception as error:  # noqa: BLE001 a certificate without our panel is still a certificate
        failures["page_with_panel"] += 1
        log.error("the panel of a certificate was left out: %s", type(error).__name__)
        return page


def _with_panel(page: str, panel: str) -> str:
    for place in _PLACES:
        found = place.search(page)
        if found:
            return page[: found.start()] + panel + page[found.start() :]
    return page + panel
