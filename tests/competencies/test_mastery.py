from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements import watch
from mooc_microcred.achievements.models import Award, EvaluationRequest, Feed
from mooc_microcred.competencies import api
from mooc_microcred.competencies.models import Competency, ContentTag, LearnerEvidence, Mastery
from mooc_microcred.core import clock, lease, outbox
from mooc_microcred.core.errors import InvalidInput, NotAllowed, NotFound
from mooc_microcred.core.models import AuditEntry, OutboxMessage, StaffRole
from mooc_microcred.core.platform import PlatformUnavailable
from mooc_microcred.core.retirement import retire_learner
from mooc_microcred.core.roles import Actor
from mooc_microcred.programs import progress as programs
from tests.competencies.frameworks import identifier, key
from tests.support.definitions import activate, definition, level1, programme
from tests.support.memory_content import Course

pytestmark = pytest.mark.django_db(transaction=True)

LEARNER = 7
RUN = "course-v1:KMUTT+PY101+2026"
RERUN = "course-v1:KMUTT+PY101+2027"
OFFICER = Actor(user_id=1, superuser=True)


def assess(content, run=RUN, codes=("EN-1.1",), problems=2, **fields):
    """Publish a course with a unit of problems that assesses competencies; return the problems."""
    course = Course(run)
    unit = course.unit("quiz", course.subsection("lesson", course.section("s")))
    blocks = [course.problem(f"p{number}", unit) for number in range(problems)]
    course.says("assess", unit, "assesses", *(key(code) for code in codes), **fields)
    content.publish(course)
    api.mark_course_dirty(course_key=run, reason="published", delay=0)
    assert api.sync_due().courses == 1
    return blocks


def evaluate(course_key=RUN, learner=LEARNER):
    achievements.request_evaluation(learner_id=learner, course_key=course_key, reason="grade")
    return achievements.evaluate_due()


def mastery(code="EN-1.1", learner=LEARNER):
    return api.mastery_of_learner(learner_id=learner).get(key(code))


def status(code="EN-1.1", learner=LEARNER):
    found = mastery(code, learner)
    return found and found.status


def test_a_learner_rises_from_nothing_to_demonstrated(english, content, platform):
    first, second = assess(content)
    platform.enrol(LEARNER, RUN)
    evaluate()
    assert status() is None
    api.set_criteria(
        actor=OFFICER, framework=english.identifier, rule={"mean": {"threshold": 70, "pieces": 2}}
    )
    platform.score(LEARNER, RUN, first, 1)
    evaluate()
    assert status() == "PartiallyAttempted"
    platform.score(LEARNER, RUN, second, 0)
    evaluate()
    assert status() == "AttemptedNotDemonstrated"
    platform.score(LEARNER, RUN, second, 1, 2)
    evaluate()
    found = mastery()
    assert (found.status, found.percent, found.need) == ("Demonstrated", Decimal("75.00"), Decimal(70))
    assert (found.pieces, found.available, found.criteria) == (2, 2, 1)
    assert found.demonstrated_at is not None
    assert [one.percent for one in found.evidence] == [Decimal("100.00"), Decimal("50.00")]
    assert OutboxMessage.objects.filter(topic=api.DEMONSTRATED_TOPIC, learner_id=LEARNER).count() == 1


def test_a_status_never_falls_whatever_becomes_of_scores_and_course(english, content, platform):
    blocks = assess(content)
    for block in blocks:
        platform.score(LEARNER, RUN, block, 1)
    evaluate()
    before = mastery()
    assert before.demonstrated
    for block in blocks:
        platform.score(LEARNER, RUN, block, 0)
    evaluate()
    assert mastery() == before
    for block in blocks:
        platform.score(LEARNER, RUN, block, None)
    evaluate()
    assert not LearnerEvidence.objects.exists()
    content.delete(RUN)
    api.mark_course_dirty(course_key=RUN, reason="deleted", delay=0)
    api.sync_due()
    evaluate()
    assert mastery() == before
    assert OutboxMessage.objects.filter(topic=api.DEMONSTRATED_TOPIC).count() == 1


