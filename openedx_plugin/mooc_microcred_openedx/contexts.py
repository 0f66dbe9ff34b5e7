"""What the plugin adds to the context of the platform's legacy pages (``view_context_config``)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from mooc_microcred.achievements.watch import watches_anything
from mooc_microcred.dashboard import api as dashboard

log = logging.getLogger(__name__)


def course_dashboard(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the learner's dashboard as ``{"dashboard": Dashboard}``; empty where there is nothing to show.

    No query where no achievement looks at any course. Never raises: the platform would log the error
    and go on, and so does this.
    """
    try:
        user = context.get("user")
        if user is None or not user.is_authenticated or not watches_anything():
            return {}
        found = dashboard.read_dashboard(learner_id=user.id)
    except Exception as error:  # noqa: BLE001 whatever it is, the learner wants their courses
        log.error("the dashboard of a learner could not be read: %s", type(error).__name__)
        return {}
    return {} if found.empty else {"dashboard": found}
