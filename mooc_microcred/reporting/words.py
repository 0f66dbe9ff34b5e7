"""The steps, figures and stops in words, in the reader's language."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.texts import Text
from mooc_microcred.reporting.data import WAITED_DAYS, Funnel, Step


def name_of_step(step: Step) -> str:
    """Return what a learner has done who has reached a step."""
    return {
        Step.ENROLLED: _("Enrolled"),
        Step.STARTED: _("Began to learn"),
        Step.LEVEL_1: _("Level 1"),
        Step.ADMITTED: _("Registered for the exam"),
        Step.SAT: _("Sat the exam"),
        Step.PASSED: _("Passed the exam"),
        Step.LEVEL_2: _("Level 2"),
        Step.PROGRAMME: _("Programme finished"),
        Step.CONSENTED: _("Consented to the deposit"),
        Step.CREDITED: _("Credit in the bank"),
    }[step]


def figure(number: int | None) -> str:
    """Return a number for people; what may not be told is said to be small."""
    if number is None:
        return _("fewer than %(number)d") % {"number": microcred_settings.FUNNEL_MIN_GROUP}
    return str(number_format(number, force_grouping=True))


def percent(share: int | None) -> str:
    """Return a share (0-100) for people."""
    return "–" if share is None else f"{share}%"


def named(text: Text | None, code: str) -> str:
    """Return the name of a course or programme in the reader's language."""
    return (text.in_language(get_language() or "en") if text else "") or code


def learners(number: int | None) -> str:
    """Return so many learners."""
    if number is None:
        number = microcred_settings.FUNNEL_MIN_GROUP
        return ngettext("Fewer than %(n)d learner", "Fewer than %(n)d learners", number) % {"n": number}
    return ngettext("%(n)s learner", "%(n)s learners", number) % {"n": figure(number)}


def stop_in_words(funnel: Funnel) -> str:
    """Return how many learners stand where most of them do; a sentence also where nobody waits."""
    stop = funnel.stop
    if stop is None:
        return _("Nobody waits.")
    following = funnel.after(stop.step)
    sentences: dict[tuple[Step, Step | None], str] = {
        (Step.ENROLLED, Step.STARTED): _("%(learners)s enrolled and did not begin."),
        (Step.STARTED, Step.LEVEL_1): _("%(learners)s began and did not reach Level 1."),
        (Step.LEVEL_1, Step.ADMITTED): _("%(learners)s with Level 1 did not register for the exam."),
        (Step.ADMITTED, Step.SAT): _("%(learners)s registered for the exam and did not sit it."),
        (Step.SAT, Step.PASSED): _("%(learners)s sat the exam and did not pass it, or wait for the result."),
        (Step.PASSED, Step.LEVEL_2): _("%(learners)s passed the exam and did not get Level 2."),
        (Step.LEVEL_2, Step.PROGRAMME): _("%(learners)s with Level 2 did not finish the programme."),
        (Step.LEVEL_2, Step.CONSENTED): _(
            "%(learners)s with Level 2 did not consent to the deposit of their credit."
        ),
        (Step.PROGRAMME, Step.CONSENTED): _(
            "%(learners)s finished the programme and did not consent to the deposit of their credit."
        ),
        (Step.CONSENTED, Step.CREDITED): _(
            "%(learners)s consented, and the bank has not accepted their credit."
        ),
    }
    sentence = sentences.get((stop.step, following)) or _(
        "%(learners)s: “%(step)s” reached, “%(following)s” not yet."
    )
    return sentence % {
        "learners": learners(stop.waits),
        "step": name_of_step(stop.step),
        "following": name_of_step(following) if following else "",
    }


def since_in_words(days: int | None) -> str:
    """Return for how long half of those who wait have waited; empty where that is not known."""
    if days is None:
        return ""
    if days == 0:
        return _("Most of them since less than %(days)d days.") % {"days": WAITED_DAYS[1]}
    return _("Half of them for %(days)d days or more.") % {"days": days}


def waited_in_words(place: int) -> str:
    """Return a group of WAITED_DAYS for people, such as ``7–13 days``."""
    first = WAITED_DAYS[place]
    if place + 1 == len(WAITED_DAYS):
        return _("%(days)d days or more") % {"days": first}
    return _("%(first)d–%(last)d days") % {"first": first, "last": WAITED_DAYS[place + 1] - 1}