def test_evidence_of_two_runs_counts_together(english, content, platform):
    (first,) = assess(content, problems=1)
    (second,) = assess(content, RERUN, problems=1)
    api.set_criteria(
        actor=OFFICER, framework=english.identifier, rule={"pieces": {"threshold": 50, "count": 2}}
    )
    platform.score(LEARNER, RUN, first, 1)
    evaluate()
    assert status() == "PartiallyAttempted"
    platform.score(LEARNER, RERUN, second, 1)
    evaluate("")
    assert status() == "Demonstrated"


def test_a_subsection_counts_by_its_own_grade(english, content, platform):
    course = Course(RUN)
    subsection = course.subsection("lesson", course.section("s"))
    unit = course.unit("quiz", subsection)
    course.problem("p", unit)
    course.says("assess", unit, "assesses", key("EN-1.1"), covers="subsection")
    content.publish(course)
    api.mark_course_dirty(course_key=RUN, reason="published", delay=0)
    api.sync_due()
    platform.score(LEARNER, RUN, subsection, 9, 10)
    evaluate()
    assert status() == "Demonstrated"


def test_what_only_teaches_is_no_evidence_and_what_cannot_be_scored_neither(english, content, platform):
    blocks = assess(content)
    ContentTag.objects.update(relation="teaches")
    platform.score(LEARNER, RUN, blocks[0], 1)
    evaluate()
    assert status() is None
    ContentTag.objects.update(relation="assesses")
    platform.score(LEARNER, RUN, blocks[0], 0, 0)
    evaluate()
    assert status() is None


def test_a_competency_that_is_not_known_waits_for_its_framework(content, platform):
    blocks = assess(content)
    platform.score(LEARNER, RUN, blocks[0], 1)
    evaluate()
    assert not Mastery.objects.exists()


def test_weights_and_stages_come_from_tag_and_setting(english, content, platform, settings):
    course = Course(RUN)
    unit = course.unit("quiz", course.subsection("lesson", course.section("s")))
    quiz = course.problem("p", unit)
    other = course.unit("essay", course.usage_key("sequential", "lesson"))
    essay = course.problem("ora", other, kind="openassessment")
    course.says("a", unit, "assesses", key("EN-1.1"), weight=1)
    course.says("b", other, "assesses", key("EN-1.1"), weight=3)
    content.publish(course)
    api.mark_course_dirty(course_key=RUN, reason="published", delay=0)
    api.sync_due()
    api.set_criteria(
        actor=OFFICER,
        framework=english.identifier,
        item=key("EN-1.1")[1],
        rule={"all": [{"mean": {"threshold": 70}}, {"pieces": {"threshold": 60, "miller": "shows_how"}}]},
    )
    platform.score(LEARNER, RUN, quiz, 1)
    evaluate()
    assert status() == "PartiallyAttempted"
    platform.score(LEARNER, RUN, essay, 6, 10)
    evaluate()
    assert (status(), mastery().percent) == ("Demonstrated", Decimal("70.00"))


def test_criteria_of_an_item_come_before_its_frameworks_before_the_setting(english, settings):
    keys = [key("EN-1.1"), key("EN-1.2")]
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "MASTERY_THRESHOLD": 55}
    found = api.criteria_in_force(keys=keys)
    assert found[keys[0]].rule == {"mean": {"threshold": 55, "pieces": 1}}
    own = {"mean": {"threshold": 90}}
    whole = {"mean": {"threshold": 80}}
    api.set_criteria(actor=OFFICER, framework=english.identifier, rule=whole)
    api.set_criteria(actor=OFFICER, framework=english.identifier, item=keys[0][1], rule=own)
    found = api.criteria_in_force(keys=keys)
    assert (found[keys[0]].rule, found[keys[1]].rule) == (own, whole)
    again = api.set_criteria(actor=OFFICER, framework=english.identifier, rule=whole)
    assert again.number == 1
    changed = api.set_criteria(actor=OFFICER, framework=english.identifier, rule=own)
    assert changed.number == 2
    assert [one.number for one in api.list_criteria(framework=english.identifier)] == [2, 1]
    assert AuditEntry.objects.filter(action="competency.criteria").count() == 3


