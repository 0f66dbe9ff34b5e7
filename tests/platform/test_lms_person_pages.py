"""The pages of learners and staff, and the dashboard widget's one read, behind the LMS's own middleware."""

from tests.platform.only import only_in

only_in("lms")

# ruff: noqa: E402 the platform is imported after it is known to be there
import pytest
from django.test import Client
from django.urls import reverse

from mooc_microcred.achievements import api
from mooc_microcred.core.models import StaffRole
from tests.support.definitions import level1, level2, programme
from tests.support.platform_contract import PY101

pytestmark = pytest.mark.django_db(databases="__all__")

OWN = ["badges", "programmes", "exams", "results", "credits", "data"]
STAFF = ["staff", "exam-desk", "admissions", "identities", "credit-desk", "audit", "dead-letters", "reports"]
NAME = "สมหญิง ใจดี"
DASHBOARD = "/api/mooc_microcred/v1/my/dashboard/"
# The host of the MFEs, as the platform's test settings name one.
MFE = "https://sandbox.edx.org"


def address(name, **where):
    return reverse(f"mooc_microcred:page-{name}", kwargs=where)


@pytest.fixture
def learner(campus):
    campus.add_course(PY101, title="Python 1")
    learner = campus.add_learner("somying", name=NAME)
    campus.enrol(learner, PY101)
    level1()
    level2()
    programme("python", {"all": [{"achievement": "py101-l2"}]})
    campus.certify(learner, PY101)
    while api.evaluate_due().requests:
        pass
    return learner


def read(client, path, language):
    """Read a page with the platform's language cookie; return its text."""
    client.cookies["openedx-language-preference"] = language
    answer = client.get(path)
    text = answer.content.decode()
    assert answer.status_code == 200, f"{path} {language}: {answer.status_code} {text[:500]}"
    assert f'<html lang="{language}">' in text
    # Of the person who asks, whatever middleware of the platform stands around it.
    assert "no-store" in answer["Cache-Control"]
    assert "default-src" in answer["Content-Security-Policy"]
    return text


@pytest.mark.parametrize("language", ["th", "en"])
def test_learners_read_their_pages_in_their_language_and_no_page_of_staff(campus, learner, language):
    client = campus.signed_in(learner)
    for name in OWN:
        text = read(client, address(name), language)
        assert 'aria-current="page"' in text, "in its place"
        assert NAME not in text.partition("</title>")[0], "no name in a title"
    assert "py101-l1" in read(client, address("badges"), language)
    assert address("programme", code="python") in read(client, address("programmes"), language)
    # The start page of staff lists the places that a person may open: here none.
    assert address("exam-desk") not in read(client, address("staff"), language)
    for name in STAFF[1:]:
        refused = client.get(address(name))
        assert refused.status_code == 403, name
        assert f'<html lang="{language}">' in refused.content.decode()


@pytest.mark.parametrize("language", ["th", "en"])
def test_staff_read_their_pages_in_their_language(campus, learner, language):
    officer = campus.add_learner("officer")
    for role in StaffRole.Role.values:
        StaffRole.objects.create(user_id=officer, role=role)
    client = campus.signed_in(officer)
    for name in STAFF:
        read(client, address(name), language)


def test_the_platforms_global_staff_get_in_without_a_role(campus, learner):
    admin = campus.add_learner("root")
    campus.user(admin).__class__.objects.filter(id=admin).update(is_staff=True, is_superuser=True)
    read(campus.signed_in(admin), address("staff"), "en")


@pytest.mark.parametrize("name", [*OWN, *STAFF])
def test_strangers_sign_in_on_the_platforms_page_and_come_back(name):
    answer = Client().get(f"{address(name)}?lang=en")
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("signin_user"))
    assert answer["Location"].endswith(f"next={address(name)}%3Flang%3Den")


def test_a_form_wants_the_platforms_csrf_token_and_tells_on_the_next_page_what_it_did(campus, learner):
    client = campus.signed_in(learner, enforce_csrf_checks=True)
    client.cookies["openedx-language-preference"] = "en"
    action = {"action": "forget_did"}
    assert client.post(address("data"), action).status_code == 403
    token = client.get("/csrf/api/v1/token").json()["csrfToken"]
    answer = client.post(address("data"), {**action, "csrfmiddlewaretoken": token})
    assert answer.status_code == 302, answer.content
    told = "Forgotten. Later credentials name a hash of your e-mail address."
    assert told in read(client, address("data"), "en")
    assert told not in read(client, address("data"), "en"), "told once"


# --- the widget on the dashboard's host ---


@pytest.fixture
def from_the_dashboard(campus, learner, settings):
    """A client that is signed in on the LMS and asks from the page of the dashboard, as browsers do."""
    settings.CORS_ALLOW_CREDENTIALS = True
    client = campus.signed_in(learner)
    client.defaults["HTTP_ORIGIN"] = MFE
    return client


def test_the_widget_may_read_from_the_dashboards_host_as_the_dashboard_itself_does(
    from_the_dashboard, learner
):
    def cors(answer):
        return {name: value for name, value in answer.items() if name.lower().startswith("access-control-")}

    ours, theirs = from_the_dashboard.get(DASHBOARD), from_the_dashboard.get("/api/learner_home/init")
    assert ours.status_code == theirs.status_code == 200
    assert cors(ours) == cors(theirs)
    assert ours["Access-Control-Allow-Origin"] == MFE
    assert ours["Access-Control-Allow-Credentials"] == "true"
    assert [badge["achievement"] for badge in ours.json()["badges"]] == ["py101-l1"]
    assert PY101 in ours.json()["courses"]
    # What the shell's client asks for first: it sends a header of its own.
    asked = {
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET",
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "accept-language,use-jwt-cookie",
    }
    answer = from_the_dashboard.options(DASHBOARD, **asked)
    assert answer.status_code == 200
    assert cors(answer) == cors(from_the_dashboard.options("/api/learner_home/init", **asked))
    assert "use-jwt-cookie" in answer["Access-Control-Allow-Headers"]


def test_other_hosts_may_not_read_it(from_the_dashboard):
    from_the_dashboard.defaults["HTTP_ORIGIN"] = "https://elsewhere.example.org"
    assert "Access-Control-Allow-Origin" not in from_the_dashboard.get(DASHBOARD)
