"""What a learner reads and does."""

from mooc_microcred.achievements import api as achievements
from mooc_microcred.achievements.catalogue import touch_catalogue
from mooc_microcred.achievements.models import AchievementVersion, Award
from mooc_microcred.core.models import AuditEntry
from mooc_microcred.creditbank.models import Consent
from tests.rest_api.world import BASE, PASSPORT
from tests.support.definitions import RUN


def read(client, address):
    answer = client.get(BASE + address)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_an_award_is_shown_with_its_history_and_the_conditions_by_which_it_was_judged(world, as_person):
    award = read(as_person("ann"), f"my/awards/{world.things['award']}/")
    assert award["achievement"] == "py101-l1"
    assert award["name"] == {"th": "ไทย py101-l1", "en": "English py101-l1"}
    assert award["state"] == "active"
    assert award["course_key"] == RUN
    (measure,) = award["measures"]
    assert (measure["kind"], measure["met"], measure["have"], measure["need"]) == (
        "course_grade",
        True,
        "80",
        "60",
    )
    assert [one["kind"] for one in award["history"]] == ["issued"]
    assert "actor_id" not in award["history"][0]
    assert "learner_id" not in award


def test_an_award_that_the_platform_does_not_show_yet_does_not_exist_for_its_learner(world, as_person):
    Award.objects.filter(uuid=world.things["award"]).update(published_at=None)
    client = as_person("ann")
    assert client.get(f"{BASE}my/awards/{world.things['award']}/").status_code == 404
    assert read(client, "my/awards/")["results"] == []


def test_a_learner_reads_why_staff_revoked_an_award_but_not_who(world, as_person):
    address = f"{BASE}staff/awards/{world.things['award']}/revoke/"
    answer = as_person("programme_officer@KMUTT").post(
        address, {"note": "Somebody else sat the exam."}, content_type="application/json"
    )
    assert answer.status_code == 200
    assert answer.json()["state"] == "revoked"
    assert answer.json()["history"][-1]["actor_id"] == world.person("programme_officer@KMUTT").pk
    award = read(as_person("ann"), f"my/awards/{world.things['award']}/")
    assert award["state"] == "revoked"
    assert award["history"][-1]["note"] == "Somebody else sat the exam."
    assert "actor_id" not in award["history"][-1]
    assert AuditEntry.objects.filter(action="award.revoked", object_id=world.things["award"]).count() == 1


def test_programmes_say_how_far_one_is_and_what_to_do_next(world, as_person):
    (programme,) = read(as_person("ann"), "my/programmes/")["results"]
    assert programme["code"] == "py-series"
    assert programme["tree"]["kind"] == "all"
    assert [one["met"] for one in programme["tree"]["children"]] == [True, False]
    assert programme["tree"]["fraction"] == 0.5
    assert programme["components"][0]["award"]["uuid"] == world.things["award"]
    assert programme["next_step"]["action"] == "enrol"
    assert programme["next_step"]["text"]


def test_progress_says_what_is_missing(world, as_person):
    bobs = read(as_person("bob"), "my/progress/py101-l1/")
    assert not bobs["met"]
    assert [(one["have"], one["need"]) for one in bobs["measures"]] == [("30", "60")]
    assert bobs["next_step"]["action"] == "raise_grade"
    anns = read(as_person("ann"), "my/progress/py101-l2/")
    # She sat it and had 50 percent.
    assert anns["next_step"]["action"] == "resit_exam"
    assert anns["next_step"]["exam"] == "py101-exam"
    nobodys = read(as_person("bob"), "my/progress/sea-l1/")
    assert nobodys["measures"] == []
    assert nobodys["next_step"]["action"] == "enrol"


