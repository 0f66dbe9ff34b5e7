"""The admin of the achievements room.

Definitions are written here with the same checks as in the catalogue's files. What is in force is
never changed: saving makes a draft, and a draft is activated by an action. Awards and everything
that follows from definitions are to look at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mooc_microcred.achievements import refusals
from mooc_microcred.achievements.catalogue_checks import check_catalogue, needs_of_definition
from mooc_microcred.achievements.catalogue_file import dump_yaml, parse_yaml, readable_definition
from mooc_microcred.achievements.definitions import (
    activate_version,
    adopt_run,
    create_version,
    decline_run,
    retire_version,
    save_issuer,
)
from mooc_microcred.achievements.models import (
    Achievement,
    AchievementVersion,
    Award,
    AwardEvent,
    CertificateAsk,
    CourseRequirement,
    EvaluationRequest,
    Feed,
    Issuer,
    RunOffer,
)
from mooc_microcred.core.admin import (
    OrganizationFilter,
    ReadOnlyAdmin,
    ReadOnlyInline,
    ScopedAdmin,
    actor_of,
    json_block,
    tell_error,
)
from mooc_microcred.core.dates import parse_date, western_digits
from mooc_microcred.core.errors import InvalidInput, MicrocredError, Problem
from mooc_microcred.core.roles import Actor, Role

EDITED_BY = (Role.PROGRAMME_OFFICER,)
SEEN_BY = (Role.PROGRAMME_OFFICER, Role.AUDITOR)
YAML_LIMIT = 50_000

# --- fields of several rows ---


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a field of rows. ``choices`` make it a choice; ``width`` is in characters."""

    name: str
    label: Any
    width: int = 30
    choices: tuple[tuple[str, Any], ...] = ()


class RowsWidget(forms.Widget):
    """A table with one row for each entry and a few empty ones for more."""

    SPARE = 3

    def __init__(self, columns: tuple[Column, ...], attrs=None):
        self.columns = columns
        super().__init__(attrs)

    def render(self, name, value, attrs=None, renderer=None):
        """Return the table; every input is labelled by its column and row."""
        rows = [*(value or []), *({} for _spare in range(self.SPARE))]
        head = format_html_join("", '<th scope="col">{}</th>', ((one.label,) for one in self.columns))
        body = format_html_join("", "<tr>{}</tr>", ((self._row(name, n, row),) for n, row in enumerate(rows)))
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body)

    def _row(self, name: str, number: int, row: Mapping[str, str]):
        return format_html_join(
            "",
            "<td>{}</td>",
            ((self._input(name, number, column, row.get(column.name, "")),) for column in self.columns),
        )

    def _input(self, name: str, number: int, column: Column, value: str):
        attrs = {"aria-label": f"{column.label} {number + 1}"}
        if column.choices:
            widget: forms.Widget = forms.Select(attrs=attrs, choices=[("", "—"), *column.choices])
        else:
            widget = forms.TextInput(attrs={**attrs, "size": column.width})
        return widget.render(f"{name}-{number}-{column.name}", value)

    def value_from_datadict(self, data, files, name):
        """Return the rows that were sent, empty ones left out."""
        rows = []
        number = 0
        while any(f"{name}-{number}-{column.name}" in data for column in self.columns):
            row = {
                column.name: data.get(f"{name}-{number}-{column.name}", "").strip() for column in self.columns
            }
            if any(row.values()):
                rows.append({key: value for key, value in row.items() if value})
            number += 1
            if number > 200:
                break
        return rows

    def value_omitted_from_data(self, data, files, name):
        """Say whether the table was not sent at all."""
        return not any(key.startswith(f"{name}-0-") for key in data)

    def id_for_label(self, id_):
        """Return no id: the inputs carry their own labels."""
        return ""


class RowsField(forms.Field):
    """Entries of a few short values each; its value is a list of dicts."""

    def __init__(self, columns: tuple[Column, ...], **kwargs):
        super().__init__(widget=RowsWidget(columns), required=False, **kwargs)

    def to_python(self, value):
        """Return the rows."""
        return value or []

    def has_changed(self, initial, data):
        """Compare the rows."""
        return (initial or []) != (data or [])


# --- what people read for the codes ---