def test_new_criteria_put_everybody_in_the_queue_who_is_where_they_count(english, content):
    assess(content)
    Feed.objects.all().delete()
    OutboxMessage.objects.all().delete()
    api.set_criteria(actor=OFFICER, framework=english.identifier, rule={"mean": {"threshold": 10}})
    outbox.relay()
    assert [(feed.course_key, feed.reason) for feed in Feed.objects.all()] == [(RUN, "criteria")]


def test_criteria_are_the_business_of_the_organisations_programme_officer(english):
    StaffRole.objects.create(user_id=5, role="programme_officer", organization="BUU")
    rule = {"mean": {"threshold": 10}}
    with pytest.raises(NotAllowed):
        api.set_criteria(actor=Actor(user_id=5), framework=english.identifier, rule=rule)
    with pytest.raises(InvalidInput):
        api.set_criteria(actor=OFFICER, framework=english.identifier, rule={"mean": {}})
    with pytest.raises(NotFound):
        api.set_criteria(actor=OFFICER, framework=identifier("nowhere"), rule=rule)
    with pytest.raises(NotFound):
        api.set_criteria(actor=OFFICER, framework=english.identifier, item=identifier("x"), rule=rule)


def test_a_platform_that_is_away_decides_nothing(english, content, platform):
    blocks = assess(content)
    platform.score(LEARNER, RUN, blocks[0], 1)
    platform.away = True
    assert evaluate().platform_away
    assert EvaluationRequest.objects.count() == 1
    platform.away = False
    with clock.shifted(timedelta(minutes=5)):
        achievements.evaluate_due()
    assert status() == "Demonstrated"


def test_a_worker_whose_lease_ran_out_writes_no_mastery(english, content, platform):
    blocks = assess(content)
    platform.score(LEARNER, RUN, blocks[0], 1)
    token, _ours = lease.take_leases([LEARNER])
    with clock.shifted(timedelta(hours=1)):
        lease.take_leases([LEARNER])
    api.update_mastery(token=token, runs={LEARNER: {RUN}})
    assert not Mastery.objects.exists()
    assert not LearnerEvidence.objects.exists()


def test_a_hundred_learners_cost_as_many_queries_as_one(english, content, platform):
    blocks = assess(content, codes=("EN-1.1", "EN-1.2", "EN-2"), problems=5)

    def queries(learners):
        for learner in learners:
            platform.enrol(learner, RUN)
            for block in blocks:
                platform.score(learner, RUN, block, 1)
        token, ours = lease.take_leases(learners)
        with CaptureQueriesContext(connection) as captured:
            api.update_mastery(token=token, runs={one: {RUN} for one in ours})
        lease.release_leases(token, ours)
        return [query["sql"] for query in captured if not query["sql"].startswith(("INSERT", "BEGIN"))]

    one = queries([1])
    many = queries(range(2, 42))
    assert len(many) == len(one)
    assert Mastery.objects.filter(status="Demonstrated").count() == 41 * 3
    assert platform.score_reads == 2


def test_a_course_without_assessing_tags_costs_one_query(platform, django_assert_num_queries):
    with django_assert_num_queries(1):
        api.update_mastery(token="x", runs={LEARNER: {RUN}})


def test_a_course_that_assesses_is_watched_without_any_achievement(english, content):
    assert not watch.is_watched(RUN)
    assess(content)
    assert watch.is_watched(RUN)
    assert not watch.is_watched(RUN, completion=True)
    assert not watch.has_listed_run(RERUN)


# --- achievements ---


def competency(code="en-listening", *codes, **fields):
    rule = {"all": [{"competency": dict(zip(("framework", "item"), key(one), strict=True))} for one in codes]}
    criteria = {"narrative": {"en": "Show it."}, "rule": rule}
    return activate(definition(code, "competency", criteria=criteria, **fields))


