"""What a catalogue may not say, and where its findings point."""

import copy
import json

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mooc_microcred.achievements.catalogue_checks import (
    MAX_DEPTH,
    MAX_PROBLEMS,
    advise_catalogue,
    catalogue_schema,
    check_catalogue,
    covers,
)
from mooc_microcred.achievements.catalogue_file import SAMPLES, load_catalogue, read_sample
from mooc_microcred.achievements.data import Judges
from mooc_microcred.achievements.models import Achievement, AchievementVersion, Issuer
from tests.support.definitions import definition

pytestmark = pytest.mark.django_db

ISSUER = {
    "code": "kmutt",
    "organization": "KMUTT",
    "name": {"th": "มจธ.", "en": "KMUTT"},
    "country": "TH",
}
COURSE = {"organization": "KMUTT", "number": "PY101"}
WORDS = {"th": "ทำให้ครบ", "en": "Do it all."}


def level1(code="l1", mode="own", rule=None, **fields):
    criteria = {"narrative": WORDS, "mode": mode}
    if rule is not None:
        criteria["rule"] = rule
    elif mode != "mirror":
        criteria["rule"] = {"course_grade": {"passed": True}}
    return definition(code, "level1", **{"criteria": criteria, "course": COURSE, **fields})


def level2(code="l2", needs="l1", rule=None, **fields):
    rule = rule or {"exam": {"code": f"{code}-exam", "minimum": 60}}
    criteria = {"narrative": WORDS, "level1": needs, "rule": rule}
    exams = [{"code": f"{code}-exam", "name": WORDS, "max_score": 100}]
    return definition(code, "level2", **{"criteria": criteria, "course": COURSE, "exams": exams, **fields})


def programme(code="pr", tree=None, **fields):
    criteria = {"narrative": WORDS, "tree": tree or {"achievement": "l2"}}
    return definition(code, "programme", **{"criteria": criteria, **fields})


def document(*achievements, issuers=(ISSUER,)):
    return {"catalogue": 1, "issuers": list(issuers), "achievements": list(achievements)}


def findings(doc):
    return {problem.where: problem.message for problem in check_catalogue(doc)}


def with_criteria(one, **criteria):
    one = copy.deepcopy(one)
    for name, value in criteria.items():
        if value is None:
            one["criteria"].pop(name, None)
        else:
            one["criteria"][name] = value
    return one


def without(one, name):
    return {key: value for key, value in one.items() if key != name}


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(catalogue_schema())


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_are_right_and_complete_in_both_languages(name):
    sample = read_sample(name).document

    assert check_catalogue(sample) == []
    assert advise_catalogue(sample) == []


def test_a_small_catalogue_is_right():
    assert findings(document(level1(), level2(), programme())) == {}


# --- shape ---

