"""A learner's pages of exams, credit and data: what they say, what they change, and what they cost."""

import io
import json
import re
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import Achievement, Award, AwardEvent
from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.identity import record_identity
from mooc_microcred.core.models import AuditEntry, LearnerIdentity
from mooc_microcred.credentials.api import share_credential
from mooc_microcred.credentials.models import Credential, LearnerDid
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery
from mooc_microcred.dashboard import api as dashboard
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult
from tests.credentials.issuing_world import issue_all
from tests.support import factories
from tests.support.definitions import RUN, level1, level2

pytestmark = pytest.mark.django_db

EXAM = "py101-exam"
CONSENT = {"version": "2569-1", "th": "ข้าพเจ้ายินยอม <ทุกข้อ>", "en": "I agree <to all>\n\nReally."}
RULE = {"all": [{"completion": {"minimum": 100}}, {"course_grade": {"minimum": 60}}]}


@pytest.fixture
def learner(platform):
    user = get_user_model().objects.create_user("somying", password=None)
    platform.add_learner(user.pk, name="สมหญิง ใจดี", username="somying", email="somying@example.com")
    platform.add_course(RUN, "Python 1")
    return user


@pytest.fixture
def see(client, learner):
    """Return a function that opens a page of the learner and returns the answer."""
    client.force_login(learner)

    def opened(path, spoken="en", status=200, /, **posted):
        how = client.post if posted else client.get
        answer = how(
            f"/microcred/{path}", posted or None, headers={"accept-language": spoken}, follow=bool(posted)
        )
        assert answer.status_code == status, answer.content.decode()[:2000]
        return answer

    return opened


def text_of(answer):
    return " ".join(answer.content.decode().split())


def cost(see, path):
    """Return the queries of a page that is put together anew."""
    cache.clear()
    achievements.current_catalogue()
    with CaptureQueriesContext(connection) as captured:
        see(path)
    return len(captured)


def settle(learner):
    achievements.request_evaluation(learner_id=learner.pk, reason="test")
    while achievements.evaluate_due().requests:
        pass


def batch(state="released", **fields):
    return ExamBatch.objects.create(
        exam_code=EXAM,
        achievement=Achievement.objects.get(code="py101-l2"),
        organization="KMUTT",
        state=state,
        file_name="results.csv",
        sha256=uuid4().hex * 2,
        size=1,
        uploaded_by=1,
        uploaded_at=clock.now(),
        **({} if state == "imported" else {"signed_by": 2, "signed_at": clock.now()}),
        **({"released_by": 2, "released_at": clock.now()} if state == "released" else {}),
        **fields,
    )


def sat(learner, made, percent, day, status="sat", row=2):
    return ExamResult.objects.create(
        batch=made,
        exam_code=EXAM,
        learner_id=learner.pk,
        row=row,
        status=status,
        sat_on=day,
        score=percent,
        max_score=100,
        percent=percent,
        centre="ศูนย์สอบ มจธ.",
    )


@pytest.fixture
def course(learner, platform):
    """A course with a Level 1 of its own criteria and an exam that may be sat three times."""
    level1(mode="own", rule=RULE)
    level2(
        exam_fields={"attempts": 3, "resit_gap_days": 30},
        further_information="https://kmutt.example/exam",
        credits="3",
    )
    platform.enrol(learner.pk, RUN)


@pytest.fixture
def ready(course, learner, platform):
    """The same, with the Level 1 earned."""
    platform.complete(learner.pk, RUN, 10, 10)
    platform.grade(learner.pk, RUN, 80)
    settle(learner)


