"""Two universities, two learners, and staff of every role: what the API's tests call upon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import Achievement, Award, CertificateAsk, RunOffer
from mooc_microcred.competencies import api as competencies
from mooc_microcred.core import clock
from mooc_microcred.core.audit import log_action
from mooc_microcred.core.identity import record_identity
from mooc_microcred.core.models import LearnerLease, OutboxMessage, StaffRole
from mooc_microcred.core.roles import Actor, Role
from mooc_microcred.core.texts import Text
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials.models import Credential
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.creditbank.models import Delivery
from mooc_microcred.creditbank.records import open_record
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.data import AdmissionRequest
from mooc_microcred.reporting import api as reporting
from tests.support.definitions import RUN, level1, level2, programme

BASE = "/api/mooc_microcred/v1/"
OWN, OTHER = "KMUTT", "BUU"
FRAMEWORK = "6f1e7a90-0b52-4c1e-8a57-3d1f2a4b5c6d"
RERUN = "course-v1:KMUTT+PY102+2027"

# A valid Thai national ID (check digit) that belongs to nobody.
NATIONAL_ID = "1101700230708"
PASSPORT = "AA1234567"

BANK = {
    "backend": "mooc_microcred.creditbank.backends.file_drop.FileDropBackend",
    "name": {"th": "คลังหน่วยกิต", "en": "Credit bank"},
    "consent_text": {"version": "2026-1", "th": "ข้าพเจ้ายินยอม", "en": "I agree."},
    "kinds": ["level1", "level2", "programme"],
    "options": {},
}


@dataclass
class World:
    """What there is, by the names by which tests speak of it."""

    people: dict[str, Any] = field(default_factory=dict)
    things: dict[str, Any] = field(default_factory=dict)

    def person(self, name: str):
        """Return a user, made when first asked for; ``exam_officer@KMUTT`` holds that role there."""
        if name not in self.people:
            user = get_user_model().objects.create_user(f"person{len(self.people)}", password=None)
            self.people[name] = user
            if "@" in name:
                role, organization = name.split("@")
                StaffRole.objects.create(
                    user_id=user.pk, role=role, organization="" if organization == "all" else organization
                )
        return self.people[name]


def staff_names(organization: str) -> list[str]:
    """Return the names of one person for each role there."""
    return [f"{role}@{organization}" for role in Role.values]


def build_world(platform) -> World:
    """Make the world: Ann has earned everything at KMUTT, Bob has begun."""
    world = World()
    user_model = get_user_model()
    world.people["root"] = user_model.objects.create_superuser("root", password=None)
    ann = world.person("ann")
    bob = world.person("bob")
    for organization in (OWN, OTHER, "all"):
        for name in staff_names(organization):
            world.person(name)

    level1("py101-l1", mode="own", rule={"course_grade": {"minimum": 60}})
    level2("py101-l2", needs="py101-l1", exam="py101-exam")
    level1(
        "py102-l1",
        mode="own",
        rule={"course_grade": {"minimum": 60}},
        course={"runs": ["course-v1:KMUTT+PY102+2026"]},
    )
    programme("py-series", {"all": [{"achievement": "py101-l1"}, {"achievement": "py102-l1"}]})
    level1(
        "sea-l1",
        mode="own",
        rule={"course_grade": {"minimum": 60}},
        organization=OTHER,
        issuer="buu",
        course={"organization": OTHER, "number": "SEA1"},
    )

    for learner in (ann, bob):
        platform.add_learner(learner.pk, name=learner.username, username=learner.username)
        platform.enrol(learner.pk, RUN)
    platform.grade(ann.pk, RUN, 80)
    platform.grade(bob.pk, RUN, 30)
    achievements.request_evaluation(learner_id=ann.pk, reason="test")
    achievements.evaluate_due()
    world.things["award"] = Award.objects.get(learner_id=ann.pk, achievement__code="py101-l1").uuid

    credentials.issue_credential(award_uuid=world.things["award"])
    world.things["credential"] = Credential.objects.get(award__uuid=world.things["award"]).uuid

    world.things["ann"] = ann.pk
    achievement = Achievement.objects.get(code="py102-l1")
    for state, fields in (("suspended", {}), ("revoked", {"live": None})):
        # Both are staff's decisions, about two learners of whom nothing else is known.
        world.things[state] = Award.objects.create(
            learner_id=900_000 + len(state),
            achievement=achievement,
            version=achievement.versions.get(),
            state=state,
            reason="staff_decision",
            evidence={"measures": []},
            issued_at=clock.now(),
            published_at=clock.now(),
            suspended_at=clock.now(),
            **fields,
        ).uuid

    world.things["offer"] = RunOffer.objects.create(
        achievement=Achievement.objects.get(code="py102-l1"), course_key=RERUN, offered_at=clock.now()
    ).pk
    platform.add_course(RERUN)
    record_identity(
        learner_id=ann.pk, kind="passport", number=PASSPORT, verified_by="platform", actor_id=None
    )
    _upload_results(world)
    creditbank.give_consent(learner_id=ann.pk, bank="thai-bank", text_version="2026-1", language="th")
    with transaction.atomic():
        record = open_record(award_uuid=world.things["award"])
    world.things["record"] = record.uuid
    delivery = record.deliveries.get()
    delivery.state, delivery.attempts, delivery.last_error = Delivery.State.DEAD, 12, "http_422"
    delivery.save()
    world.things["delivery"] = delivery.pk

    world.things["dead"] = OutboxMessage.objects.create(
        topic="award.issued",
        learner_id=ann.pk,
        payload={"award": world.things["award"]},
        created=clock.now(),
        due=clock.now(),
        state=OutboxMessage.State.DEAD,
        attempts=12,
    ).pk
    CertificateAsk.objects.create(
        learner_id=bob.pk, course_key=RUN, refusal="mode", checked_at=clock.now(), attempts=1
    )
    _import_framework(world)
    # Two learners are fewer than are told exactly to auditors; that there are figures can be seen.
    while reporting.refresh_figures():
        pass
    log_action(actor_id=1, action="test.done", object_type="test", object_id=1, organization=OWN)
    return world


def _import_framework(world: World) -> None:
    """Have a framework in force, and a change of it shown and not done."""
    boss = Actor(user_id=None, superuser=True)
    title = Text(en="Skills")
    for text in ("code,statement_en\nA,First\n", "code,statement_en\nA,First\nB,Second\n"):
        shown = competencies.preview_import(
            actor=boss, content=text.encode(), organization=OWN, framework=FRAMEWORK, title=title
        )
        if "framework" not in world.things:
            competencies.commit_import(actor=boss, token=shown.token, publish=True)
        world.things["framework"] = FRAMEWORK
        world.things["preview"] = shown.token


def result_file(*rows: tuple[str, object], day: int = 21) -> bytes:
    """Return a file of results of user names and scores, as an exam centre sends it."""
    lines = [f"{username},{score},{day}/11/2568" for username, score in rows]
    return "\r\n".join(["username,score,exam date", *lines]).encode()


def _upload_results(world: World) -> None:
    """Put a batch in each state: with wrong rows, imported, signed and released."""
    ann, bob = world.person("ann").username, world.person("bob").username
    officer = Actor.of(world.person(f"exam_officer@{OWN}"))
    signatory = Actor.of(world.person(f"exam_signatory@{OWN}"))
    for day, (name, rows) in enumerate(
        {
            "mixed": [(ann, 80), ("nobody", 40), (bob, "=1+1")],
            "imported": [(ann, 70)],
            "signed": [(bob, 20)],
            "released": [(ann, 50)],
        }.items(),
        start=11,
    ):
        batch = exams.upload_batch(
            actor=officer,
            exam_code="py101-exam",
            file_name=f"{name}.csv",
            content=result_file(*rows, day=day),
        )
        world.things[name] = batch.uuid
        if name in ("signed", "released"):
            exams.sign_batch(actor=signatory, batch_uuid=batch.uuid)
        if name == "released":
            exams.release_batch(actor=officer, batch_uuid=batch.uuid)
    exams.admit_learners(
        actor=officer,
        exam_code="py101-exam",
        candidates=[AdmissionRequest(learner_id=world.person("bob").pk, number="B-1")],
    )


def snapshot() -> dict[str, list]:
    """Return every row of the suite's tables, for asserting that nothing has changed.

    Leases are left out: one that was taken and given back is nothing that anybody sees.
    """
    return {
        model.__name__: sorted(map(repr, model.objects.values_list()))
        for model in apps.get_app_config("mooc_microcred").get_models()
        if model is not LearnerLease
    }