SHAPES = [
    ("the document is no mapping", [], "", "fields with values"),
    ("nothing", None, "", "fields with values"),
    ("a text", "catalogue: 1", "", "fields with values"),
    ("the format's version is missing", {}, "catalogue", "missing"),
    ("another version of the format", {"catalogue": 2}, "catalogue", "must be 1"),
    ("true is not 1", {"catalogue": True}, "catalogue", "must be 1"),
    ("an unknown section", {"catalogue": 1, "badges": []}, "", "no field badges"),
    ("achievements are a mapping", {"catalogue": 1, "achievements": {}}, "achievements", "a list"),
    (
        "an issuer without a country",
        document(issuers=[without(ISSUER, "country")]),
        "issuers[0].country",
        "missing",
    ),
    (
        "a country in small letters",
        document(issuers=[{**ISSUER, "country": "th"}]),
        "issuers[0].country",
        "two capital letters",
    ),
    (
        "an address without https",
        document(issuers=[{**ISSUER, "url": "http://kmutt.example"}]),
        "issuers[0].url",
        "https://",
    ),
    (
        "no e-mail address",
        document(issuers=[{**ISSUER, "email": "kmutt"}]),
        "issuers[0].email",
        "e-mail",
    ),
    (
        "a code with capitals",
        document(level1("L1")),
        "achievements[0].code",
        "lower-case",
    ),
    ("a line break after a code", document(level1("l1\n")), "achievements[0].code", "lower-case"),
    (
        "an unknown kind",
        document({**level1(), "kind": "level3"}),
        "achievements[0].kind",
        "level1, level2, competency, programme",
    ),
    ("a name in no language", document(level1(name={})), "achievements[0].name", "th, en"),
    ("a name in a third language", document(level1(name={"fr": "x"})), "achievements[0].name", "no field fr"),
    ("a blank name", document(level1(name={"en": "  "})), "achievements[0].name.en", "empty"),
    ("a name without language", document(level1(name="x")), "achievements[0].name", "fields with values"),
    ("a long name", document(level1(name={"en": "x" * 256})), "achievements[0].name.en", "longer than 255"),
    ("no hours", document(without(level1(), "hours")), "achievements[0].hours", "missing"),
    ("hours as a word", document(level1(hours="many")), "achievements[0].hours", "9999.99"),
    ("negative hours", document(level1(hours=-3)), "achievements[0].hours", "at least 0"),
    ("too many decimals", document(level1(hours=1.005)), "achievements[0].hours", "two decimals"),
    (
        "more credits than a record can hold",
        document(level1(credits=10**4)),
        "achievements[0].credits",
        "9999.99",
    ),
    ("hours of Thai digits", document(level1(hours="๔๕")), "achievements[0].hours", "9999.99"),
    ("hours true", document(level1(hours=True)), "achievements[0].hours", "text or a number"),
    ("a level above 8", document(level1(nqf_level=9)), "achievements[0].nqf_level", "at most 8"),
    ("half a level", document(level1(nqf_level=4.5)), "achievements[0].nqf_level", "whole number"),
    ("no outcomes", document(level1(outcomes=[])), "achievements[0].outcomes", "at least 1"),
    (
        "an outcome of the old fifth domain",
        document(level1(outcomes=[{"domain": "numerical", "text": WORDS}])),
        "achievements[0].outcomes[0].domain",
        "knowledge, skills, ethics, character",
    ),
    (
        "a method of assessment that the bank does not know",
        document(level1(assessment={**level1()["assessment"], "method": "CX"})),
        "achievements[0].assessment.method",
        "CS, CN, CT, CP, CE",
    ),
    (
        "an assessment type twice",
        document(level1(assessment={**level1()["assessment"], "types": ["oral", "oral"]})),
        "achievements[0].assessment.types",
        "twice",
    ),
    (
        "a percentage above 100",
        document(level1(rule={"completion": {"minimum": 101}})),
        "achievements[0].criteria.rule.completion.minimum",
        "at most 100",
    ),
    (
        "two criteria without all or any",
        document(level1(rule={"completion": {"minimum": 80}, "certificate": {}})),
        "achievements[0].criteria.rule",
        "exactly one of these",
    ),
    ("an empty rule", document(level1(rule={})), "achievements[0].criteria.rule", "exactly one of these"),
    (
        "an empty group",
        document(level1(rule={"all": []})),
        "achievements[0].criteria.rule.all",
        "at least 1",
    ),
    (
        "an unknown criterion in a group",
        document(level1(rule={"all": [{"attendance": {"minimum": 80}}]})),
        "achievements[0].criteria.rule.all[0]",
        "no field attendance",
    ),
    (
        "arguments of a criterion without any",
        document(level1(rule={"certificate": {"minimum": 1}})),
        "achievements[0].criteria.rule.certificate",
        "No field belongs here",
    ),
    (
        "a grade both passed and minimum",
        document(level1(rule={"course_grade": {"passed": True, "minimum": 3}})),
        "achievements[0].criteria.rule.course_grade",
        "exactly one of these",
    ),
    (
        "a part that weighs nothing",
        document(
            level1(
                rule={
                    "weighted": {
                        "minimum": 40,
                        "parts": [
                            {"weight": 0, "of": {"completion": {}}},
                            {"weight": 1, "of": {"course_grade": {}}},
                        ],
                    }
                }
            )
        ),
        "achievements[0].criteria.rule.weighted.parts[0].weight",
        "more than 0",
    ),
    (
        "a course both by number and by runs",
        document(level1(course={**COURSE, "runs": ["course-v1:KMUTT+PY101+2026"]})),
        "achievements[0].course",
        "organization and number; runs",
    ),
    (
        "a course without number",
        document(level1(course={"organization": "KMUTT"})),
        "achievements[0].course",
        "organization and number; runs",
    ),
    (
        "a run of the old style",
        document(level1(course={"runs": ["KMUTT/PY101/2026"]})),
        "achievements[0].course.runs[0]",
        "course-v1:KMUTT+PY101+2026",
    ),
    (
        "a tree with two groups",
        document(programme(tree={"all": [{"achievement": "l1"}], "achievement": "l1"})),
        "achievements[0].criteria.tree",
        "exactly one of these",
    ),
    (
        "a date of slashes",
        document(level1(judges={"enrolled_from": "21/11/2026"})),
        "achievements[0].judges.enrolled_from",
        "year-month-day",
    ),
    ("control characters", document(level1(name={"en": "a\x00b"})), "achievements[0].name.en", "control"),
    ("half a character", document(level1(name={"en": "\ud800"})), "achievements[0].name.en", "control"),
    ("not a number", document(level1(hours=float("nan"))), "achievements[0].hours", "counted with"),
    ("infinity", document(level1(hours=float("inf"))), "achievements[0].hours", "counted with"),
    ("a huge number", document(level1(hours=10**4000)), "achievements[0].hours", "too large"),
    ("a number as the name of a field", {"catalogue": 1, 7: 1}, "", "must be text"),
    ("bytes", document(level1(hours=b"45")), "achievements[0].hours", "bytes"),
]


