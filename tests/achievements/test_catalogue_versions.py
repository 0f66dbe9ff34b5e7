"""Loading makes versions, activation retires and queues, re-runs are offered."""

import copy
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from mooc_microcred.achievements.catalogue import current_catalogue
from mooc_microcred.achievements.catalogue_file import (
    SAMPLES,
    dump_yaml,
    export_catalogue,
    load_catalogue,
    parse_yaml,
    read_sample,
)
from mooc_microcred.achievements.definitions import (
    activate_version,
    adopt_run,
    canonical,
    create_version,
    decline_run,
    offer_run,
    retire_version,
    save_issuer,
)
from mooc_microcred.achievements.models import (
    Achievement,
    AchievementVersion,
    Award,
    CatalogueRevision,
    CourseRequirement,
    Feed,
    Issuer,
    RunOffer,
)
from mooc_microcred.core import clock
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.errors import InvalidInput, NotAllowed, NotFound, WrongState
from mooc_microcred.core.models import AuditEntry, StaffRole
from mooc_microcred.core.roles import Actor
from tests.achievements.test_catalogue_checks import COURSE, document, level1, level2, programme

pytestmark = pytest.mark.django_db

RUN, RERUN = "course-v1:KMUTT+PY101+2026", "course-v1:KMUTT+PY101+2027"
RUNS = {"runs": [RUN]}


def load(*achievements, **options):
    return load_catalogue(document(*achievements), actor_id=7, **options)


def states(code):
    return list(
        AchievementVersion.objects.filter(achievement__code=code)
        .order_by("number")
        .values_list("number", "state")
    )


def everything():
    """Return all that loading can change, to compare before and after."""
    models = (Issuer, Achievement, AchievementVersion, CourseRequirement, Feed, CatalogueRevision, AuditEntry)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def award(code, learner=1):
    version = AchievementVersion.objects.get(achievement__code=code, state="active")
    return Award.objects.create(
        learner_id=learner,
        achievement=version.achievement,
        version=version,
        issued_at=clock.now(),
        published_at=clock.now(),
    )


def officer(organization="KMUTT", role="programme_officer", user_id=31):
    StaffRole.objects.create(user_id=user_id, role=role, organization=organization)
    return Actor(user_id=user_id)


# --- loading ---


def test_loading_puts_everything_in_force():
    report = load(level1(), level2(), programme())

    assert [(one.code, one.number, one.state) for one in report.activated] == [
        ("l1", 1, "active"),
        ("l2", 1, "active"),
        ("pr", 1, "active"),
    ]
    assert current_catalogue().newest("l2").exams[0].code == "l2-exam"
    assert Issuer.objects.get().organization == "KMUTT"


@pytest.mark.parametrize("name", SAMPLES)
def test_loading_twice_changes_nothing(name):
    sample = read_sample(name).document
    first = load_catalogue(sample, actor_id=None)
    before = everything()

    second = load_catalogue(copy.deepcopy(sample), actor_id=None)

    assert first.changed
    assert not second.changed
    assert everything() == before


def test_loading_what_was_exported_changes_nothing():
    for name in SAMPLES:
        load_catalogue(read_sample(name).document, actor_id=None)
    before = everything()

    exported = parse_yaml(dump_yaml(export_catalogue()))
    load_catalogue(exported, actor_id=None)

    assert len(exported["achievements"]) == 23
    assert everything() == before


def test_an_export_says_what_was_loaded():
    sample = read_sample("python-series").document
    load_catalogue(sample, actor_id=None)

    exported = parse_yaml(dump_yaml(export_catalogue()))

    assert exported == sample


def test_an_export_is_of_one_organisation_with_the_issuers_that_it_names(settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "SHARED_ISSUER_ORGANIZATIONS": ["ThaiMOOC"]}
    thai_mooc = {"code": "thaimooc", "organization": "ThaiMOOC", "name": {"en": "Thai MOOC"}, "country": "TH"}
    cmu = {"code": "cmu", "organization": "CMU", "name": {"en": "CMU"}, "country": "TH"}
    theirs = level1("c1", organization="CMU", issuer="cmu", course={"organization": "CMU", "number": "X1"})
    ours = level1(issuer="thaimooc")
    load_catalogue(document(ours, theirs, issuers=[thai_mooc, cmu]), actor_id=None)

    exported = export_catalogue(organization="KMUTT")

    assert [one["code"] for one in exported["achievements"]] == ["l1"]
    assert [one["code"] for one in exported["issuers"]] == ["thaimooc"]


