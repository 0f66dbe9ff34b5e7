"""What the doctor asks of the status lists."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mooc_microcred.core.doctor import Finding, Level
from mooc_microcred.credentials.models import StatusList
from mooc_microcred.credentials.status.lists import lists_due


def probe_status_lists() -> Iterable[Finding]:
    """Say whether the lists that verifiers read show what the credentials' rows say."""
    lists = StatusList.objects.count()
    waiting = lists_due().count()
    figures = {"lists": lists, "waiting": waiting}
    if waiting:
        yield Finding(
            "status_lists.waiting",
            Level.WARNING,
            ngettext(
                "%(waiting)d status list has changed and is not signed yet: verifiers elsewhere see its "
                "last state.",
                "%(waiting)d status lists have changed and are not signed yet: verifiers elsewhere see their "
                "last state.",
                waiting,
            )
            % figures,
            _("Does the sweeper run? manage.py lms microcred_sweep signs them."),
            figures,
        )
    else:
        yield Finding(
            "status_lists.signed",
            Level.FINE,
            _("Status lists: %(lists)d, all signed as they stand.") % figures,
            "",
            figures,
        )
