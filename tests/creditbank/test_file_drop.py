"""The file drop: a CSV, a manifest that commits it, and receipts that the bank leaves."""

import csv
import hashlib
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.test import override_settings

from mooc_microcred.core import clock
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred.creditbank import api
from mooc_microcred.creditbank.backends import Parcel
from mooc_microcred.creditbank.backends.file_drop import neutralised, render_csv
from mooc_microcred.creditbank.models import Delivery
from sandbox.bank import Store, message_of_row, pick_up
from tests.creditbank.conftest import (
    CONSENT,
    LEARNER,
    NATIONAL_ID,
    consent,
    identify,
    ready_award,
    record_of,
    told,
)
from tests.support import factories

pytestmark = pytest.mark.django_db

LATER = timedelta(hours=7)


class FailingStorage(FileSystemStorage):
    """A file system that fails where a test says so."""

    fail_on = ""
    half = False

    def _save(self, name, content):
        if self.fail_on and name.endswith(self.fail_on):
            if type(self).half:
                super()._save(name, type(content)(content.read()[:40]))
            raise OSError("no space left on device")
        return super()._save(name, content)


@pytest.fixture
def folder(tmp_path, configure, platform):
    """Configure a bank that takes files; return the folder into which they are laid."""
    alias = {"BACKEND": f"{__name__}.FailingStorage", "OPTIONS": {"location": str(tmp_path / "files")}}
    public = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    FailingStorage.fail_on, FailingStorage.half = "", False
    with override_settings(STORAGES={"default": public, "staticfiles": static, "bankdrop": alias}):
        configure(
            BANKS={
                "central": {
                    "backend": "mooc_microcred.creditbank.backends.file_drop.FileDropBackend",
                    "name": {"th": "คลังหน่วยกิตกลาง", "en": "Central bank"},
                    "consent_text": CONSENT,
                    "options": {"storage": "bankdrop", "folder": "out"},
                }
            }
        )
        platform.add_learner(LEARNER, name='=HYPERLINK("http://x")')
        yield tmp_path / "files" / "out"
    FailingStorage.fail_on = ""


@pytest.fixture
def store(tmp_path):
    """Return the messages of a bank that reads the files."""
    return Store(tmp_path / "bank", clock=lambda: clock.now().timestamp())


def manifests(folder):
    return sorted(folder.glob("*.manifest.json"))