def drain():
    for _ in range(5):
        outbox.relay()
        achievements.evaluate_due()


def test_a_demonstrated_competency_is_an_achievement_and_leads_to_a_programme(english, content, platform):
    blocks = assess(content, codes=("EN-1.1", "EN-1.2"))
    competency("en-listening", "EN-1.1", "EN-1.2")
    programme("english", {"all": [{"achievement": "en-listening"}]})
    platform.enrol(LEARNER, RUN)
    platform.score(LEARNER, RUN, blocks[0], 0)
    evaluate()
    assert not Award.objects.exists()
    progress = achievements.read_progress(learner_id=LEARNER, course_key=RUN)["en-listening"]
    assert [(one.kind, one.met, one.details["status"]) for one in progress.measures] == [
        ("competency", False, "AttemptedNotDemonstrated")
    ] * 2
    for block in blocks:
        platform.score(LEARNER, RUN, block, 1)
    evaluate()
    found = {award.achievement.code: award for award in Award.objects.all()}
    assert set(found) == {"en-listening", "english"}
    measure = found["en-listening"].evidence["measures"][0]
    assert (measure["kind"], measure["have"], measure["met"]) == ("competency", "100.00", True)
    assert found["english"].evidence["stands_on"] == [found["en-listening"].uuid]
    # Losing the scores loses nothing.
    for block in blocks:
        platform.score(LEARNER, RUN, block, 0)
    evaluate("")
    drain()
    assert Award.objects.filter(live=True).count() == 2


def test_the_next_step_names_the_competency_that_is_missing(english, content, platform):
    blocks = assess(content)
    competency("en-listening", "EN-1.1")
    platform.enrol(LEARNER, RUN)
    progress = achievements.read_progress(learner_id=LEARNER, course_key=RUN)
    catalogue = achievements.current_catalogue()
    step = programs.next_step_of(progress, "en-listening", catalogue=catalogue)
    assert (step.action, step.text) == (
        "show_competency",
        "Show the competency “EN-1.1 Gets the gist” in a course that assesses it.",
    )
    platform.score(LEARNER, RUN, blocks[0], 0)
    evaluate()
    progress = achievements.read_progress(learner_id=LEARNER, course_key=RUN)
    step = programs.next_step_of(progress, "en-listening", catalogue=catalogue)
    assert "1 of 2 tasks" in step.text


def test_a_rule_of_a_course_asks_for_a_competency_shown_elsewhere(english, content, platform):
    blocks = assess(content, "course-v1:KMUTT+EN101+2026")
    rule = {
        "all": [
            {"completion": {"minimum": 80}},
            {"competency": dict(zip(("framework", "item"), key("EN-1.1"), strict=True))},
        ]
    }
    level1(mode="own", rule=rule)
    platform.complete(LEARNER, RUN, 4, 4)
    evaluate()
    assert not Award.objects.exists()
    platform.score(LEARNER, "course-v1:KMUTT+EN101+2026", blocks[0], 1)
    evaluate("course-v1:KMUTT+EN101+2026")
    assert not Award.objects.exists()
    drain()
    assert Award.objects.get().achievement.code == "py101-l1"


def test_what_was_shown_of_a_retired_competency_counts_for_its_successor(english, content, platform):
    blocks = assess(content, codes=("EN-1.2",))
    platform.enrol(LEARNER, RUN)
    for block in blocks:
        platform.score(LEARNER, RUN, block, 1)
    evaluate()
    framework, item = key("EN-1.1")
    Competency.objects.filter(code="EN-1.2").update(
        retired_at=clock.now(), successor_framework=framework, successor_item=item
    )
    competency("en-gist", "EN-1.1")
    evaluate()
    assert Award.objects.get().evidence["references"] == ["mastery:" + "/".join(key("EN-1.2"))]