def test_the_same_meaning_in_other_words_is_no_change():
    load(level1(hours=45, credits="1.50", name={"th": "ไทย", "en": "English"}))

    report = load(
        level1(hours="45.0", credits=1.5, name={"en": " English ", "th": "ไทย"}, accepted_by=[], judges={})
    )

    assert not report.changed


def test_a_changed_definition_is_a_new_version_and_the_award_keeps_its_own():
    load(level1(rule={"completion": {"minimum": 80}}))
    kept = award("l1")

    report = load(level1(rule={"completion": {"minimum": 90}}))

    assert [(one.code, one.number, one.outcome) for one in report.versions] == [("l1", 2, "created")]
    assert states("l1") == [(1, "retired"), (2, "active")]
    kept.refresh_from_db()
    assert kept.version.number == 1
    assert kept.version.definition["criteria"]["rule"] == {"completion": {"minimum": "80"}}
    assert current_catalogue().newest("l1").number == 2


def test_a_version_that_was_in_force_is_never_written_over_even_without_awards():
    load(level1(hours=45))
    first = AchievementVersion.objects.get()

    load(level1(hours=46))

    first.refresh_from_db()
    assert first.definition["hours"] == "45"


def test_a_draft_is_replaced_until_it_is_activated():
    load(level1(hours=45), activate=False)
    load(level1(hours=46), activate=False)

    assert states("l1") == [(1, "draft")]
    assert AchievementVersion.objects.get().definition["hours"] == "46"
    assert not Feed.objects.exists()
    assert not CourseRequirement.objects.exists()

    report = load(level1(hours=46))

    assert [one.outcome for one in report.versions] == ["unchanged"]
    assert states("l1") == [(1, "active")]


def test_a_draft_with_an_award_is_not_replaced():
    load(level1(hours=45), activate=False)
    draft = AchievementVersion.objects.get()
    Award.objects.create(learner_id=1, achievement=draft.achievement, version=draft, issued_at=clock.now())

    load(level1(hours=46), activate=False)

    assert states("l1") == [(1, "draft"), (2, "draft")]


def test_loading_what_is_in_force_leaves_a_draft_alone():
    load(level1(hours=45))
    create_version(definition=level1(hours=46), actor_id=7)

    report = load(level1(hours=45))

    assert not report.changed
    assert states("l1") == [(1, "active"), (2, "draft")]


def test_what_was_retired_comes_back_as_a_new_version():
    load(level1())
    retire_version(version_id=AchievementVersion.objects.get().pk, actor_id=7)

    load(level1())

    assert states("l1") == [(1, "retired"), (2, "active")]


def test_what_a_file_does_not_name_stays():
    load(level1(), level2())

    load(level1("other"))

    assert states("l2") == [(1, "active")]


@pytest.mark.parametrize(
    "wrong",
    [
        document(level1("fine"), level1("wrong", hours=0)),
        document(level1("fine"), programme("wrong", tree={"achievement": "gone"})),
        document(level1("l1", hours=99), programme("wrong", tree={"achievement": "wrong"})),
    ],
)
def test_nothing_is_changed_when_anything_is_wrong(wrong):
    load(level1(), level2())
    before = everything()

    with pytest.raises(InvalidInput) as caught:
        load_catalogue(wrong, actor_id=7)

    assert caught.value.problems[0].where.startswith("achievements[1]")
    assert everything() == before


def test_nothing_is_changed_when_what_is_needed_is_a_draft_only():
    load(level1(), activate=False)
    before = everything()

    with pytest.raises(InvalidInput, match="Activate l1 first"):
        load(level2())

    assert everything() == before


