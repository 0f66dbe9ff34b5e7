"""A backfill comes to what evaluation would have decided, whatever the learners have been doing."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from mooc_microcred.achievements import api, backfill
from mooc_microcred.achievements.models import Award, AwardEvent, Backfill, EvaluationRequest
from mooc_microcred.core import clock, lease, outbox, retirement
from mooc_microcred.core.models import LearnerLease, OutboxMessage
from mooc_microcred.core.platform import PlatformUnavailable
from mooc_microcred.core.roles import Actor
from mooc_microcred.credentials.models import CredentialDue
from mooc_microcred.creditbank.models import CreditRecord
from mooc_microcred.exams.models import ExamBatch, ExamResult
from tests.support.definitions import RUN, level1, level2, programme

pytestmark = pytest.mark.django_db(transaction=True)

RERUN = "course-v1:KMUTT+PY101+2027"
SECOND = "course-v1:KMUTT+PY102+2026"
FOREIGN = "course-v1:CU+ENG1+2026"
RUNS = (RUN, RERUN, SECOND)
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
STATUSES = ["downloadable"] * 8 + ["notpassing", "unverified", "unavailable", "generating"]


@pytest.fixture
def still(monkeypatch):
    """Let time stand still, so that two ways to the same awards can be compared to the microsecond."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def stack(*, windows: bool):
    """Two courses, the first with two versions of its Level 1, a Level 2 and programmes on top."""
    if windows:
        level1("py101-l1", judges={"enrolled_until": "2026-03-31"}, validity_months=24)
        level1("py101-l1", number=2, judges={"enrolled_from": "2026-04-01"}, credits="2")
    else:
        level1("py101-l1")
    level1(
        "py102-l1",
        mode="own_with_platform",
        rule={"course_grade": {"passed": True}},
        course={"organization": "KMUTT", "number": "PY102"},
    )
    level2("py101-l2")
    programme("python", {"all": [{"achievement": "py101-l1"}, {"achievement": "py102-l1"}]})
    programme("beginner", {"at_least": {"count": 1, "of": [{"achievement": "py101-l1"}]}})


def populate(platform, seed: int, count: int) -> None:
    """Let learners have been doing this and that."""
    chance = random.Random(seed)  # noqa: S311
    batch = None
    for learner in range(1, count + 1):
        for run in RUNS:
            if chance.random() < 0.6:
                since = datetime(2026, chance.randint(1, 6), chance.randint(1, 28), tzinfo=UTC)
                platform.enrol(learner, run, since=since)
                if chance.random() < 0.7:
                    platform.grade(learner, run, chance.choice([20, 60, 80]))
                if chance.random() < 0.8:
                    later = NOW + timedelta(days=chance.randint(1, 2))
                    hidden = chance.random() < 0.3
                    fields = {"shown": False, "shown_from": chance.choice([later, None])} if hidden else {}
                    platform.certify(learner, run, chance.choice(STATUSES), **fields)
        if chance.random() < 0.2:
            batch = batch or released_batch()
            ExamResult.objects.create(
                batch=batch,
                exam_code="py101-exam",
                learner_id=learner,
                row=learner,
                sat_on=NOW.date() - timedelta(days=30),
                score=chance.choice([40, 80]),
                max_score=100,
                percent=chance.choice([40, 80]),
            )


def released_batch() -> ExamBatch:
    return ExamBatch.objects.create(
        exam_code="py101-exam",
        achievement_id=api.current_catalogue().newest("py101-l2").achievement_id,
        organization="KMUTT",
        state="released",
        file_name="results.csv",
        sha256="0" * 64,
        size=1,
        uploaded_by=1,
        uploaded_at=NOW,
        signed_by=2,
    )