@pytest.mark.parametrize(("doc", "where", "said"), [case[1:] for case in SHAPES], ids=[c[0] for c in SHAPES])
def test_a_wrong_shape_is_told_with_its_place(doc, where, said):
    found = findings(doc)

    assert where in found
    assert said in found[where]


def test_what_is_nested_too_deep_is_refused_without_walking_it():
    rule = {"completion": {"minimum": 1}}
    for _ in range(5000):
        rule = {"all": [rule]}

    found = check_catalogue(document(level1(rule=rule)))

    assert [problem.message for problem in found] == [f"This is nested more than {MAX_DEPTH} deep."]


def test_only_the_first_problems_are_listed():
    found = check_catalogue(document(*[level1(f"l{n}", hours="x") for n in range(MAX_PROBLEMS + 50)]))

    assert len(found) == MAX_PROBLEMS + 1
    assert "50 more problems" in found[-1].message


def test_the_value_is_shown_but_cut():
    (problem,) = check_catalogue(document({**level1(), "code": "X" * 500}))

    assert problem.value == "X" * 100


def test_findings_are_in_the_order_of_the_document():
    doc = document(*[level1(f"l{n}", hours="x") for n in range(12)])

    assert [problem.where for problem in check_catalogue(doc)] == [
        f"achievements[{n}].hours" for n in range(12)
    ]


# --- meaning ---

