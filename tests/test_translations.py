"""Thai: every message has its translation, of the same shape and by the glossary, and readers get it."""

import gettext
import importlib.util
import io
import os
import re
import shutil
from pathlib import Path

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import ngettext

from mooc_microcred.achievements.models import Award
from mooc_microcred.core.models import StaffRole
from mooc_microcred.core.sweeper import sweep
from mooc_microcred.creditbank.models import CreditRecord, Delivery
from mooc_microcred.exams import api as exams
from mooc_microcred.exams.models import ExamBatch, ExamResult
from mooc_microcred.exams.problems import MESSAGES
from tests.rest_api.world import BANK, BASE, build_world

ROOT = Path(__file__).parents[1]
THAI = re.compile("[ก-๛]")

# What is the same in both languages.
ALIKE = {"0-100", "%(verdict)s %(reason)s", "%(role)s: %(organization)s", "Multikey: z6Mk…"}

# Words that the glossary (docs/reference/glossary.md) replaces by others, and why.
AVOIDED = {
    "another scheme, of schools": re.compile("ธนาคาร"),
    "a degree; awards are ใบรับรอง, the platform's certificate is ใบประกาศนียบัตร": re.compile(
        "(?<!ใบ)ประกาศนียบัตร"
    ),
    "readers are ท่าน": re.compile("คุณ(?!วุฒิ|ภาพ|ลักษณะ|สมบัติ|ธรรม)"),
    "the full name is ศูนย์สอบความรู้": re.compile("ศูนย์สอบ(?!ความรู้)"),
    "one word for the admission number": re.compile("เลขที่นั่งสอบ|เลขที่สอบ|เลขประจำตัวผู้เข้าสอบ"),
    "credit records are ระเบียนหน่วยกิต": re.compile("รายการหน่วยกิต"),
}

PLACEHOLDER = re.compile(r"%\(\w+\)[-+ #0]*\d*(?:\.\d+)?[a-z]|%[a-z]|%%|\{[\w:]*\}")