class TestExams:
    def test_what_is_missing_is_said_in_numbers_with_the_course_to_go_to(
        self, see, course, learner, platform
    ):
        platform.complete(learner.pk, RUN, 10, 10)
        platform.grade(learner.pk, RUN, "41.50")
        found = text_of(see("exams/"))
        assert "not yet" in found
        assert "English py101-l1" in found
        assert "grade 41.5 of 60" in found
        assert f"https://lms.example/courses/{RUN}/home" in found
        assert "3 of 3 left" in found
        assert "60 percent" in found

    def test_who_has_the_level_1_may_register_and_is_told_where(self, see, ready):
        found = text_of(see("exams/"))
        assert "you may register" in found
        assert 'href="https://kmutt.example/exam"' in found
        assert "English py101-l1" not in found

    def test_an_admission_shows_its_number(self, see, ready, learner):
        ExamAdmission.objects.create(
            exam_code=EXAM, organization="KMUTT", number="A-17", learner_id=learner.pk, created=clock.now()
        )
        found = text_of(see("exams/"))
        assert "A-17" in found
        assert "admitted" in found

    @pytest.mark.parametrize("state", ["imported", "signed"])
    def test_a_result_that_is_not_released_is_said_to_wait_and_shows_nothing_of_itself(
        self, see, ready, learner, state
    ):
        day = date(2026, 11, 2)
        for number, (percent, status) in enumerate(((Decimal("97.25"), "sat"), (None, "absent"))):
            ExamResult.objects.all().delete()
            sat(learner, batch(state), percent, day, status, row=number + 2)
            found = text_of(see("exams/", "th"))
            assert "2 พฤศจิกายน 2569" in found
            assert "97" not in found
            if number == 0:
                first = found
        assert first == found, "an absence looks other than a score"
        assert "97.25" not in text_of(see("exams/results/"))

    def test_a_correction_that_is_not_released_is_not_announced(self, see, ready, learner):
        old = batch()
        sat(learner, old, Decimal(40), date(2026, 10, 1))
        before = text_of(see("exams/"))
        sat(learner, batch("signed", supersedes=old, reason="x"), Decimal(90), date(2026, 10, 1))
        assert text_of(see("exams/")) == before

    def test_a_failed_sitting_shows_score_attempts_left_and_the_day_of_the_next(self, see, ready, learner):
        day = clock.now().date() - timedelta(days=3)
        sat(learner, batch(), Decimal("41.5"), day)
        settle(learner)
        found = text_of(see("exams/"))
        assert "41.5 of 100" in found
        assert "not passed" in found
        assert "2 of 3 left" in found
        again = day + timedelta(days=30)
        assert f"{again.day} " in found
        assert str(again.year) in found
        assert "Next sitting from" in found
        assert str(again.year + 543) in text_of(see("exams/", "th"))

    def test_who_has_used_every_attempt_is_told_so(self, see, ready, learner):
        for number in range(3):
            sat(learner, batch(), Decimal(10), date(2026, 1 + 2 * number, 1))
        assert "no attempt left" in text_of(see("exams/"))

    def test_who_has_passed_sees_the_level_2(self, see, ready, learner):
        sat(learner, batch(), Decimal(83), date(2026, 10, 2))
        settle(learner)
        found = text_of(see("exams/"))
        assert "You have passed. The Level 2 was awarded on" in found
        assert "83 of 100" in found
        assert "2 October 2026" in found

    def test_results_stay_to_be_seen_when_the_platform_is_away(self, see, ready, learner, platform):
        sat(learner, batch(), Decimal(83), date(2026, 10, 2))
        platform.away = True
        found = text_of(see("exams/"))
        assert "The platform cannot be read now" in found
        assert "83 of 100" in found

    def test_nobody_sees_the_results_of_others(self, see, ready, learner):
        ExamResult.objects.all().delete()
        made = batch()
        other = get_user_model().objects.create_user("other", password=None)
        sat(other, made, Decimal("77.7"), date(2026, 10, 2))
        assert "77.7" not in text_of(see("exams/")) + text_of(see("exams/results/"))

    def test_many_results_cost_no_more_queries_than_one(self, see, ready, learner):
        made = batch()
        sat(learner, made, Decimal(10), date(2020, 1, 1))
        for path in ("exams/", "exams/results/"):
            see(path)
            few = cost(see, path)
            ExamResult.objects.bulk_create(
                ExamResult(
                    batch=made,
                    exam_code=EXAM,
                    learner_id=learner.pk,
                    row=number,
                    sat_on=date(2000, 1, 1) + timedelta(days=number),
                    score=20,
                    max_score=100,
                    percent=20,
                )
                for number in range(999)
            )
            assert cost(see, path) == few, path
            made.results.exclude(sat_on=date(2020, 1, 1)).delete()


@pytest.fixture
def bank(settings):
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "BANKS": {
            "central": {
                "backend": "mooc_microcred.creditbank.backends.https_json.HttpsJsonBackend",
                "name": {"th": "คลังหน่วยกิตกลาง", "en": "Central credit bank"},
                "organizations": None,
                "kinds": ["level2", "programme"],
                "consent_text": CONSENT,
                "requires_identity": True,
                "options": {"url": "https://bank.example", "key_id": "k", "secret": "s" * 32},
            }
        },
    }


