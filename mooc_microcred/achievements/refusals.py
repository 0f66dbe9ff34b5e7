"""Codes of why the platform issues no certificate; people read them through the functions here.

The codes are what the platform port answers. What staff read names the rule; what a learner reads
says what they can do.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NOT_PASSING = "not_passing"
PREVENTED = "prevented"
REFUSED = "refused"

#: What no check tells beforehand: only asking does.
ONLY_BY_ASKING = frozenset({PREVENTED, REFUSED})
#: What the platform's list of exceptions overcomes.
OVERCOME_BY_ALLOWLIST = frozenset({NOT_PASSING, "ccx", "beta_tester"})

_FOR_STAFF = {
    "no_such_learner": _("the learner's account does not exist on the platform"),
    "no_such_course": _("the platform does not know this course run"),
    "certificates_disabled": _("certificates are switched off for this course run"),
    "not_enrolled": _("the learner is not enrolled in this course run"),
    "mode": _("the enrolment mode earns no certificates"),
    "invalidated": _("a member of staff invalidated the certificate"),
    "ccx": _("the platform issues no certificates for custom courses (CCX)"),
    "beta_tester": _("the learner is a beta tester of this course run"),
    "identity": _("the platform asks for a verified identity first"),
    NOT_PASSING: _("the learner has not reached the pass mark of the course"),
    PREVENTED: _("a rule that the operator has set on the platform prevents it"),
    REFUSED: _("the platform did not take the request and gave no reason"),
}

_FOR_LEARNERS = {
    "certificates_disabled": _("Your course does not issue certificates yet. Please ask the course team."),
    "not_enrolled": _("You are no longer enrolled in the course. Enrol again to receive your certificate."),
    "mode": _("Your kind of enrolment earns no certificate. Please ask the course team how to change it."),
    "invalidated": _("The course team has withdrawn your certificate. Please ask them for the reason."),
    "identity": _("Verify your identity on the platform; the certificate follows by itself."),
    NOT_PASSING: _("Reach the pass mark of the course; the certificate follows by itself."),
}
_ANY = _("The platform has not issued your certificate yet. Please ask the course team.")


def describe(code: str) -> str | Promise:
    """Return a refusal as staff read it; an unknown code as it is."""
    return _FOR_STAFF.get(code, code)


def advise(code: str) -> str | Promise:
    """Return a refusal as its learner reads it: what they can do about it."""
    return _FOR_LEARNERS.get(code, _ANY)
