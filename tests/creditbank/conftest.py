"""A bank that is really there: the sandbox's server, in a thread, with the clock of the test."""

import pytest

from mooc_microcred.core import clock
from mooc_microcred.core.identity import record_identity
from mooc_microcred.creditbank import api
from mooc_microcred.creditbank.models import CreditRecord
from sandbox.bank import Bank
from tests.support import factories

SECRET = "a secret that only the two of us know"
CONSENT = {"version": "2569-1", "th": "ข้าพเจ้ายินยอม", "en": "I agree"}
NATIONAL_ID = "1101700203450"
NAME = "สมหญิง ใจดี"
LEARNER = 7


def https_settings(bank, **changes):
    return {
        "backend": "mooc_microcred.creditbank.backends.https_json.HttpsJsonBackend",
        "name": {"th": "คลังหน่วยกิตกลาง", "en": "Central credit bank"},
        "organizations": None,
        "kinds": ["level2", "programme"],
        "consent_text": CONSENT,
        "requires_identity": True,
        "options": {
            "url": bank.url,
            "key_id": "test",
            "secret": SECRET,
            "allow_http_on_loopback": True,
            "timeout": 1,
        },
        **changes,
    }


@pytest.fixture
def bank(tmp_path):
    with Bank(tmp_path / "bank", keys={"test": SECRET}, clock=lambda: clock.now().timestamp()) as one:
        yield one


@pytest.fixture
def configure(settings):
    """Return a function that replaces settings of the suite for the test."""

    def change(**values):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, **values}

    return change


@pytest.fixture
def central(bank, configure, platform):
    """Configure the running bank as the one that takes everything."""
    configure(BANKS={"central": https_settings(bank)})
    platform.add_learner(LEARNER, name=NAME)
    return bank


def consent(learner_id=LEARNER, bank="central"):
    return api.give_consent(learner_id=learner_id, bank=bank, text_version="2569-1", language="th")


def identify(learner_id=LEARNER, number=NATIONAL_ID):
    record_identity(
        learner_id=learner_id, kind="national_id", number=number, verified_by="thaid", actor_id=None
    )


def ready_award(**fields):
    """Return an award of a learner who has agreed and is identified; its deposit is due."""
    consent()
    identify()
    award = factories.make_award(LEARNER, **fields)
    factories.relay_all()
    return award


def record_of(award):
    return CreditRecord.objects.get(award=award)


def told(award):
    """Return (sequence, kind, state) of everything about the award, in order."""
    rows = record_of(award).deliveries.order_by("sequence")
    return [(row.sequence, row.kind, row.state) for row in rows]


def received(bank):
    return [message["body"] for message in bank.store.all()]