def test_an_issuer_that_changes_is_written_and_audited():
    load()

    report = load_catalogue(
        document(issuers=[{"code": "kmutt", "organization": "KMUTT", "name": {"en": "K"}, "country": "TH"}]),
        actor_id=7,
    )

    assert report.issuers == ["kmutt"]
    assert Issuer.objects.get().definition["name"] == {"en": "K"}
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "organization", "actor_id")) == [
        ("issuer.added", "KMUTT", 7),
        ("issuer.changed", "KMUTT", 7),
    ]


def test_saving_an_issuer_checks_it():
    with pytest.raises(InvalidInput) as caught:
        save_issuer(definition={"code": "kmutt", "organization": "KMUTT", "name": {}}, actor_id=7)

    assert {one.where for one in caught.value.problems} == {"issuers[0].name", "issuers[0].country"}


def test_a_canonical_definition_is_its_own_canonical_form():
    for name in SAMPLES:
        for one in read_sample(name).document["achievements"]:
            assert canonical(canonical(one)) == canonical(one)


# --- activating ---


def test_activation_retires_the_older_version_and_is_audited():
    load(level1(hours=45))
    draft = create_version(definition=level1(hours=46), actor_id=7)

    activate_version(version_id=draft.id, actor_id=8)

    assert states("l1") == [(1, "retired"), (2, "active")]
    retired = AchievementVersion.objects.get(number=1)
    assert retired.retired_at is not None
    assert not retired.courses.exists()
    entry = AuditEntry.objects.filter(action="version.activated").latest("pk")
    assert (entry.actor_id, entry.organization, entry.details["retired"]) == (8, "KMUTT", [1])


def test_a_version_for_later_learners_leaves_the_earlier_ones_to_the_older():
    load(level1(hours=45))

    load(level1(hours=46, judges={"enrolled_from": "2027-01-01"}))

    assert states("l1") == [(1, "active"), (2, "active")]
    assert CourseRequirement.objects.count() == 2


def test_a_version_that_judges_all_retires_every_older_one():
    load(level1(hours=45))
    load(level1(hours=46, judges={"enrolled_from": "2027-01-01"}))

    load(level1(hours=47))

    assert states("l1") == [(1, "retired"), (2, "retired"), (3, "active")]


def test_a_version_for_the_same_later_learners_retires_only_theirs():
    load(level1(hours=45))
    load(level1(hours=46, judges={"enrolled_from": "2027-01-01"}))

    load(level1(hours=47, judges={"enrolled_from": "2026-12-01"}))

    assert states("l1") == [(1, "active"), (2, "retired"), (3, "active")]


def test_activation_queues_everybody_now_and_after_the_caches_ran_out(settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "CACHE_TTL": 60}
    load(level1())

    feeds = Feed.objects.order_by("not_before")

    assert [(feed.reason, feed.version.achievement.code, feed.finished_at) for feed in feeds] == [
        ("activated", "l1", None)
    ] * 2
    assert feeds[1].not_before - feeds[0].not_before == timedelta(seconds=microcred_settings.CACHE_TTL + 5)


def test_activation_tells_every_process():
    load(level1())
    token = CatalogueRevision.objects.get().token

    load(level1(hours=99))

    assert CatalogueRevision.objects.get().token != token
    assert str(current_catalogue().newest("l1").hours) == "99"


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (COURSE, [("KMUTT", "PY101", "")]),
        ({"runs": [RUN, RERUN]}, [("", "", RUN), ("", "", RERUN)]),
    ],
)
def test_activation_writes_which_courses_matter(course, expected):
    load(level1(course=course))

    assert sorted(CourseRequirement.objects.values_list("organization", "number", "course_key")) == expected


@pytest.mark.parametrize(
    ("rule", "needed"),
    [
        ({"course_grade": {"passed": True}}, False),
        ({"completion": {"minimum": 80}}, True),
        ({"all": [{"course_grade": {"passed": True}}, {"any": [{"completion": {"minimum": 1}}]}]}, True),
        (
            {
                "weighted": {
                    "minimum": 40,
                    "parts": [
                        {"weight": 1, "of": {"course_grade": {}}},
                        {"weight": 1, "of": {"completion": {}}},
                    ],
                }
            },
            True,
        ),
    ],
)
def test_only_a_rule_about_completion_makes_completions_matter(rule, needed):
    load(level1(rule=rule))

    assert CourseRequirement.objects.get().needs_completion is needed


