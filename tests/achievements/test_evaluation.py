"""From a due request to awards: Level 1, Level 2, programmes, and how they end."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements import api, definitions, reasons, watch
from mooc_microcred.achievements.models import (
    Award,
    AwardEvent,
    CertificateAsk,
    EvaluationRequest,
)
from mooc_microcred.core import clock
from mooc_microcred.core.errors import WrongState
from mooc_microcred.core.models import AuditEntry, LearnerLease, OutboxMessage, RetiredLearner
from mooc_microcred.core.roles import Actor
from mooc_microcred.exams.models import ExamBatch, ExamResult
from tests.support.definitions import RUN, level1, level2, programme

pytestmark = pytest.mark.django_db

LEARNER = 7
OTHER_RUN = "course-v1:KMUTT+PY101+2027"


def evaluate(learner=LEARNER, course_key=""):
    api.request_evaluation(learner_id=learner, course_key=course_key, reason="test")
    return api.evaluate_due()


def at(moment):
    """Return a context in which it is just after that moment."""
    return clock.shifted(moment - clock.now() + timedelta(seconds=1))


def awards(**filters):
    return {one.achievement.code: one for one in Award.objects.filter(live=True, **filters)}


def released_result(percent, *, learner=LEARNER, exam="py101-exam", supersedes=None, sat_on=date(2026, 9, 1)):
    """Put a released result where an exam officer would have released it."""
    achievement = Award._meta.apps.get_model("mooc_microcred", "Achievement").objects.get(kind="level2")
    batch = ExamBatch.objects.create(
        exam_code=exam,
        achievement=achievement,
        organization="KMUTT",
        state="released",
        file_name="r.csv",
        sha256=f"{ExamBatch.objects.count():064d}",
        size=1,
        uploaded_by=1,
        uploaded_at=clock.now(),
        signed_by=2,
        signed_at=clock.now(),
        released_by=1,
        released_at=clock.now(),
        supersedes=supersedes,
    )
    if supersedes is not None:
        ExamBatch.objects.filter(pk=supersedes.pk).update(state="superseded")
    ExamResult.objects.create(
        batch=batch,
        exam_code=exam,
        learner_id=learner,
        row=2,
        sat_on=sat_on,
        score=Decimal(percent),
        max_score=100,
        percent=Decimal(percent),
    )
    return batch


def history(code):
    return list(
        AwardEvent.objects.filter(award__achievement__code=code).order_by("id").values_list("kind", "reason")
    )


class TestLevel1:
    def test_mirror_follows_the_platforms_certificate(self, platform):
        level1()
        platform.certify(LEARNER, RUN)
        report = evaluate(course_key=RUN)
        assert (report.issued, report.requests) == (1, 1)
        award = awards()["py101-l1"]
        assert award.course_key == RUN
        assert award.published_at is not None
        assert not EvaluationRequest.objects.exists()
        message = OutboxMessage.objects.get()
        assert (message.topic, message.payload["award"]) == ("award.issued", award.uuid)

    @pytest.mark.parametrize("status", ["generating", "notpassing", "unavailable", "audit_passing", "error"])
    def test_mirror_waits_for_a_downloadable_certificate(self, platform, status):
        level1()
        platform.certify(LEARNER, RUN, status=status)
        assert evaluate().issued == 0

    def test_mirror_is_neither_shown_nor_announced_before_the_platform_shows_it(self, platform):
        level1()
        level2()
        later = clock.now() + timedelta(days=30)
        platform.certify(LEARNER, RUN, shown=False, shown_from=later)
        released_result(90)
        evaluate()
        assert api.list_awards(learner_id=LEARNER) == []
        assert not OutboxMessage.objects.exists()
        assert "py101-l2" not in awards()
        due = EvaluationRequest.objects.get()
        assert due.not_before == later
        platform.certify(LEARNER, RUN, shown=True, shown_from=None)
        with clock.shifted(timedelta(days=31)):
            api.evaluate_due()
        assert [one.code for one in api.list_awards(learner_id=LEARNER)] == ["py101-l2", "py101-l1"]
        assert history("py101-l1") == [("issued", "earned"), ("published", "certificate_shown")]

    def test_own_mode_by_completion_and_grade_the_k_mooc_rule(self, platform):
        rule = {"all": [{"completion": {"minimum": 80}}, {"course_grade": {"minimum": 60}}]}
        level1(mode="own", rule=rule)
        platform.complete(LEARNER, RUN, 7, 10)
        platform.grade(LEARNER, RUN, 75)
        assert evaluate().issued == 0
        platform.complete(LEARNER, RUN, 8, 10)
        assert evaluate().issued == 1
        measures = awards()["py101-l1"].evidence["measures"]
        assert [(one["kind"], one["have"], one["need"]) for one in measures] == [
            ("completion", "80.00", "80"),
            ("course_grade", "75", "60"),
        ]

    def test_own_mode_keeps_the_award_when_the_learner_falls_below_the_criteria(self, platform):
        level1(mode="own", rule={"completion": {"minimum": 100}})
        platform.complete(LEARNER, RUN, 10, 10)
        evaluate()
        platform.complete(LEARNER, RUN, 10, 12)
        evaluate()
        assert awards()["py101-l1"].state == "active"

    def test_own_mode_ignores_what_happens_to_the_certificate(self, platform):
        level1(mode="own", rule={"course_grade": {"minimum": 60}})
        platform.grade(LEARNER, RUN, 75)
        platform.certify(LEARNER, RUN)
        evaluate()
        platform.certify(LEARNER, RUN, status="unavailable")
        evaluate()
        assert awards()["py101-l1"].state == "active"

    def test_own_with_platform_asks_once_and_follows_the_certificate(self, platform):
        level1(mode="own_with_platform", rule={"course_grade": {"passed": True}})
        platform.grade(LEARNER, RUN, 75)
        evaluate()
        evaluate()
        assert platform.asked == [(LEARNER, RUN)]
        assert awards() == {}
        platform.certify(LEARNER, RUN)
        evaluate()
        assert awards()["py101-l1"].evidence["mode"] == "own_with_platform"
        platform.certify(LEARNER, RUN, invalidated=True)
        evaluate()
        assert awards() == {}

    def test_own_with_platform_does_not_ask_where_the_platform_would_refuse(self, platform):
        level1(mode="own_with_platform", rule={"course_grade": {"passed": True}})
        platform.grade(LEARNER, RUN, 75)
        platform.refusals[LEARNER, RUN] = "beta_tester"
        evaluate()
        assert platform.asked == []
        assert CertificateAsk.objects.get().refusal == "beta_tester"
        platform.refusals.clear()
        evaluate()
        assert platform.asked == [(LEARNER, RUN)]
        assert CertificateAsk.objects.get().refusal == ""

    def test_a_refusal_that_only_asking_brings_out_is_asked_for_with_growing_gaps(self, platform):
        level1(mode="own_with_platform", rule={"course_grade": {"passed": True}})
        platform.grade(LEARNER, RUN, 75)
        platform.prevented.add((LEARNER, RUN))
        gaps = []
        evaluate()
        for _ in range(8):
            ask = CertificateAsk.objects.get()
            assert (ask.asked_at, ask.refusal) == (None, "prevented")
            gaps.append((ask.ask_again_at - ask.checked_at).days)
            with at(ask.ask_again_at):
                assert api.evaluate_due().learners == 1
        assert gaps == [1, 2, 4, 8, 16, 32, 32, 32]
        assert len(platform.asked) == 9

    def test_events_provoke_it_at_most_once_an_hour_and_none_is_lost(self, platform):
        level1(mode="own_with_platform", rule={"course_grade": {"passed": True}})
        platform.grade(LEARNER, RUN, 75)
        platform.prevented.add((LEARNER, RUN))
        for _ in range(5):
            evaluate()
        assert len(platform.asked) == 1
        start = CertificateAsk.objects.get().checked_at
        platform.prevented.clear()
        with at(start + timedelta(minutes=59)):
            assert api.evaluate_due().learners == 0
        with at(start + timedelta(minutes=60)):
            assert api.evaluate_due().learners == 1
        assert len(platform.asked) == 2
        assert CertificateAsk.objects.get().refusal == ""

    def test_an_accepted_request_that_leads_to_nothing_is_repeated_with_growing_gaps(self, platform):
        level1(mode="own_with_platform", rule={"course_grade": {"passed": True}})
        platform.grade(LEARNER, RUN, 75)
        evaluate()
        first = CertificateAsk.objects.get()
        assert first.ask_again_at - first.asked_at == timedelta(days=1)
        with at(first.ask_again_at):
            evaluate()
            evaluate()
        assert len(platform.asked) == 2
        again = CertificateAsk.objects.get()
        assert again.ask_again_at - again.asked_at == timedelta(days=2)

    def test_a_row_of_the_previous_release_still_waits_for_its_day(self, platform):
        level1(mode="own_with_platform", rule={"course_grade": {"passed": True}})
        platform.grade(LEARNER, RUN, 75)
        CertificateAsk.objects.create(
            learner_id=LEARNER, course_key=RUN, asked_at=clock.now(), checked_at=clock.now()
        )
        evaluate()
        assert platform.asked == []

    def test_the_list_of_exceptions_is_written_only_where_the_operator_says_so(self, platform, settings):
        level1(mode="own_with_platform", rule={"course_grade": {"minimum": 50}})
        platform.grade(LEARNER, RUN, 55, passed=False)
        evaluate()
        assert platform.allowed == set()
        assert CertificateAsk.objects.get().refusal == "not_passing"
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "ALLOWLIST_COURSES": [RUN]}
        evaluate()
        assert platform.allowed == {(LEARNER, RUN)}
        assert platform.asked == [(LEARNER, RUN)]
        line = AuditEntry.objects.get()
        assert (line.action, line.actor_id, line.object_id) == ("certificate.allowlisted", None, RUN)
        assert line.details == {"learner": LEARNER, "refusal": "not_passing"}
        assert line.organization == "KMUTT"

    def test_no_exception_is_made_where_the_mode_of_enrolment_earns_nothing(self, platform, settings):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "ALLOWLIST_COURSES": [RUN]}
        level1(mode="own_with_platform", rule={"course_grade": {"passed": True}})
        platform.grade(LEARNER, RUN, 75)
        platform.refusals[LEARNER, RUN] = "mode"
        evaluate()
        assert platform.allowed == set()

    def test_own_with_platform_does_not_ask_for_a_certificate_that_a_person_invalidated(self, platform):
        level1(mode="own_with_platform", rule={"course_grade": {"passed": True}})
        platform.grade(LEARNER, RUN, 75)
        platform.certify(LEARNER, RUN, status="unavailable", invalidated=True)
        evaluate()
        assert platform.asked == []

    def test_any_run_of_the_course_fulfils_it_and_the_award_names_which(self, platform):
        level1()
        platform.enrol(LEARNER, RUN)
        platform.certify(LEARNER, OTHER_RUN)
        evaluate()
        assert awards()["py101-l1"].course_key == OTHER_RUN
        platform.certify(LEARNER, RUN)
        assert evaluate().issued == 0

    def test_a_list_of_runs_takes_no_other_run(self, platform):
        level1(course={"runs": [OTHER_RUN]})
        platform.certify(LEARNER, RUN)
        assert evaluate().issued == 0

    def test_a_version_judges_only_those_whom_it_says(self, platform):
        level1(mode="own", rule={"course_grade": {"minimum": 50}}, judges={"enrolled_until": "2026-06-30"})
        level1(
            mode="own",
            rule={"course_grade": {"minimum": 80}},
            judges={"enrolled_from": "2026-07-01"},
            number=2,
        )
        platform.enrol(1, RUN, since=datetime(2026, 6, 30, tzinfo=UTC))
        platform.enrol(2, RUN, since=datetime(2026, 7, 1, tzinfo=UTC))
        for learner in (1, 2):
            platform.grade(learner, RUN, 60)
            evaluate(learner)
        assert [one.learner_id for one in Award.objects.all()] == [1]
        platform.grade(2, RUN, 80)
        evaluate(2)
        assert Award.objects.get(learner_id=2).version.number == 2


class TestLevel2:
    def test_waits_for_level_1_and_for_the_released_result(self, platform):
        level1()
        level2()
        platform.enrol(LEARNER, RUN)
        released_result(80)
        evaluate()
        assert awards() == {}
        platform.certify(LEARNER, RUN)
        evaluate()
        assert set(awards()) == {"py101-l1", "py101-l2"}
        assert awards()["py101-l2"].evidence["stands_on"] == [awards()["py101-l1"].uuid]

    def test_can_be_configured_to_need_no_level_1(self, platform):
        level2(needs=None)
        platform.enrol(LEARNER, RUN)
        released_result(80)
        assert evaluate().issued == 1

    def test_an_exam_below_the_minimum_is_not_enough(self, platform):
        level1()
        level2()
        platform.certify(LEARNER, RUN)
        released_result("59.99")
        evaluate()
        assert set(awards()) == {"py101-l1"}

    def test_separate_minimums_and_a_weighted_total_the_nptel_rule(self, platform):
        rule = {
            "all": [
                {"course_grade": {"minimum": 40}},
                {"exam": {"code": "py101-exam", "minimum": 40}},
                {
                    "weighted": {
                        "minimum": 50,
                        "parts": [
                            {"weight": 25, "of": {"course_grade": {}}},
                            {"weight": 75, "of": {"exam": {"code": "py101-exam"}}},
                        ],
                    }
                },
            ]
        }
        level2(needs=None, rule=rule)
        # 25 % of 90 and 75 % of 39 make 51.75, yet the exam's own minimum is missed.
        for learner, grade, exam in ((1, 90, 39), (2, 39, 90), (3, 40, 53), (4, 42, 53)):
            platform.grade(learner, RUN, grade)
            released_result(exam, learner=learner)
            evaluate(learner)
        assert [one.learner_id for one in Award.objects.all()] == [4]

    def test_a_better_re_sit_does_not_touch_the_award(self, platform):
        level2(needs=None)
        platform.enrol(LEARNER, RUN)
        released_result(70)
        evaluate()
        released_result(90, sat_on=date(2026, 10, 1))
        evaluate()
        assert history("py101-l2") == [("issued", "earned")]

    def test_a_correction_that_still_passes_corrects_the_award(self, platform):
        level2(needs=None)
        platform.enrol(LEARNER, RUN)
        batch = released_result(70)
        evaluate()
        released_result(65, supersedes=batch)
        evaluate()
        award = awards()["py101-l2"]
        assert award.evidence["measures"][0]["have"] in ("65", "65.0000")
        assert history("py101-l2") == [("issued", "earned"), ("corrected", "exam_corrected")]
        assert OutboxMessage.objects.filter(topic="award.corrected").count() == 1

    def test_a_correction_that_fails_revokes_the_award_at_once(self, platform):
        level2(needs=None)
        platform.enrol(LEARNER, RUN)
        batch = released_result(70)
        evaluate()
        released_result(30, supersedes=batch)
        evaluate()
        assert awards() == {}
        assert history("py101-l2")[-1] == ("revoked", "exam_superseded")


class TestProgrammes:
    def tree(self):
        return {
            "all": [
                {"achievement": "a-l1"},
                {"at_least": {"count": 1, "of": [{"achievement": "b-l1"}, {"achievement": "c-l1"}]}},
            ]
        }

    def courses(self, platform, *codes):
        for code in codes:
            level1(f"{code}-l1", course={"organization": "KMUTT", "number": code.upper()})

    def certify(self, platform, *codes, **fields):
        for code in codes:
            platform.certify(LEARNER, f"course-v1:KMUTT+{code.upper()}+2026", **fields)

    def test_is_awarded_in_the_same_evaluation_when_its_tree_is_met(self, platform):
        self.courses(platform, "a", "b", "c")
        programme("stack", self.tree())
        self.certify(platform, "a")
        evaluate()
        assert set(awards()) == {"a-l1"}
        self.certify(platform, "c")
        evaluate()
        assert set(awards()) == {"a-l1", "c-l1", "stack"}
        assert set(awards()["stack"].evidence["stands_on"]) == {awards()["a-l1"].uuid, awards()["c-l1"].uuid}

    def test_nested_programmes_and_minimum_credits(self, platform):
        self.courses(platform, "a", "b", "c", "d")
        programme("inner", {"all": [{"achievement": "a-l1"}, {"achievement": "b-l1"}]}, credits="0")
        programme(
            "outer",
            {
                "all": [
                    {"achievement": "inner"},
                    {"credits": {"minimum": "6", "of": [{"achievement": "c-l1"}, {"achievement": "d-l1"}]}},
                ]
            },
        )
        self.certify(platform, "a", "b", "c")
        evaluate()
        assert "inner" in awards()
        assert "outer" not in awards()
        self.certify(platform, "d")
        evaluate()
        assert "outer" in awards()

    def test_revocation_flows_up_the_stack_with_its_reason(self, platform):
        self.courses(platform, "a", "b", "c")
        programme("stack", self.tree())
        self.certify(platform, "a", "b")
        evaluate()
        self.certify(platform, "a", invalidated=True)
        evaluate()
        assert set(awards()) == {"b-l1"}
        assert history("stack")[-1] == ("revoked", "component_revoked")

    def test_a_programme_that_is_met_by_other_parts_stays(self, platform):
        self.courses(platform, "a", "b", "c")
        programme("stack", self.tree())
        self.certify(platform, "a", "b", "c")
        evaluate()
        self.certify(platform, "b", status="unavailable")
        evaluate()
        stack = awards()["stack"]
        assert set(stack.evidence["stands_on"]) == {awards()["a-l1"].uuid, awards()["c-l1"].uuid}
        assert "b-l1" not in awards()

    def test_excluded_versions_do_not_count(self, platform):
        self.courses(platform, "a")
        programme("stack", {"achievement": "a-l1", "excluding_versions": [1]})
        self.certify(platform, "a")
        evaluate()
        assert set(awards()) == {"a-l1"}


class TestLifeOfAnAward:
    @pytest.fixture
    def award(self, platform):
        level1()
        level2()
        platform.certify(LEARNER, RUN)
        released_result(80)
        evaluate()
        OutboxMessage.objects.all().delete()
        return awards()["py101-l1"]

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"invalidated": True}, reasons.CERTIFICATE_INVALIDATED),
            ({"status": "unavailable"}, reasons.CERTIFICATE_UNAVAILABLE),
        ],
    )
    def test_a_person_who_invalidates_the_certificate_ends_it_at_once(self, platform, award, change, reason):
        platform.certify(LEARNER, RUN, **change)
        evaluate()
        assert awards() == {}
        assert history("py101-l1")[-1] == ("revoked", reason)
        assert history("py101-l2")[-1] == ("revoked", reasons.LEVEL1_REVOKED)
        assert OutboxMessage.objects.filter(topic="award.revoked").count() == 2

    @pytest.mark.parametrize("status", ["notpassing", "unverified"])
    def test_a_flapping_certificate_suspends_and_the_same_award_comes_back(self, platform, award, status):
        platform.certify(LEARNER, RUN, status=status)
        evaluate()
        assert Award.objects.get(pk=award.pk).state == "suspended"
        assert Award.objects.get(achievement__code="py101-l2").state == "active"
        platform.certify(LEARNER, RUN, status="downloadable")
        with clock.shifted(timedelta(days=6)):
            evaluate()
        back = Award.objects.get(pk=award.pk)
        assert (back.state, back.live, back.suspended_at) == ("active", True, None)
        assert [kind for kind, _ in history("py101-l1")] == ["issued", "suspended", "reinstated"]

    def test_it_is_revoked_when_the_grace_is_over_without_any_further_event(self, platform, award):
        platform.certify(LEARNER, RUN, status="notpassing")
        evaluate()
        with clock.shifted(timedelta(days=7, minutes=-1)):
            api.evaluate_due()
            assert Award.objects.get(pk=award.pk).state == "suspended"
        with clock.shifted(timedelta(days=7, minutes=1)):
            api.evaluate_due()
        assert Award.objects.get(pk=award.pk).state == "revoked"
        assert awards() == {}

    def test_a_suspended_award_opens_nothing_new(self, platform):
        level1()
        level2()
        platform.certify(LEARNER, RUN)
        evaluate()
        platform.certify(LEARNER, RUN, status="notpassing")
        evaluate()
        released_result(80)
        evaluate()
        assert set(awards()) == {"py101-l1"}

    @pytest.mark.parametrize("status", ["generating", "error", "regenerating", "audit_notpassing"])
    def test_other_statuses_decide_nothing(self, platform, award, status):
        platform.certify(LEARNER, RUN, status=status)
        evaluate()
        assert Award.objects.get(pk=award.pk).state == "active"

    def test_a_certificate_that_is_not_found_decides_nothing(self, platform, award):
        platform.states.clear()
        with clock.shifted(timedelta(days=100)):
            evaluate()
        assert Award.objects.get(pk=award.pk).state == "active"

    def test_a_platform_that_is_away_decides_nothing_and_the_request_waits(self, platform, award):
        platform.certify(LEARNER, RUN, invalidated=True)
        platform.away = True
        report = evaluate()
        assert report.platform_away
        assert Award.objects.get(pk=award.pk).state == "active"
        assert EvaluationRequest.objects.filter(learner_id=LEARNER, not_before__lte=clock.now()).count() == 1
        platform.away = False
        with clock.shifted(timedelta(seconds=31)):
            api.evaluate_due()
        assert Award.objects.get(pk=award.pk).state == "revoked"

    def test_a_learner_who_cannot_be_read_holds_up_nobody(self, platform):
        level1()
        learners = range(11, 31)
        for learner in learners:
            platform.certify(learner, RUN)
        platform.unreadable = {12, 20, 21}
        api.append_requests(learners, course_key=RUN, reason="test")
        report = api.evaluate_due()
        assert (report.issued, report.failed, report.platform_away) == (17, 3, False)
        assert set(EvaluationRequest.objects.values_list("learner_id", flat=True)) == {12, 20, 21}
        platform.unreadable = set()
        assert api.evaluate_due().requests == 0, "they wait"
        with clock.shifted(timedelta(seconds=31)):
            assert api.evaluate_due().issued == 3

    @pytest.mark.parametrize("waiting", [1, 2, 100])
    def test_a_platform_that_is_away_is_not_asked_for_each_learner(self, platform, waiting):
        level1()
        for learner in range(waiting):
            platform.certify(learner + 1, RUN)
        platform.unreadable = {learner + 1 for learner in range(waiting)}
        api.append_requests(list(platform.unreadable), course_key=RUN, reason="test")
        report = api.evaluate_due()
        assert report.platform_away
        assert platform.reads <= 4
        assert EvaluationRequest.objects.filter(claim="").count() == waiting

    def test_it_follows_its_certificate_after_its_definition_was_retired(self, platform, award):
        definitions.retire_version(version_id=award.version_id, actor_id=1)
        assert watch.is_watched(RUN)
        platform.certify(LEARNER, RUN, invalidated=True)
        evaluate(course_key=RUN)
        assert Award.objects.get(pk=award.pk).state == "revoked"

    def test_it_is_earned_again_when_the_certificate_is_valid_again(self, platform, award):
        platform.certify(LEARNER, RUN, invalidated=True)
        evaluate()
        platform.certify(LEARNER, RUN, invalidated=False)
        evaluate()
        assert awards()["py101-l1"].pk != award.pk
        assert Award.objects.get(pk=award.pk).state == "revoked"

    def test_validity_ends_and_only_new_evidence_renews_it(self, platform):
        level2(needs=None, validity_months=12)
        platform.enrol(LEARNER, RUN)
        released_result(80)
        evaluate()
        with clock.shifted(timedelta(days=366)):
            api.evaluate_due()
            assert awards() == {}
            assert history("py101-l2")[-1] == ("expired", "validity_ended")
            evaluate()
            assert awards() == {}
            released_result(80, sat_on=date(2027, 9, 1))
            evaluate()
            assert set(awards()) == {"py101-l2"}


class TestStaffDecisions:
    @pytest.fixture
    def award(self, platform):
        level1()
        level2()
        platform.certify(LEARNER, RUN)
        released_result(80)
        evaluate()
        return awards()["py101-l1"]

    actor = Actor(user_id=99, superuser=True)

    def test_revocation_is_not_undone_by_the_next_evaluation_and_flows_up(self, platform, award):
        api.revoke_award(actor=self.actor, award_uuid=award.uuid, note="plagiarism")
        api.evaluate_due()
        evaluate()
        assert awards() == {}
        api.allow_again(actor=self.actor, award_uuid=award.uuid, note="appeal upheld")
        api.evaluate_due()
        assert set(awards()) == {"py101-l1", "py101-l2"}

    def test_staff_lift_only_what_staff_decided(self, platform, award):
        platform.certify(LEARNER, RUN, status="notpassing")
        evaluate()
        with pytest.raises(WrongState):
            api.reinstate_award(actor=self.actor, award_uuid=award.uuid, note="please")
        platform.certify(LEARNER, RUN, invalidated=True)
        evaluate()
        with pytest.raises(WrongState):
            api.allow_again(actor=self.actor, award_uuid=award.uuid, note="please")

    def test_suspension_by_staff_is_not_lifted_by_the_certificate(self, platform, award):
        api.suspend_award(actor=self.actor, award_uuid=award.uuid, note="under review")
        evaluate()
        assert Award.objects.get(pk=award.pk).state == "suspended"
        with clock.shifted(timedelta(days=30)):
            evaluate()
        assert Award.objects.get(pk=award.pk).state == "suspended"
        api.reinstate_award(actor=self.actor, award_uuid=award.uuid, note="cleared")
        assert Award.objects.get(pk=award.pk).state == "active"


class TestThePath:
    def test_a_storm_of_requests_costs_one_evaluation(self, platform):
        level1()
        platform.certify(LEARNER, RUN)
        for _ in range(1000):
            api.request_evaluation(learner_id=LEARNER, course_key=RUN, reason="storm")
        report = api.evaluate_due()
        assert (report.requests, report.learners, report.issued) == (1000, 1, 1)
        assert platform.reads == 1
        assert not EvaluationRequest.objects.exists()

    def test_a_request_waits_for_its_time(self, platform):
        level1()
        platform.certify(LEARNER, RUN)
        later = clock.now() + timedelta(seconds=60)
        api.request_evaluation(learner_id=LEARNER, course_key=RUN, reason="later", not_before=later)
        assert api.evaluate_due().requests == 0
        with clock.shifted(timedelta(seconds=61)):
            assert api.evaluate_due().issued == 1

    def test_a_learner_whom_another_worker_owns_is_left_to_it(self, platform):
        level1()
        platform.certify(LEARNER, RUN)
        LearnerLease.objects.create(
            learner_id=LEARNER, token="other", expires=clock.now() + timedelta(seconds=60)
        )
        report = evaluate()
        assert (report.busy, report.issued) == (1, 0)
        assert EvaluationRequest.objects.count() == 1
        with clock.shifted(timedelta(seconds=61)):
            assert api.evaluate_due().issued == 1

    def test_requests_of_a_worker_that_died_come_back(self, platform):
        level1()
        platform.certify(LEARNER, RUN)
        api.request_evaluation(learner_id=LEARNER, course_key=RUN, reason="x")
        EvaluationRequest.objects.update(claim="dead", due=clock.now() + timedelta(seconds=120))
        assert api.evaluate_due().requests == 0
        with clock.shifted(timedelta(seconds=121)):
            assert api.evaluate_due().issued == 1

    def test_late_events_of_a_retired_learner_do_nothing(self, platform):
        level1()
        platform.certify(LEARNER, RUN)
        RetiredLearner.objects.create(learner_id=LEARNER, at=clock.now())
        evaluate()
        assert not Award.objects.exists()
        assert not EvaluationRequest.objects.exists()

    def test_one_broken_learner_does_not_hold_up_the_others(self, platform):
        level1()
        for learner in (1, 2, 3):
            platform.certify(learner, RUN)
            api.request_evaluation(learner_id=learner, course_key=RUN, reason="x")
        evaluate(1, RUN)
        Award.objects.filter(learner_id=1).update(evidence={"mode": "mirror", "stands_on": 5})
        for learner in (1, 2, 3):
            platform.certify(learner, "course-v1:KMUTT+OTHER+1")
            api.request_evaluation(learner_id=learner, course_key=RUN, reason="x")
        level1("other-l1", course={"organization": "KMUTT", "number": "OTHER"})
        for learner in (1, 2, 3):
            api.request_evaluation(learner_id=learner, reason="x")
        report = api.evaluate_due()
        assert report.failed == 1
        assert set(
            Award.objects.filter(achievement__code="other-l1").values_list("learner_id", flat=True)
        ) == {
            2,
            3,
        }
        assert set(EvaluationRequest.objects.values_list("learner_id", flat=True)) == {1}


def queries_of_one_evaluation(platform, learner):
    platform.certify(learner, RUN)
    api.request_evaluation(learner_id=learner, course_key=RUN, reason="x")
    with CaptureQueriesContext(connection) as captured:
        assert api.evaluate_due().issued == 2
    return len(captured), [one["sql"] for one in captured.captured_queries]


def fill(platform, learner, first, count):
    """Put so many courses, achievements, programmes and other learners' awards into the database."""
    for number in range(first, first + count):
        version = level1(f"x{number}-l1", course={"organization": "KMUTT", "number": f"X{number}"})
        programme(f"x{number}-stack", {"achievement": f"x{number}-l1"})
        platform.enrol(learner, f"course-v1:KMUTT+X{number}+2026")
        Award.objects.create(
            learner_id=100_000 + number,
            achievement_id=version.achievement_id,
            version=version,
            issued_at=clock.now(),
            published_at=clock.now(),
        )
    api.current_catalogue()


def test_queries_do_not_grow_with_definitions_learners_or_courses(platform):
    level1()
    programme("stack", {"achievement": "py101-l1"})
    fill(platform, 1, 0, 10)
    few, _ = queries_of_one_evaluation(platform, 1)
    fill(platform, 2, 10, 990)
    many, sql = queries_of_one_evaluation(platform, 2)
    assert many == few
    confirmed = max(
        i for i, one in enumerate(sql) if one.startswith("UPDATE") and "lease" in one and i < len(sql) - 1
    )
    assert len(sql) - confirmed <= 12
