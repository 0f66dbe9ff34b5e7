"""What codes are called in the pages of the platform."""

from __future__ import annotations

from django.utils.translation import gettext as _


def level(kind: str) -> str:
    """Return what a kind of achievement is called."""
    return {
        "level1": _("Level 1: completion"),
        "level2": _("Level 2: achievement"),
        "programme": _("Programme"),
        "competency": _("Competency"),
    }.get(kind, kind)


def state(code: str) -> str:
    """Return what the state of an award is called."""
    return {
        "active": _("valid"),
        "suspended": _("suspended"),
        "revoked": _("revoked"),
        "expired": _("expired"),
    }.get(code, code)


def rung(code: str) -> str:
    """Return what the state of a part of a programme is called."""
    return {"earned": _("earned"), "begun": _("in progress"), "open": _("not begun")}.get(code, code)


def offer(code: str) -> str:
    """Return what was decided about an offered run."""
    return {"offered": _("to be decided"), "adopted": _("adopted"), "declined": _("declined")}.get(code, code)


def mode(code: str) -> str:
    """Return how a Level 1 relates to the certificate of the platform; empty for other kinds."""
    return {
        "mirror": _("follows the course certificate"),
        "own_with_platform": _("own criteria; the course certificate is asked for"),
        "own": _("own criteria, without a course certificate"),
    }.get(code, "")


def go(action: str) -> str:
    """Return what stands on the link of a next step."""
    return {
        "study": _("Continue the course"),
        "raise_grade": _("Go to the course"),
        "pass_subsection": _("Go to the course"),
        "take_exam": _("About the exam"),
        "resit_exam": _("About the exam"),
        "enrol": _("See the course"),
    }.get(action, _("Go to the course"))
