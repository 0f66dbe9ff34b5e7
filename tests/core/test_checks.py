import ast
import re
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.checks import ERROR, run_checks
from django.db import connection

from mooc_microcred.core import checks
from mooc_microcred.core.conf import DEFAULTS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def configure(settings):
    def change(**changes):
        settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, **changes}

    return change


def found(databases=None) -> dict[str, str]:
    """Return the messages of the suite's checks, without the eager Celery that every test run has."""
    messages = run_checks(tags=[checks.TAG], databases=databases)
    return {
        message.id.removeprefix("mooc_microcred."): f"{message.msg} {message.hint or ''}"
        for message in messages
        if message.id != "mooc_microcred.W010"
    }


def test_every_setting_has_a_rule_and_no_rule_is_left_over():
    assert set(checks.RULES) == set(DEFAULTS)


def test_the_test_run_s_own_settings_are_right():
    assert found() == {}


def test_the_defaults_alone_are_right_in_studio(settings):
    settings.MOOC_MICROCRED = {}
    assert found() == {}


def test_the_lms_misses_its_port_its_keys_and_its_storage(settings):
    settings.SERVICE_VARIANT = "lms"
    settings.MOOC_MICROCRED = {}
    assert set(found()) == {"E007"}
    settings.MOOC_MICROCRED = {"PLATFORM": "tests.support.memory_platform.the_platform"}
    assert set(found()) == {"W024", "W025", "W026"}


def test_absent_secrets_stop_no_command_but_are_errors_before_a_deployment(settings):
    """An error would stop migrate and the build of an image from the moment of the installation."""
    settings.MOOC_MICROCRED = {"PLATFORM": "tests.support.memory_platform.the_platform"}
    assert all(message.level < ERROR for message in run_checks(tags=[checks.TAG]))
    deployment = run_checks(tags=[checks.TAG], include_deployment_checks=True)
    assert {message.id for message in deployment if message.level >= ERROR} == {
        "mooc_microcred.E004",
        "mooc_microcred.E005",
        "mooc_microcred.E006",
    }


def test_secrets_that_are_there_and_wrong_are_errors_for_every_command(configure):
    configure(ENCRYPTION_KEYS=["short"], IDENTITY_HASH_KEY=7, PRIVATE_STORAGE="default")
    assert set(found()) == {"E004", "E005", "E006"}


def test_a_mistyped_name_is_told_with_the_right_one(configure):
    configure(CASHE_TTL=5, completion_debounce=3)
    messages = [m for m in run_checks(tags=[checks.TAG]) if m.id == "mooc_microcred.E001"]
    assert [(m.msg, m.hint) for m in messages] == [
        ("MOOC_MICROCRED has no setting 'CASHE_TTL'.", "Did you mean 'CACHE_TTL'?"),
        ("MOOC_MICROCRED has no setting 'completion_debounce'.", "Did you mean 'COMPLETION_DEBOUNCE'?"),
    ]


def test_a_list_instead_of_the_dict_is_one_error_not_a_crash(settings):
    settings.MOOC_MICROCRED = ["CACHE_TTL"]
    assert set(found()) == {"E001"}


