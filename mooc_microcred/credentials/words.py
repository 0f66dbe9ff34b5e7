"""Codes of definitions in words that people read, on pages and certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mooc_microcred.achievements.data import Definition, Text

KINDS = {
    "level1": gettext_lazy("Level 1: completion"),
    "level2": gettext_lazy("Level 2: achievement"),
    "programme": gettext_lazy("programme"),
    "competency": gettext_lazy("competency"),
}
DOMAINS = {
    "knowledge": gettext_lazy("knowledge"),
    "skills": gettext_lazy("skills"),
    "ethics": gettext_lazy("ethics"),
    "character": gettext_lazy("character"),
}
_TYPES = {
    "testing": gettext_lazy("testing"),
    "self_test": gettext_lazy("self-test"),
    "application_of_a_skill": gettext_lazy("application of a skill"),
    "portfolio": gettext_lazy("portfolio"),
    "recognition_of_prior_learning": gettext_lazy("recognition of prior learning"),
    "project": gettext_lazy("project"),
    "oral": gettext_lazy("oral"),
}
_PARTICIPATION = {
    "online": gettext_lazy("online"),
    "onsite": gettext_lazy("on site"),
    "blended": gettext_lazy("blended"),
    "work_experience": gettext_lazy("work experience"),
    "volunteering": gettext_lazy("volunteering"),
}
_SUPERVISION = {
    "unsupervised_without_id": gettext_lazy("unsupervised, identity not checked"),
    "supervised_without_id": gettext_lazy("supervised, identity not checked"),
    "supervised_online_with_id": gettext_lazy("supervised online, identity checked"),
    "supervised_onsite_with_id": gettext_lazy("supervised on site, identity checked"),
}
_QUALITY = {
    "institution": gettext_lazy("institution"),
    "national_agency": gettext_lazy("national agency"),
    "external_accreditation": gettext_lazy("external accreditation"),
    "professional_body": gettext_lazy("professional body"),
}
_LANGUAGES = {"th": gettext_lazy("Thai"), "en": gettext_lazy("English")}


def word(words: Mapping[str, Any], code: str) -> str:
    """Return the word of a code with a capital letter; a code without a word as it is."""
    found: str | Promise = words.get(code, code)
    text = str(found)
    return text[:1].upper() + text[1:]


def kind_in_words(kind: str) -> str:
    """Return what kind of achievement it is, in the reader's language."""
    return word(KINDS, kind)


def plain_number(value: Any) -> str:
    """Return a decimal number without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def outcomes_of(raw: Mapping[str, Any], language: str) -> list[tuple[str, list[str]]]:
    """Return (domain in words, sentences) of a definition, in the order of the national notice."""
    found: dict[str, list[str]] = {}
    for outcome in raw.get("outcomes", ()):
        sentence = Text.of(outcome["text"]).in_language(language)
        found.setdefault(outcome["domain"], []).append(sentence)
    ordered = [*DOMAINS, *(domain for domain in found if domain not in DOMAINS)]
    return [(word(DOMAINS, domain), found[domain]) for domain in ordered if domain in found]


def assessment_of(definition: Definition, language: str) -> list[tuple[str, str]]:
    """Return (label, value) of how an achievement is assessed, without what learners scored."""
    raw = definition.raw
    assessment = raw.get("assessment", {})
    found = [
        (_("Criteria"), Text.of(raw.get("criteria", {}).get("narrative")).in_language(language)),
        (
            _("Types of assessment"),
            ", ".join(str(_TYPES.get(one, one)) for one in assessment.get("types", ())),
        ),
        (_("Supervision and identity"), word(_SUPERVISION, assessment.get("supervision", ""))),
        (_("Participation"), word(_PARTICIPATION, assessment.get("participation", ""))),
        (_("Exam"), ", ".join(exam.name.in_language(language) for exam in definition.exams)),
        (_("Quality assurance"), word(_QUALITY, raw.get("quality_assurance", ""))),
    ]
    return [(label, value) for label, value in found if value]


def worth_of(definition: Definition, language: str) -> list[tuple[str, str]]:
    """Return (label, value) of what an achievement is worth: hours, credits, level, who accepts it."""
    raw = definition.raw
    accepted = [Text.of(one).in_language(language) for one in raw.get("accepted_by", ())]
    found = [
        (_("Workload"), _("%(hours)s hours") % {"hours": plain_number(definition.hours)}),
        (_("Credits"), plain_number(definition.credits) if definition.credits else ""),
        (_("National qualifications framework"), _level(raw.get("nqf_level"))),
        (_("Accepted by"), ", ".join(accepted)),
        (_("Languages"), ", ".join(str(_LANGUAGES.get(one, one)) for one in raw.get("languages", ()))),
        (_("Prerequisites"), Text.of(raw.get("prerequisites")).in_language(language)),
    ]
    return [(label, value) for label, value in found if value]


def _level(level: int | None) -> str:
    return _("level %(level)s") % {"level": level} if level else ""
