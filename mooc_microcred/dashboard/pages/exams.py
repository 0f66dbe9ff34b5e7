"""Exams of a learner: whether they may sit, what is missing, how to register, and the results."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mooc_microcred.core.dates import display_date
from mooc_microcred.core.pages.people import person_page, shown
from mooc_microcred.credentials import api as credentials
from mooc_microcred.dashboard.examinations import ExamView, read_exams
from mooc_microcred.dashboard.pages.kept import EXAMS, kept
from mooc_microcred.dashboard.pages.numbered import numbered
from mooc_microcred.exams import api
from mooc_microcred.exams.data import ResultData

PAGE_SIZE = 8
# Of an exam; the rest stands on the page of all results.
SHOWN_RESULTS = 3
RESULTS_PAGE_SIZE = 25


@person_page()
def exams(request: Any) -> HttpResponseBase:
    """Show the exams of the person who asks."""
    return kept(request, "dashboard/exams.html", lambda: _list(request), also=(EXAMS,))


def _list(request: Any) -> tuple[dict[str, Any], bool]:
    found, complete = read_exams(learner_id=request.actor.id)
    listed = numbered(request, found, PAGE_SIZE)
    return {
        "place": "exams",
        "complete": complete,
        "list": listed,
        "exams": [_card(one, request.language) for one in listed["items"]],
    }, complete


@person_page()
def results(request: Any) -> HttpResponseBase:
    """Show every released result of the person who asks, the newest sitting first."""
    found, _complete = read_exams(learner_id=request.actor.id)
    minima = {one.code: one.minimum for one in found}
    listed = numbered(request, api.my_results(learner_id=request.actor.id), RESULTS_PAGE_SIZE)
    rows = [
        {
            **_result(one, minima.get(one.exam_code), request.language),
            "exam": one.exam_name.in_language(request.language),
        }
        for one in listed["items"]
    ]
    return shown(request, "dashboard/results.html", {"place": "exams", "list": listed, "results": rows})


def _card(one: ExamView, language: str) -> dict[str, Any]:
    mood, state, sentence = _state(one, language)
    return {
        "code": one.code,
        "name": one.name.in_language(language),
        "achievement": one.achievement.name.in_language(language) if one.achievement else "",
        "mood": mood,
        "state": state,
        "sentence": sentence,
        "missing": [
            {
                "name": part.name.in_language(language) if part.name else "",
                "needs": part.needs,
                "course": part.course_title,
                "url": part.course_url,
            }
            for part in one.missing
        ],
        "besides": one.besides,
        "admission": one.admission,
        "minimum": credentials.plain_number(one.minimum) if one.minimum is not None else "",
        "attempts": "" if one.award else _attempts(one),
        "waiting": [display_date(day, language) for day in one.waiting],
        "again": display_date(one.resit_from, language)
        if one.resit_from and not one.award and not one.passed and one.attempts_left != 0
        else "",
        "register": one.register,
        "results": [_result(result, one.minimum, language) for result in one.results[:SHOWN_RESULTS]],
        "more": max(0, len(one.results) - SHOWN_RESULTS),
    }


def _state(one: ExamView, language: str) -> tuple[str, str, str]:
    """Return where the learner stands: a mood, a word or two, and a sentence."""
    if one.award is not None:
        words = {"day": display_date(one.award.issued_at, language)}
        return "good", _("passed"), _("You have passed. The Level 2 was awarded on %(day)s.") % words
    if one.passed:
        return "good", _("passed"), _("You have passed this exam.")
    if one.waiting:
        return "begun", _("waits for release"), _("Your result shows here as soon as it is released.")
    if one.eligible is None:
        return "", "", ""
    if not one.eligible:
        return "open", _("not yet"), ""
    if one.attempts_left == 0:
        return "warn", _("no attempt left"), _("You have used every attempt that this exam allows.")
    if one.resit_from:
        words = {"day": display_date(one.resit_from, language)}
        return "warn", _("later"), _("An earlier sitting than on %(day)s does not count.") % words
    if one.admission:
        return (
            "good",
            _("admitted"),
            _("You are admitted. Bring your identity document and the admission number."),
        )
    return "good", _("you may register"), _("You have everything that must stand before this exam.")


def _attempts(one: ExamView) -> str:
    if one.attempts is None:
        return _("as many as you like")
    words = {"left": one.attempts_left, "all": one.attempts}
    return ngettext("%(left)s of %(all)s left", "%(left)s of %(all)s left", one.attempts) % words


def _result(one: ResultData, minimum: Any, language: str) -> dict[str, Any]:
    mood, verdict = "", ""
    if one.status != "sat":
        mood = "warn"
        verdict = _("absent") if one.status == "absent" else _("void for irregularity")
    elif minimum is not None and one.percent is not None:
        passed = one.percent >= minimum
        mood, verdict = ("good", _("passed")) if passed else ("bad", _("not passed"))
    score = ""
    if one.score is not None:
        words = {
            "score": credentials.plain_number(one.score),
            "maximum": credentials.plain_number(one.max_score),
        }
        score = _("%(score)s of %(maximum)s") % words
    return {
        "day": display_date(one.sat_on, language),
        "score": score or "–",
        "percent": credentials.plain_number(round(one.percent, 2)) if one.percent is not None else "",
        "mood": mood,
        "verdict": verdict,
        "centre": one.centre,
        "counts": one.counts,
        "released": display_date(one.released_at, language) if one.released_at else "",
    }