WRONG = [
    ("PLATFORM", "no.such.module.Port", "E007"),
    ("PLATFORM", "mooc_microcred.core.clock.now", "E007"),
    ("SHARED_ISSUER_ORGANIZATIONS", "KMUTT", "E002"),
    ("SHARED_ISSUER_ORGANIZATIONS", [""], "E002"),
    ("ALLOWLIST_COURSES", "course-v1:KMUTT+PY101+2026", "E002"),
    ("ALLOWLIST_COURSES", ["KMUTT+PY101"], "E002"),
    ("CACHE_TTL", "60", "E002"),
    ("CACHE_TTL", -1, "E003"),
    ("KICK_INTERVAL", None, "E002"),
    ("COMPLETION_DEBOUNCE", True, "E002"),
    ("EVALUATE_WHEN_EAGER", "yes", "E002"),
    ("LMS_QUEUE", "", "E002"),
    ("EVALUATION_BATCH", 0, "E003"),
    ("EVALUATION_BATCH", 1.5, "E002"),
    ("LEASE_SECONDS", 1, "E003"),
    ("REVOCATION_GRACE_DAYS", -7, "E003"),
    ("OUTBOX_MAX_ATTEMPTS", 0, "E003"),
    ("OUTBOX_BACKOFF_FIRST", 7200, "E003"),
    ("BANK_BACKOFF_FIRST", 10**6, "E003"),
    ("OUTBOX_BACKOFF_MAX", "1h", "E002"),
    ("OUTBOX_KEEP_DAYS", -1, "E003"),
    ("PRIVATE_STORAGE", 5, "E006"),
    ("PRIVATE_STORAGE", "default", "E006"),
    ("PRIVATE_STORAGE", "no_such_alias", "E006"),
    ("PRIVATE_STORAGE", "no.such.Storage", "E006"),
    ("PRIVATE_STORAGE_ROOT", "relative/path", "E006"),
    ("ENCRYPTION_KEYS", "one key", "E004"),
    ("ENCRYPTION_KEYS", [], "W024"),
    ("ENCRYPTION_KEYS", ["short"], "E004"),
    ("ENCRYPTION_KEYS", [None], "E004"),
    ("IDENTITY_HASH_KEY", "", "W025"),
    ("IDENTITY_HASH_KEY", b"bytes", "E005"),
    ("IDENTITY_HASH_KEY", "only for tests", "W005"),
    ("IDENTITY_RETENTION_DAYS", 0, "E003"),
    ("UPLOAD_MAX_BYTES", 10, "E003"),
    ("UPLOAD_MAX_ROWS", 0, "E003"),
    ("UPLOAD_MAX_EXPANDED_BYTES", "200 MB", "E002"),
    ("UPLOAD_KEEP_DAYS", 0, "E003"),
    ("BANKS", ["bank"], "E008"),
    ("BANK_MAX_ATTEMPTS", 0, "E003"),
    ("BANK_BACKOFF_MAX", -1, "E003"),
    ("BANK_TIMEOUT", 0, "E003"),
    ("BANK_CLOCK_SKEW", -1, "E003"),
    ("CONTENT", "no.such.module.Content", "E007"),
    ("CONTENT", "mooc_microcred.core.clock.now", "E007"),
    ("AUTHORING", "no.such.module.Authoring", "E007"),
    ("AUTHORING", "mooc_microcred.core.clock.now", "E007"),
    ("MASTERY_THRESHOLD", 101, "E003"),
    ("MASTERY_PIECES", 0, "E003"),
    ("FUNNEL_REFRESH_HOURS", 0, "E003"),
    ("FUNNEL_MIN_GROUP", 0, "E003"),
    ("FUNNEL_TERMS", [8, 8], "E002"),
    ("FUNNEL_TERMS", [13], "E002"),
    ("MILLER_STAGES", {"problem": "knows"}, "E002"),
    ("MILLER_STAGES", {"*": "guesses"}, "E002"),
    ("API_RATE", "often", "E002"),
    ("API_UPLOAD_RATE", 20, "E002"),
    ("API_PAGE_SIZE", 0, "E003"),
    ("PUBLIC_URL", "lms.example.org", "E002"),
    ("PUBLIC_URL", "http://lms.example.org", "E002"),
    ("PUBLIC_URL", "https://lms.example.org/", "E002"),
    ("ISSUER_KEY_ENCRYPTION_KEYS", ["short"], "E004"),
    ("SIGNER", "no.such.module.Signer", "E007"),
    ("SIGNER", "mooc_microcred.core.clock.now", "E007"),
    ("DID_KEY_ISSUERS", "kmutt", "E002"),
    ("ISSUE_BATCH", 0, "E003"),
    ("VERIFY_RATE", "often", "E002"),
    ("CREDENTIAL_VISIBILITY", "friends", "E002"),
    ("PAGE_SITE_NAME", {"de": "Plattform"}, "E002"),
    ("PAGE_LOGO", "javascript:alert(1)", "E002"),
    ("PAGE_STYLESHEETS", ["https://cdn.example.org/a.css; script-src *"], "E002"),
    ("VERIFY_ALLOWED_HOSTS", "badges.example.org", "E002"),
    ("VERIFY_ALLOWED_HOSTS", ["https://badges.example.org"], "E002"),
    ("VERIFY_ALLOWED_HOSTS", ["*.example.org"], "E002"),
    ("VERIFY_ALLOWED_HOSTS", ["127.0.0.1"], "E002"),
]


