"""Settings of the test run: a plain Django project into which the plugin is loaded as a platform loads it.

``MICROCRED_TEST_DB`` chooses the database: ``sqlite`` (default) or ``mariadb`` on loopback;
``MICROCRED_TEST_DB_NAME`` its name, so that several runs can stand side by side.
"""

import os
import tempfile
from importlib.util import find_spec

from edx_django_utils.plugins import add_plugins, get_plugin_apps

SECRET_KEY = "only for tests"  # noqa: S105
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.urls"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("th", "ไทย")]
STATIC_URL = "/static/"
MEDIA_ROOT = tempfile.gettempdir() + "/microcred-test-media"

if os.environ.get("MICROCRED_TEST_DB", "sqlite") == "mariadb":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.mysql",
            "NAME": os.environ.get("MICROCRED_TEST_DB_NAME", "microcred"),
            "USER": os.environ.get("MICROCRED_TEST_DB_USER", "microcred"),
            "PASSWORD": os.environ.get("MICROCRED_TEST_DB_PASSWORD", "microcred"),
            "HOST": "127.0.0.1",
            "PORT": os.environ.get("MICROCRED_TEST_DB_PORT", "3306"),
            "ATOMIC_REQUESTS": True,
            "OPTIONS": {"charset": "utf8mb4", "isolation_level": "read committed"},
            "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"},
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("MICROCRED_TEST_SQLITE", ":memory:"),
            "OPTIONS": {"timeout": 20},
            "ATOMIC_REQUESTS": True,
        }
    }

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "waffle",
    "eventtracking.django.apps.EventTrackingConfig",
    *get_plugin_apps("lms.djangoapp"),
    "sandbox.apps.SandboxConfig",
]

# Where openedx-core (1.3 and later, Python 3.12) is installed, its competencies are tried, too.
if find_spec("openedx_learning"):
    INSTALLED_APPS += ["organizations", "openedx_catalog", "openedx_tagging", "openedx_learning"]

MIDDLEWARE = [
    "tests.support.browser.one_at_a_time",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}

# The completion app writes tracking logs; the platform has this app and switch on.
EVENT_TRACKING_ENABLED = True
# As the platform's; each test that signs in by token sets the public key of its own issuer.
JWT_AUTH = {
    "JWT_ISSUERS": [
        {"ISSUER": "https://lms.example.org/oauth2", "AUDIENCE": "lms-key", "SECRET_KEY": "only tests" * 4}
    ],
    "JWT_ISSUER": "https://lms.example.org/oauth2",
    "JWT_AUDIENCE": "lms-key",
    "JWT_AUTH_HEADER_PREFIX": "JWT",
    "JWT_DECODE_HANDLER": "edx_rest_framework_extensions.auth.jwt.decoder.jwt_decode_handler",
}

CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True

MOOC_MICROCRED = {
    "PLATFORM": "tests.support.memory_platform.the_platform",
    "CONTENT": "tests.support.memory_content.the_content",
    "AUTHORING": "tests.support.authors.the_authors",
    "CACHE_TTL": 0,
    "PRIVATE_STORAGE_ROOT": tempfile.gettempdir() + "/microcred-test-private",
    "ENCRYPTION_KEYS": ["o0LzIO6PGNB-RWDIr31q8murRn_RWHdfKuXkHqEnd7w="],
    "IDENTITY_HASH_KEY": "only for the hashes of tests",
    "PUBLIC_URL": "https://lms.example.org",
}

add_plugins(__name__, "lms.djangoapp", "test")