def a_history(platform, seed: int, count: int) -> None:
    """Let some hold awards already, lose some, and let their certificates change without an event."""
    chance = random.Random(seed + 1)  # noqa: S311
    early = [learner for learner in range(1, count + 1) if chance.random() < 0.3]
    api.append_requests(early, reason="early")
    evaluate()
    for award in Award.objects.filter(live=True).order_by("id"):
        moment = chance.random()
        if moment < 0.15:
            api.revoke_award(actor=Actor(user_id=9, superuser=True), award_uuid=award.uuid, note="copied")
        elif moment < 0.4 and award.course_key:
            status = chance.choice(["notpassing", "unavailable", "downloadable"])
            platform.certify(award.learner_id, award.course_key, status, shown=True, shown_from=None)
    EvaluationRequest.objects.all().delete()
    OutboxMessage.objects.all().delete()
    for learner in range(1, count + 1):
        if chance.random() < 0.05:
            retirement.retire_learner(learner_id=learner)


def evaluate() -> None:
    while api.evaluate_due().requests:
        pass


def evaluate_holders(platform) -> None:
    """What the backfill is compared with: a request for each certificate, evaluated."""
    for (learner, run), state in platform.states.items():
        if run in RUNS and state.certificate is not None:
            api.request_evaluation(learner_id=learner, course_key=run, reason="certificate")
    evaluate()


def run_backfill(*, page: int = 500, announce: bool = False, runs=RUNS):
    progress = api.start_backfill(course_keys=runs, announce=announce)
    while not progress.finished:
        progress = api.advance_backfill(backfill_id=progress.id, limit=page)
    return progress


def everything() -> list:
    """Return every award with its history, ids left out, and every later look that was decided."""
    names = {one.uuid: f"{one.learner_id}/{one.achievement.code}" for one in _awards()}
    found = []
    for award in _awards():
        row = {name: getattr(award, name) for name in AWARD_FIELDS}
        row["code"] = award.achievement.code
        row["evidence"] = json.loads(_renamed(json.dumps(award.evidence), names))
        row["history"] = [
            {**{name: getattr(one, name) for name in EVENT_FIELDS}, "details": _renamed(one.details, names)}
            for one in AwardEvent.objects.filter(award=award).order_by("id")
        ]
        found.append(row)
    found.sort(key=lambda row: (row["learner_id"], row["code"], row["issued_at"], str(row["state"])))
    dues = set(
        EvaluationRequest.objects.filter(not_before__gt=NOW).values_list(
            "learner_id", "course_key", "reason", "not_before"
        )
    )
    return [found, sorted(dues)]


AWARD_FIELDS = [
    one.attname for one in Award._meta.concrete_fields if one.name not in ("id", "uuid", "evidence")
]
EVENT_FIELDS = [
    one.attname for one in AwardEvent._meta.concrete_fields if one.name not in ("id", "award", "details")
]


def _awards():
    return Award.objects.select_related("achievement").order_by("id")


def _renamed(text, names):
    text = text if isinstance(text, str) else json.dumps(text)
    for uuid, name in names.items():
        text = text.replace(uuid, name)
    return text


@pytest.mark.parametrize("seed", range(6))
def test_field_by_field_it_is_what_evaluation_would_have_decided(platform, still, seed):
    stack(windows=seed % 2 == 1)
    populate(platform, seed, 120)
    if seed > 1:
        a_history(platform, seed, 120)
    with transaction.atomic():
        evaluate_holders(platform)
        wanted = everything()
        transaction.set_rollback(True)
    before = Award.objects.count()
    progress = run_backfill(page=[500, 7, 50][seed % 3])
    found = everything()
    assert len(found[0]) == len(wanted[0]) > 60
    for one, other in zip(found[0], wanted[0], strict=True):
        assert one == other
    assert progress.issued == Award.objects.count() - before
    # Those whom the platform is to be asked for a certificate are left to the evaluation.
    evaluate()
    assert everything() == [found[0], wanted[1]]
    evaluate_holders(platform)
    assert everything()[0] == found[0], "an evaluation afterwards changes nothing"
    assert not LearnerLease.objects.exclude(token="").exists()