EXAM_OR_NOT = {"any": [{"exam": {"code": "l2-exam", "minimum": 60}}, {"course_grade": {"passed": True}}]}
MEANINGS = [
    ("an unknown issuer", document(level1(issuer="nobody")), "achievements[0].issuer", "no issuer"),
    (
        "an issuer of another organisation",
        document(level1(), issuers=[{**ISSUER, "organization": "CMU"}]),
        "achievements[0].issuer",
        "belongs to CMU",
    ),
    (
        "a course of another organisation",
        document(level1(course={"organization": "CMU", "number": "PY101"})),
        "achievements[0].course.organization",
        "another organisation",
    ),
    (
        "a run of another organisation",
        document(level1(course={"runs": ["course-v1:KMUTT+PY101+1", "course-v1:CMU+PY101+1"]})),
        "achievements[0].course.runs[1]",
        "another organisation",
    ),
    (
        "a run that is no course key",
        document(level1(course={"runs": ["course-v1:KMUTT+PY101"]})),
        "achievements[0].course.runs[0]",
        "not the key of a course run",
    ),
    ("a code twice", document(level1(), level1()), "achievements[1].code", "achievements[0]"),
    ("an issuer twice", document(issuers=[ISSUER, ISSUER]), "issuers[1].code", "issuers[0]"),
    ("no hours of work", document(level1(hours=0)), "achievements[0].hours", "more than 0"),
    (
        "a day that does not exist",
        document(level1(judges={"enrolled_from": "2026-02-30"})),
        "achievements[0].judges.enrolled_from",
        "no such day",
    ),
    (
        "a Buddhist year",
        document(level1(judges={"enrolled_from": "2569-11-21"})),
        "achievements[0].judges.enrolled_from",
        "2026",
    ),
    (
        "enrolment that ends before it begins",
        document(level1(judges={"enrolled_from": "2026-02-02", "enrolled_until": "2026-02-01"})),
        "achievements[0].judges.enrolled_until",
        "before the first",
    ),
    (
        "a Level 1 without mode",
        document(with_criteria(level1(), mode=None)),
        "achievements[0].criteria.mode",
        "own",
    ),
    (
        "a Level 1 without course",
        document(without(level1(), "course")),
        "achievements[0].course",
        "Name the course",
    ),
    (
        "a mirror with a rule",
        document(level1(mode="mirror", rule={"completion": {"minimum": 80}})),
        "achievements[0].criteria.rule",
        "Leave the rule out",
    ),
    (
        "own criteria without rule",
        document(with_criteria(level1(), rule=None)),
        "achievements[0].criteria.rule",
        "write the rule",
    ),
    (
        "own criteria with platform, without a passing grade",
        document(level1(mode="own_with_platform", rule={"completion": {"minimum": 80}})),
        "achievements[0].criteria.rule",
        "course_grade",
    ),
    (
        "own criteria with platform, with a passing grade in one alternative only",
        document(
            level1(
                mode="own_with_platform",
                rule={"any": [{"completion": {"minimum": 80}}, {"course_grade": {"passed": True}}]},
            )
        ),
        "achievements[0].criteria.rule",
        "course_grade",
    ),
    (
        "own criteria with platform that wait for the certificate they lead to",
        document(
            level1(
                mode="own_with_platform",
                rule={"all": [{"certificate": {}}, {"course_grade": {"passed": True}}]},
            )
        ),
        "achievements[0].criteria.rule",
        "cannot be part of it",
    ),
    (
        "a Level 1 with an exam",
        document(level1(rule={"exam": {"code": "l2-exam", "minimum": 1}}), level2()),
        "achievements[0].criteria.rule.exam.code",
        "not an exam of this achievement",
    ),
    (
        "a Level 1 that lists exams",
        document(level1(exams=level2()["exams"])),
        "achievements[0].exams",
        "level1 has no field exams",
    ),
    (
        "a Level 1 with a tree",
        document(level1(), with_criteria(level1("m1"), tree={"achievement": "l1"})),
        "achievements[1].criteria.tree",
        "level1 has no field tree",
    ),
    (
        "a Level 2 with a mode",
        document(level1(), with_criteria(level2(), mode="own")),
        "achievements[1].criteria.mode",
        "level2 has no field mode",
    ),
    (
        "a Level 2 without rule",
        document(level1(), with_criteria(level2(), rule=None)),
        "achievements[1].criteria.rule",
        "needs a rule",
    ),
    (
        "a Level 2 without exam",
        document(level1(), without(level2(), "exams")),
        "achievements[1].exams",
        "at least one",
    ),
    (
        "a Level 2 that can do without its exam",
        document(level1(), level2(rule=EXAM_OR_NOT)),
        "achievements[1].criteria.rule",
        "without any exam",
    ),
    (
        "a Level 2 by the exam of another",
        document(level1(), level2(), level2("m2", rule={"exam": {"code": "l2-exam", "minimum": 1}})),
        "achievements[2].criteria.rule.exam.code",
        "not an exam of this achievement",
    ),
    (
        "an exam of another in a weighted total",
        document(
            level1(),
            level2(
                rule={
                    "weighted": {
                        "minimum": 40,
                        "parts": [
                            {"weight": 1, "of": {"course_grade": {}}},
                            {"weight": 3, "of": {"exam": {"code": "foreign"}}},
                        ],
                    }
                }
            ),
        ),
        "achievements[1].criteria.rule.weighted.parts[1].of.exam.code",
        "not an exam of this achievement",
    ),
    (
        "the same part weighted twice",
        document(
            level1(
                rule={
                    "weighted": {
                        "minimum": 40,
                        "parts": [
                            {"weight": 1, "of": {"course_grade": {}}},
                            {"weight": 3, "of": {"course_grade": {}}},
                        ],
                    }
                }
            )
        ),
        "achievements[0].criteria.rule.weighted.parts",
        "twice",
    ),
    ("an unknown Level 1", document(level2()), "achievements[0].criteria.level1", "no achievement"),
    (
        "a Level 2 in place of a Level 1",
        document(level1(), level2(), level2("m2", needs="l2")),
        "achievements[2].criteria.level1",
        "not a Level 1",
    ),
    (
        "a Level 2 that needs itself",
        document(level2(needs="l2")),
        "achievements[0].criteria.level1",
        "needs itself: l2 → l2",
    ),
    (
        "an exam code twice in one achievement",
        document(level1(), level2(exams=level2()["exams"] * 2)),
        "achievements[1].exams[1].code",
        "achievements[1].exams[0].code",
    ),
    (
        "an exam code in two achievements",
        document(
            level1(), level2(), level2("m2", exams=level2()["exams"], rule=level2()["criteria"]["rule"])
        ),
        "achievements[2].exams[0].code",
        "achievements[1].exams[0].code",
    ),
    (
        "an exam without any score",
        document(level1(), level2(exams=[{**level2()["exams"][0], "max_score": "0"}])),
        "achievements[1].exams[0].max_score",
        "more than 0",
    ),
    (
        "a programme without tree",
        document(with_criteria(programme(), tree=None)),
        "achievements[0].criteria.tree",
        "needs a tree",
    ),
    (
        "a programme with a course",
        document(level1(), programme(tree={"achievement": "l1"}, course=COURSE)),
        "achievements[1].course",
        "no course of its own",
    ),
    (
        "a programme with a rule",
        document(level1(), with_criteria(programme(tree={"achievement": "l1"}), rule={"certificate": {}})),
        "achievements[1].criteria.rule",
        "programme has no field rule",
    ),
    (
        "an unknown achievement in a tree",
        document(level1(), programme(tree={"all": [{"achievement": "l1"}, {"achievement": "gone"}]})),
        "achievements[1].criteria.tree.all[1].achievement",
        "no achievement",
    ),
    (
        "three of two",
        document(
            level1(),
            level1("m1"),
            programme(tree={"at_least": {"count": 3, "of": [{"achievement": "l1"}, {"achievement": "m1"}]}}),
        ),
        "achievements[2].criteria.tree.at_least.count",
        "3 of 2",
    ),
    (
        "the same achievement twice in a group",
        document(
            level1(),
            programme(tree={"at_least": {"count": 2, "of": [{"achievement": "l1"}, {"achievement": "l1"}]}}),
        ),
        "achievements[1].criteria.tree.at_least.of",
        "twice: l1",
    ),
    (
        "more credits than there are",
        document(
            level1(credits="1.5"),
            level1("m1", credits=1),
            programme(
                tree={
                    "credits": {"minimum": 3, "of": [{"achievement": "l1"}, {"all": [{"achievement": "m1"}]}]}
                }
            ),
        ),
        "achievements[2].criteria.tree.credits.minimum",
        "2.5",
    ),
    (
        "credits counted twice",
        document(
            level1(credits=2),
            programme(
                tree={
                    "credits": {
                        "minimum": 3,
                        "of": [{"all": [{"achievement": "l1"}]}, {"all": [{"achievement": "l1"}]}],
                    }
                }
            ),
        ),
        "achievements[1].criteria.tree.credits.minimum",
        "At most 2",
    ),
    (
        "no credits asked for",
        document(level1(), programme(tree={"credits": {"minimum": 0, "of": [{"achievement": "l1"}]}})),
        "achievements[1].criteria.tree.credits.minimum",
        "more than 0",
    ),
    (
        "versions excluded of a group",
        document(level1(), programme(tree={"all": [{"achievement": "l1"}], "excluding_versions": [1]})),
        "achievements[1].criteria.tree.excluding_versions",
        "whose they are",
    ),
    (
        "a programme of itself",
        document(programme(tree={"achievement": "pr"})),
        "achievements[0].criteria.tree",
        "pr → pr",
    ),
    (
        "a circle of three programmes",
        document(
            programme("pa", tree={"all": [{"achievement": "pb"}]}),
            programme("pb", tree={"all": [{"achievement": "pc"}]}),
            programme("pc", tree={"all": [{"achievement": "pa"}]}),
        ),
        "achievements[0].criteria.tree",
        "pa → pb → pc → pa",
    ),
]