def test_a_competency_put_in_force_later_reaches_who_has_shown_it(english, content, platform):
    blocks = assess(content)
    platform.enrol(LEARNER, RUN)
    platform.score(LEARNER, RUN, blocks[0], 1)
    evaluate()
    version = competency("en-gist", "EN-1.1")
    achievements.start_feed(reason="activated", version_id=version.pk)
    while achievements.advance_feeds() or Feed.objects.filter(finished_at=None).exists():
        pass
    achievements.evaluate_due()
    assert Award.objects.get().achievement.code == "en-gist"


def test_an_expired_competency_is_not_issued_again_for_the_same_showing(english, content, platform):
    blocks = assess(content)
    platform.enrol(LEARNER, RUN)
    platform.score(LEARNER, RUN, blocks[0], 1)
    competency("en-gist", "EN-1.1", validity_months=12)
    evaluate()
    with clock.shifted(timedelta(days=400)):
        evaluate("")
        evaluate("")
    assert [award.state for award in Award.objects.all()] == ["expired"]


def test_a_catalogue_names_only_competencies_that_are_known(english):
    rule = {"competency": dict(zip(("framework", "item"), key("EN-1.1"), strict=True))}
    raw = definition("en-gist", "competency", criteria={"narrative": {"en": "Show it."}, "rule": rule})
    issuer = {"code": "kmutt", "organization": "KMUTT", "name": {"en": "KMUTT"}, "country": "TH"}

    def findings(**changes):
        document = {"catalogue": 1, "issuers": [issuer], "achievements": [{**raw, **changes}]}
        return {
            one.where.removeprefix("achievements[0]."): one.message
            for one in achievements.check_catalogue(document)
        }

    assert findings() == {}
    unknown = {"competency": {"framework": key("EN-1.1")[0], "item": identifier("nothing")}}
    narrative = raw["criteria"]["narrative"]
    assert "criteria.rule.competency" in findings(criteria={"narrative": narrative, "rule": unknown})
    assert "criteria.rule" in findings(criteria={"narrative": narrative})
    assert "criteria.rule.all[1].completion" in findings(
        criteria={"narrative": narrative, "rule": {"all": [rule, {"completion": {"minimum": 1}}]}}
    )
    assert "course" in findings(course={"organization": "KMUTT", "number": "PY101"})
    assert "judges" in findings(judges={"enrolled_from": "2026-01-01"})
    capital = {"competency": {"framework": key("EN-1.1")[0].upper(), "item": key("EN-1.1")[1]}}
    assert "criteria.rule.competency.framework" in findings(
        criteria={"narrative": narrative, "rule": capital}
    )


def test_what_an_achievement_asks_for_is_in_use(english):
    competency("en-gist", "EN-1.1")
    table = "code,statement_en,identifier\n"
    for one in english.items.exclude(code="EN-1.1"):
        table += f"{one.code},{one.statement_en},{one.identifier}\n"
    shown = api.preview_import(actor=OFFICER, content=table.encode(), framework=english.identifier)
    assert [(one.code, one.what, one.used) for one in shown.changes if one.what == "retired"] == [
        ("EN-1.1", "retired", 1)
    ]
    assert "EN-1.1" in shown.blocked


# --- leaving ---


def test_a_retired_learner_leaves_no_scores_and_an_export_tells_all_before(english, content, platform):
    blocks = assess(content)
    platform.enrol(LEARNER, RUN)
    platform.score(LEARNER, RUN, blocks[0], 1)
    evaluate()
    told = api.export_learner(LEARNER)
    assert told["mastery"][0]["code"] == "EN-1.1"
    assert told["evidence"][0]["percent"] == "100.00"
    retire_learner(learner_id=LEARNER)
    assert not Mastery.objects.exists()
    assert not LearnerEvidence.objects.exists()
    evaluate()
    assert not Mastery.objects.exists()


def test_an_unreadable_platform_raises_through_the_verb(english, content, platform):
    assess(content)
    platform.away = True
    with pytest.raises(PlatformUnavailable):
        api.update_mastery(token="x", runs={LEARNER: {RUN}})