def rows_of(folder):
    manifest = json.loads(manifests(folder)[0].read_text())
    content = (folder / manifest["files"][0]["name"]).read_bytes()
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_everything_that_is_due_goes_in_one_file_with_a_manifest_that_proves_it(folder):
    awards = [ready_award(), factories.make_award(LEARNER)]
    factories.relay_all()
    assert api.deliver_due(limit=10).handed_over == 2
    [path] = manifests(folder)
    manifest = json.loads(path.read_text())
    [file] = manifest["files"]
    content = (folder / file["name"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == file["sha256"]
    assert (file["bytes"], file["rows"]) == (len(content), 2)
    assert {row["award"] for row in rows_of(folder)} == {award.uuid for award in awards}
    assert {row["identity_number"] for row in rows_of(folder)} == {NATIONAL_ID}
    assert not any("grade" in column for column in rows_of(folder)[0])
    assert api.deliver_due(limit=10).total == 0


def test_cells_that_a_spreadsheet_would_run_are_neutralised(folder):
    ready_award()
    api.deliver_due(limit=10)
    assert rows_of(folder)[0]["learner_name"] == '\'=HYPERLINK("http://x")'
    for text in ("=1", "+1", "-1", "@x", "\tx", "\rx", "\nx"):
        assert neutralised(text) == "'" + text
    assert neutralised("a=1") == "a=1"
    assert neutralised(None) == ""


def test_the_bank_reads_the_files_and_its_receipts_are_collected(folder, store):
    award = ready_award()
    api.deliver_due(limit=10)
    assert record_of(award).state == "sending"
    assert "receipt is not here yet" in api.my_account(learner_id=LEARNER).records[0].status
    assert pick_up(store, folder) == 1
    assert api.collect_receipts() == 1
    assert record_of(award).state == "deposited"
    delivery = record_of(award).deliveries.get()
    assert delivery.receipt == store.all()[0]["receipt"]
    assert delivery.sealed_body is None
    # Put away, and once more changes nothing.
    assert api.collect_receipts() == 0
    assert pick_up(store, folder) == 0
    assert len(list((folder / "receipts" / "done").iterdir())) == 1


def test_a_row_of_the_file_holds_the_whole_message(folder, store):
    award = ready_award(expires_at=clock.now() + timedelta(days=365))
    api.deliver_due(limit=10)
    pick_up(store, folder)
    body = store.all()[0]["body"]
    digest = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert hashlib.sha256(digest).hexdigest() == record_of(award).deliveries.get().body_sha256
    assert body["learner"]["name"] == '=HYPERLINK("http://x")'


def test_a_reversal_waits_for_the_receipt_and_goes_in_a_file_of_its_own(folder, store):
    award = ready_award()
    api.deliver_due(limit=10)
    factories.revoke(award)
    factories.relay_all()
    assert api.deliver_due(limit=10).total == 0
    assert told(award) == [(1, "deposit", "sent"), (2, "reverse", "pending")]
    pick_up(store, folder)
    api.collect_receipts()
    assert api.deliver_due(limit=10).handed_over == 1
    pick_up(store, folder)
    api.collect_receipts()
    assert record_of(award).state == "reversed"
    assert [one["body"]["kind"] for one in store.all()] == ["deposit", "reverse"]


def test_a_run_that_fails_between_csv_and_manifest_commits_nothing_and_comes_again(folder, store):
    award = ready_award()
    FailingStorage.fail_on = ".manifest.json"
    report = api.deliver_due(limit=10)
    assert report.failed == 1
    assert list(folder.glob("*.csv"))
    assert manifests(folder) == []
    assert pick_up(store, folder) == 0
    # Nothing is committed, so it can still be stopped.
    assert told(award) == [(1, "deposit", "pending")]
    FailingStorage.fail_on = ""
    with clock.shifted(LATER):
        assert api.deliver_due(limit=10).handed_over == 1
    pick_up(store, folder)
    api.collect_receipts()
    assert len(store.all()) == 1
    assert record_of(award).state == "deposited"


def test_a_run_that_dies_between_csv_and_manifest_writes_the_same_file_again(folder, store, monkeypatch):
    awards = [ready_award(), factories.make_award(LEARNER)]
    factories.relay_all()

    class Died(BaseException):
        pass

    def die(self, name, content):
        if name.endswith(".manifest.json"):
            raise Died
        return FileSystemStorage._save(self, name, content)

    with monkeypatch.context() as patched:
        patched.setattr(FailingStorage, "_save", die)
        with pytest.raises(Died):
            api.deliver_due(limit=10)
    [before] = folder.glob("*.csv")
    content = before.read_bytes()
    with clock.shifted(timedelta(minutes=10)):
        # Also where the limit would cut the drop in two.
        assert api.deliver_due(limit=1).handed_over == 2
    [after] = folder.glob("*.csv")
    assert (after.name, after.read_bytes()) == (before.name, content)
    pick_up(store, folder)
    api.collect_receipts()
    assert [record_of(award).state for award in awards] == ["deposited", "deposited"]
    assert len(store.all()) == 2


def test_a_manifest_that_was_cut_off_commits_nothing_and_is_written_again(folder, store):
    ready_award()
    FailingStorage.fail_on, FailingStorage.half = ".manifest.json", True
    api.deliver_due(limit=10)
    assert len(manifests(folder)) == 1
    assert pick_up(store, folder) == 0
    FailingStorage.fail_on = ""
    with clock.shifted(LATER):
        assert api.deliver_due(limit=10).handed_over == 1
    assert pick_up(store, folder) == 1


def test_a_run_that_dies_after_the_manifest_does_not_write_another(folder, store, monkeypatch):
    award = ready_award()
    from mooc_microcred.creditbank import delivery

    class Died(BaseException):
        pass

    def die(*_arguments):
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(delivery, "_record_outcome", die)
        with pytest.raises(Died):
            api.deliver_due(limit=10)
    [manifest] = manifests(folder)
    content = manifest.read_bytes()
    with clock.shifted(timedelta(minutes=10)):
        assert api.deliver_due(limit=10).handed_over == 1
    assert [path.read_bytes() for path in manifests(folder)] == [content]
    pick_up(store, folder)
    api.collect_receipts()
    assert record_of(award).state == "deposited"


def test_consent_withdrawn_after_a_killed_run_leaves_the_learner_out_of_the_file(folder, store, platform):
    identify()
    consent()
    first = factories.make_award(LEARNER)
    platform.add_learner(8, name="B")
    consent(8)
    identify(8, "1101700203468")
    second = factories.make_award(8)
    factories.relay_all()
    FailingStorage.fail_on = ".manifest.json"
    api.deliver_due(limit=10)
    FailingStorage.fail_on = ""
    api.withdraw_consent(learner_id=8, bank="central")
    with clock.shifted(LATER):
        api.deliver_due(limit=10)
    pick_up(store, folder)
    assert [one["body"]["award"]["uuid"] for one in store.all()] == [first.uuid]
    assert record_of(second).state == "waiting_consent"


def test_what_was_handed_over_is_not_written_again_when_consent_is_withdrawn(folder, store):
    award = ready_award()
    api.deliver_due(limit=10)
    api.withdraw_consent(learner_id=LEARNER, bank="central")
    factories.relay_all()
    with clock.shifted(LATER):
        assert api.deliver_due(limit=10).total == 0
    pick_up(store, folder)
    api.collect_receipts()
    assert record_of(award).state == "deposited"


def test_a_refusal_in_a_receipt_file_is_a_dead_letter(folder):
    award = ready_award()
    api.deliver_due(limit=10)
    key = record_of(award).deliveries.get().key
    (folder / "receipts").mkdir()
    lines = [{"key": key, "status": "refused", "error": "unknown_learner"}]
    (folder / "receipts" / "a.json").write_text(json.dumps({"receipts": lines}))
    assert api.collect_receipts() == 1
    assert record_of(award).state == "failed"
    assert record_of(award).deliveries.get().last_error == "refused_unknown_learner"


def test_a_drop_that_another_worker_commits_first_stands_and_the_rest_goes_with_the_next(
    folder, store, monkeypatch
):
    award = ready_award()

    def overtaken(self, name, content):
        if name.endswith(".csv") and not manifests(folder):
            manifest = {"files": [{"name": "x.csv", "rows": 0, "sha256": "", "keys": []}]}
            drop = name.rsplit("-", 1)[0] + ".manifest.json"
            FileSystemStorage._save(self, drop, ContentFile(json.dumps(manifest).encode()))
        return FileSystemStorage._save(self, name, content)

    with monkeypatch.context() as patched:
        patched.setattr(FailingStorage, "_save", overtaken)
        assert api.deliver_due(limit=10).failed == 1
    [path] = manifests(folder)
    assert json.loads(path.read_text())["files"][0]["keys"] == []
    path.unlink()
    with clock.shifted(LATER):
        assert api.deliver_due(limit=10).handed_over == 1
    assert path not in manifests(folder)
    assert pick_up(store, folder) == 1
    assert told(award) == [(1, "deposit", "sent")]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"receipts": 1}',
        '{"receipts": [{"key": "x"}]}',
        '{"receipts": [{"key": 1, "status": "received", "receipt": "R"}]}',
    ],
)
def test_a_receipt_file_that_cannot_be_read_is_put_aside(folder, content):
    (folder / "receipts").mkdir(parents=True)
    (folder / "receipts" / "bad.json").write_text(content)
    assert api.collect_receipts() == 0
    assert (folder / "receipts" / "unreadable" / "bad.json").read_text() == content
    assert not (folder / "receipts" / "bad.json").exists()


