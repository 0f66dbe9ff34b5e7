import json

import pytest

from mooc_microcred.credentials import api, proofs
from tests.credentials.issuing_world import award_level_2, award_programme, credential_of, issue_all, level_1
from tests.support.factories import make_award

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_award_gets_one_signed_credential(platform):
    platform.add_learner(7)
    one, two = make_award(7, level_1()), award_level_2(7)
    issue_all()
    for award in (one, two):
        row = credential_of(award)
        document = api.signed_document(uuid=row.uuid)
        assert proofs.check_proof(document, row.key.public_key)
        assert document["id"] == f"https://lms.example.org/microcred/credentials/{row.uuid}"
    print(json.dumps(document, ensure_ascii=False, indent=1))


def test_a_programme_gets_a_record_of_what_it_stands_on(platform):
    platform.add_learner(7)
    parts = [make_award(7, level_1()), award_level_2(7)]
    top = award_programme(7, parts)
    issue_all()
    row = credential_of(top)
    record = api.signed_document(uuid=row.uuid, record=True)
    assert proofs.check_proof(record, row.key.public_key)
    assert proofs.check_proof(api.signed_document(uuid=row.uuid), row.key.public_key)
    print(api.signed_jwt(uuid=row.uuid)[:50])
