"""Settings of the sandbox: a Django project that loads plugins as the platform does, on SQLite.

Everything that it writes lies in one folder, MICROCRED_SANDBOX_DIR (``build/sandbox`` below the current
one unless the variable is set). Never put it on a network: its passwords are public.
"""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet
from edx_django_utils.plugins import add_plugins, get_plugin_apps

DATA = Path(os.environ.get("MICROCRED_SANDBOX_DIR", "build/sandbox")).resolve()
DATA.mkdir(parents=True, exist_ok=True)


def _secrets() -> dict[str, str]:
    """Return this sandbox's own secrets, made when it is first started."""
    file = DATA / "secrets.json"
    if not file.exists():
        made = {
            "secret_key": secrets.token_urlsafe(40),
            "encryption_key": Fernet.generate_key().decode(),
            "identity_hash_key": secrets.token_urlsafe(32),
            "bank_secret": secrets.token_urlsafe(32),
        }
        part = DATA / f"secrets.{os.getpid()}.part"
        part.write_text(json.dumps(made), encoding="utf-8")
        part.chmod(0o600)
        # Of two processes that start at once, the first one's secrets stay.
        with suppress(FileExistsError):
            os.link(part, file)
        part.unlink()
    return json.loads(file.read_text(encoding="utf-8"))


_SECRETS = _secrets()

SECRET_KEY = _SECRETS["secret_key"]
DEBUG = True
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]
ROOT_URLCONF = "sandbox.urls"
WSGI_APPLICATION = "sandbox.wsgi.application"
USE_TZ = True
TIME_ZONE = "Asia/Bangkok"
LANGUAGE_CODE = "en"
LANGUAGES = [("th", "ไทย"), ("en", "English")]
STATIC_URL = "/static/"
MEDIA_ROOT = DATA / "media"
LOGIN_URL = "sandbox:login"
LOGIN_REDIRECT_URL = "sandbox:home"
LOGOUT_REDIRECT_URL = "sandbox:home"
SESSION_COOKIE_SAMESITE = "Lax"

DATABASES = {
    "default": {
        "ENGINE": "sandbox.sqlite",
        "NAME": DATA / "sandbox.sqlite3",
        "ATOMIC_REQUESTS": True,
        "OPTIONS": {"timeout": 30},
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

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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

# The completion app writes tracking logs, as in the platform.
EVENT_TRACKING_ENABLED = True

# There is no broker: what receivers would hand to a worker stays in the tables, and the sandbox's worker
# (``microcred_sweep --loop``) finds it there, as a sweeper finds what a broker has lost.
CELERY_TASK_ALWAYS_EAGER = True

BANK_URL = os.environ.get("MICROCRED_SANDBOX_BANK_URL", "http://127.0.0.1:8001")

MOOC_MICROCRED = {
    "PLATFORM": "sandbox.platform.SandboxPlatform",
    "CONTENT": "sandbox.studio.content.SandboxContent",
    "AUTHORING": "sandbox.studio.authoring.SandboxAuthoring",
    "CACHE_TTL": 1,
    "COMPLETION_DEBOUNCE": 1,
    # Somebody who tries things out by script is not an attack.
    "API_RATE": "1200/min",
    "API_UPLOAD_RATE": "120/min",
    "PRIVATE_STORAGE_ROOT": str(DATA / "private"),
    "ENCRYPTION_KEYS": [_SECRETS["encryption_key"]],
    "IDENTITY_HASH_KEY": _SECRETS["identity_hash_key"],
    "PAGE_SITE_NAME": {"th": "มูกจำลอง", "en": "Sandbox MOOC"},
    # Part of the id of every credential: where the pages are served.
    "PUBLIC_URL": os.environ.get("MICROCRED_SANDBOX_PUBLIC_URL", "http://localhost:8000"),
    "BANKS": {
        "sandbox-bank": {
            "backend": "mooc_microcred.creditbank.backends.https_json.HttpsJsonBackend",
            "name": {"th": "คลังหน่วยกิตจำลอง", "en": "Sandbox credit bank"},
            "consent_text": {
                "version": "2026-1",
                "th": "ข้าพเจ้ายินยอมให้ส่งชื่อ เลขประจำตัวประชาชนหรือเลขหนังสือเดินทาง ผลลัพธ์การเรียนรู้"
                " จำนวนหน่วยกิต และวิธีการประเมินของข้าพเจ้าไปยังคลังหน่วยกิตจำลอง เพื่อสะสมหน่วยกิต"
                " ข้าพเจ้าถอนความยินยอมได้ทุกเมื่อ โดยสิ่งที่ส่งไปแล้วยังคงอยู่ในคลังหน่วยกิต",
                "en": "I agree that my name, the number of my national ID or passport, my learning outcomes,"
                " the number of credits and the method of assessment are sent to the sandbox credit bank to"
                " accumulate credit. I may withdraw my consent at any time; what was sent stays in the bank.",
            },
            "options": {
                "url": f"{BANK_URL}/deliveries",
                "key_id": "sandbox",
                "secret": _SECRETS["bank_secret"],
                "timeout": 5,
                # The bank is a process on this machine; any other is reached by https only.
                "allow_http_on_loopback": True,
            },
        }
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

add_plugins(__name__, "lms.djangoapp", "common")