def record(learner, state="deposited", number="B-77", award=None):
    made = CreditRecord.objects.create(
        award=award or factories.make_award(learner.pk, announce=False),
        learner_id=learner.pk,
        organization="KMUTT",
        bank="central",
        state=state,
        method_code="CE",
        credits=3,
        hours=45,
        created=clock.now(),
        changed=clock.now(),
    )
    if state in ("deposited", "reversed"):
        deliver(made, 1, "deposit", number)
    if state == "reversed":
        deliver(made, 2, "reverse", number + "-R", reason="exam_superseded")
    return made


def deliver(made, sequence, kind, receipt, **fields):
    return Delivery.objects.create(
        record=made,
        bank="central",
        sequence=sequence,
        kind=kind,
        state="acknowledged",
        receipt=receipt,
        created=clock.now(),
        sent_at=clock.now(),
        acknowledged_at=clock.now(),
        **fields,
    )


def agree(see, language="en", **changes):
    given = {"bank": "central", "text_version": "2569-1", "language": language, "agree": "yes", **changes}
    return see("credits/", language, **given)


class TestCredits:
    def test_the_text_of_consent_stands_there_exactly_and_in_its_version(self, see, bank):
        found = see("credits/").content.decode()
        assert "I agree &lt;to all&gt;" in found
        assert "Really." in found
        assert "Version 2569-1" in found
        assert "ข้าพเจ้ายินยอม &lt;ทุกข้อ&gt;" in see("credits/", "th").content.decode()

    def test_a_consent_is_given_by_the_box_and_recorded_with_version_and_language(self, see, bank, learner):
        found = text_of(agree(see, "th"))
        row = Consent.objects.get()
        assert (row.learner_id, row.bank, row.text_version, row.language, row.live) == (
            learner.pk,
            "central",
            "2569-1",
            "th",
            True,
        )
        assert "คลังหน่วยกิตกลาง" in found
        assert "credits/withdraw/central/" in found

    def test_without_the_box_nothing_is_given_and_the_problem_stands_at_the_form(self, see, bank):
        found = text_of(see("credits/", "en", 400, bank="central", text_version="2569-1", language="en"))
        assert 'role="alert"' in found
        assert 'aria-invalid="true"' in found
        assert not Consent.objects.exists()

    def test_a_text_that_has_changed_meanwhile_is_not_agreed_to(self, see, bank):
        given = {"bank": "central", "text_version": "2568-9", "language": "en", "agree": "yes"}
        assert "The text of the consent has changed" in text_of(see("credits/", "en", 400, **given))
        assert not Consent.objects.exists()

    def test_an_unknown_bank_is_not_found(self, see, bank):
        see("credits/", "en", 404, bank="other", agree="yes")
        see("credits/withdraw/other/", "en", 404)

    def test_a_withdrawal_says_first_what_it_does(self, see, bank, learner):
        agree(see)
        record(learner, "deposited")
        record(learner, "waiting_identity")
        found = text_of(see("credits/withdraw/central/"))
        assert "What the bank has stays there." in found
        assert "These are 3 credits." in found
        assert "What was not sent is not sent." in found
        assert Consent.objects.get().live, "looking withdraws nothing"
        found = text_of(see("credits/withdraw/central/", confirm="1"))
        assert "You have withdrawn your consent" in found
        assert "withdrawn on" in found
        assert Consent.objects.get().live is None
        see("credits/withdraw/central/", "en", 404)

    def test_deposits_are_told_as_what_happened(self, see, bank, learner):
        record(learner, "deposited", "B-77")
        found = text_of(see("credits/"))
        assert "Sent to Central credit bank." in found
        assert "Received by Central credit bank under number B-77." in found
        assert "<strong>3</strong> credits are in credit banks" in found

    def test_a_credit_that_was_taken_back_says_why_and_counts_no_more(self, see, bank, learner):
        record(learner, "reversed", "B-78")
        found = text_of(see("credits/"))
        assert (
            "under number B-78-R, because: the corrected exam result no longer meets the criteria." in found
        )
        assert "<strong>0</strong> credits are in credit banks" in found

    def test_what_waits_says_for_what(self, see, bank, learner):
        record(learner, "waiting_consent")
        found = text_of(see("credits/"))
        assert "Waits for your consent to send it to Central credit bank." in found
        assert "1 credit record waits for your consent." in found
        CreditRecord.objects.update(state="waiting_identity")
        assert "Waits for your identity to be verified" in text_of(see("credits/"))

    def test_only_the_end_of_an_identity_document_is_shown(self, see, bank, learner):
        record_identity(
            learner_id=learner.pk,
            kind="national_id",
            number="1101700203450",
            verified_by="officer:9",
            actor_id=9,
        )
        found = text_of(see("credits/"))
        assert "ending in 3450" in found
        assert "110170020" not in found

    def test_the_account_of_others_is_not_shown(self, see, bank, learner):
        other = get_user_model().objects.create_user("other", password=None)
        record(other, "deposited", "B-SECRET")
        assert "B-SECRET" not in text_of(see("credits/")) + text_of(see("data/"))

    def test_many_deposits_cost_no_more_queries_than_one(self, see, bank, learner):
        agree(see)
        first = record(learner)
        paths = ("credits/", "credits/withdraw/central/", "data/")
        few = {}
        for path in paths:
            see(path)
            few[path] = cost(see, path)
        version = first.award.version
        awards = Award.objects.bulk_create(
            Award(
                learner_id=learner.pk,
                achievement=version.achievement,
                version=version,
                course_key=f"{RUN}-{number}",
                live=None,
                evidence={},
                issued_at=clock.now(),
                published_at=clock.now(),
            )
            for number in range(999)
        )
        now = clock.now()
        records = CreditRecord.objects.bulk_create(
            CreditRecord(
                award=one,
                learner_id=learner.pk,
                organization="KMUTT",
                bank="central",
                state="deposited",
                method_code="CE",
                credits=3,
                hours=45,
                created=now,
                changed=now,
            )
            for one in Award.objects.filter(uuid__in=[one.uuid for one in awards])
        )
        stored = CreditRecord.objects.exclude(pk=first.pk)
        Delivery.objects.bulk_create(
            Delivery(
                record=one,
                bank="central",
                sequence=1,
                kind="deposit",
                state="acknowledged",
                receipt="B",
                created=now,
                sent_at=now,
                acknowledged_at=now,
            )
            for one in stored
        )
        AuditEntry.objects.bulk_create(
            AuditEntry(
                at=now,
                actor_id=9,
                action="identity.recorded",
                object_type="learner",
                object_id=str(learner.pk),
            )
            for _number in range(100)
        )
        assert len(records) == 999
        for path in paths:
            assert cost(see, path) == few[path], path
        assert "3000" in text_of(see("credits/"))