def test_only_a_draft_can_be_activated():
    load(level1())

    with pytest.raises(WrongState):
        activate_version(version_id=AchievementVersion.objects.get().pk, actor_id=7)


def test_activation_checks_again_what_has_changed_since_the_draft_was_made():
    load(level1(), programme("pa", tree={"achievement": "l1"}), programme("pb", tree={"achievement": "l1"}))
    first = create_version(definition=programme("pa", tree={"achievement": "pb"}), actor_id=7)
    AchievementVersion.objects.create(
        achievement=Achievement.objects.get(code="pb"),
        number=2,
        issuer=Issuer.objects.get(),
        definition=canonical(programme("pb", tree={"achievement": "pa"})),
        state="active",
        activated_at=clock.now(),
    )

    with pytest.raises(InvalidInput) as caught:
        activate_version(version_id=first.id, actor_id=7)

    assert "pa → pb → pa" in str(caught.value)
    assert states("pa") == [(1, "active"), (2, "draft")]


def test_activation_needs_what_it_rests_on_to_be_in_force():
    load(level1(), level2(), activate=False)
    draft = AchievementVersion.objects.get(achievement__code="l2")

    with pytest.raises(InvalidInput, match="Activate l1 first"):
        activate_version(version_id=draft.pk, actor_id=7)

    assert states("l2") == [(1, "draft")]
    assert not Feed.objects.exists()


def test_there_must_be_such_a_version():
    with pytest.raises(NotFound):
        activate_version(version_id=999, actor_id=7)
    with pytest.raises(NotFound):
        retire_version(version_id=999, actor_id=7)


def test_retiring_takes_out_of_force_and_leaves_the_awards():
    load(level1())
    kept = award("l1")
    version_id = AchievementVersion.objects.get().pk

    retire_version(version_id=version_id, actor_id=7)

    assert current_catalogue().newest("l1") is None
    # Its awards go on following their certificates, so its course is still looked at.
    assert CourseRequirement.objects.get().needs_completion is False
    kept.refresh_from_db()
    assert (kept.state, kept.live) == ("active", True)
    with pytest.raises(WrongState):
        retire_version(version_id=version_id, actor_id=7)


def test_creating_a_version_twice_makes_one():
    first = create_version_of_level1()
    second = create_version_of_level1()

    assert (first.outcome, second.outcome) == ("created", "unchanged")
    assert first.id == second.id


def create_version_of_level1():
    save_issuer(definition=document()["issuers"][0], actor_id=7)
    return create_version(definition=level1(), actor_id=7)


# --- re-runs ---


def test_a_re_run_is_offered_once_to_those_who_list_runs_of_the_course():
    load(
        level1("listed", course=RUNS),
        level1("any-run", course=COURSE),
        level1("other", course={"runs": ["course-v1:KMUTT+PY102+2026"]}),
    )

    first = offer_run(course_key=RERUN)
    second = offer_run(course_key=RERUN)

    assert [(one.achievement, one.organization, one.state) for one in first] == [
        ("listed", "KMUTT", "offered")
    ]
    assert second == []
    assert offer_run(course_key=RUN) == []
    assert offer_run(course_key="not a key") == []
    assert RunOffer.objects.count() == 1


def test_offering_a_run_that_nobody_wants_costs_little(django_assert_max_num_queries):
    load(*[level1(f"l{n}", course=RUNS) for n in range(20)])
    current_catalogue()

    with django_assert_max_num_queries(1):
        offer_run(course_key="course-v1:CMU+X+1")


