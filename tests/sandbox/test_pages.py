"""The sandbox's pages: usable without JavaScript, in Thai and English, by those who may."""

import re
from html.parser import HTMLParser
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from mooc_microcred.achievements import watch
from mooc_microcred.achievements.api import evaluate_due
from sandbox.models import Attempt, Certificate, Enrollment

KEY = "course-v1:KMUTT+PY101+2026"
PAGES = {
    "home": (),
    "login": (),
    "courses": (),
    "course": (KEY,),
    "unit": (KEY, 1),
    "self_test": (KEY,),
    "staff": (),
}
STAFF_PAGES = {
    "teach_course": ("author", (KEY,)),
}
THAI = re.compile(r"[\u0e00-\u0e7f]")


class Page(HTMLParser):
    """What a test asks of a page."""

    def __init__(self, response):
        super().__init__()
        self.lang = None
        self.scripts = 0
        self.titles = 0
        self.headings = []
        self.labelled = set()
        self.inputs = []
        self.text = []
        self._quiet = 0
        self.feed(response.content.decode())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "html":
            self.lang = attributes.get("lang")
        self.scripts += tag == "script" or any(name.startswith("on") for name in attributes)
        self.titles += tag == "title"
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(tag)
        if tag == "label":
            self.labelled.add(attributes.get("for"))
        if tag in ("input", "select", "textarea") and attributes.get("type") != "hidden":
            self.inputs.append(attributes)
        self._quiet += tag in ("style", "code", "pre")

    def handle_endtag(self, tag):
        self._quiet -= tag in ("style", "code", "pre")

    def handle_data(self, data):
        if not self._quiet and data.strip():
            self.text.append(data.strip())


@pytest.fixture
def catalogue(sandbox):
    call_command("microcred_catalogue", "load", sample=["python-series"], stdout=StringIO())
    watch.forget()


def address(name, *args):
    return reverse(f"sandbox:{name}", args=args)


def read_all_units(browser, key=KEY, units=8):
    browser.post(address("enrol", key))
    for position in range(1, units + 1):
        browser.post(address("unit", key, position))


def answer_all(browser, course, right=True):
    answers = {
        f"question{one.position}": one.right if right else (one.right + 1) % len(one.choices)
        for one in course.questions.all()
    }
    return browser.post(address("self_test", course.course_key), answers, follow=True)


@pytest.mark.parametrize("language", ["en", "th"])
@pytest.mark.parametrize("name", [*PAGES, *STAFF_PAGES])
def test_every_page_is_sound_without_scripts(browser, catalogue, name, language):
    who, where = STAFF_PAGES.get(name, ("learner", PAGES.get(name)))
    client = browser(who, language)
    if who == "learner":
        client.post(address("enrol", KEY))
    response = client.get(address(name, *where))
    assert response.status_code == 200
    page = Page(response)
    assert page.lang == language
    assert page.scripts == 0
    assert page.titles == 1
    assert page.headings[0] == "h1"
    assert page.headings.count("h1") == 1
    for field in page.inputs:
        assert field.get("id") in page.labelled or field.get("aria-label"), field
    response_text = " ".join(page.text)
    assert THAI.search(response_text)


@pytest.mark.parametrize("name", [*PAGES, *STAFF_PAGES])
def test_the_thai_pages_say_nothing_in_english_that_has_a_thai_word(browser, catalogue, name):
    """Every sentence of the templates is translated: the English one does not appear."""
    who, where = STAFF_PAGES.get(name, ("learner", PAGES.get(name)))
    client = browser(who, "th")
    client.post(address("enrol", KEY))
    page = Page(client.get(address(name, *where)))
    english = [
        text for text in page.text if re.search(r"[A-Za-z]{3,}.*\s[a-z]{2,}", text) and not THAI.search(text)
    ]
    assert english == []


@pytest.mark.parametrize("name", ["staff"])
def test_what_is_personal_needs_a_person(client, sandbox, name):
    response = client.get(address(name))
    assert response.status_code == 302
    assert response.url.startswith(address("login"))


def test_an_account_is_entered_in_one_click_and_left(client, people):
    response = client.post(address("login_as", "learner"), {"next": address("staff")})
    assert response.url == address("staff")
    assert client.get(address("staff")).status_code == 200
    client.post(address("logout"))
    assert client.get(address("staff")).status_code == 302


def test_nobody_is_sent_to_another_site_after_signing_in(client, people):
    response = client.post(address("login_as", "learner"), {"next": "https://evil.example/"})
    assert response.url == address("home")


def test_one_click_works_in_a_debug_sandbox_only(client, people, settings):
    settings.DEBUG = False
    assert client.post(address("login_as", "admin")).status_code == 404
    assert b"login/as" not in client.get(address("login")).content


def test_the_public_password_works(client, people):
    response = client.post(address("login"), {"username": "officer", "password": "demo"})
    assert response.status_code == 302
    assert client.get(address("staff")).status_code == 200