class TestData:
    def test_everything_is_a_file_for_the_learner_alone(self, see, bank, learner):
        record(learner, "deposited", "B-77")
        record_identity(
            learner_id=learner.pk,
            kind="national_id",
            number="1101700203450",
            verified_by="thaid",
            actor_id=None,
        )
        answer = see("data/everything.json")
        assert answer["Content-Disposition"].startswith("attachment; filename=")
        assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))
        found = json.loads(answer.content)
        assert found["learner_id"] == learner.pk
        assert found["rooms"]["creditbank"]["records"][0]["deliveries"][0]["receipt"] == "B-77"
        assert found["rooms"]["core"]["identities"][0]["last_four"] == "3450"
        assert "1101700203450" not in answer.content.decode()

    def test_all_credentials_are_one_file(self, see):
        answer = see("data/credentials.zip")
        assert answer["Content-Disposition"].endswith('.zip"')
        assert {"private", "no-store"} <= set(answer["Cache-Control"].split(", "))
        assert "manifest.json" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()

    @pytest.mark.parametrize("path", ["", "everything.json", "credentials.zip"])
    def test_whoever_is_not_signed_in_gets_nothing(self, client, path):
        answer = client.get(f"/microcred/data/{path}")
        assert answer.status_code == 302
        assert "login" in answer["Location"]

    def test_what_a_bank_was_sent_is_told_with_day_and_receipt(self, see, bank, learner):
        assert "Nothing of yours was sent to a credit bank." in text_of(see("data/"))
        record(learner, "deposited", "B-77")
        found = text_of(see("data/"))
        assert "Central credit bank" in found
        assert "received under number B-77" in found
        assert str(clock.now().year + 543) in text_of(see("data/", "th"))

    def test_decisions_of_staff_say_why_and_by_which_office_but_no_name(self, see, learner, platform):
        platform.add_learner(99, name="Officer Secretname", username="officer99")
        award = factories.make_award(learner.pk)
        AwardEvent.objects.create(
            award=award,
            kind="revoked",
            at=clock.now(),
            reason="staff_decision",
            note="Somebody else sat the exam.",
            actor_id=99,
        )
        found = text_of(see("data/"))
        assert "was revoked" in found
        assert "a programme officer of KMUTT" in found
        assert "a member of staff decided so: Somebody else sat the exam." in found
        assert "Secretname" not in found
        assert "officer99" not in found

    def test_what_the_log_has_about_the_learner_is_told_and_nothing_about_others(self, see, learner):
        record_identity(
            learner_id=learner.pk, kind="passport", number="AA1234567", verified_by="officer:9", actor_id=9
        )
        log_action(actor_id=None, action="learner.exported", object_type="learner", object_id=learner.pk)
        log_action(actor_id=9, action="did.forgotten", object_type="learner", object_id=learner.pk + 1)
        found = text_of(see("data/"))
        assert "An identity document was recorded as verified" in found
        assert "an identity verifier" in found
        assert "the operator of the platform" in found
        assert "was forgotten" not in found

    def test_a_list_of_candidates_that_was_downloaded_is_told_from_the_admission_on(
        self, see, ready, learner
    ):
        def looked():
            log_action(
                actor_id=9,
                action="exam.candidates_listed",
                object_type="exam",
                object_id=EXAM,
                organization="KMUTT",
            )

        looked()
        AuditEntry.objects.update(at=clock.now() - timedelta(days=1))
        ExamAdmission.objects.create(
            exam_code=EXAM, organization="KMUTT", number="A-17", learner_id=learner.pk, created=clock.now()
        )
        assert "was downloaded" not in text_of(see("data/"))
        looked()
        found = text_of(see("data/"))
        assert "was downloaded for the test centre" in found
        assert "an exam officer of KMUTT" in found

    def test_a_did_can_be_forgotten(self, see, learner):
        LearnerDid.objects.create(learner_id=learner.pk, did="did:key:z6Mkexample", proved_at=clock.now())
        assert "did:key:z6Mkexample" in text_of(see("data/"))
        found = text_of(see("data/", action="forget_did"))
        assert "did:key:z6Mkexample" not in found
        assert "The decentralised identifier (DID) was forgotten" in found
        assert not LearnerDid.objects.exists()

    def test_how_long_identities_are_kept_is_as_the_operator_set_it(self, see, settings):
        assert "days after it was last needed" not in text_of(see("data/"))
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "IDENTITY_RETENTION_DAYS": 400}
        assert "400 days after it was last needed" in text_of(see("data/"))
        assert not LearnerIdentity.objects.exists()