def test_the_fast_way_is_the_way_that_most_learners_go(platform, still, monkeypatch):
    stack(windows=True)
    for learner in range(1, 101):
        platform.certify(learner, RUN)
    asked = []
    decide = backfill.decide
    monkeypatch.setattr(backfill, "decide", lambda *args: asked.append(1) or decide(*args))
    assert run_backfill().issued == 200, "Level 1 and the programme that stands on it"
    assert len(asked) == 1


def test_nobody_is_told_and_credit_records_come_nevertheless(platform, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "BANKS": A_BANK}
    level1(credits="3")
    for learner in (1, 2, 3):
        platform.certify(learner, RUN)
    platform.certify(4, RUN, shown=False)
    run_backfill(page=2)
    messages = OutboxMessage.objects.all()
    assert {one.topic for one in messages} == {"awards.backfilled"}
    assert all(one.learner_id is None for one in messages)
    shown = set(Award.objects.filter(learner_id__in=(1, 2, 3)).values_list("uuid", flat=True))
    assert {uuid for one in messages for uuid in one.payload["awards"]} == shown
    while outbox.relay().done:
        pass
    assert set(CreditRecord.objects.values_list("learner_id", flat=True)) == {1, 2, 3}
    # Whoever issues credentials has them in its queue.
    assert set(CredentialDue.objects.values_list("award__learner_id", flat=True)) == {1, 2, 3}


A_BANK = {
    "ncb": {
        "backend": "mooc_microcred.creditbank.backends.file_drop.FileDropBackend",
        "name": {"th": "ธนาคารหน่วยกิต", "en": "Credit bank"},
        "kinds": ["level1"],
        "organizations": None,
        "consent_text": {"version": "1", "th": "ยินยอม", "en": "I agree"},
        "options": {"directory": "unused"},
    }
}


def test_with_announce_each_learner_is_told_once_as_of_an_award_of_today(platform):
    level1()
    for learner in (1, 2, 3):
        platform.certify(learner, RUN)
    run_backfill(announce=True)
    run_backfill(announce=True)
    messages = OutboxMessage.objects.order_by("learner_id")
    assert [(one.topic, one.learner_id) for one in messages] == [("award.issued", one) for one in (1, 2, 3)]
    for one in messages:
        assert Award.objects.get(uuid=one.payload["award"]).learner_id == one.learner_id
        assert set(one.payload) == {"award", "reason", "at"}


def test_a_retired_learner_gets_nothing(platform):
    level1()
    platform.certify(1, RUN)
    retirement.retire_learner(learner_id=1)
    assert run_backfill().issued == 0
    assert not Award.objects.exists()


def test_who_is_being_evaluated_all_the_time_is_left_to_the_evaluation(platform, monkeypatch):
    monkeypatch.setattr(backfill, "BUSY_GAP", 0.001)
    level1()
    platform.certify(1, RUN)
    platform.certify(2, RUN)
    lease.take_leases([1])
    assert run_backfill().issued == 1
    assert list(EvaluationRequest.objects.values_list("learner_id", "course_key", "reason")) == [
        (1, RUN, "backfill")
    ]
    with clock.shifted(timedelta(minutes=5)):
        evaluate()
    assert Award.objects.filter(live=True).count() == 2


def test_a_platform_that_is_away_moves_no_cursor(platform):
    level1()
    platform.certify(1, RUN)
    progress = api.start_backfill(course_keys=[RUN], announce=False)
    platform.away = True
    with pytest.raises(PlatformUnavailable):
        api.advance_backfill(backfill_id=progress.id)
    platform.away = False
    assert Backfill.objects.get().after == 0
    assert not LearnerLease.objects.exclude(token="").exists()
    assert run_backfill(runs=[RUN]).issued == 1


def test_queries_do_not_grow_with_the_page(platform):
    level1()
    counts = []
    api.advance_backfill(backfill_id=api.start_backfill(course_keys=[RERUN], announce=False).id)
    for first, last in ((1, 3), (10, 200)):
        platform.reset()
        for learner in range(first, last):
            platform.certify(learner, RUN)
        progress = api.start_backfill(course_keys=[RUN], announce=False)
        with CaptureQueriesContext(connection) as captured:
            while not progress.finished:
                progress = api.advance_backfill(backfill_id=progress.id)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 25