@pytest.mark.parametrize(("doc", "where", "said"), [c[1:] for c in MEANINGS], ids=[c[0] for c in MEANINGS])
def test_a_wrong_meaning_is_told_with_its_place(doc, where, said):
    found = findings(doc)

    assert where in found, found
    assert said in found[where]


def test_a_circle_is_told_once():
    doc = document(programme("pa", tree={"achievement": "pb"}), programme("pb", tree={"achievement": "pa"}))

    assert list(findings(doc)) == ["achievements[0].criteria.tree"]


@pytest.mark.parametrize(
    "rule",
    [
        {"course_grade": {"passed": True}},
        {"all": [{"completion": {"minimum": 80}}, {"all": [{"course_grade": {"passed": True}}]}]},
        {
            "any": [
                {"all": [{"course_grade": {"passed": True}}, {"course_grade": {"minimum": 80}}]},
                {"all": [{"course_grade": {"passed": True}}, {"completion": {"minimum": 90}}]},
            ]
        },
    ],
)
def test_own_criteria_with_platform_imply_a_passing_grade(rule):
    assert findings(document(level1(mode="own_with_platform", rule=rule))) == {}


def test_a_percentage_of_ours_does_not_imply_the_platforms_pass_mark():
    (problem,) = findings(document(level1(mode="own_with_platform", rule={"course_grade": {"minimum": 60}})))
    assert problem.endswith("criteria.rule")