class TestKept:
    """These pages are kept for a minute, too; what changes on them is seen at once."""

    @pytest.mark.parametrize(("path", "queries"), [("exams/", 4), ("credits/", 4), ("data/", 6)])
    def test_it_is_answered_from_what_was_kept(self, see, ready, bank, learner, path, queries):
        record(learner)
        sat(learner, batch(), Decimal(40), date(2026, 10, 2))
        first = text_of(see(path))
        with CaptureQueriesContext(connection) as captured:
            again = text_of(see(path))
        assert without_token(again) == without_token(first)
        assert sum(one["sql"].startswith("SELECT") for one in captured) == queries

    def test_each_step_of_a_result_is_seen_at_once(self, see, ready, learner):
        made = batch("imported")
        assert "waits for release" not in text_of(see("exams/"))
        sat(learner, made, Decimal("41.5"), date(2026, 10, 2))
        assert "waits for release" in text_of(see("exams/"))
        ExamBatch.objects.filter(pk=made.pk).update(
            state="released", signed_by=2, signed_at=clock.now(), released_at=clock.now()
        )
        found = text_of(see("exams/"))
        assert "waits for release" not in found
        assert "41.5" in found
        ExamBatch.objects.filter(pk=made.pk).update(state="superseded")
        assert "41.5" not in text_of(see("exams/"))

    def test_an_admission_is_seen_at_once(self, see, ready, learner):
        assert "A-17" not in text_of(see("exams/"))
        ExamAdmission.objects.create(
            exam_code=EXAM, organization="KMUTT", number="A-17", learner_id=learner.pk, created=clock.now()
        )
        assert "A-17" in text_of(see("exams/"))
        assert "A-17" in text_of(see("data/"))

    def test_each_step_of_a_credit_is_seen_at_once(self, see, ready, bank, learner):
        award = factories.make_award(learner.pk, announce=False)
        assert "Earned: 3 credits." not in text_of(see("credits/"))
        made = record(learner, "sending", award=award)
        assert "Earned: 3 credits." in text_of(see("credits/"))
        sent = deliver(made, 1, "deposit", "")
        Delivery.objects.filter(pk=sent.pk).update(state="sent", acknowledged_at=None)
        assert "Sent to Central credit bank." in text_of(see("credits/"))
        Delivery.objects.filter(pk=sent.pk).update(
            state="acknowledged", receipt="B-99", acknowledged_at=clock.now()
        )
        CreditRecord.objects.filter(pk=made.pk).update(state="deposited")
        assert "B-99" in text_of(see("credits/"))
        assert "B-99" in text_of(see("data/"))

    def test_a_consent_and_its_end_are_seen_at_once(self, see, ready, bank, learner):
        assert "I agree" in text_of(see("credits/"))
        agree(see)
        assert "credits/withdraw/central/" in text_of(see("credits/"))
        Consent.objects.update(live=None, withdrawn_at=clock.now())
        assert "credits/withdraw/central/" not in text_of(see("credits/"))
        assert "Consent withdrawn" in text_of(see("data/"))

    def test_an_identity_and_its_end_are_seen_at_once(self, see, ready, bank, learner):
        assert "4567" not in text_of(see("credits/"))
        record_identity(
            learner_id=learner.pk, kind="passport", number="AA1234567", verified_by="officer:9", actor_id=9
        )
        assert "4567" in text_of(see("credits/"))
        assert "An identity document was recorded as verified" in text_of(see("data/"))
        LearnerIdentity.objects.all().delete()
        assert "4567" not in text_of(see("credits/"))

    def test_what_the_log_has_is_seen_at_once(self, see, ready, learner):
        see("data/")
        log_action(actor_id=None, action="learner.exported", object_type="learner", object_id=learner.pk)
        assert "the operator of the platform" in text_of(see("data/"))
        LearnerDid.objects.create(learner_id=learner.pk, did="did:key:z6Mkexample", proved_at=clock.now())
        assert "did:key:z6Mkexample" in text_of(see("data/"))
        LearnerDid.objects.all().delete()
        assert "did:key:z6Mkexample" not in text_of(see("data/"))

    def test_who_sees_a_credential_is_seen_at_once(self, see, ready, learner):
        see("data/")
        award = factories.make_award(learner.pk)
        issue_all()
        see("data/")
        uuid = Credential.objects.get(award=award).uuid
        share_credential(learner_id=learner.pk, credential_uuid=uuid, visibility="private")
        assert "It was decided who sees a credential: only you" in text_of(see("data/"))

    def test_its_forms_carry_the_token_of_the_reader(self, ready, bank, learner):
        from django.test import Client

        record(learner)
        for _time in range(2):  # put together, then kept
            client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
            client.force_login(learner)
            page = client.get("/microcred/credits/").content.decode()
            token = TOKEN.search(page)[1]
            given = {"bank": "central", "text_version": "2569-1", "language": "en", "agree": "yes"}
            assert client.post("/microcred/credits/", given).status_code == 403
            given["csrfmiddlewaretoken"] = token
            assert client.post("/microcred/credits/", given).status_code == 302
            Consent.objects.all().delete()