_MODES = (
    ("mirror", gettext_lazy("mirror: the award follows the platform's certificate")),
    ("own_with_platform", gettext_lazy("own criteria, then the platform's certificate")),
    ("own", gettext_lazy("own criteria, without the platform's certificate")),
)
_DOMAINS = (
    ("knowledge", gettext_lazy("knowledge")),
    ("skills", gettext_lazy("skills")),
    ("ethics", gettext_lazy("ethics")),
    ("character", gettext_lazy("character")),
)
_TYPES = (
    ("testing", gettext_lazy("testing")),
    ("self_test", gettext_lazy("self-test")),
    ("application_of_a_skill", gettext_lazy("application of a skill")),
    ("portfolio", gettext_lazy("portfolio")),
    ("recognition_of_prior_learning", gettext_lazy("recognition of prior learning")),
    ("project", gettext_lazy("project")),
    ("oral", gettext_lazy("oral")),
)
_PARTICIPATION = (
    ("online", gettext_lazy("online")),
    ("onsite", gettext_lazy("on site")),
    ("blended", gettext_lazy("blended")),
    ("work_experience", gettext_lazy("work experience")),
    ("volunteering", gettext_lazy("volunteering")),
)
_SUPERVISION = (
    ("unsupervised_without_id", gettext_lazy("unsupervised, identity not checked")),
    ("supervised_without_id", gettext_lazy("supervised, identity not checked")),
    ("supervised_online_with_id", gettext_lazy("supervised online, identity checked")),
    ("supervised_onsite_with_id", gettext_lazy("supervised on site, identity checked")),
)
_METHODS = (
    ("CS", gettext_lazy("CS: standardised test")),
    ("CN", gettext_lazy("CN: non-degree")),
    ("CT", gettext_lazy("CT: training")),
    ("CP", gettext_lazy("CP: portfolio")),
    ("CE", gettext_lazy("CE: examination")),
)
_QUALITY = (
    ("institution", gettext_lazy("institution")),
    ("national_agency", gettext_lazy("national agency")),
    ("external_accreditation", gettext_lazy("external accreditation")),
    ("professional_body", gettext_lazy("professional body")),
)
_POLICIES = (
    ("best", gettext_lazy("best")),
    ("latest", gettext_lazy("latest")),
    ("first", gettext_lazy("first")),
)
_TH, _EN = gettext_lazy("Thai"), gettext_lazy("English")
_CHOOSE = ("", "—")


def _line(label, *, required=False, size=60, help_text="") -> forms.CharField:
    widget = forms.TextInput(attrs={"size": size})
    return forms.CharField(label=label, required=required, widget=widget, help_text=help_text)


def _paragraph(label, *, rows=3, help_text="") -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "cols": 90})
    return forms.CharField(
        label=label, required=False, max_length=YAML_LIMIT, widget=widget, help_text=help_text
    )


def _choice(label, choices, *, help_text="") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[_CHOOSE, *choices], help_text=help_text)


