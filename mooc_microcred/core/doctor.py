"""The doctor: what is configured, what is missing, what waits and for how long.

Rooms register probes in ``mooc_microcred.registration``; a probe answers with findings and
never changes anything. A probe that fails is itself a finding.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from celery import current_app
from django.conf import settings as django_settings
from django.core.checks import ERROR, WARNING, run_checks
from django.core.files.base import ContentFile
from django.db import connections
from django.db.models import Min, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

import mooc_microcred
from mooc_microcred.core import clock
from mooc_microcred.core.checks import TAG, is_of_absence
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.core.crypto import decrypt, encrypt
from mooc_microcred.core.models import Heartbeat, LearnerIdentity, OutboxMessage
from mooc_microcred.core.outbox import WAITING
from mooc_microcred.core.storage import private_storage
from mooc_microcred.core.sweeper import HEARTBEAT

log = logging.getLogger(__name__)

# A sweeper runs at least every few minutes; silence for longer is worth a look, for an hour an alarm.
SWEEPER_LATE = timedelta(minutes=10)
SWEEPER_LOST = timedelta(hours=1)
# What is due should be taken within minutes, by a worker or by the next sweep.
DUE_LATE = timedelta(minutes=15)
DUE_LOST = timedelta(hours=2)
BROKER_SECONDS = 3.0


class Level(StrEnum):
    """How a finding is to be taken: ``wrong`` makes the doctor's exit code 1."""

    FINE = "fine"
    NOTE = "note"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the doctor saw.

    Attributes:
        code: stable, for machines, such as ``outbox.dead``.
        level: how it is to be taken.
        message: one translated sentence.
        hint: what to do, translated; empty where nothing is to do.
        figures: numbers for machines (counts, seconds), no personal data.
    """

    code: str
    level: Level
    message: str
    hint: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """The findings of one probe under its heading."""

    name: str
    title: str
    findings: tuple[Finding, ...]


Probe = Callable[[], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class _Registered:
    name: str
    title: Callable[[], str]
    order: int
    probe: Probe


_probes: dict[str, _Registered] = {}


def register_probe(name: str, *, title: Callable[[], str], order: int, probe: Probe) -> None:
    """Make a probe known; called from AppConfig.ready, again is harmless.

    Args:
        name: stable name for machines.
        title: returns the translated heading.
        order: sections stand in ascending order.
        probe: returns the findings; costs a handful of queries at most.
    """
    _probes[name] = _Registered(name, title, order, probe)


def examine() -> list[Section]:
    """Ask every probe and return the sections in order."""
    sections = []
    for one in sorted(_probes.values(), key=lambda probe: (probe.order, probe.name)):
        try:
            findings = tuple(one.probe())
        except Exception as error:  # noqa: BLE001 a doctor who falls over helps nobody
            log.info("doctor: probe %s failed", one.name, exc_info=True)
            findings = (
                Finding(
                    f"{one.name}.probe_failed",
                    Level.WRONG,
                    _("This could not be examined: %(error)s.") % {"error": type(error).__name__},
                    _("Are the migrations applied? Run: manage.py lms migrate mooc_microcred"),
                ),
            )
        sections.append(Section(one.name, str(one.title()), findings))
    return sections


def is_wrong(sections: Iterable[Section]) -> bool:
    """Say whether any finding is wrong."""
    return any(finding.level == Level.WRONG for section in sections for finding in section.findings)


def as_document(sections: Iterable[Section]) -> dict[str, Any]:
    """Return the findings as JSON for machines."""
    sections = list(sections)
    return {
        "version": mooc_microcred.__version__,
        "at": clock.now().isoformat(),
        "wrong": is_wrong(sections),
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "findings": [asdict(finding) for finding in section.findings],
            }
            for section in sections
        ],
    }


# --- what probes of several rooms need ---


def age_in_words(age: timedelta) -> str:
    """Return a length of time for people, in its largest unit."""
    seconds = max(0, int(age.total_seconds()))
    if seconds < 120:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    if seconds < 7200:
        return ngettext("%(n)d minute", "%(n)d minutes", seconds // 60) % {"n": seconds // 60}
    if seconds < 172_800:
        return ngettext("%(n)d hour", "%(n)d hours", seconds // 3600) % {"n": seconds // 3600}
    return ngettext("%(n)d day", "%(n)d days", seconds // 86_400) % {"n": seconds // 86_400}


def queue_findings(code: str, *, name: str, waiting: QuerySet, due: str = "due") -> Iterable[Finding]:
    """Return how long a queue is and how long its oldest due item has waited.

    Args:
        code: stable code of the finding.
        name: what waits, translated, for the sentence.
        waiting: everything that is not finished.
        due: the field that says from when an item may be taken.
    """
    now = clock.now()
    due_now = waiting.filter(**{f"{due}__lte": now})
    depth = waiting.count()
    count_due = due_now.count()
    oldest = due_now.aggregate(oldest=Min(due))["oldest"]
    waits = now - oldest if oldest else timedelta()
    figures = {"depth": depth, "due": count_due, "oldest_due_seconds": int(waits.total_seconds())}
    numbers = {"name": name, "depth": depth, "due": count_due, "age": age_in_words(waits)}
    if not count_due:
        yield Finding(code, Level.FINE, _("%(name)s: %(depth)d waiting, none due.") % numbers, "", figures)
        return
    level = Level.WRONG if waits > DUE_LOST else Level.WARNING if waits > DUE_LATE else Level.FINE
    yield Finding(
        code,
        level,
        _("%(name)s: %(depth)d waiting, %(due)d due, the oldest for %(age)s.") % numbers,
        "" if level == Level.FINE else _("Nobody takes them. Start a worker or microcred_sweep --loop."),
        figures,
    )


def dead_letter_findings(code: str, *, name: str, dead: int, hint: str) -> Iterable[Finding]:
    """Return how many items of a queue were given up."""
    figures = {"dead": dead}
    if dead:
        message = ngettext("%(name)s: %(dead)d dead letter.", "%(name)s: %(dead)d dead letters.", dead) % {
            "name": name,
            "dead": dead,
        }
        yield Finding(code, Level.WRONG, message, hint, figures)
    else:
        yield Finding(code, Level.FINE, _("%(name)s: no dead letters.") % {"name": name}, "", figures)


# --- the probes of the core room ---


def probe_settings() -> Iterable[Finding]:
    """Run the system checks of the suite, and say what kind of process this is."""
    yield Finding(
        "settings.version",
        Level.FINE,
        _("mooc-microcred %(version)s, time %(time)s.")
        % {"version": mooc_microcred.__version__, "time": f"{clock.now():%Y-%m-%d %H:%M} UTC"},
    )
    if microcred_settings.PLATFORM:
        yield Finding("settings.platform", Level.FINE, _("A platform port is set: learners can be read."))
    else:
        yield Finding(
            "settings.platform",
            Level.NOTE,
            _("No platform port is set, as is right for Studio: nothing is evaluated here."),
        )
    found = run_checks(tags=[TAG], databases=list(connections), include_deployment_checks=True)
    # What is absent is told once, as the error that it is to whoever asks the doctor.
    messages = [message for message in found if not is_of_absence(message)]
    for message in messages:
        if message.level >= WARNING:
            level = Level.WRONG if message.level >= ERROR else Level.WARNING
            yield Finding(f"settings.{message.id}", level, message.msg, message.hint or "")
    if not messages:
        yield Finding("settings.checks", Level.FINE, _("The system checks find nothing."))


def probe_private_data() -> Iterable[Finding]:
    """Try the encryption and the private storage for real."""
    if not microcred_settings.PLATFORM:
        return
    try:
        works = decrypt(encrypt(b"doctor")) == b"doctor"
    except Exception:  # noqa: BLE001 the keys may be anything; the system check says what is wrong
        works = False
    keys = len(microcred_settings.ENCRYPTION_KEYS or ())
    if works:
        message = ngettext(
            "Encryption works, with %(keys)d key.", "Encryption works, with %(keys)d keys.", keys
        )
        yield Finding("private.encryption", Level.FINE, message % {"keys": keys}, "", {"keys": keys})
        yield from _unreadable_identities()
    else:
        yield Finding("private.encryption", Level.WRONG, _("Encryption does not work."))
    try:
        _try_storage()
    except Exception as error:  # noqa: BLE001 a storage may fail in any way
        yield Finding(
            "private.storage",
            Level.WRONG,
            _("The private storage cannot be written and read: %(error)s.") % {"error": type(error).__name__},
            _("Exam files and bank files need it. Check PRIVATE_STORAGE, PRIVATE_STORAGE_ROOT and rights."),
        )
    else:
        yield Finding("private.storage", Level.FINE, _("The private storage can be written and read."))


def _unreadable_identities() -> Iterable[Finding]:
    """Try the oldest and the newest identity: a key that was dropped too early shows there."""
    count = LearnerIdentity.objects.count()
    ends = [LearnerIdentity.objects.order_by(order).first() for order in ("verified_at", "-verified_at")]
    for row in filter(None, ends):
        try:
            decrypt(row.number_encrypted)
        except ValueError:
            yield Finding(
                "private.identities",
                Level.WRONG,
                _("Stored identities cannot be decrypted with the keys that are set."),
                _("Put the former key back behind the new one, then run: microcred_identity reencrypt"),
                {"identities": count},
            )
            return
    yield Finding(
        "private.identities",
        Level.FINE,
        _("Verified identities: %(count)d.") % {"count": count},
        "",
        {"identities": count},
    )


def _try_storage() -> None:
    storage = private_storage()
    name = storage.save("doctor/probe.txt", ContentFile(b"probe"))
    try:
        with storage.open(name) as file:
            if file.read() != b"probe":
                raise OSError("what was read is not what was written")
    finally:
        storage.delete(name)


def probe_outbox() -> Iterable[Finding]:
    """Say what waits in the outbox and what was given up."""
    pending = OutboxMessage.objects.filter(state__in=WAITING)
    yield from queue_findings("outbox.queue", name=_("Outbox"), waiting=pending)
    yield from dead_letter_findings(
        "outbox.dead",
        name=_("Outbox"),
        dead=OutboxMessage.objects.filter(state=OutboxMessage.State.DEAD).count(),
        hint=_("The admin page of outbox messages shows why and can replay them."),
    )


def probe_sweeper() -> Iterable[Finding]:
    """Say when the sweeper last ran and what failed in it."""
    last = Heartbeat.objects.filter(name=HEARTBEAT).first()
    hint = _("Run `manage.py lms microcred_sweep --loop` as a service, or microcred_sweep every few minutes.")
    if last is None:
        yield Finding("sweeper.last", Level.WARNING, _("The sweeper has never run."), hint)
        return
    age = clock.now() - last.at
    level = Level.WRONG if age > SWEEPER_LOST else Level.WARNING if age > SWEEPER_LATE else Level.FINE
    yield Finding(
        "sweeper.last",
        level,
        _("The sweeper last ran %(age)s ago.") % {"age": age_in_words(age)},
        "" if level == Level.FINE else hint,
        {"age_seconds": int(age.total_seconds())},
    )
    for name, step in last.details.get("steps", {}).items():
        if step.get("error"):
            yield Finding(
                "sweeper.step_failed",
                Level.WRONG,
                _("Its step %(step)s failed: %(error)s.") % {"step": name, "error": step["error"]},
                _("The sweeper's log has the whole error."),
                {"step": name},
            )


def probe_workers(*, app=None, seconds: float = BROKER_SECONDS) -> Iterable[Finding]:
    """Ask the broker which workers consume the LMS queue.

    Args:
        app: the Celery app; None means the process's own.
        seconds: how long each of broker and workers may take to answer.
    """
    app = app or current_app._get_current_object()
    queue = microcred_settings.LMS_QUEUE
    if app.conf.task_always_eager or getattr(django_settings, "CELERY_ALWAYS_EAGER", False):
        yield Finding("workers.eager", Level.NOTE, _("Celery is eager here: no worker is needed or asked."))
        return
    answer = _within(3 * seconds, lambda: _ask_workers(app, seconds))
    if isinstance(answer, Exception) or answer is None:
        why = type(answer).__name__ if answer is not None else _("no answer")
        yield Finding(
            "workers.broker",
            Level.WRONG,
            _("The broker cannot be reached: %(error)s.") % {"error": why},
            _("Nothing is lost: requests wait in the database, and microcred_sweep takes them meanwhile."),
        )
        return
    yield Finding("workers.broker", Level.FINE, _("The broker answers."))
    consuming = sorted(worker for worker, queues in answer.items() if queue in queues)
    figures = {"workers": len(answer), "consuming": len(consuming), "queue": queue}
    if consuming:
        message = ngettext(
            "%(n)d worker consumes %(queue)s.", "%(n)d workers consume %(queue)s.", len(consuming)
        )
        message %= {"n": len(consuming), "queue": queue}
        yield Finding("workers.queue", Level.FINE, message, "", figures)
    else:
        yield Finding(
            "workers.queue",
            Level.WRONG,
            _("No worker consumes %(queue)s; %(n)d answered.") % {"queue": queue, "n": len(answer)},
            _("Start an LMS worker for this queue, or set MOOC_MICROCRED['LMS_QUEUE'] to its name."),
            figures,
        )


def _ask_workers(app, seconds: float) -> dict[str, set[str]]:
    """Return the queues by worker; raise what the broker's client raises."""
    with app.connection_for_read(connect_timeout=seconds) as connection:
        # Without this, Celery would try to connect for ever.
        connection.ensure_connection(max_retries=1, timeout=seconds)
        replies = app.control.inspect(timeout=seconds, connection=connection).active_queues() or {}
    return {worker: {queue["name"] for queue in queues} for worker, queues in replies.items()}


def _within(seconds: float, ask: Callable[[], Any]) -> Any:
    """Return the answer, the exception, or None when there is none in time.

    In a thread, because a broker's client may hang in a connection that is open but silent.
    """
    answers: list[Any] = []

    def run():
        try:
            answers.append(ask())
        except Exception as error:  # noqa: BLE001 whatever the transport raises is the answer
            answers.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else None


def register_probes() -> None:
    """Register the core room's probes; again is harmless."""
    register_probe("settings", title=lambda: _("Settings"), order=10, probe=probe_settings)
    register_probe("private", title=lambda: _("Personal data"), order=20, probe=probe_private_data)
    register_probe("workers", title=lambda: _("Workers and broker"), order=30, probe=probe_workers)
    register_probe("sweeper", title=lambda: _("Sweeper"), order=40, probe=probe_sweeper)
    register_probe("outbox", title=lambda: _("Outbox"), order=60, probe=probe_outbox)