TOKEN = re.compile('name="csrfmiddlewaretoken" value="([^"]+)"')


def without_token(page):
    return TOKEN.sub("", page)


def test_what_waits_for_release_is_read_with_one_query(ready, learner, django_assert_num_queries):
    sat(learner, batch("signed"), Decimal(50), date(2026, 10, 2))
    with django_assert_num_queries(1):
        assert exams.my_waiting_sittings(learner_id=learner.pk) == [(EXAM, date(2026, 10, 2))]


class TestTheStepToConsent:
    def test_who_has_earned_all_is_led_to_the_consent_that_the_credit_waits_for(self, ready, bank, learner):
        definition = achievements.current_catalogue().newest("py101-l2")
        award = Award.objects.create(
            learner_id=learner.pk,
            achievement_id=definition.achievement_id,
            version_id=definition.version_id,
            course_key=RUN,
            issued_at=clock.now(),
            published_at=clock.now(),
        )
        row = record(learner, "waiting_consent", award=award)
        step = dashboard.read_course_ladder(course_key=RUN, learner_id=learner.pk).step
        assert (step.action, step.url) == ("give_consent", "/microcred/credits/")
        assert step.text == "Give your consent so that your credits can be sent to Central credit bank."
        CreditRecord.objects.filter(pk=row.pk).update(state="sending")
        assert dashboard.read_course_ladder(course_key=RUN, learner_id=learner.pk).step is None