def test_the_language_is_switched_by_a_form(client, sandbox):
    response = client.post(
        reverse("set_language"), {"language": "th", "next": address("courses")}, follow=True
    )
    assert Page(response).lang == "th"
    assert "การเขียนโปรแกรมไพทอนเบื้องต้น" in response.content.decode()


def test_a_unit_needs_enrolment(browser, sandbox):
    client = browser()
    assert client.get(address("unit", KEY, 1)).status_code == 403
    assert client.post(address("unit", KEY, 1)).status_code == 403


def test_reading_on_leads_through_the_course_and_counts(browser, sandbox):
    client = browser()
    client.post(address("enrol", KEY))
    assert client.post(address("unit", KEY, 1)).url == address("unit", KEY, 2)
    assert client.post(address("unit", KEY, 8)).url == address("course", KEY)
    assert "2 of 9 units done" in client.get(address("course", KEY)).content.decode()


def test_a_self_test_without_an_answer_is_handed_back(browser, sandbox):
    client = browser()
    client.post(address("enrol", KEY))
    response = client.post(address("self_test", KEY), {"question1": "0"})
    assert response.status_code == 200
    assert response.content.decode().count("Please choose an answer.") == 4
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("value", ["9", "-1", "x", "0.5", "0\x00"])
def test_an_answer_that_is_no_choice_is_handed_back(browser, sandbox, value):
    client = browser()
    client.post(address("enrol", KEY))
    answers = {f"question{number}": "0" for number in range(1, 6)} | {"question3": value}
    assert client.post(address("self_test", KEY), answers).status_code == 200
    assert not Attempt.objects.exists()


def test_passing_the_self_test_brings_a_certificate(browser, sandbox):
    client = browser()
    read_all_units(client)
    response = answer_all(client, sandbox["PY101"])
    assert "5 of 5 right" in response.content.decode()
    assert Certificate.objects.get().status == "downloadable"
    assert "issued" in client.get(address("course", KEY)).content.decode()


def test_failing_the_self_test_shows_which_answers_were_wrong(browser, sandbox):
    client = browser()
    read_all_units(client)
    response = answer_all(client, sandbox["PY101"], right=False)
    assert response.content.decode().count("(<") == 0
    assert response.content.decode().count("(wrong)") == 5
    assert not Certificate.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_suites_own_page_shows_the_award_and_the_next_step(browser, catalogue, sandbox):
    client = browser()
    read_all_units(client)
    mine = reverse("mooc_microcred:page-badges")
    before = client.get(mine).content.decode()
    assert "Your next step" in before
    assert "<h2>Python Programming" not in before
    answer_all(client, sandbox["PY101"])
    evaluate_due()
    after = client.get(mine).content.decode()
    assert "<h2>Python Programming Fundamentals (Level 1, Completion)</h2>" in after
    assert "Standard exam" in after


def test_only_who_teaches_sees_the_class_list(browser, sandbox):
    assert browser("learner").get(address("teach_course", KEY)).status_code == 403
    assert browser("officer").get(address("teach_course", KEY)).status_code == 403
    assert browser("author").get(address("teach_course", KEY)).status_code == 200


def test_a_certificate_is_invalidated_with_a_reason_and_given_back(browser, sandbox, people):
    client = browser()
    read_all_units(client)
    answer_all(client, sandbox["PY101"])
    certificate = Certificate.objects.get()
    client = browser("author")
    where = address("teach_course", KEY)
    client.post(where, {"certificate": certificate.id, "action": "invalidate", "notes": " "})
    certificate.refresh_from_db()
    assert certificate.status == "downloadable"
    client.post(where, {"certificate": certificate.id, "action": "invalidate", "notes": "copied"})
    certificate.refresh_from_db()
    assert certificate.status == "unavailable"
    client.post(where, {"certificate": certificate.id, "action": "lift"})
    certificate.refresh_from_db()
    assert certificate.status == "downloadable"


def test_a_certificate_of_another_course_is_not_touched(browser, sandbox):
    client = browser()
    read_all_units(client)
    answer_all(client, sandbox["PY101"])
    where = address("teach_course", "course-v1:KMUTT+PY102+2026")
    response = browser("author").post(
        where, {"certificate": Certificate.objects.get().id, "action": "invalidate", "notes": "x"}
    )
    assert response.status_code == 404
    assert Certificate.objects.get().status == "downloadable"


@pytest.mark.parametrize(
    ("who", "leads"),
    [("officer", ["/microcred/staff/"]), ("verifier", ["/microcred/staff/"]), ("learner", [])],
)
def test_staff_are_led_to_the_pages_of_the_suite(browser, catalogue, who, leads):
    page = browser(who).get(address("staff")).content.decode()
    assert re.findall(r'href="(/microcred/staff/[^"]*)"', page) == leads


def test_a_form_without_a_token_is_refused(people):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(people["learner"])
    assert client.post(address("enrol", KEY)).status_code == 403
    assert not Enrollment.objects.exists()