class _DocumentForm(forms.ModelForm):
    """A form that writes an entry of the catalogue, and shows the catalogue's findings at its fields.

    Attributes:
        section: of the catalogue: ``issuers`` or ``achievements``.
        places: the field at which a finding is shown, by the beginning of its place.
        actor: set by the page.
    """

    section: str
    places: Mapping[str, str]
    actor: Actor

    def definition_of(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """Return the entry that the form says."""
        raise NotImplementedError

    def clean(self):
        """Make the entry and check it as a catalogue."""
        super().clean()
        cleaned = self.cleaned_data
        self.definition = self.definition_of(cleaned)
        if self.errors:
            return cleaned
        organization = self.definition.get("organization", "")
        if not self.actor.has(EDITED_BY, organization):
            self.add_error(
                "organization", _("You do not hold the role that this needs for this organisation.")
            )
            return cleaned
        for problem in check_catalogue({"catalogue": 1, self.section: [self.definition]}):
            self.show(problem)
        return cleaned

    def _post_clean(self):
        """Leave the instance alone: the verb writes the row, not the form."""

    def show(self, problem: Problem) -> None:
        """Show a finding at the field that it is about, with its place in the definition."""
        place = problem.where.removeprefix(f"{self.section}[0]").removeprefix(".")
        begins = [start for start in self.places if place.startswith(start)]
        field = self.places[max(begins, key=len)] if begins else None
        if field not in self.fields:
            field = None
        self.add_error(
            field, str(Problem(place, problem.message, problem.value)) if place else problem.message
        )


def _texts(cleaned: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return the text of a pair of fields, without the language that is empty."""
    found = {language: _plain(cleaned.get(f"{name}_{language}")) for language in ("th", "en")}
    return {language: text for language, text in found.items() if text}


def _plain(text: str | None) -> str:
    """Return a text as a definition holds it: browsers send line breaks as two characters."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n").strip()


def _number(text: str | None) -> Any:
    """Return the number that a text is (Thai digits too), else the text, for the checks to refuse."""
    digits = western_digits(text or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else digits


class IssuerForm(_DocumentForm):
    """An issuer's profile."""

    section = "issuers"
    places = {
        "code": "code",
        "organization": "organization",
        "name": "name_th",
        "url": "url",
        "email": "email",
        "country": "country",
        "address": "address_th",
    }

    code = _line(gettext_lazy("code"), required=True, size=40)
    organization = _line(
        gettext_lazy("organisation"),
        required=True,
        size=40,
        help_text=gettext_lazy("short name on the platform"),
    )
    name_th = _line(gettext_lazy("name, Thai"))
    name_en = _line(gettext_lazy("name, English"))
    url = _line(gettext_lazy("web address"))
    email = _line(gettext_lazy("e-mail"))
    country = forms.CharField(label=gettext_lazy("country"), initial="TH", max_length=2)
    address_th = _paragraph(gettext_lazy("address, Thai"), rows=2)
    address_en = _paragraph(gettext_lazy("address, English"), rows=2)

    class Meta:
        model = Issuer
        fields: list[str] = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            raw = self.instance.definition
            for name in ("code", "organization", "url", "email", "country"):
                self.initial[name] = raw.get(name, "")
            for name in ("name", "address"):
                for language in ("th", "en"):
                    self.initial[f"{name}_{language}"] = raw.get(name, {}).get(language, "")
            for name in ("code", "organization"):
                if name in self.fields:
                    self.fields[name].disabled = True

    def definition_of(self, cleaned):
        """Return the issuer as in the catalogue."""
        definition: dict[str, Any] = {
            name: _plain(cleaned.get(name)) for name in ("code", "organization", "url", "email", "country")
        }
        definition["name"] = _texts(cleaned, "name")
        definition["address"] = _texts(cleaned, "address")
        return {
            name: value
            for name, value in definition.items()
            if value or name in ("code", "organization", "name", "country")
        }

    def clean_code(self):
        """Refuse to write over an issuer that is there."""
        code = self.cleaned_data["code"].strip()
        if not self.instance.pk and Issuer.objects.filter(code=code).exists():
            raise forms.ValidationError(_("There is an issuer with this code. Edit that one."))
        return code


_OUTCOMES = (
    Column("domain", gettext_lazy("domain"), choices=_DOMAINS),
    Column("th", _TH, 60),
    Column("en", _EN, 60),
)
_ACCEPTED_BY = (Column("th", _TH, 60), Column("en", _EN, 60))
_EXAMS = (
    Column("code", gettext_lazy("code"), 20),
    Column("th", gettext_lazy("name, Thai")),
    Column("en", gettext_lazy("name, English")),
    Column("max_score", gettext_lazy("full score"), 8),
    Column("attempts", gettext_lazy("attempts"), 6),
    Column("resit_gap_days", gettext_lazy("days between sittings"), 6),
    Column("policy", gettext_lazy("what counts"), choices=_POLICIES),
)
_EXAM_NUMBERS = ("attempts", "resit_gap_days")
_TEXT_PAIRS = ("name", "description", "prerequisites")


class DefinitionForm(_DocumentForm):
    """A version of a definition, in the words and fields of those who write it."""

    section = "achievements"
    places = {
        **{
            name: name for name in ("code", "organization", "kind", "issuer", "hours", "credits", "nqf_level")
        },
        **{name: name for name in ("exams", "outcomes", "quality_assurance", "languages", "stackable")},
        **{name: name for name in ("accepted_by", "further_information", "validity_months")},
        **{name: f"{name}_th" for name in _TEXT_PAIRS},
        "course": "course_number",
        "course.runs": "course_runs",
        "criteria.narrative": "narrative_th",
        "criteria.mode": "mode",
        "criteria.level1": "level1",
        "criteria.rule": "rule",
        "criteria.tree": "tree",
        "assessment.types": "assessment_types",
        "assessment.participation": "participation",
        "assessment.supervision": "supervision",
        "assessment.method": "method",
        "judges.enrolled_from": "enrolled_from",
        "judges.enrolled_until": "enrolled_until",
    }

    code = _line(
        gettext_lazy("code"), required=True, size=40, help_text=gettext_lazy("small letters, digits, hyphens")
    )
    organization = _line(
        gettext_lazy("organisation"),
        required=True,
        size=40,
        help_text=gettext_lazy("short name on the platform"),
    )
    kind = forms.ChoiceField(label=gettext_lazy("kind"), choices=[_CHOOSE, *Achievement.Kind.choices])
    issuer = forms.ChoiceField(label=gettext_lazy("issuer"))
    name_th = _line(gettext_lazy("name, Thai"), size=90)
    name_en = _line(gettext_lazy("name, English"), size=90)
    description_th = _paragraph(gettext_lazy("description, Thai"))
    description_en = _paragraph(gettext_lazy("description, English"))

    course_number = _line(
        gettext_lazy("course number"),
        size=30,
        help_text=gettext_lazy("any run of this course of the organisation fulfils the requirement"),
    )
    course_runs = _paragraph(
        gettext_lazy("or course runs"),
        help_text=gettext_lazy(
            "one key on each line; any one of them fulfils it, re-runs are offered for adoption"
        ),
    )
    narrative_th = _paragraph(gettext_lazy("criteria in words, Thai"))
    narrative_en = _paragraph(gettext_lazy("criteria in words, English"))
    mode = _choice(gettext_lazy("mode"), _MODES, help_text=gettext_lazy("of a Level 1"))
    level1 = _line(
        gettext_lazy("needs Level 1"),
        size=40,
        help_text=gettext_lazy("code; of a Level 2, empty if it needs none"),
    )
    rule = _paragraph(
        gettext_lazy("rule"),
        rows=8,
        help_text=gettext_lazy("of a Level 1 or Level 2, in YAML; see the reference of the catalogue"),
    )
    tree = _paragraph(
        gettext_lazy("tree"),
        rows=8,
        help_text=gettext_lazy("of a programme, in YAML; see the reference of the catalogue"),
    )
    exams = RowsField(_EXAMS, label=gettext_lazy("exams"))

    hours = _line(
        gettext_lazy("workload in hours"),
        required=True,
        size=8,
        help_text=gettext_lazy("assessment included"),
    )
    credits = _line(gettext_lazy("credits"), size=8)
    nqf_level = _choice(
        gettext_lazy("level of the national qualifications framework"),
        [(str(n), str(n)) for n in range(1, 9)],
    )
    outcomes = RowsField(_OUTCOMES, label=gettext_lazy("learning outcomes"))
    assessment_types = forms.MultipleChoiceField(
        label=gettext_lazy("types of assessment"),
        choices=_TYPES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    participation = _choice(gettext_lazy("form of participation"), _PARTICIPATION)
    supervision = _choice(gettext_lazy("supervision and identity check"), _SUPERVISION)
    method = _choice(gettext_lazy("method of assessment for the credit bank"), _METHODS)
    quality_assurance = _choice(gettext_lazy("quality assurance by"), _QUALITY)
    languages = _line(
        gettext_lazy("languages"), size=20, help_text=gettext_lazy("two letters each, such as: th, en")
    )
    prerequisites_th = _paragraph(gettext_lazy("prerequisites, Thai"), rows=2)
    prerequisites_en = _paragraph(gettext_lazy("prerequisites, English"), rows=2)
    stackable = _choice(
        gettext_lazy("stackable"), [("yes", gettext_lazy("yes")), ("no", gettext_lazy("no, stand-alone"))]
    )
    accepted_by = RowsField(_ACCEPTED_BY, label=gettext_lazy("accepted by"))
    further_information = _line(gettext_lazy("further information"), size=90)
    validity_months = _line(gettext_lazy("valid for months"), size=6)
    enrolled_from = _line(
        gettext_lazy("judges those enrolled from"),
        size=14,
        help_text=gettext_lazy("day/month/year; an older version goes on to judge those enrolled earlier"),
    )
    enrolled_until = _line(gettext_lazy("judges those enrolled until"), size=14)
    # What the person had before their eyes: somebody else's change in the meantime is not lost.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = AchievementVersion
        fields: list[str] = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "issuer" in self.fields:
            codes = Issuer.objects.order_by("code").values_list("code", flat=True)
            self.fields["issuer"].choices = [_CHOOSE, *((code, code) for code in codes)]
        if self.instance.pk:
            self.initial.update(initial_of(self.instance.definition), seen=_digest(self.instance))
            for name in ("code", "organization", "kind"):
                if name in self.fields:
                    self.fields[name].disabled = True

    def clean_code(self):
        """Refuse to begin what is there: it is edited at its newest version."""
        code = self.cleaned_data["code"].strip()
        if not self.instance.pk and Achievement.objects.filter(code=code).exists():
            raise forms.ValidationError(_("There is an achievement with this code. Edit its newest version."))
        return code

    def clean_rule(self):
        """Return the rule's value."""
        return self._clean_yaml("rule")

    def clean_tree(self):
        """Return the tree's value."""
        return self._clean_yaml("tree")

    def _clean_yaml(self, name: str) -> Any:
        try:
            return parse_yaml(_plain(self.cleaned_data[name]), max_bytes=YAML_LIMIT * 4)
        except InvalidInput as error:
            raise forms.ValidationError([str(problem) for problem in error.problems]) from None

    def clean_enrolled_from(self):
        """Return the day in ISO 8601."""
        return self._clean_day("enrolled_from")

    def clean_enrolled_until(self):
        """Return the day in ISO 8601."""
        return self._clean_day("enrolled_until")

    def _clean_day(self, name: str) -> str:
        text = self.cleaned_data[name].strip()
        if not text:
            return ""
        try:
            return parse_date(text).isoformat()
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self):
        """Check the definition, and that nobody else's draft would be lost."""
        if self.instance.pk:
            newest = self.instance.achievement.versions.order_by("-number").first()
            if newest.pk != self.instance.pk and newest.state == AchievementVersion.State.DRAFT:
                message = _("Version %(number)s is a newer draft. Edit that one.")
                raise forms.ValidationError(message % {"number": newest.number})
            if self.cleaned_data.get("seen") != _digest(self.instance):
                raise forms.ValidationError(
                    _("Somebody has changed this version in the meantime. Reload the page and write again.")
                )
        return super().clean()

    def definition_of(self, cleaned):
        """Return the definition as in the catalogue."""
        return definition_of(cleaned)


def _digest(version: AchievementVersion) -> str:
    return hashlib.sha256(json.dumps(version.definition, sort_keys=True).encode()).hexdigest()


def initial_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the form's values of a definition; :func:`definition_of` is the way back."""
    readable = readable_definition(definition)
    criteria, course = definition["criteria"], definition.get("course", {})
    assessment, judges = definition["assessment"], definition.get("judges", {})
    values: dict[str, Any] = {
        name: str(definition.get(name, ""))
        for name in ("code", "organization", "kind", "issuer", "hours", "credits", "nqf_level")
    }
    values |= {
        name: str(definition.get(name, ""))
        for name in ("quality_assurance", "further_information", "validity_months")
    }
    for name in _TEXT_PAIRS:
        for language in ("th", "en"):
            values[f"{name}_{language}"] = definition.get(name, {}).get(language, "")
    for language in ("th", "en"):
        values[f"narrative_{language}"] = criteria["narrative"].get(language, "")
    for name in ("rule", "tree"):
        value = readable["criteria"].get(name)
        values[name] = dump_yaml(value) if value is not None else ""
    stackable = definition.get("stackable")
    return values | {
        "course_number": course.get("number", ""),
        "course_runs": "\n".join(course.get("runs", ())),
        "mode": criteria.get("mode", ""),
        "level1": criteria.get("level1") or "",
        "exams": [
            {
                **{key: str(value) for key, value in exam.items() if key != "name"},
                **exam["name"],
            }
            for exam in definition.get("exams", ())
        ],
        "outcomes": [{"domain": one["domain"], **one["text"]} for one in definition["outcomes"]],
        "assessment_types": assessment["types"],
        "participation": assessment["participation"],
        "supervision": assessment["supervision"],
        "method": assessment["method"],
        "languages": ", ".join(definition.get("languages", ())),
        "stackable": "" if stackable is None else "yes" if stackable else "no",
        "accepted_by": [dict(one) for one in definition.get("accepted_by", ())],
        "enrolled_from": judges.get("enrolled_from", ""),
        "enrolled_until": judges.get("enrolled_until", ""),
    }


def definition_of(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definition that a form's values say, without the fields that have none."""
    definition: dict[str, Any] = {
        name: _plain(cleaned.get(name)) for name in ("code", "organization", "kind", "issuer")
    }
    definition["name"] = _texts(cleaned, "name")
    definition["hours"] = western_digits(_plain(cleaned.get("hours")))
    definition["criteria"] = _criteria_of(cleaned)
    definition["outcomes"] = [
        {"domain": row.get("domain", ""), "text": _pair(row)} for row in cleaned.get("outcomes") or ()
    ]
    definition["assessment"] = {
        "types": list(cleaned.get("assessment_types") or ()),
        "participation": cleaned.get("participation", ""),
        "supervision": cleaned.get("supervision", ""),
        "method": cleaned.get("method", ""),
    }
    definition["quality_assurance"] = cleaned.get("quality_assurance", "")
    languages = _plain(cleaned.get("languages")).replace(",", " ").split()
    return definition | _without_empty(
        {
            "description": _texts(cleaned, "description"),
            "course": _course_of(cleaned),
            "exams": [_exam_of(row) for row in cleaned.get("exams") or ()],
            "credits": western_digits(_plain(cleaned.get("credits"))),
            "nqf_level": _number(cleaned.get("nqf_level")),
            "languages": languages,
            "prerequisites": _texts(cleaned, "prerequisites"),
            "stackable": {"yes": True, "no": False}.get(cleaned.get("stackable", "")),
            "accepted_by": [_pair(row) for row in cleaned.get("accepted_by") or ()],
            "further_information": _plain(cleaned.get("further_information")),
            "validity_months": _number(cleaned.get("validity_months")),
            "judges": _without_empty(
                {name: cleaned.get(name) or "" for name in ("enrolled_from", "enrolled_until")}
            ),
        }
    )


def _criteria_of(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    criteria = {"narrative": _texts(cleaned, "narrative")}
    rest = {"mode": cleaned.get("mode", ""), "level1": _plain(cleaned.get("level1"))}
    trees = {name: cleaned.get(name) for name in ("rule", "tree") if cleaned.get(name) is not None}
    return criteria | _without_empty(rest) | trees


def _course_of(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    course: dict[str, Any] = {}
    number, runs = _plain(cleaned.get("course_number")), _plain(cleaned.get("course_runs")).split()
    if number:
        course |= {"organization": _plain(cleaned.get("organization")), "number": number}
    if runs:
        course["runs"] = runs
    return course


def _exam_of(row: Mapping[str, str]) -> dict[str, Any]:
    exam: dict[str, Any] = {
        "code": row.get("code", ""),
        "name": _pair(row),
        "max_score": western_digits(row.get("max_score", "")),
    }
    return exam | {
        name: _number(row[name]) if name in _EXAM_NUMBERS else row[name]
        for name in (*_EXAM_NUMBERS, "policy")
        if row.get(name)
    }


def _pair(row: Mapping[str, str]) -> dict[str, str]:
    return {language: row[language] for language in ("th", "en") if row.get(language)}


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


# --- pages of definitions ---


class _DefinitionAdmin(ScopedAdmin):
    """A page on which programme officers write, and auditors read."""

    seen_by = SEEN_BY

    def has_add_permission(self, request):
        """Ask for Django's permission and a programme officer's role."""
        return super().has_add_permission(request) and actor_of(request).organizations(EDITED_BY) != set()

    def has_change_permission(self, request, obj=None):
        """Ask for Django's permission and a programme officer's role for the row's organisation."""
        if not super().has_change_permission(request, obj):
            return False
        actor = actor_of(request)
        if obj is None or obj.pk is None:
            return actor.organizations(EDITED_BY) != set()
        return actor.has(EDITED_BY, self.organization_of(obj))

    def has_delete_permission(self, request, obj=None):
        """Nobody deletes: versions retire."""
        return False

    def organization_of(self, obj) -> str:
        """Return the organisation of a row."""
        raise NotImplementedError

    def get_form(self, request, obj=None, change=False, **kwargs):
        """Give the form the person who writes."""
        if not (self.has_change_permission(request, obj) if obj else self.has_add_permission(request)):
            # Who may only look is shown read-only fields, for which no form field is declared.
            return super().get_form(request, obj, change, **{**kwargs, "form": forms.ModelForm, "fields": []})
        form = self.form
        # The fields are declared, not derived from the model.
        return type(form.__name__, (form,), {"actor": actor_of(request)})

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Show what a verb refused on the page where it was asked for."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except MicrocredError as error:
            tell_error(request, error)
            return HttpResponseRedirect(request.get_full_path())

    def save_related(self, request, form, formsets, change):
        """Nothing is related."""


@admin.register(Issuer)
class IssuerAdmin(_DefinitionAdmin):
    """Who awards."""

    form = IssuerForm
    organization_path = "organization"
    found_by = ("code",)
    list_display = ("code", "organization", "name")
    list_filter = (OrganizationFilter,)
    ordering = ("code",)

    def organization_of(self, obj):
        """Return the issuer's organisation."""
        return obj.organization

    def get_fieldsets(self, request, obj=None):
        """Return the form's fields, or what is to be read."""
        if obj and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["code", "organization", "as_yaml"]})]
        return [(None, {"fields": list(IssuerForm.base_fields)})]

    def get_readonly_fields(self, request, obj=None):
        """Return what is to be read by those who may not write."""
        if obj and not self.has_change_permission(request, obj):
            return ("code", "organization", "as_yaml")
        return ()

    @admin.display(description=gettext_lazy("name"))
    def name(self, issuer):
        """Return the name in either language."""
        names = issuer.definition.get("name", {})
        return names.get("th") or names.get("en", "")

    @admin.display(description=gettext_lazy("profile"))
    def as_yaml(self, issuer):
        """Return the profile as in the catalogue."""
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', dump_yaml(issuer.definition))

    def save_model(self, request, obj, form, change):
        """Write the issuer by the verb, which checks and records."""
        save_issuer(definition=form.definition, actor_id=request.user.pk)
        _become(obj, Issuer.objects.get(code=form.definition["code"]))


def _become(obj, saved) -> None:
    """Make the form's instance the row that the verb wrote, for the admin's own log and redirect."""
    for field in saved._meta.concrete_fields:
        setattr(obj, field.attname, getattr(saved, field.attname))
    obj._state.adding = False


class VersionInline(ReadOnlyInline):
    """The versions of an achievement."""

    model = AchievementVersion
    fields = ("number", "state", "issuer", "activated_at", "retired_at")
    ordering = ("-number",)
    show_change_link = True


@admin.register(Achievement)
class AchievementAdmin(ReadOnlyAdmin):
    """What can be earned, across its versions. What is written about it are its versions."""

    organization_path = "organization"
    seen_by = SEEN_BY
    found_by = ("code",)
    list_display = ("code", "kind", "organization", "created")
    list_filter = (OrganizationFilter, "kind")
    ordering = ("code",)
    inlines = (VersionInline,)


@admin.register(AchievementVersion)
class AchievementVersionAdmin(_DefinitionAdmin):
    """Definitions: written as drafts, activated by an action."""

    form = DefinitionForm
    organization_path = "achievement__organization"
    found_by = ("achievement__code",)
    list_display = ("code", "number", "kind", "organization", "state", "name", "activated_at", "retired_at")
    list_filter = (OrganizationFilter, "state", "achievement__kind")
    list_select_related = ("achievement", "issuer")
    ordering = ("achievement__code", "-number")
    actions = ("activate", "retire")
    save_on_top = True

    _to_read = ("achievement", "number", "state", "issuer", "activated_at", "retired_at", "as_yaml")
    _fieldsets = (
        (None, ("code", "organization", "kind", "issuer", "name_th", "name_en", "seen")),
        (gettext_lazy("Description"), ("description_th", "description_en")),
        (
            gettext_lazy("Criteria"),
            (
                "course_number",
                "course_runs",
                "narrative_th",
                "narrative_en",
                "mode",
                "level1",
                "rule",
                "exams",
                "tree",
            ),
        ),
        (gettext_lazy("Workload, level and outcomes"), ("hours", "credits", "nqf_level", "outcomes")),
        (
            gettext_lazy("Assessment and quality"),
            (
                "assessment_types",
                "participation",
                "supervision",
                "method",
                "quality_assurance",
            ),
        ),
        (
            gettext_lazy("Further elements"),
            (
                "languages",
                "prerequisites_th",
                "prerequisites_en",
                "stackable",
                "accepted_by",
                "further_information",
                "validity_months",
            ),
        ),
        (gettext_lazy("Whom this version judges"), ("enrolled_from", "enrolled_until")),
    )

    def organization_of(self, obj):
        """Return the achievement's organisation."""
        return obj.achievement.organization

    def get_fieldsets(self, request, obj=None):
        """Return the form's fields in groups, or what is to be read."""
        if obj and not self.has_change_permission(request, obj):
            return [(None, {"fields": list(self._to_read)})]
        return [(title, {"fields": list(fields)}) for title, fields in self._fieldsets]

    def get_readonly_fields(self, request, obj=None):
        """Return what is to be read by those who may not write."""
        return self._to_read if obj and not self.has_change_permission(request, obj) else ()

    @admin.display(description=gettext_lazy("code"), ordering="achievement__code")
    def code(self, version):
        """Return the achievement's code."""
        return version.achievement.code

    @admin.display(description=gettext_lazy("kind"), ordering="achievement__kind")
    def kind(self, version):
        """Return the kind in words."""
        return version.achievement.get_kind_display()

    @admin.display(description=gettext_lazy("organisation"), ordering="achievement__organization")
    def organization(self, version):
        """Return the achievement's organisation."""
        return version.achievement.organization

    @admin.display(description=gettext_lazy("name"))
    def name(self, version):
        """Return the name in either language."""
        names = version.definition["name"]
        return names.get("th") or names.get("en", "")

    @admin.display(description=gettext_lazy("definition"))
    def as_yaml(self, version):
        """Return the definition as in the catalogue."""
        text = dump_yaml(readable_definition(version.definition))
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', text)

    def save_model(self, request, obj, form, change):
        """Make a draft by the verb: what was in force is never changed."""
        made = create_version(definition=form.definition, actor_id=request.user.pk)
        request._microcred_made = made  # noqa: SLF001
        _become(obj, AchievementVersion.objects.get(pk=made.id))

    def response_add(self, request, obj, post_url_continue=None):
        """Say what was made and show it."""
        return self._answer(request, obj)

    def response_change(self, request, obj):
        """Say what was made and show it."""
        return self._answer(request, obj)

    def _answer(self, request, obj):
        made = request._microcred_made  # noqa: SLF001
        names = {"code": made.code, "number": made.number}
        if made.outcome == "unchanged":
            messages.info(request, _("Nothing has changed in %(code)s version %(number)s.") % names)
        else:
            messages.success(
                request,
                _("%(code)s version %(number)s is a draft. Activate it from the list to bring it into force.")
                % names,
            )
        page = "changelist" if "_save" in request.POST else "change"
        arguments = [] if page == "changelist" else [obj.pk]
        return HttpResponseRedirect(
            reverse(f"admin:mooc_microcred_achievementversion_{page}", args=arguments)
        )

    @admin.action(description=gettext_lazy("Activate the drafts"), permissions=["change"])
    def activate(self, request, queryset):
        """Bring drafts into force, those first that others need."""
        for version in _needed_first(queryset.select_related("achievement")):
            self._do(request, version, activate_version, _("%(code)s version %(number)s is in force."))

    @admin.action(description=gettext_lazy("Retire the versions"), permissions=["change"])
    def retire(self, request, queryset):
        """Take versions out of force; awards stay."""
        for version in queryset.select_related("achievement"):
            self._do(request, version, retire_version, _("%(code)s version %(number)s has been retired."))

    def _do(self, request, version, verb, success: str) -> None:
        names = {"code": version.achievement.code, "number": version.number}
        try:
            actor_of(request).require(EDITED_BY, version.achievement.organization)
            verb(version_id=version.pk, actor_id=request.user.pk)
        except MicrocredError as error:
            messages.error(request, _("%(code)s version %(number)s:") % names)
            tell_error(request, error)
        else:
            messages.success(request, success % names)


def _needed_first(versions: Iterable[AchievementVersion]) -> list[AchievementVersion]:
    """Return versions so that what is needed comes before what needs it."""
    waiting = sorted(versions, key=lambda one: (one.achievement.code, one.number))
    ordered: list[AchievementVersion] = []
    while waiting:
        codes = {one.achievement.code for one in waiting}
        ready = [one for one in waiting if not needs_of_definition(one.definition) & codes]
        # A circle cannot be activated; the verb says so.
        ordered += ready or waiting
        waiting = [one for one in waiting if one not in ordered]
    return ordered


@admin.register(RunOffer)
class RunOfferAdmin(ReadOnlyAdmin):
    """Re-runs that are offered, to be adopted or declined by an action."""

    organization_path = "achievement__organization"
    seen_by = SEEN_BY
    found_by = ("course_key", "achievement__code")
    list_display = ("course_key", "achievement", "state", "offered_at", "decided_at", "decided_by")
    list_filter = (OrganizationFilter, "state", "offered_at")
    list_select_related = ("achievement",)
    ordering = ("-pk",)
    actions = ("adopt", "decline")

    def has_decide_permission(self, request) -> bool:
        """Ask for the change permission and a programme officer's role; the verbs check it for every row."""
        return (
            request.user.has_perm("mooc_microcred.change_runoffer")
            and actor_of(request).organizations(EDITED_BY) != set()
        )

    @admin.action(description=gettext_lazy("Adopt the runs"), permissions=["decide"])
    def adopt(self, request, queryset):
        """Let the runs fulfil the requirements."""
        self._decide(request, queryset, adopt_run, _("%(run)s now fulfils %(code)s."))

    @admin.action(description=gettext_lazy("Decline the runs"), permissions=["decide"])
    def decline(self, request, queryset):
        """Say that the runs do not fulfil the requirements."""
        self._decide(request, queryset, decline_run, _("%(run)s was declined for %(code)s."))

    def _decide(self, request, queryset, verb, success: str) -> None:
        for offer in queryset.select_related("achievement"):
            code = offer.achievement.code
            try:
                verb(actor=actor_of(request), achievement_code=code, course_key=offer.course_key)
            except MicrocredError as error:
                tell_error(request, error)
            else:
                messages.success(request, success % {"run": offer.course_key, "code": code})


# --- pages to look at ---


class AwardEventInline(ReadOnlyInline):
    """The history of an award."""

    model = AwardEvent
    fields = ("at", "kind", "reason", "note", "actor_id")
    ordering = ("at", "pk")


@admin.register(Award)
class AwardAdmin(ReadOnlyAdmin):
    """What learners have earned, with the evidence and the history."""

    organization_path = "achievement__organization"
    seen_by = (*SEEN_BY, Role.CREDIT_OFFICER)
    found_by = ("learner_id", "uuid", "achievement__code")
    list_display = (
        "uuid",
        "achievement",
        "learner_id",
        "state",
        "course_key",
        "issued_at",
        "published_at",
        "expires_at",
        "reason",
    )
    list_filter = (OrganizationFilter, "state", "achievement__kind", "issued_at")
    list_select_related = ("achievement",)
    ordering = ("-pk",)
    exclude = ("evidence", "live")
    readonly_fields = ("what_it_rests_on",)
    inlines = (AwardEventInline,)

    @admin.display(description=gettext_lazy("evidence"))
    def what_it_rests_on(self, award):
        """Return the snapshot of the evidence, laid out."""
        return json_block(award.evidence)


@admin.register(AwardEvent)
class AwardEventAdmin(ReadOnlyAdmin):
    """What happened to awards."""

    organization_path = "award__achievement__organization"
    seen_by = (*SEEN_BY, Role.CREDIT_OFFICER)
    found_by = ("award__uuid", "award__learner_id")
    list_display = ("at", "kind", "award", "reason", "actor_id")
    list_filter = (OrganizationFilter, "kind", "at")
    list_select_related = ("award",)
    ordering = ("-pk",)


@admin.register(CourseRequirement)
class CourseRequirementAdmin(ReadOnlyAdmin):
    """Which courses the definitions in force look at."""

    organization_path = "version__achievement__organization"
    seen_by = SEEN_BY
    found_by = ("course_key", "number", "version__achievement__code")
    list_display = ("version", "organization", "number", "course_key", "needs_completion")
    list_filter = (OrganizationFilter, "needs_completion")
    list_select_related = ("version__achievement",)
    ordering = ("-pk",)


@admin.register(EvaluationRequest)
class EvaluationRequestAdmin(ReadOnlyAdmin):
    """What is to be evaluated."""

    course_path = "course_key"
    seen_by = SEEN_BY
    found_by = ("learner_id",)
    list_display = ("id", "learner_id", "course_key", "reason", "not_before", "due")
    list_filter = ("reason", "due")
    ordering = ("-pk",)


@admin.register(Feed)
class FeedAdmin(ReadOnlyAdmin):
    """Walks over everybody concerned, and how far they are."""

    seen_by = SEEN_BY
    found_by = ("course_key",)
    list_display = ("id", "reason", "version", "course_key", "not_before", "fed", "finished_at")
    list_filter = ("reason", ("finished_at", admin.EmptyFieldListFilter), "created")
    list_select_related = ("version__achievement",)
    ordering = ("-pk",)


@admin.register(CertificateAsk)
class CertificateAskAdmin(ReadOnlyAdmin):
    """Which certificates the platform was asked for, and why it was not asked."""

    course_path = "course_key"
    seen_by = SEEN_BY
    found_by = ("learner_id", "course_key")
    list_display = ("learner_id", "course_key", "asked_at", "why_not", "checked_at", "ask_again_at")
    list_filter = ("refusal", "checked_at")
    ordering = ("-pk",)

    @admin.display(description=gettext_lazy("why the platform refuses"), ordering="refusal")
    def why_not(self, ask):
        """Say why the platform issues no certificate, in words."""
        return refusals.describe(ask.refusal) if ask.refusal else ""
