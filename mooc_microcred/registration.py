"""What each room plugs into the others, called once per process from AppConfig.ready."""

from collections.abc import Collection

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.definitions import offer_run
from mooc_microcred.achievements.exporting import export_learner as export_awards
from mooc_microcred.achievements.health import probe_evaluation
from mooc_microcred.achievements.models import EvaluationRequest
from mooc_microcred.achievements.retirement import forget_learner, scrub_notes
from mooc_microcred.competencies import api as competencies
from mooc_microcred.competencies.health import probe_courses
from mooc_microcred.core import clock, data_export, identity, outbox, retirement
from mooc_microcred.core.checks import register_checks, use_bank_check
from mooc_microcred.core.doctor import register_probe, register_probes
from mooc_microcred.core.evidence import register_evidence_source
from mooc_microcred.core.models import OutboxMessage
from mooc_microcred.core.platform import PlatformUnavailable
from mooc_microcred.core.sweeper import Step, register_step
from mooc_microcred.credentials import api as credentials
from mooc_microcred.credentials import issuing as credentials_issuing
from mooc_microcred.credentials.health import probe_credentials
from mooc_microcred.credentials.models import CredentialDue
from mooc_microcred.credentials.pdf import certificates
from mooc_microcred.credentials.status import lists as status_lists
from mooc_microcred.credentials.status import settling as credential_status
from mooc_microcred.credentials.status.health import probe_status_lists
from mooc_microcred.creditbank import api as creditbank
from mooc_microcred.creditbank import subscribers as creditbank_subscribers
from mooc_microcred.creditbank.health import probe_deliveries
from mooc_microcred.creditbank.models import Delivery
from mooc_microcred.exams import api as exams
from mooc_microcred.exams import exporting as exams_exporting
from mooc_microcred.exams import retirement as exams_retirement
from mooc_microcred.exams.health import probe_batches
from mooc_microcred.programs import api as programs
from mooc_microcred.reporting import api as reporting
from mooc_microcred.reporting.health import probe_figures


def register() -> None:
    """Register evidence sources, outbox subscribers and system checks; again is harmless."""
    register_checks()
    register_evidence_source(exams.ExamEvidence())
    register_evidence_source(programs.ProgrammeEvidence())
    credentials_issuing.register()
    # After whoever makes credentials: a new one gets its status by the same message.
    credential_status.register()
    creditbank_subscribers.register()
    use_bank_check(lambda _value: map(str, creditbank.check_bank_settings()))
    outbox.subscribe(exams.RELEASED, "exams.queue_learners", exams.queue_learners_of_release)
    outbox.subscribe("course.run_seen", "achievements.offer_run", _offer_run)
    outbox.subscribe(
        competencies.DEMONSTRATED_TOPIC, "achievements.evaluate_demonstrated", _evaluate_demonstrated
    )
    outbox.subscribe(competencies.CRITERIA_CHANGED, "achievements.feed_criteria", _feed_criteria)
    outbox.subscribe(competencies.TAGS_CHANGED, "achievements.feed_course", _feed_course)
    # To these the release before does not subscribe; tests/upgrade says when that is out of date.
    outbox.withhold_from_older_releases(
        [
            achievements.BACKFILLED,
            competencies.CRITERIA_CHANGED,
            competencies.DEMONSTRATED_TOPIC,
            competencies.TAGS_CHANGED,
            creditbank.DEPOSITED,
        ]
    )
    # And to these it has fewer subscribers.
    outbox.renew(credential_status.TOPICS)
    competencies.register_uses("achievements", _uses_of_competencies)
    _register_retirement()
    _register_export()
    _register_doctor()
    _register_sweep_steps()


def _offer_run(message: outbox.Message) -> None:
    offer_run(course_key=message.payload["course_key"])


def _evaluate_demonstrated(message: outbox.Message) -> None:
    """A learner has demonstrated a competency: whatever asks for it is judged anew."""
    if message.learner_id is not None:
        achievements.request_evaluation(learner_id=message.learner_id, reason="competency")


def _feed_criteria(message: outbox.Message) -> None:
    """Criteria have changed: everybody in a course that assesses by them is judged anew."""
    courses = competencies.courses_of_framework(
        framework=message.payload["framework"], item=message.payload["item"]
    )
    for course_key in sorted(courses):
        achievements.start_feed(reason="criteria", course_key=course_key)


def _uses_of_competencies(keys: Collection[competencies.Key]) -> dict[competencies.Key, int]:
    """Say which competencies the achievements in force ask for, so that none of them is retired unnoticed."""
    return dict.fromkeys(achievements.current_catalogue().competencies & set(keys), 1)


