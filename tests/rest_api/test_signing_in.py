"""Who is believed to be who: JWT, session and CSRF, limits, and whatever the platform's settings are."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth import get_user_model
from django.test import Client, override_settings
from jwt.algorithms import RSAAlgorithm

from mooc_microcred.creditbank.models import Consent
from tests.rest_api.world import BASE

ALLOW_INACTIVE = "django.contrib.auth.backends.AllowAllUsersModelBackend"
CONSENT = {"bank": "thai-bank", "text_version": "2026-1", "language": "th"}


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def token_of(settings, key):
    """Return a function that issues tokens as the LMS does: RS512, checked by its public key."""
    public = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    settings.JWT_AUTH = {
        **settings.JWT_AUTH,
        "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps({"keys": [{**public, "kid": "1"}]}),
    }

    def issue(user, *, signed_by=key, **claims):
        payload = {
            "iss": settings.JWT_AUTH["JWT_ISSUER"],
            "aud": settings.JWT_AUTH["JWT_AUDIENCE"],
            "iat": int(time.time()),
            "exp": int(time.time()) + 600,
            "preferred_username": user.username,
            "user_id": user.pk,
            "version": "1.2.0",
            "scopes": ["profile"],
            "filters": [],
            "is_restricted": False,
        }
        return jwt.encode({**payload, **claims}, signed_by, algorithm="RS512", headers={"kid": "1"})

    return issue


def with_token(token):
    return Client(headers={"authorization": f"JWT {token}"})


def test_a_token_of_the_platform_signs_in(world, token_of):
    ann = world.person("ann")
    answer = with_token(token_of(ann)).get(f"{BASE}me/")
    assert answer.status_code == 200
    assert answer.json()["id"] == ann.pk


def test_a_token_needs_no_csrf_token(world, token_of):
    bob = world.person("bob")
    client = Client(enforce_csrf_checks=True, headers={"authorization": f"JWT {token_of(bob)}"})
    answer = client.post(f"{BASE}my/consents/", CONSENT, content_type="application/json")
    assert answer.status_code == 200
    assert Consent.objects.filter(learner_id=bob.pk, live=True).exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-4] + "AAAA",
        lambda token: token.rsplit(".", 1)[0] + ".",
        lambda token: "",
        lambda token: "a.b.c",
        lambda token: "\x00",
        lambda token: "ก".encode().decode("latin-1"),
        lambda token: "eyJhbGciOiJub25lIn0.e30.",
        lambda token: f"{token} {token}",
        lambda token: "x" * 100_000,
    ],
)
def test_a_spoilt_token_signs_nobody_in(world, token_of, spoil):
    answer = with_token(spoil(token_of(world.person("ann")))).get(f"{BASE}me/")
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"
    assert answer["WWW-Authenticate"].startswith("JWT")


def test_tokens_that_ran_out_are_for_others_or_of_another_signer_sign_nobody_in(world, token_of):
    ann = world.person("ann")
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for token in (
        token_of(ann, exp=int(time.time()) - 10),
        token_of(ann, aud="somebody-else"),
        token_of(ann, signed_by=stranger),
    ):
        assert with_token(token).get(f"{BASE}me/").status_code == 401


def test_a_token_of_a_restricted_application_is_refused(world, token_of):
    answer = with_token(token_of(world.person("ann"), is_restricted=True)).get(f"{BASE}my/awards/")
    assert answer.status_code == 403


def test_a_session_needs_a_csrf_token_for_changes(world):
    bob = world.person("bob")
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    address = f"{BASE}my/consents/"
    assert client.get(address).status_code == 200
    refused = client.post(address, CONSENT, content_type="application/json")
    assert refused.status_code == 403
    assert refused.json()["code"] == "not_allowed"
    assert not Consent.objects.filter(learner_id=bob.pk).exists()

    token = "a" * 32
    client.cookies["csrftoken"] = token
    accepted = client.post(address, CONSENT, content_type="application/json", headers={"x-csrftoken": token})
    assert accepted.status_code == 200
    assert Consent.objects.filter(learner_id=bob.pk, live=True).exists()


def test_somebody_who_has_not_activated_their_account_may_sign_in_as_on_the_platform(db):
    user = get_user_model().objects.create_user("new", is_active=False)
    client = Client()
    client.force_login(user, backend=ALLOW_INACTIVE)
    with override_settings(AUTHENTICATION_BACKENDS=[ALLOW_INACTIVE]):
        assert client.get(f"{BASE}me/").status_code == 200


def test_a_superuser_who_was_deactivated_has_no_power(db):
    user = get_user_model().objects.create_superuser("gone", is_active=False)
    client = Client()
    with override_settings(AUTHENTICATION_BACKENDS=[ALLOW_INACTIVE]):
        client.force_login(user)
        assert client.get(f"{BASE}staff/awards/").status_code == 403


def test_more_requests_than_the_rate_are_put_off(world, as_person, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "API_RATE": "3/min"}
    client = as_person("ann")
    answers = [client.get(f"{BASE}me/") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["code"] == "throttled"
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    # Everybody has their own limit.
    assert as_person("bob").get(f"{BASE}me/").status_code == 200


def test_refused_requests_count_too(world, as_person, settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "API_RATE": "3/min"}
    client = as_person("bob")
    answers = [client.get(f"{BASE}staff/awards/") for _ in range(4)]
    assert [one.status_code for one in answers] == [403, 403, 403, 429]


class TestWhateverThePlatformsSettingsAre:
    """The platform has REST_FRAMEWORK settings of its own, and operators change them."""

    @pytest.fixture(autouse=True)
    def _hostile_settings(self, settings):
        settings.REST_FRAMEWORK = {
            "DEFAULT_SCHEMA_CLASS": "rest_framework.schemas.openapi.AutoSchema",
            "DEFAULT_AUTHENTICATION_CLASSES": [],
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.StaticHTMLRenderer"],
            "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
            "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.ScopedRateThrottle"],
            "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
            "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
            "EXCEPTION_HANDLER": "tests.rest_api.test_signing_in.refuse_to_handle",
            "NON_FIELD_ERRORS_KEY": "errors",
            "COERCE_DECIMAL_TO_STRING": False,
            "DATETIME_FORMAT": "%d/%m/%Y",
            "URL_FORMAT_OVERRIDE": "format",
        }

    def test_authentication_and_form_of_errors_stay(self, world):
        answer = Client().get(f"{BASE}me/", headers={"accept": "text/html"})
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/json"
        assert set(answer.json()) == {"code", "message", "problems"}

    def test_answers_stay(self, world, as_person):
        award = as_person("ann").get(f"{BASE}my/awards/").json()["results"][0]
        assert award["issued_at"].endswith("Z")
        account = as_person("ann").get(f"{BASE}my/credit-account/").json()
        assert account["banks"][0]["credits_in_bank"] == "0"

    def test_problems_of_the_whole_body_stay(self, world, as_person):
        answer = as_person("root").post(f"{BASE}staff/learners/find/", {}, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()["problems"][0]["where"] == ""


def refuse_to_handle(error, context):
    raise AssertionError("the platform's exception handler was asked") from error


def test_nothing_is_left_in_a_cache_between_us_and_the_reader(world, as_person):
    answer = as_person("ann").get(f"{BASE}my/awards/")
    assert "no-store" in answer["Cache-Control"]
    assert "private" in answer["Cache-Control"]
    assert {"Authorization", "Cookie", "Accept-Language"} <= {
        one.strip() for one in answer["Vary"].split(",")
    }