def _messages_tool():
    spec = importlib.util.spec_from_file_location("ci_messages", ROOT / ".ci" / "messages.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


TOOL = _messages_tool()
FOLDERS = [name for name in TOOL.FOLDERS if (ROOT / name).exists()]
POS = [po for name in FOLDERS for po in TOOL.catalogues(ROOT / name)]
named = pytest.mark.parametrize("po", POS, ids=lambda po: str(po.relative_to(ROOT)))


def pairs(po):
    """Return (message, translation) of a compiled catalogue, each plural form by itself."""
    with po.with_suffix(".mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog
    return [(key[0] if isinstance(key, tuple) else key, text) for key, text in catalogue.items() if key]


def needs_gettext():
    if not all(map(shutil.which, ("msgfmt", "xgettext"))):
        if os.environ.get("CI") == "true":
            pytest.fail("gettext is not installed: apt install gettext", pytrace=False)
        pytest.skip("gettext is not installed, so the sources cannot be compared: apt install gettext")


# --- the catalogues ---


def test_each_package_with_messages_has_a_thai_catalogue():
    assert len(POS) == len(FOLDERS)
    assert all(pairs(po) for po in POS)


@named
def test_every_message_is_translated_and_none_is_a_guess(po):
    assert TOOL.untranslated(po) == set()


@named
def test_every_committed_message_is_compiled(po):
    compiled = {message for message, _text in pairs(po)}
    # As in the .po: the header is none of them.
    assert len(compiled) == len(TOOL.message_ids(po))


@named
def test_placeholders_are_those_of_the_message(po):
    different = [
        (message, text)
        for message, text in pairs(po)
        if sorted(PLACEHOLDER.findall(message)) != sorted(PLACEHOLDER.findall(text))
    ]
    assert different == []


@named
def test_spaces_at_the_ends_are_those_of_the_message(po):
    """Some messages join others, such as “ and ”."""
    assert [
        message
        for message, text in pairs(po)
        if (message[0].isspace(), message[-1].isspace()) != (text[0].isspace(), text[-1].isspace())
    ] == []


@named
def test_thai_texts_are_thai(po):
    english = {message for message, text in pairs(po) if not THAI.search(text)}
    assert english <= ALIKE


@named
def test_words_are_those_of_the_glossary(po):
    found = [
        (text, why) for _message, text in pairs(po) for why, word in AVOIDED.items() if word.search(text)
    ]
    assert found == []


def test_a_message_of_two_packages_has_one_translation():
    """In one process Django knows one: which of two would be shown depends on the order of the apps."""
    seen: dict[str, set[str]] = {}
    for po in POS:
        for message, text in pairs(po):
            seen.setdefault(message, set()).add(text)
    assert {message: texts for message, texts in seen.items() if len(texts) > 1} == {}


def test_catalogues_are_up_to_date_with_the_sources_and_compiled():
    needs_gettext()
    assert TOOL.check() == []


def test_a_message_that_is_missing_or_left_over_is_noticed(tmp_path, monkeypatch):
    needs_gettext()
    (tmp_path / "room").mkdir()
    folder = tmp_path / "room"
    (folder / "code.py").write_text('_("Old.")\n_("Stays.")\n', encoding="utf-8")
    (folder / "locale").mkdir()
    monkeypatch.setattr(TOOL, "ROOT", tmp_path)
    monkeypatch.setattr(TOOL, "FOLDERS", ["room"])
    TOOL.makemessages(folder)
    (po,) = TOOL.catalogues(folder)
    assert TOOL.untranslated(po) == {"Old.", "Stays."}
    text = re.sub('msgstr ""\n(?=\n|$)', 'msgstr "ไทย"\n', po.read_text(encoding="utf-8"))
    po.write_text(text, encoding="utf-8")
    assert TOOL.compile_catalogue(po, po.with_suffix(".mo")) == ""
    assert TOOL.check() == []
    (folder / "code.py").write_text('_("New.")\n_("Stays.")\n', encoding="utf-8")
    wrong = TOOL.check()
    assert len(wrong) == 2
    assert wrong[0].endswith("New.")
    assert wrong[1].endswith("Old.")
    po.write_text(po.read_text(encoding="utf-8").replace("ไทย", "ไทยใหม่"), encoding="utf-8")
    (folder / "code.py").write_text('_("Old.")\n_("Stays.")\n', encoding="utf-8")
    (stale,) = TOOL.check()
    assert "compiled from an older one" in stale


# --- what readers get ---


@pytest.fixture
def world(db, platform, settings, tmp_path):
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "API_RATE": None,
        "API_UPLOAD_RATE": None,
        "PRIVATE_STORAGE_ROOT": str(tmp_path / "private"),
        "BANKS": {"thai-bank": BANK},
    }
    return build_world(platform)


def reader(world, name, language="th"):
    client = Client(headers={"accept-language": language})
    client.force_login(world.person(name), backend="django.contrib.auth.backends.ModelBackend")
    return client


NOBODY = "00000000-0000-4000-8000-000000000000"
REFUSALS = {
    "no role": ("ann", "get", "staff/audit/", None, 403),
    "no award": ("auditor@KMUTT", "get", f"staff/awards/{NOBODY}/", None, 404),
    "no record": ("credit_officer@KMUTT", "get", f"staff/credit-records/{NOBODY}/", None, 404),
    "no batch": ("exam_officer@KMUTT", "get", f"staff/exam-batches/{NOBODY}/", None, 404),
    "unknown parameter": ("ann", "get", "my/awards/?colour=red", None, 400),
    "unknown bank": (
        "ann",
        "post",
        "my/consents/",
        {"bank": "nowhere", "text_version": "1", "language": "th"},
        404,
    ),
    "fields left out": ("ann", "post", "my/consents/", {}, 400),
    "wrong types": ("ann", "post", "my/consents/", {"bank": [], "text_version": {}, "language": "fr"}, 400),
    "wrong page size": ("ann", "get", "my/awards/?page_size=0", None, 400),
    "no JSON": ("ann", "post", "my/consents/", "{", 400),
    "no learner in the body": (
        "verifier@KMUTT",
        "post",
        "staff/identities/",
        {"learner_id": 0, "kind": "other", "number": ""},
        400,
    ),
    "wrong candidates": (
        "exam_officer@KMUTT",
        "post",
        "staff/exam-admissions/",
        {"exam": "py101-exam", "candidates": [{"username": "nobody"}]},
        400,
    ),
    "no candidates": (
        "exam_officer@KMUTT",
        "post",
        "staff/exam-admissions/",
        {"exam": "PY 101", "candidates": []},
        400,
    ),
    "no reason": ("programme_officer@KMUTT", "post", "staff/awards/{award}/revoke/", {"reason": ""}, 400),
    "wrong method": ("ann", "delete", "my/awards/", None, 405),
    "not signed in": ("anonymous", "get", "my/awards/", None, 401),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_the_api_refuses_in_the_readers_language(world, name):
    person, method, path, body, status = REFUSALS[name]
    told = {}
    for language in ("th", "en"):
        client = reader(world, person, language)
        if person == "anonymous":
            client.logout()
        address = BASE + path.format(award=world.things["award"])
        more = {} if body is None else {"data": body, "content_type": "application/json"}
        answer = getattr(client, method)(address, **more)
        assert answer.status_code == status, answer.content
        problems = answer.json().get("problems", [])
        told[language] = [answer.json()["message"], *(one["message"] for one in problems)]
    assert len(told["th"]) == len(told["en"])
    for thai, english in zip(told["th"], told["en"], strict=True):
        assert THAI.search(thai), thai
        assert not THAI.search(english), english


def test_candidates_problems_and_the_template_are_in_the_officers_language(world):
    file = io.BytesIO(b"username,score,date\nnobody,abc,99/99/2569\n")
    file.name = "results.csv"
    upload = {"exam": "py101-exam", "file": file}
    answer = reader(world, "exam_officer@KMUTT").post(f"{BASE}staff/exam-batches/", upload)
    assert answer.status_code == 201, answer.content
    uuid, problems = answer.json()["uuid"], answer.json()["problems"]
    assert {one["column"] for one in problems} == {"score", "sat_on", "username"}
    assert all(THAI.search(one["message"]) for one in problems)
    # Stored as codes: who reads them later may read another language.
    english = reader(world, "auditor@KMUTT", "en").get(f"{BASE}staff/exam-batches/{uuid}/").json()
    assert not any(THAI.search(one["message"]) for one in english["problems"])
    exported = reader(world, "exam_officer@KMUTT").get(f"{BASE}staff/exam-batches/{uuid}/problems.csv")
    assert exported.content.decode("utf-8-sig").startswith("แถว,คอลัมน์,ค่า,สิ่งที่ผิด")
    template = reader(world, "exam_officer@KMUTT").get(f"{BASE}staff/exam-batches/template/")
    assert template.content.decode("utf-8-sig").startswith("เลขประจำตัวสอบ,")


def test_every_problem_of_a_row_can_be_told_in_thai():
    with translation.override("th"):
        assert all(THAI.search(str(text)) for text in MESSAGES.values())


def test_the_admission_number_is_called_as_in_the_template():
    """An officer who reads a message must find the column that it speaks of."""
    with translation.override("th"):
        heading = exams.result_template(language="th", as_xlsx=False).decode("utf-8-sig").split(",")[0]
        assert heading in str(MESSAGES["several_accounts"])


def told_at(world, person, path):
    """Return every sentence of an answer in Thai and in English, and nothing of its codes and names."""
    answers = []
    for language in ("th", "en"):
        answer = reader(world, person, language).get(BASE + path)
        assert answer.status_code == 200, answer.content
        answers.append(list(sentences(answer.json())))
    thai, english = answers
    assert len(thai) == len(english)
    return list(zip(thai, english, strict=True))


def sentences(document):
    if isinstance(document, list):
        for one in document:
            yield from sentences(one)
    elif isinstance(document, dict):
        for name, value in document.items():
            if name in ("message", "text", "status") and isinstance(value, str) and " " in value:
                yield value
            else:
                yield from sentences(value)


@pytest.mark.parametrize("guide", ["exam-officer.md", "exam-officer.th.md"])
def test_the_guide_names_every_column_and_state(guide):
    text = (ROOT / "docs" / "how-to" / guide).read_text(encoding="utf-8")
    for language in ("th", "en"):
        template = exams.result_template(language=language, as_xlsx=False).decode("utf-8-sig").strip()
        assert [heading for heading in template.split(",") if heading not in text] == []
    assert [state for state in ExamBatch.State.values if f"`{state}`" not in text] == []


@pytest.mark.parametrize(
    ("person", "path"), [("bob", "my/progress/py101-l1/"), ("bob", "my/programmes/"), ("ann", "my/deposits/")]
)
def test_learners_are_told_where_they_stand_in_their_language(world, person, path):
    told = told_at(world, person, path)
    assert told
    assert all(THAI.search(thai) and thai != english for thai, english in told)


@pytest.mark.parametrize("model", [Award, CreditRecord, Delivery, ExamBatch, ExamResult, StaffRole])
def test_names_and_states_of_records_are_thai(model):
    with translation.override("th"):
        labels = [str(model._meta.verbose_name), str(model._meta.verbose_name_plural)]
        for field in model._meta.fields:
            labels += [str(label) for _value, label in field.choices or ()]
    assert all(THAI.search(label) for label in labels), labels


@pytest.mark.parametrize("model", ["award", "creditrecord", "delivery", "exambatch", "achievementversion"])
def test_the_admin_pages_are_labelled_in_thai(world, model):
    name = apps.get_model("mooc_microcred", model)._meta
    page = reader(world, "root").get(reverse(f"admin:mooc_microcred_{model}_changelist")).content.decode()
    with translation.override("th"):
        assert THAI.search(str(name.verbose_name_plural))
        assert str(name.verbose_name_plural) in page


def test_the_admin_calls_the_whole_by_its_thai_name(world):
    page = reader(world, "root").get(reverse("admin:index")).content.decode()
    assert "ไมโครเครเดนเชียล" in page


@pytest.mark.django_db
def test_the_doctor_speaks_thai(capsys):
    sweep()
    call_command("microcred_doctor", "--language", "th")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert "ไม่พบสิ่งผิดปกติ" in lines[-1]
    # System checks speak English, here as in Django's own output.
    found = [text for one in run_checks() for text in (one.msg, one.hint) if text]
    ours = [line for line in lines if not any(text in line for text in found)]
    assert [line for line in ours if not THAI.search(line)] == []


def test_plurals_are_one_form_in_thai():
    with translation.override("th"):
        told = {ngettext("%(n)d second", "%(n)d seconds", n) % {"n": n} for n in (1, 2)}
    assert told == {"1 วินาที", "2 วินาที"}