@pytest.mark.parametrize(("name", "value", "code"), WRONG)
def test_a_wrong_value_is_told_under_its_name(configure, name, value, code):
    configure(**{name: value})
    messages = found()
    assert code in messages
    assert name in messages[code] or "storage" in messages[code].lower() or str(value) in messages[code]


def test_every_setting_was_tried_with_a_wrong_value():
    assert {name for name, _, _ in WRONG} == set(DEFAULTS)


def test_a_wrong_key_is_told_by_its_place_not_by_its_value(configure):
    configure(ENCRYPTION_KEYS=[Fernet.generate_key().decode(), "my secret key"])
    assert "[1]" in found()["E004"]
    assert "my secret key" not in found()["E004"]


@pytest.mark.parametrize("setting", ["MEDIA_ROOT", "STATIC_ROOT"])
@pytest.mark.parametrize("below", ["", "private/exams"])
def test_private_files_must_not_be_where_the_web_server_serves(settings, configure, tmp_path, setting, below):
    setattr(settings, setting, str(tmp_path / "served"))
    configure(PRIVATE_STORAGE_ROOT=str(tmp_path / "served" / below))
    assert setting in found()["E006"]


def test_a_folder_beside_the_served_one_is_right(settings, configure, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")
    configure(PRIVATE_STORAGE_ROOT=str(tmp_path / "media-private"))
    assert found() == {}


def test_a_link_into_the_served_folder_is_seen_through(settings, configure, tmp_path):
    (tmp_path / "media").mkdir()
    (tmp_path / "vault").symlink_to(tmp_path / "media")
    settings.MEDIA_ROOT = str(tmp_path / "media")
    configure(PRIVATE_STORAGE_ROOT=str(tmp_path / "vault"))
    assert "MEDIA_ROOT" in found()["E006"]


class Bucket:
    """What the check looks at in a storage of django-storages."""

    # With defaults, because overriding STORAGES on Django 4.2 loses the options of "default".
    def __init__(self, bucket_name="site", location="media"):
        self.bucket_name = bucket_name
        self.location = location


@pytest.mark.parametrize(("location", "wrong"), [("media", True), ("/media/", True), ("private", False)])
def test_the_default_bucket_under_another_name_is_recognised(settings, configure, location, wrong):
    backend = f"{__name__}.Bucket"
    settings.STORAGES = {
        "default": {"BACKEND": backend},
        "staticfiles": settings.STORAGES["staticfiles"],
        "vault": {"BACKEND": backend, "OPTIONS": {"bucket_name": "site", "location": location}},
    }
    configure(PRIVATE_STORAGE="vault")
    assert ("E006" in found()) is wrong


def test_a_missing_verb_of_the_platform_port_is_named(configure):
    class Half:
        def read_states(self, queries):
            return {}

    configure(PLATFORM=Half)
    assert "read_enrolments" in found()["E007"]
    assert "read_states," not in found()["E007"]


def test_naive_times_are_an_error(settings):
    settings.USE_TZ = False
    assert "E011" in found()


@pytest.mark.parametrize("name", ["CELERY_ALWAYS_EAGER", "CELERY_TASK_ALWAYS_EAGER"])
def test_eager_celery_is_a_warning_in_production_only(settings, name):
    settings.CELERY_TASK_ALWAYS_EAGER = False
    setattr(settings, name, True)
    assert "mooc_microcred.W010" in [m.id for m in run_checks(tags=[checks.TAG])]
    settings.DEBUG = True
    assert "mooc_microcred.W010" not in [m.id for m in run_checks(tags=[checks.TAG])]


@pytest.mark.django_db
def test_the_database_of_the_test_run_is_right():
    assert found(databases=["default"]) == {}


@pytest.mark.django_db
def test_repeatable_read_is_an_error_on_mysql():
    if connection.vendor != "mysql":
        pytest.skip("only MySQL and MariaDB have it")
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        try:
            assert "REPEATABLE-READ" in found(databases=["default"])["E009"]
        finally:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")


def test_the_settings_reference_describes_every_setting_with_its_default():
    page = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### `([A-Z_]+)`\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))
    assert set(sections) == set(DEFAULTS)
    for name, section in sections.items():
        told = re.search(r"\*\*Default:\*\*\s+`([^`]*)`", section)
        assert told, name
        assert ast.literal_eval(told[1]) == DEFAULTS[name], name