# --- the command ---


@pytest.fixture
def five(platform):
    level1()
    level1("eng1", organization="CU", issuer="cu", course={"organization": "CU", "number": "ENG1"})
    for learner in range(1, 6):
        platform.certify(learner, RUN)
    platform.certify(1, FOREIGN)
    return platform


def command(capsys, *arguments) -> str:
    call_command("microcred_backfill", *arguments, "--no-rest")
    return capsys.readouterr().out


def test_the_dry_run_says_what_would_come_and_writes_nothing(five, capsys):
    out = command(capsys, "--all", "--dry-run", "--page", "2")
    assert "6 certificates of 2 course runs: 6 awards issued, 0 changed" in out
    assert "Nothing was written" in out
    for model in (Award, Backfill, LearnerLease, OutboxMessage, EvaluationRequest):
        assert not model.objects.exists()


@pytest.mark.parametrize(
    ("what", "issued"), [(["--course", RUN], 5), (["--org", "CU"], 1), (["--all"], 6), (["--org", "X"], 0)]
)
def test_what_is_named_is_backfilled_and_nothing_else(five, capsys, what, issued):
    command(capsys, *what, "--page", "2")
    assert Award.objects.count() == issued
    command(capsys, *what)
    assert Award.objects.count() == issued


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--course", "PY101"], "not a course key"),
        (["--course", "course-v1:No+Such+Run"], "no course run"),
        (["--course", "course-v1:KMUTT+OTHER+1"], "No active Level 1"),
        (["--all", "--page", "0"], "1 to 500"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(five, arguments, says):
    five.add_course("course-v1:KMUTT+OTHER+1")
    with pytest.raises(CommandError, match=says):
        call_command("microcred_backfill", *arguments)
    assert not Backfill.objects.exists()


def test_a_stopped_run_is_gone_on_with_by_the_same_command(five, capsys):
    progress = api.start_backfill(course_keys=[RUN], announce=False)
    api.advance_backfill(backfill_id=progress.id, limit=2)
    assert Award.objects.count() == 2
    assert "Going on" in command(capsys, "--course", RUN)
    assert Award.objects.count() == 5
    assert Backfill.objects.count() == 1


def test_what_a_killed_run_held_is_taken_over_so_that_nobody_is_told(five, capsys):
    progress = api.start_backfill(course_keys=[RUN], announce=False)
    _, held = lease.take_leases(range(1, 6), owner=backfill.owner_of(progress.id))
    # Of others, one of whom has a similar name.
    lease.take_leases([90], owner=backfill.owner_of(progress.id * 10 + 1))
    lease.take_leases([91])
    assert held == {1, 2, 3, 4, 5}
    command(capsys, "--course", RUN)
    assert Award.objects.count() == 5
    assert not EvaluationRequest.objects.filter(reason="backfill").exists()
    assert not OutboxMessage.objects.filter(topic="award.issued").exists()
    assert set(LearnerLease.objects.exclude(token="").values_list("learner_id", flat=True)) == {90, 91}


def test_one_that_was_taken_for_killed_writes_nothing_and_begins_its_page_again(five, platform):
    progress = api.start_backfill(course_keys=[RUN], announce=False)
    reading = platform.list_certificates
    asked = []

    def slowly(*args, **kwargs):
        asked.append(1)
        if len(asked) == 2:
            api.start_backfill(course_keys=[RUN], announce=False)
        return reading(*args, **kwargs)

    platform.list_certificates = slowly
    assert api.advance_backfill(backfill_id=progress.id).after == 0
    assert not Award.objects.exists()
    assert api.advance_backfill(backfill_id=progress.id).finished
    assert Award.objects.count() == 5


def test_the_command_hands_messages_over_before_they_pile_up(five, capsys, monkeypatch):
    monkeypatch.setattr("mooc_microcred.management.commands.microcred_backfill.MOST_WAITING", 2)
    command(capsys, "--course", RUN, "--page", "1")
    assert outbox.count_pending("awards.backfilled") <= 2
