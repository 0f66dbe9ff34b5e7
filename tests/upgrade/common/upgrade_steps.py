"""What a process of either release does: ``python -m upgrade_steps STEP [ARGUMENTS]``, answered as JSON.

Only the verbs that other rooms and processes call are used, so the same text runs under both releases.
"""

import inspect
import json
import sys
import time
from datetime import timedelta
from pathlib import Path

import django
from celery import Celery

django.setup()
# Eager, as the settings say: a kick goes nowhere, and the sweeper does the work.
Celery("upgrade", set_as_current=True).config_from_object("django.conf:settings", namespace="CELERY")

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from upgrade_campus import RUN, TABLE, campus  # noqa: E402

import mooc_microcred  # noqa: E402
from mooc_microcred.core import clock  # noqa: E402


def migrate(target=""):
    """Migrate to a migration of ours, by default the last that this release has."""
    if not target:
        call_command("migrate", verbosity=0)
    else:
        call_command("migrate", "mooc_microcred", target, verbosity=0)


def last_migration():
    """Return the name of the last migration that this release has."""
    from django.db.migrations.loader import MigrationLoader

    (leaf,) = MigrationLoader(None).graph.leaf_nodes("mooc_microcred")
    return leaf[1]


def begin():
    """Put a catalogue in force and let a term go by; stop in the middle of everything."""
    from mooc_microcred.achievements import api as achievements
    from mooc_microcred.core import outbox
    from mooc_microcred.core.models import StaffRole
    from mooc_microcred.creditbank import api as creditbank
    from tests.support import definitions

    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    definitions.level1()
    definitions.level2()
    definitions.programme("python", {"all": [{"achievement": "py101-l2"}]})
    for user, role in ((101, "exam_officer"), (102, "exam_signatory")):
        StaffRole.objects.create(user_id=user, role=role, organization="KMUTT")
    campus.put(range(1, 41))
    campus.put(range(1, 31), "downloadable")
    for learner in range(1, 31):
        achievements.request_evaluation(learner_id=learner, course_key=RUN, reason="certificate")
    _release(_upload(range(1, 13)))
    _upload(range(13, 25))
    for learner in range(1, 21):
        creditbank.give_consent(learner_id=learner, bank="central", text_version="2569-1", language="th")
    # Some of it is done, some half done, the rest waits.
    achievements.evaluate_due(limit=20)
    outbox.relay(limit=25)
    achievements.evaluate_due(limit=6)
    outbox.relay(limit=4)
    creditbank.deliver_due()
    achievements.evaluate_due(limit=3)


def happen():
    """Let the platform and people do things: certificates come and go, a batch is released, some agree."""
    from mooc_microcred.creditbank import api as creditbank
    from mooc_microcred.exams.models import ExamBatch

    _certify(range(31, 37), "downloadable")
    _certify([2, 14], "unavailable", invalidated=True)
    for uuid in ExamBatch.objects.filter(state="imported").values_list("uuid", flat=True):
        _release(uuid)
    for learner in range(21, 25):
        creditbank.give_consent(learner_id=learner, bank="central", text_version="2569-1", language="th")


def introduce():
    """Put in force what the release before has never heard of: another kind of achievement."""
    from tests.support import definitions

    unit = {
        "framework": "3f2f7d3a-8f3e-5f0e-9c53-0d3a4a0c1a11",
        "item": "8a6f7f6e-6a53-5f0b-8b86-5a2a5a0f2b22",
    }
    criteria = {"narrative": {"en": "Show it."}, "rule": {"competency": unit}}
    definitions.activate(definitions.definition("en-gist", "competency", criteria=criteria))


def happen_later():
    """Let a little more happen, weeks later."""
    _certify(range(37, 41), "downloadable")
    _certify([5], "unavailable", invalidated=True)


def _certify(learners, status, **more):
    from mooc_microcred.achievements import api as achievements

    campus.put(learners, status, **more)
    for learner in learners:
        achievements.request_evaluation(learner_id=learner, course_key=RUN, reason="certificate")


def _upload(learners):
    from mooc_microcred.core.roles import Actor
    from mooc_microcred.exams import api as exams

    rows = "".join(f"learner{learner},{48 + learner * 2},21/11/2025\n" for learner in learners)
    batch = exams.upload_batch(
        actor=Actor(user_id=101),
        exam_code="py101-exam",
        file_name="r.csv",
        content=f"username,score,exam date\n{rows}".encode(),
    )
    assert batch.state == "imported", batch
    return batch.uuid


def _release(uuid):
    from mooc_microcred.core.roles import Actor
    from mooc_microcred.exams import api as exams

    exams.sign_batch(actor=Actor(user_id=102), batch_uuid=uuid)
    exams.release_batch(actor=Actor(user_id=101), batch_uuid=uuid)


