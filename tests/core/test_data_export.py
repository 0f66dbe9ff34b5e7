"""A learner's data, whole and only their own."""

import json
import stat

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from mooc_microcred.core import clock, data_export, identity
from mooc_microcred.core.models import AuditEntry
from mooc_microcred.creditbank.models import Consent, CreditRecord, Delivery
from mooc_microcred.exams.models import ExamAdmission
from tests.support.factories import make_award

pytestmark = pytest.mark.django_db

LEARNER, OTHER = 4711, 4712
PASSPORT = "AB1234567"


def export(learner=LEARNER):
    return data_export.export_learner(learner_id=learner)


def learner_columns(model) -> list[str]:
    names = {one.name for one in model._meta.concrete_fields}
    return sorted(names & {"learner_id", "user_id", "learner"})


def personal_models() -> list[type[models.Model]]:
    """Models whose annotation says that they hold personal data, and that have a column for the learner."""
    found = apps.get_app_config("mooc_microcred").get_models()
    return [one for one in found if ".. pii:" in (one.__doc__ or "") and learner_columns(one)]


def test_every_room_with_personal_data_of_learners_exports_it():
    assert len(personal_models()) >= 12
    with CaptureQueriesContext(connection) as captured:
        export()
    asked = " ".join(one["sql"] for one in captured)
    for model in personal_models():
        table = connection.ops.quote_name(model._meta.db_table)
        assert f"FROM {table}" in asked, f"no export hook reads {model.__name__} of a learner"


def test_what_is_held_of_a_learner_is_there_and_nothing_of_anybody_else(platform):
    for learner, number in ((LEARNER, PASSPORT), (OTHER, "ZZ7654321")):
        award = make_award(learner)
        identity.record_identity(
            learner_id=learner, kind="passport", number=number, verified_by="thaid", actor_id=None
        )
        ExamAdmission.objects.create(
            exam_code="e",
            organization="KMUTT",
            number=f"seat{learner}",
            learner_id=learner,
            created=clock.now(),
        )
        Consent.objects.create(
            learner_id=learner, bank="central", text_version="1", language="th", given_at=clock.now()
        )
        record = CreditRecord.objects.create(
            award=award,
            learner_id=learner,
            organization="KMUTT",
            bank="central",
            state="sending",
            method_code="CE",
            credits=3,
            hours=45,
            created=clock.now(),
            changed=clock.now(),
        )
        Delivery.objects.create(
            record=record,
            bank="central",
            sequence=1,
            kind="deposit",
            created=clock.now(),
            sealed_body=b"sealed",
        )
    found = export()
    text = json.dumps(found, ensure_ascii=False)
    assert found["learner_id"] == LEARNER
    assert {"core", "achievements", "competencies", "exams", "credentials", "creditbank"} <= set(
        found["rooms"]
    )
    (award,) = found["rooms"]["achievements"]["awards"]
    assert [one["kind"] for one in award["history"]] == ["issued"]
    (identity_row,) = found["rooms"]["core"]["identities"]
    assert identity_row["last_four"] == "4567"
    (record,) = found["rooms"]["creditbank"]["records"]
    assert record["award"] == award["uuid"]
    assert [one["kind"] for one in record["deliveries"]] == ["deposit"]
    assert found["rooms"]["exams"]["admissions"][0]["number"] == f"seat{LEARNER}"
    for foreign in (PASSPORT, "sealed", str(OTHER), f"seat{OTHER}"):
        assert foreign not in text


def test_a_value_that_json_does_not_have_is_an_error_and_not_left_out():
    with pytest.raises(TypeError, match="bytes"):
        data_export.plain({"key": b"secret"})


def test_the_command_writes_a_file_for_its_owner_only(platform, tmp_path, capsys):
    platform.add_learner(LEARNER, username="somying")
    make_award(LEARNER)
    target = tmp_path / "somying.json"
    call_command("microcred_export_learner", "--username", "SomYing", "--output", str(target))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    written = json.loads(target.read_text(encoding="utf-8"))
    assert len(written["rooms"]["achievements"]["awards"]) == 1
    with pytest.raises(CommandError, match="exists already"):
        call_command("microcred_export_learner", "--user-id", str(LEARNER), "--output", str(target))
    assert AuditEntry.objects.filter(action="learner.exported", object_id=str(LEARNER)).count() == 1
    capsys.readouterr()
    call_command("microcred_export_learner", "--user-id", str(LEARNER))
    assert json.loads(capsys.readouterr().out)["rooms"]["achievements"] == written["rooms"]["achievements"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--username", "nobody"], "no user"),
        (["--user-id", "1", "--output", "/nowhere/at/all.json"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(platform, arguments, says):
    with pytest.raises(CommandError, match=says):
        call_command("microcred_export_learner", *arguments)