def test_results_are_shown_when_they_are_released_and_not_before(world, as_person):
    (result,) = read(as_person("ann"), "my/exam-results/")["results"]
    assert (result["exam_code"], result["percent"], result["sat_on"]) == ("py101-exam", "50", "2025-11-14")
    assert result["counts"]
    # Bob's batch is signed, not released.
    assert read(as_person("bob"), "my/exam-results/")["results"] == []
    address = f"{BASE}staff/exam-batches/{world.things['signed']}/release/"
    assert as_person("exam_officer@KMUTT").post(address, content_type="application/json").status_code == 200
    (result,) = read(as_person("bob"), "my/exam-results/")["results"]
    assert result["percent"] == "20"
    (admission,) = read(as_person("bob"), "my/exam-admissions/")["results"]
    assert admission == {"exam_code": "py101-exam", "organization": "KMUTT", "number": "B-1"}


def test_the_catalogue_is_filtered_by_organisation_course_and_kind(world, as_person):
    def codes(query):
        return [one["code"] for one in read(as_person("bob"), f"catalogue/achievements/?{query}")["results"]]

    assert codes("") == ["py-series", "py101-l1", "py101-l2", "py102-l1", "sea-l1"]
    assert codes("organization=BUU") == ["sea-l1"]
    assert codes("kind=level2") == ["py101-l2"]
    assert codes(f"course={RUN.replace('+', '%2B')}") == ["py101-l1", "py101-l2"]
    assert codes("kind=programme&organization=BUU") == []
    detail = read(as_person("bob"), "catalogue/achievements/py101-l2/")
    assert detail["definition"]["criteria"]["level1"] == "py101-l1"
    assert detail["exams"][0]["code"] == "py101-exam"
    assert read(as_person("bob"), "catalogue/programmes/")["results"][0]["tree"]["all"]


def test_identities_show_their_last_four_only(world, as_person):
    for client, address in (
        (as_person("ann"), "my/identities/"),
        (as_person("verifier@KMUTT"), f"staff/learners/{world.things['ann']}/identities/"),
    ):
        answer = client.get(BASE + address)
        assert PASSPORT not in answer.content.decode()
        (identity,) = answer.json()["identities"]
        assert identity["last_four"] == PASSPORT[-4:]
        assert set(identity) == {"learner_id", "kind", "last_four", "verified_at", "verified_by"}


def test_consent_is_given_and_withdrawn_and_both_stay_on_record(world, as_person):
    client = as_person("bob")
    bank = read(client, "my/credit-account/")["banks"][0]
    assert bank["consent"] is None
    body = {"bank": bank["code"], "text_version": bank["consent_version"], "language": "th"}
    for _ in range(2):
        answer = client.post(f"{BASE}my/consents/", body, content_type="application/json")
        assert answer.status_code == 200
    assert Consent.objects.filter(learner_id=world.person("bob").pk).count() == 1
    assert read(client, "my/credit-account/")["banks"][0]["consent"]["text_version"] == "2026-1"
    answer = client.post(
        f"{BASE}my/consents/withdraw/", {"bank": bank["code"]}, content_type="application/json"
    )
    assert answer.json()["withdrawn_at"]
    again = client.post(
        f"{BASE}my/consents/withdraw/", {"bank": bank["code"]}, content_type="application/json"
    )
    assert again.status_code == 409
    assert again.json()["code"] == "wrong_state"
    (consent,) = read(client, "my/consents/")["results"]
    assert consent["withdrawn_at"]


def test_credit_is_shown_with_what_the_bank_was_told(world, as_person):
    (deposit,) = read(as_person("ann"), "my/deposits/")["results"]
    assert deposit["award"] == world.things["award"]
    assert deposit["credits"] == "3"
    assert deposit["state"] in {"waiting_identity", "failed", "sending", "waiting_consent"}
    assert deposit["status"]
    assert "key" not in deposit["deliveries"][0]
    assert "learner_id" not in deposit


def test_everything_of_an_award_can_be_read_after_its_definition_was_retired(world, as_person):
    definition = achievements.current_catalogue().newest("py101-l1")
    AchievementVersion.objects.filter(pk=definition.version_id).update(state="retired")
    touch_catalogue()
    (award,) = read(as_person("ann"), "my/awards/")["results"]
    assert award["name"]["en"] == "English py101-l1"