def work():
    """Sweep until nothing is due, also of what is put back for some minutes."""
    for minutes in (0, 2, 10, 60):
        with clock.shifted(timedelta(minutes=minutes)):
            call_command("microcred_sweep", verbosity=0)


def work_for(seconds):
    """Sweep again and again, beside whoever does it too."""
    ends = time.monotonic() + float(seconds)
    while time.monotonic() < ends:
        call_command("microcred_sweep", verbosity=0)


def summary():
    """Return what learners, officers and banks see, without what differs from run to run."""
    from mooc_microcred.achievements.models import Award, AwardEvent, EvaluationRequest
    from mooc_microcred.core.models import OutboxMessage
    from mooc_microcred.creditbank.models import CreditRecord, Delivery

    awards = []
    for award in Award.objects.select_related("achievement", "version"):
        kinds = list(AwardEvent.objects.filter(award=award).order_by("id").values_list("kind", flat=True))
        record = CreditRecord.objects.filter(award=award).first()
        deliveries = Delivery.objects.filter(record=record).order_by("sequence") if record else ()
        awards.append(
            {
                "learner": award.learner_id,
                "achievement": award.achievement.code,
                "version": award.version.number,
                "state": award.state,
                "live": award.live,
                "history": kinds,
                "record": record and [record.state, str(record.credits), record.method_code],
                "deliveries": [[one.sequence, one.kind, one.state] for one in deliveries],
            }
        )
    return {
        "awards": sorted(awards, key=lambda one: (one["learner"], one["achievement"])),
        "requests due": EvaluationRequest.objects.filter(not_before__lte=clock.now()).count(),
        "messages that are not done": list(
            OutboxMessage.objects.exclude(state="done").values_list("topic", "state", "last_error")
        ),
    }


def told():
    """Return how many messages there were of each topic, by the award."""
    from collections import Counter

    from mooc_microcred.core.models import OutboxMessage

    counted = Counter(
        (message.topic, message.payload["award"])
        for message in OutboxMessage.objects.filter(topic__startswith="award.")
    )
    return sorted(counted.values())


def credentials():
    """Return the awards that lack their credential, and the credentials whose status is not their award's."""
    from mooc_microcred.achievements.models import Award
    from mooc_microcred.credentials.models import Credential

    lack, wrong, right = [], [], 0
    for award in Award.objects.filter(published_at__isnull=False).order_by("learner_id"):
        credential = Credential.objects.filter(award=award, live=True).first()
        state = (bool(credential and credential.revoked_at), bool(credential and credential.suspended_at))
        if credential is None:
            # One that was revoked before its credential could be made gets none.
            if award.state != "revoked":
                lack.append([award.learner_id, award.state])
        elif state != (award.state == "revoked", award.state == "suspended"):
            wrong.append([award.learner_id, award.state, *state])
        else:
            right += 1
    return {"lack": lack, "wrong": wrong, "right": right}


def topics():
    """Return the subscribers by topic, and what this release says of topics that older ones know less of."""
    from mooc_microcred.core import outbox

    return {
        "subscribers": {topic: sorted(names) for topic, names in outbox._subscribers.items()},
        "withheld": sorted(getattr(outbox, "withheld_topics", frozenset)()),
        "renewed": sorted(getattr(outbox, "renewed_topics", frozenset)()),
        "generation": getattr(outbox, "GENERATION", ""),
    }


def tasks():
    """Return the tasks by name, with the names of their arguments."""
    from celery import current_app

    from mooc_microcred import tasks as _registered  # noqa: F401

    return {
        name: list(inspect.signature(task.run).parameters)
        for name, task in current_app.tasks.items()
        if name.startswith("mooc_microcred")
    }


def schema():
    """Return the columns and indexes of our tables as the database has them."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith("mooc_microcred"):
                columns = connection.introspection.get_table_description(cursor, table)
                constraints = connection.introspection.get_constraints(cursor, table)
                found[table] = {
                    "columns": sorted(
                        [c.name, str(c.type_code), bool(c.null_ok), c.default] for c in columns
                    ),
                    "constraints": sorted(
                        [sorted(one["columns"]), one["unique"], bool(one["foreign_key"]), one["check"]]
                        for one in constraints.values()
                    ),
                }
    return found


def main():
    """Run the step that the command line names."""
    site = Path(sys.argv[1]).resolve()
    assert Path(mooc_microcred.__file__).resolve().parent == (site / "mooc_microcred").resolve(), (
        mooc_microcred.__file__
    )
    step, *arguments = sys.argv[2:]
    print("\n" + json.dumps(globals()[step](*arguments)))


main()