def _feed_course(message: outbox.Message) -> None:
    """What assesses competencies in a course has changed: everybody enrolled is judged anew."""
    achievements.start_feed(reason="competencies", course_key=message.payload["course_key"])


def _register_retirement() -> None:
    retirement.subscribe()
    retirement.register_retirement_hook("achievements", forget_learner)
    retirement.register_retirement_hook("competencies", competencies.forget_learner)
    retirement.register_retirement_hook("exams", exams_retirement.forget_learner)
    retirement.register_retirement_hook("certificates", certificates.forget_learner)
    retirement.register_retirement_hook("credentials", credentials.forget_learner)
    retirement.register_retirement_hook("creditbank", creditbank.forget_learner)
    retirement.register_namer("exams", exams_retirement.numbers_of)
    retirement.register_scrubber("achievements", scrub_notes)
    retirement.register_scrubber("exams", exams_retirement.scrub_batches)


def _register_export() -> None:
    data_export.register_export_hook("core", data_export.export_core)
    data_export.register_export_hook("achievements", export_awards)
    data_export.register_export_hook("competencies", competencies.export_learner)
    data_export.register_export_hook("exams", exams_exporting.export_learner)
    data_export.register_export_hook("credentials", credentials.export_learner)
    data_export.register_export_hook("creditbank", creditbank.export_learner)


def _register_doctor() -> None:
    register_probes()
    register_probe("evaluation", title=lambda: _("Evaluation"), order=50, probe=probe_evaluation)
    register_probe("competencies", title=lambda: _("Competencies"), order=65, probe=probe_courses)
    register_probe("exams", title=lambda: _("Exams"), order=70, probe=probe_batches)
    register_probe("credentials", title=lambda: _("Credentials"), order=75, probe=probe_credentials)
    register_probe("status_lists", title=lambda: _("Status lists"), order=78, probe=probe_status_lists)
    register_probe("banks", title=lambda: _("Credit banks"), order=80, probe=probe_deliveries)
    register_probe("figures", title=lambda: _("Figures"), order=85, probe=probe_figures)


def _register_sweep_steps() -> None:
    """What is due, in the order in which one thing leads to the next; then what is old."""
    register_step(Step("feed", run=achievements.advance_feeds, order=10))
    register_step(Step("recheck-courses", run=competencies.recheck_courses, order=4, once=True))
    register_step(Step("sync-courses", run=lambda: competencies.sync_due().claimed, order=5))
    register_step(
        Step("evaluate", run=_evaluate, order=20, waiting=lambda: _due(EvaluationRequest.objects.all()))
    )
    register_step(Step("hand-over-again", run=outbox.hand_over_again, order=25))
    register_step(
        Step(
            "relay",
            run=_relay,
            order=30,
            waiting=lambda: _due(OutboxMessage.objects.filter(state__in=outbox.WAITING)),
        )
    )
    register_step(
        Step(
            "deliver",
            run=_deliver,
            order=40,
            waiting=lambda: _due(Delivery.objects.filter(state=Delivery.State.PENDING)),
        )
    )
    register_step(Step("walk-awards", run=credentials.advance_walk, order=31))
    register_step(
        Step(
            "issue",
            run=_issue,
            order=32,
            waiting=lambda: _due(CredentialDue.objects.all()),
        )
    )
    register_step(
        Step(
            "status-lists",
            run=status_lists.sign_due,
            order=35,
            waiting=lambda: status_lists.lists_due().count(),
        )
    )
    register_step(Step("receipts", run=creditbank.collect_receipts, order=50, once=True))
    register_step(Step("delete-exam-files", run=exams.delete_old_files, order=60))
    register_step(Step("forget-identities", run=identity.forget_old_identities, order=70))
    register_step(Step("count-learners", run=reporting.refresh_figures, order=75))
    register_step(Step("purge-outbox", run=outbox.purge, order=80))


def _due(waiting: QuerySet, field: str = "due") -> int:
    return waiting.filter(**{f"{field}__lte": clock.now()}).count()


def _evaluate() -> int:
    report = achievements.evaluate_due()
    if report.platform_away:
        # The requests wait; the step ends, and the heartbeat says why.
        raise PlatformUnavailable("the platform could not be read")
    return report.requests + report.failed + report.busy


def _relay() -> int:
    report = outbox.relay()
    return report.done + report.failed + report.dead


def _issue() -> int:
    return credentials.issue_due().looked_at


def _deliver() -> int:
    report = creditbank.deliver_due()
    return report.total - report.postponed