def test_an_adopted_run_fulfils_the_requirement_and_its_learners_are_queued():
    load(level1(course=RUNS, rule={"completion": {"minimum": 1}}))
    offer_run(course_key=RERUN)
    Feed.objects.all().delete()
    token = CatalogueRevision.objects.get().token

    offer = adopt_run(actor=officer(), achievement_code="l1", course_key=RERUN)

    assert offer.state == "adopted"
    assert current_catalogue().codes_for_run(RERUN) == {"l1"}
    assert sorted(CourseRequirement.objects.values_list("course_key", "needs_completion")) == [
        (RUN, True),
        (RERUN, True),
    ]
    assert CatalogueRevision.objects.get().token != token
    assert [(one.reason, one.course_key, one.version) for one in Feed.objects.all()] == [
        ("run_adopted", RERUN, None)
    ] * 2
    row = RunOffer.objects.get()
    assert (row.decided_by, row.decided_at is not None) == (31, True)
    assert AuditEntry.objects.filter(action="run.adopted", actor_id=31, organization="KMUTT").count() == 1


def test_adopting_twice_is_once():
    load(level1(course=RUNS))
    offer_run(course_key=RERUN)
    actor = officer()
    adopt_run(actor=actor, achievement_code="l1", course_key=RERUN)
    feeds = Feed.objects.count()

    adopt_run(actor=actor, achievement_code="l1", course_key=RERUN)

    assert Feed.objects.count() == feeds


def test_a_new_version_keeps_the_adopted_runs():
    load(level1(course=RUNS))
    offer_run(course_key=RERUN)
    adopt_run(actor=officer(), achievement_code="l1", course_key=RERUN)

    load(level1(course=RUNS, hours=99))

    assert sorted(CourseRequirement.objects.values_list("course_key", flat=True)) == [RUN, RERUN]


def test_a_declined_run_is_not_offered_again_but_may_be_adopted():
    load(level1(course=RUNS))
    offer_run(course_key=RERUN)
    actor = officer()

    assert decline_run(actor=actor, achievement_code="l1", course_key=RERUN).state == "declined"
    assert offer_run(course_key=RERUN) == []
    assert current_catalogue().codes_for_run(RERUN) == frozenset()
    assert adopt_run(actor=actor, achievement_code="l1", course_key=RERUN).state == "adopted"
    with pytest.raises(WrongState):
        decline_run(actor=actor, achievement_code="l1", course_key=RERUN)


@pytest.mark.parametrize("verb", [adopt_run, decline_run])
def test_only_a_programme_officer_of_the_organisation_decides(verb):
    load(level1(course=RUNS))
    offer_run(course_key=RERUN)

    for number, actor in enumerate(
        [Actor(user_id=1), officer("CMU", user_id=2), officer("KMUTT", "exam_officer", 3)]
    ):
        with pytest.raises(NotAllowed):
            verb(actor=actor, achievement_code="l1", course_key=RERUN)
        assert RunOffer.objects.get().state == "offered", number
    assert not AuditEntry.objects.filter(action__startswith="run.").exists()


@pytest.mark.parametrize("verb", [adopt_run, decline_run])
def test_only_what_was_offered_is_decided(verb):
    load(level1(course=RUNS))
    actor = officer()

    with pytest.raises(NotFound):
        verb(actor=actor, achievement_code="l1", course_key=RERUN)
    with pytest.raises(NotFound):
        verb(actor=actor, achievement_code="gone", course_key=RERUN)


# --- two people at once ---


@pytest.mark.django_db(transaction=True)
def test_two_people_cannot_close_a_circle_that_neither_sees():
    if connection.vendor != "mysql":
        pytest.skip("one writer at a time anyway")
    load(level1(), programme("pa", tree={"achievement": "l1"}), programme("pb", tree={"achievement": "l1"}))
    outcomes = []

    def load_the_other():
        try:
            load(programme("pb", tree={"achievement": "pa"}))
        except InvalidInput as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    other = threading.Thread(target=load_the_other)
    with transaction.atomic():
        load(programme("pa", tree={"achievement": "pb"}))
        other.start()
        other.join(timeout=1)
        assert other.is_alive()
    other.join(timeout=30)

    assert "pb → pa → pb" in outcomes[0]
    assert states("pb") == [(1, "active")]
