"""A batch of results from upload to release, and its correction."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.functional import lazy
from django.utils.translation import get_language, override

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.models import Award, EvaluationRequest
from mooc_microcred.core import outbox
from mooc_microcred.core.errors import InvalidInput, MicrocredError, NotAllowed, NotFound, WrongState
from mooc_microcred.core.models import AuditEntry
from mooc_microcred.core.storage import private_storage
from mooc_microcred.exams import api, problems
from mooc_microcred.exams.data import AdmissionRequest
from mooc_microcred.exams.models import ExamAdmission, ExamBatch, ExamResult
from tests.exams.conftest import OFFICER

lazystr = lazy(lambda tell: tell(), str)
RIGHT = b"username,score,exam date\nsomchai,80,21/11/2025\nsomying,40,21/11/2025\n"
MIXED = b"username,score,exam date\nsomchai,80,21/11/2025\nnobody,40,21/11/2025\n"


def upload(officer, exam, content=RIGHT, **fields):
    return api.upload_batch(
        actor=officer, exam_code=exam, file_name=fields.pop("file_name", "r.csv"), content=content, **fields
    )


def released(officer, signatory, exam, content=RIGHT, **fields):
    batch = upload(officer, exam, content, **fields)
    api.sign_batch(actor=signatory, batch_uuid=batch.uuid)
    return api.release_batch(actor=officer, batch_uuid=batch.uuid)


def drain():
    while outbox.relay().done:
        pass
    while achievements.evaluate_due().requests:
        pass


def held():
    return set(Award.objects.filter(live=True).values_list("learner_id", "achievement__code"))


def files():
    try:
        return private_storage().listdir("exam-results")[1]
    except FileNotFoundError:
        return []


def test_only_release_makes_results_visible_and_leads_to_level_2(exam, officer, signatory):
    batch = upload(officer, exam)
    assert (batch.state, batch.rows_total, batch.rows_imported) == ("imported", 2, 2)
    drain()
    assert api.my_results(learner_id=1) == []
    api.sign_batch(actor=signatory, batch_uuid=batch.uuid)
    drain()
    assert (1, "py101-l2") not in held()
    api.release_batch(actor=officer, batch_uuid=batch.uuid)
    drain()
    assert {one for one in held() if one[1] == "py101-l2"} == {(1, "py101-l2")}
    (result,) = api.my_results(learner_id=1)
    assert (str(result.percent), result.counts) == ("80.0000", True)
    actions = AuditEntry.objects.filter(object_type="exam_batch").values_list("action", flat=True)
    assert list(actions) == [
        "exam_batch.uploaded",
        "exam_batch.imported",
        "exam_batch.signed",
        "exam_batch.released",
    ]


def test_nothing_is_imported_if_any_row_is_wrong(exam, officer):
    batch = upload(officer, exam, MIXED)
    assert (batch.state, batch.rows_wrong, batch.rows_imported) == ("invalid", 1, 0)
    assert batch.problems[0].row == 3
    with pytest.raises(WrongState):
        api.release_batch(actor=officer, batch_uuid=batch.uuid)


def test_the_officer_may_ask_for_the_right_rows_only(exam, officer):
    batch = upload(officer, exam, MIXED)
    batch = api.import_right_rows(actor=officer, batch_uuid=batch.uuid)
    assert (batch.state, batch.only_right_rows, batch.rows_imported) == ("imported", True, 1)
    another = MIXED.replace(b"21/11", b"22/11") + b"john,90,21/11/2025\n"
    again = upload(officer, exam, another, only_right_rows=True)
    assert (again.state, again.rows_imported, again.rows_wrong) == ("imported", 2, 1)


def test_the_second_person_sees_what_they_sign(exam, officer, signatory, django_assert_num_queries):
    batch = upload(officer, exam)
    assert signatory.has("exam_signatory", "KMUTT")
    with django_assert_num_queries(3):
        results = api.results_of_batch(actor=signatory, batch_uuid=batch.uuid)
    assert [(one.row, one.name, str(one.score)) for one in results] == [
        (2, "สมชาย ใจดี", "80.000"),
        (3, "สมหญิง รักเรียน", "40.000"),
    ]
    (second,) = api.results_of_batch(actor=signatory, batch_uuid=batch.uuid, after_row=2)
    assert second.row == 3


def test_whoever_uploaded_cannot_sign_although_they_hold_the_role(exam, officer, signatory):
    batch = upload(officer, exam)
    with pytest.raises(NotAllowed, match="second person"):
        api.sign_batch(actor=officer, batch_uuid=batch.uuid)
    with pytest.raises(IntegrityError), transaction.atomic():
        ExamBatch.objects.filter(uuid=batch.uuid).update(state="signed", signed_by=OFFICER)
    for state in ("signed", "released", "superseded"):
        with pytest.raises(IntegrityError), transaction.atomic():
            ExamBatch.objects.filter(uuid=batch.uuid).update(state=state)
    with pytest.raises(WrongState):
        api.release_batch(actor=officer, batch_uuid=batch.uuid)


def test_an_officer_of_another_organisation_sees_nothing(exam, officer, stranger):
    batch = upload(officer, exam)
    for verb in (api.get_batch, api.sign_batch, api.release_batch, api.export_problems_csv):
        with pytest.raises(NotFound):
            verb(actor=stranger, batch_uuid=batch.uuid)
    with pytest.raises(NotFound):
        upload(stranger, exam, RIGHT + b"\n")
    with pytest.raises(NotFound):
        api.results_of_batch(actor=stranger, batch_uuid=batch.uuid)


def test_the_same_file_is_recognised_and_leaves_nothing_behind(exam, officer):
    upload(officer, exam)
    before = files()
    with pytest.raises(WrongState, match="r.csv"):
        upload(officer, exam, file_name="copy.csv")
    assert files() == before
    assert ExamBatch.objects.count() == 1


def test_a_cancelled_batch_lets_the_file_be_uploaded_again(exam, officer):
    batch = upload(officer, exam)
    with pytest.raises(InvalidInput):
        api.cancel_batch(actor=officer, batch_uuid=batch.uuid, reason=" ")
    api.cancel_batch(actor=officer, batch_uuid=batch.uuid, reason="wrong session")
    assert upload(officer, exam).state == "imported"


def test_a_file_with_wrong_rows_is_looked_at_anew_when_it_comes_again(exam, officer, platform):
    first = upload(officer, exam, MIXED)
    platform.add_learner(4, username="nobody")
    assert upload(officer, exam, MIXED).state == "imported"
    assert api.get_batch(actor=officer, batch_uuid=first.uuid).state == "cancelled"


def test_a_correction_supersedes_and_takes_level_2_back(exam, officer, signatory):
    first = released(officer, signatory, exam)
    drain()
    assert (1, "py101-l2") in held()
    text = b"username,score,exam date\nsomchai,30,21/11/2025\nsomying,70,21/11/2025\n"
    released(officer, signatory, exam, text, supersedes=first.uuid, reason="answer key was wrong")
    drain()
    assert {one for one in held() if one[1] == "py101-l2"} == {(2, "py101-l2")}
    assert api.get_batch(actor=officer, batch_uuid=first.uuid).state == "superseded"
    assert [str(one.score) for one in api.my_results(learner_id=1)] == ["30.000"]
    revoked = Award.objects.get(learner_id=1, achievement__code="py101-l2")
    assert (revoked.state, revoked.reason) == ("revoked", "exam_superseded")


def test_a_correction_that_leaves_a_candidate_out_takes_level_2_back(exam, officer, signatory):
    first = released(officer, signatory, exam)
    drain()
    text = b"username,score,exam date\nsomying,40,21/11/2025\n"
    released(officer, signatory, exam, text, supersedes=first.uuid, reason="another person sat")
    drain()
    assert (1, "py101-l2") not in held()


def test_two_corrections_of_one_batch_cannot_both_be_released(exam, officer, signatory):
    first = released(officer, signatory, exam)
    corrections = []
    for score in (50, 55):
        text = f"username,score,exam date\nsomchai,{score},21/11/2025\n".encode()
        batch = upload(officer, exam, text, supersedes=first.uuid, reason="correction")
        api.sign_batch(actor=signatory, batch_uuid=batch.uuid)
        corrections.append(batch.uuid)
    api.release_batch(actor=officer, batch_uuid=corrections[0])
    with pytest.raises(WrongState):
        api.release_batch(actor=officer, batch_uuid=corrections[1])
    assert api.get_batch(actor=officer, batch_uuid=corrections[1]).state == "signed"


def test_one_sitting_cannot_be_released_twice(exam, officer, signatory):
    first = upload(officer, exam)
    # As if both had been uploaded in the same moment.
    ExamBatch.objects.filter(uuid=first.uuid).update(state="cancelled")
    second = upload(officer, exam, RIGHT + b"\n")
    ExamBatch.objects.filter(uuid=first.uuid).update(state="imported")
    for batch in (first, second):
        api.sign_batch(actor=signatory, batch_uuid=batch.uuid)
    api.release_batch(actor=officer, batch_uuid=first.uuid)
    with pytest.raises(WrongState, match="rows 2, 3"):
        api.release_batch(actor=officer, batch_uuid=second.uuid)
    assert api.get_batch(actor=officer, batch_uuid=second.uuid).state == "signed"
    assert len(api.my_results(learner_id=1)) == 1


def test_why_a_batch_would_have_corrected_another_stays_when_it_is_cancelled(exam, officer, signatory):
    first = released(officer, signatory, exam)
    text = RIGHT.replace(b"80", b"81")
    batch = upload(officer, exam, text, supersedes=first.uuid, reason="answer key")
    batch = api.cancel_batch(actor=officer, batch_uuid=batch.uuid, reason="wrong file")
    assert batch.reason == "answer key\nwrong file"


def test_officers_see_which_columns_were_not_read(exam, officer):
    batch = upload(officer, exam, b"username,score,exam date,Nmae\nsomchai,80,21/11/2025,x\n")
    assert batch.ignored_columns == ("Nmae",)


def test_whoever_reads_the_list_of_wrong_rows_reads_it_in_their_language(exam, officer, monkeypatch):
    batch = upload(officer, exam, MIXED)
    monkeypatch.setitem(problems.MESSAGES, "no_account", lazystr(lambda: f"told in {get_language()}"))
    for language in ("en", "th"):
        with override(language):
            (problem,) = api.get_batch(actor=officer, batch_uuid=batch.uuid).problems
            assert problem.message == f"told in {language}"


def test_a_large_release_is_queued_in_chunks(exam, officer, signatory, platform, monkeypatch):
    monkeypatch.setattr("mooc_microcred.exams.batches.CHUNK", 2)
    for learner in range(10, 15):
        platform.add_learner(learner, username=f"u{learner}")
    rows = "".join(f"u{learner},70,21/11/2025\n" for learner in range(10, 15))
    released(officer, signatory, exam, ("username,score,exam date\n" + rows).encode())
    assert outbox.relay().done == 1
    assert EvaluationRequest.objects.count() == 2
    while outbox.relay().done:
        pass
    assert sorted(EvaluationRequest.objects.values_list("learner_id", flat=True)) == [10, 11, 12, 13, 14]


def test_files_and_the_values_they_quote_are_deleted_after_their_retention(exam, officer, settings):
    batch = upload(officer, exam, MIXED)
    assert len(files()) == 1
    assert api.delete_old_files() == 0
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "UPLOAD_KEEP_DAYS": 0}
    assert api.delete_old_files() == 1
    assert files() == []
    batch = api.get_batch(actor=officer, batch_uuid=batch.uuid)
    assert (batch.problems, batch.file_deleted_at is not None) == ((), True)
    with pytest.raises(WrongState):
        api.import_right_rows(actor=officer, batch_uuid=batch.uuid)


def test_the_list_of_wrong_rows_cannot_carry_a_formula(exam, officer):
    batch = upload(officer, exam, b'username,score,exam date\n"=cmd|calc",50,21/11/2025\n')
    text = api.export_problems_csv(actor=officer, batch_uuid=batch.uuid).decode("utf-8-sig")
    assert "'=cmd|calc" in text


class TestAdmissions:
    def test_a_number_is_made_once_for_each_learner(self, exam, officer):
        def admit(*names):
            return api.admit_learners(
                actor=officer, exam_code=exam, candidates=[AdmissionRequest(username=one) for one in names]
            )

        first = admit("somchai", "somying")
        again = admit("somying", "john")
        assert again[0] == first[1]
        assert len({one.number for one in (*first, *again)}) == 3

    @pytest.mark.parametrize(
        "candidates",
        [
            [],
            [AdmissionRequest()],
            [AdmissionRequest(username="nobody")],
            [AdmissionRequest(username="somchai", email="somchai@example.com")],
            [AdmissionRequest(username="somchai"), AdmissionRequest(learner_id=1)],
            [AdmissionRequest(username="somchai", number="../x")],
            [
                AdmissionRequest(username="somchai", number="A1"),
                AdmissionRequest(username="john", number="A1"),
            ],
        ],
    )
    def test_nobody_is_admitted_if_one_cannot_be(self, exam, officer, candidates):
        with pytest.raises(InvalidInput):
            api.admit_learners(actor=officer, exam_code=exam, candidates=candidates)
        assert not ExamAdmission.objects.exists()

    def test_another_organisations_officer_cannot_admit(self, exam, stranger):
        with pytest.raises(NotFound):
            api.admit_learners(
                actor=stranger, exam_code=exam, candidates=[AdmissionRequest(username="somchai")]
            )


@pytest.mark.django_db(transaction=True)
def test_two_officers_who_upload_one_file_at_once_make_one_batch(exam, officer):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite in memory has one writer; MariaDB shows the race")
    barrier, outcomes, messages = threading.Barrier(4), [], []

    def work():
        barrier.wait()
        try:
            outcomes.append(upload(officer, exam).state)
        except MicrocredError as error:
            outcomes.append(error.code)
            messages.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["imported", *["wrong_state"] * 3]
    assert all("This very file" in one for one in messages)
    assert ExamBatch.objects.count() == 1
    assert ExamResult.objects.count() == 2
    assert len(files()) == 1
