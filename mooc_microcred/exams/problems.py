"""What can be wrong with a row of results, as codes: stored short, told in the reader's language.

A file of 50,000 rows may be wrong in every one, and whoever looks at the list may read another
language than whoever uploaded it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "formula": _("This is a formula. Write the value itself."),
    "unreadable": _("This is too long or has characters that cannot be shown."),
    "status": _("Write sat, absent or void (เข้าสอบ, ขาดสอบ or โมฆะ), or leave it empty."),
    "no_date": _("The date of the exam is missing."),
    "date": _("This is not a date. Write day/month/year with four digits of the year, such as 21/11/2569."),
    "future": _("This day has not come yet."),
    "max_score": _("The full score of this exam is %(score)s."),
    "absent_score": _("Somebody who was absent has no score. Leave it empty."),
    "no_score": _("The score is missing. If the candidate was absent, write so in the status column."),
    "comma": _("Write the score with a decimal point, not a comma, such as 75.5."),
    "score": _("Write a number from 0 to %(score)s with a point and at most three decimals."),
    "nobody_named": _("Nothing in this row names the candidate."),
    "several_accounts": _("Several accounts have this. Use the admission number instead."),
    "different_people": _("These belong to different people: %(columns)s."),
    "not_admitted": _("Nobody was admitted to this exam under this number."),
    "not_verified": _("No learner has this document verified. The identity verifier can record it."),
    "no_account": _("There is no such account on the platform."),
    "national_id": _("This is not a Thai national ID: 13 digits with a right check digit."),
    "passport": _("This is not a passport number: 5 to 20 letters and digits."),
    "left": _("This learner has left the platform."),
    "same_row": _("Row %(row)s is about the same candidate on the same day."),
    "other_batch": _(
        "Another batch has a result of this candidate on this day. Cancel it if it is not released; "
        "otherwise upload this file as its correction."
    ),
    "name": _("This is not the name of the account. Check that the row is about the right person."),
}

# MariaDB takes 16 MB at a time unless it is told otherwise.
MAX_STORED = 8 * 1024 * 1024


def describe(code: str, params: dict[str, Any]) -> str:
    """Return what is wrong and what is expected, in the reader's language."""
    return str(MESSAGES[code]) % params


def fitted(problems: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    """Return problems (row, column, value, code, params) that fit into the database.

    Where there are too many, the values are left out, and then all but the first of each row: every
    wrong row stays listed.
    """
    found = list(problems)
    if len(json.dumps(found)) > MAX_STORED:
        found = [(row, column, "", code, params) for row, column, _value, code, params in found]
    if len(json.dumps(found)) > MAX_STORED:
        found = list({one[0]: one for one in reversed(found)}.values())[::-1]
    return found