def test_receipts_for_keys_that_are_not_ours_change_nothing(folder):
    award = ready_award()
    api.deliver_due(limit=10)
    (folder / "receipts").mkdir()
    lines = [{"key": "00000000-0000-4000-8000-000000000000", "status": "received", "receipt": "R1"}]
    (folder / "receipts" / "a.json").write_text(json.dumps({"receipts": lines}))
    assert api.collect_receipts() == 0
    assert told(award) == [(1, "deposit", "sent")]


def test_a_bank_refuses_a_file_whose_content_is_not_what_the_manifest_says(folder, store):
    award = ready_award()
    api.deliver_due(limit=10)
    [path] = folder.glob("*.csv")
    path.write_bytes(path.read_bytes().replace(b"3.00", b"9.00"))
    pick_up(store, folder)
    api.collect_receipts()
    assert store.all() == []
    assert record_of(award).deliveries.get().last_error == "refused_hash"


def test_the_private_storage_is_the_default(folder, configure, tmp_path):
    configure(
        BANKS={"central": {**microcred_settings.BANKS["central"], "options": {}}},
        PRIVATE_STORAGE_ROOT=str(tmp_path / "private"),
    )
    ready_award()
    assert api.deliver_due(limit=10).handed_over == 1
    assert len(manifests(tmp_path / "private" / "central")) == 1


def test_the_rows_of_a_file_do_not_depend_on_the_order_in_which_they_come(folder):
    ready_award()
    factories.make_award(LEARNER)
    factories.relay_all()
    api.deliver_due(limit=10)
    parcels = []
    for row in rows_of(folder):
        body = json.dumps(message_of_row(row)).encode()
        parcels.append(Parcel(row["key"], row["record"], 1, "deposit", body, row["body_sha256"]))
    assert render_csv(parcels) == render_csv(parcels[::-1])
    assert render_csv([replace(parcels[0])]) != render_csv(parcels)
    assert Delivery.objects.values("drop_file").distinct().count() == 1