def test_a_level_2_without_level_1_and_by_a_weighted_exam_is_possible():
    rule = {
        "weighted": {
            "minimum": 40,
            "parts": [
                {"weight": 1, "of": {"course_grade": {}}},
                {"weight": 3, "of": {"exam": {"code": "l2-exam"}}},
            ],
        }
    }

    assert findings(document(level2(needs=None, rule=rule))) == {}


def test_the_platforms_own_issuer_may_award_for_all(settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "SHARED_ISSUER_ORGANIZATIONS": ["ThaiMOOC"]}

    assert findings(document(level1(), issuers=[{**ISSUER, "organization": "ThaiMOOC"}])) == {}


# --- what is in the database ---


def test_codes_may_be_those_of_the_database():
    load_catalogue(document(level1()), actor_id=None)

    assert findings(document(level2(), programme(), issuers=())) == {}


def test_a_circle_through_the_database_is_found():
    load_catalogue(document(level1(), programme("pa", tree={"achievement": "l1"})), actor_id=None)
    load_catalogue(document(programme("pb", tree={"achievement": "pa"})), actor_id=None)

    found = findings(document(programme("pa", tree={"achievement": "pb"})))

    assert "pa → pb → pa" in found["achievements[0].criteria.tree"]


def test_turning_a_dependency_round_is_no_circle():
    load_catalogue(
        document(
            level1(), programme("pa", tree={"achievement": "l1"}), programme("pb", tree={"achievement": "pa"})
        ),
        actor_id=None,
    )

    turned = document(
        programme("pb", tree={"achievement": "l1"}), programme("pa", tree={"achievement": "pb"})
    )

    assert findings(turned) == {}


def test_a_version_that_stays_in_force_for_earlier_learners_counts_for_circles():
    load_catalogue(
        document(
            level1(), programme("pa", tree={"achievement": "l1"}), programme("pb", tree={"achievement": "pa"})
        ),
        actor_id=None,
    )
    later = {"enrolled_from": "2027-01-01"}

    turned = document(
        programme("pb", tree={"achievement": "l1"}, judges=later), programme("pa", tree={"achievement": "pb"})
    )

    assert "pb → pa → pb" in findings(turned)["achievements[0].criteria.tree"]


def test_an_achievement_stays_with_its_organisation_and_kind():
    load_catalogue(document(level1()), actor_id=None)
    other = {**ISSUER, "code": "cmu", "organization": "CMU"}
    taken = definition(
        "l1",
        "programme",
        organization="CMU",
        issuer="cmu",
        criteria={"narrative": WORDS, "tree": {"achievement": "l1"}},
    )

    found = findings(document(taken, issuers=[other]))

    assert "belongs to the organisation KMUTT" in found["achievements[0].organization"]
    assert "kind level1" in found["achievements[0].kind"]


def test_an_issuer_stays_with_its_organisation():
    load_catalogue(document(), actor_id=None)

    found = findings(document(issuers=[{**ISSUER, "organization": "CMU"}]))

    assert "KMUTT" in found["issuers[0].organization"]


def test_the_exam_code_of_a_retired_version_is_not_free_for_others():
    load_catalogue(document(level1(), level2()), actor_id=None)
    AchievementVersion.objects.update(state="retired")
    other = level2("m2", exams=level2()["exams"], rule=level2()["criteria"]["rule"])

    assert "l2" in findings(document(other))["achievements[0].exams[0].code"]


def test_a_code_that_differs_in_more_than_its_case_only_is_another(django_user_model):
    Issuer.objects.create(code="kmutt", organization="KMUTT", definition=ISSUER)
    Achievement.objects.create(code="l1", organization="kmutt", kind="level1", created="2026-01-01T00:00Z")
    AchievementVersion.objects.create(
        achievement=Achievement.objects.get(), number=1, issuer=Issuer.objects.get(), definition=level1()
    )

    assert "kmutt" in findings(document(level1(), issuers=()))["achievements[0].organization"]


# --- advice ---


def test_a_missing_language_is_advice_only():
    doc = document(level1(name={"th": "ไทย"}, description={"en": "English"}))

    assert check_catalogue(doc) == []
    advice = {one.where: one.message for one in advise_catalogue(doc)}
    assert set(advice) == {"achievements[0].name", "achievements[0].description"}
    assert "no English" in advice["achievements[0].name"]
    assert "no Thai" in advice["achievements[0].description"]


def test_an_exam_that_changes_nothing_and_versions_that_are_not_there_are_told():
    spare = {"code": "spare", "name": WORDS, "max_score": 10}
    doc = document(
        level1(),
        level2(exams=[*level2()["exams"], spare]),
        programme(tree={"achievement": "l2", "excluding_versions": [7]}),
    )

    assert check_catalogue(doc) == []
    advice = {one.where: one.message for one in advise_catalogue(doc)}
    assert "change nothing" in advice["achievements[1].exams[1]"]
    assert "l2: 7" in advice["achievements[2].criteria.tree"]


def test_messages_are_in_the_readers_language():
    with translation.override("en"):
        assert findings({})["catalogue"] == "This is missing."


# --- who retires whom ---


@pytest.mark.parametrize(
    ("newer", "older", "retires"),
    [
        ((None, None), (None, None), True),
        ((None, None), ("2026-01-01", None), True),
        (("2026-01-01", None), (None, None), False),
        (("2026-01-01", None), ("2026-01-01", None), True),
        (("2026-01-01", None), ("2026-06-01", "2026-12-31"), True),
        ((None, "2026-12-31"), (None, None), False),
        ((None, "2026-12-31"), ("2026-01-01", "2026-12-31"), True),
        (("2026-01-01", "2026-12-31"), (None, "2026-12-31"), False),
    ],
)
def test_a_version_retires_those_that_judge_nobody_else(newer, older, retires):
    from datetime import date

    def judges(days):
        return Judges(*(day and date.fromisoformat(day) for day in days))

    assert covers(judges(newer), judges(older)) is retires


# --- whatever comes in ---

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@st.composite
def _damaged(draw):
    """A right catalogue in which one place holds something else."""
    doc = json.loads(json.dumps(document(level1(), level2(), programme())))
    place = doc
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or not place[key] or draw(st.booleans()):
            break
        place = place[key]
    if draw(st.booleans()):
        place[key] = draw(_json)
    else:
        del place[key]
    return doc


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_damaged() | _json)
def test_any_input_is_either_right_and_loads_or_gets_problems(doc):
    from django.db import transaction

    from mooc_microcred.core.errors import InvalidInput

    with transaction.atomic():
        problems = check_catalogue(doc)
        if problems:
            assert all(problem.message for problem in problems)
            with pytest.raises(InvalidInput):
                load_catalogue(doc, actor_id=None)
            assert not AchievementVersion.objects.exists()
        else:
            load_catalogue(doc, actor_id=None)
            assert not load_catalogue(doc, actor_id=None).changed
        transaction.set_rollback(True)
