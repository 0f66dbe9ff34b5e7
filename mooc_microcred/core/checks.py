"""System checks of the settings: what ``manage.py check`` says before anything goes wrong.

Every key of ``core.conf.DEFAULTS`` has a rule here; a test sees to it. What only a process that
reads learners needs (keys, private storage) is asked of those processes only, so that Studio,
which has no platform port, starts without them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import InvalidStorageError, storages
from django.db import connections

from mooc_microcred.core.authoring import Authoring
from mooc_microcred.core.conf import DEFAULTS, microcred_settings
from mooc_microcred.core.content import Content
from mooc_microcred.core.platform import Platform
from mooc_microcred.core.storage import private_storage

TAG = "mooc_microcred"

Rule = Callable[[str, Any], "list[CheckMessage]"]


def _error(number: int, message: str, hint: str = "") -> Error:
    return Error(message, hint=hint or None, id=f"mooc_microcred.E{number:03d}")


def _warning(number: int, message: str, hint: str = "") -> Warning:
    return Warning(message, hint=hint or None, id=f"mooc_microcred.W{number:03d}")


def _absent(number: int, message: str, hint: str) -> Warning:
    """Say that something is not set without which the LMS cannot do its work.

    Only a warning: an error would stop ``migrate``, the build of an image and every other command of
    the platform from the moment of the installation. For ``check --deploy`` and the doctor it is an
    error: see :func:`check_absent_secrets`.
    """
    return _warning(ABSENT + number, message, hint)


# Warnings of what is absent are numbered from here, by the number of the error that each turns into.
ABSENT = 20


# --- rules of single settings ---


def number(
    lowest: float, highest: float | None = None, *, whole: bool = False, optional: bool = False
) -> Rule:
    """Return the rule of a number in a range, both ends inclusive; None is right if ``optional``."""

    def rule(name: str, value: Any) -> list[CheckMessage]:
        if value is None and optional:
            return []
        kinds = (int,) if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            kind = "a whole number" if whole else "a number"
            return [_error(2, f"MOOC_MICROCRED[{name!r}] must be {kind}, not {value!r}.")]
        if value < lowest or (highest is not None and value > highest):
            limits = f"at least {lowest}" if highest is None else f"from {lowest} to {highest}"
            return [_error(3, f"MOOC_MICROCRED[{name!r}] must be {limits}, not {value}.")]
        return []

    return rule


def of_type(kind: type | tuple[type, ...], says: str) -> Rule:
    """Return the rule of a type; ``says`` names it for people."""

    def rule(name: str, value: Any) -> list[CheckMessage]:
        if isinstance(value, kind):
            return []
        return [_error(2, f"MOOC_MICROCRED[{name!r}] must be {says}, not {type(value).__name__}.")]

    return rule


def rate(name: str, value: Any) -> list[CheckMessage]:
    """Check a throttle rate of Django REST framework, such as 120/min; None means no limit."""
    if value is None or (isinstance(value, str) and re.fullmatch(r"[1-9]\d*/(s|m|h|d)[a-z]*", value)):
        return []
    return [
        _error(
            2,
            f"MOOC_MICROCRED[{name!r}] must be a rate such as '120/min', not {value!r}.",
            "The periods are s, min, hour and day.",
        )
    ]


def text(name: str, value: Any) -> list[CheckMessage]:
    """Check a text that must not be empty."""
    if isinstance(value, str) and value.strip():
        return []
    return [_error(2, f"MOOC_MICROCRED[{name!r}] must be a text that is not empty.")]


def texts(name: str, value: Any) -> list[CheckMessage]:
    """Check a list of texts that are not empty."""
    if isinstance(value, (list, tuple)) and all(isinstance(one, str) and one for one in value):
        return []
    return [_error(2, f"MOOC_MICROCRED[{name!r}] must be a list of texts that are not empty.")]


def course_runs(name: str, value: Any) -> list[CheckMessage]:
    """Check a list of keys of course runs."""
    found = texts(name, value)
    if found:
        return found
    wrong = [
        one for one in value if not re.fullmatch(r"(course|ccx)-v1:[^+]+\+[^+]+\+[^+]+(\+ccx@\d+)?", one)
    ]
    return [
        _error(
            2,
            f"MOOC_MICROCRED[{name!r}] must be a list of keys of course runs; {one!r} is none.",
            "Such as course-v1:KMUTT+PY101+2026.",
        )
        for one in wrong
    ]


def host_names(name: str, value: Any) -> list[CheckMessage]:
    """Check a list of names of hosts: no addresses, no ports, no wildcards."""
    found = texts(name, value)
    for host in () if found else value:
        if not re.fullmatch(
            r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])", host
        ):
            found.append(
                _error(
                    2,
                    f"MOOC_MICROCRED[{name!r}] must hold names of hosts such as 'badges.example.org', "
                    f"not {host!r}.",
                    "Small letters, without https:// and port; a name in other letters in its xn-- form.",
                )
            )
    return found


def _platform_port(name: str, value: Any) -> list[CheckMessage]:
    return _port(name, value, Platform)


def _content_port(name: str, value: Any) -> list[CheckMessage]:
    return _port(name, value, Content)


def _authoring_port(name: str, value: Any) -> list[CheckMessage]:
    return _port(name, value, Authoring)


def _port(name: str, value: Any, protocol: type) -> list[CheckMessage]:
    if value is None:
        return []
    try:
        port = microcred_settings.imported(name)
        port = port() if isinstance(port, type) else port
    except Exception as error:  # noqa: BLE001 an import may fail in any way
        return [
            _error(
                7,
                f"MOOC_MICROCRED[{name!r}] names {value!r}, which cannot be loaded: {error}",
                "It is the dotted path of a class that implements "
                f"{protocol.__module__}.{protocol.__name__}.",
            )
        ]
    verbs = [verb for verb in vars(protocol) if not verb.startswith("_")]
    missing = [verb for verb in verbs if not callable(getattr(port, verb, None))]
    if missing:
        kind = protocol.__name__.lower()
        return [_error(7, f"{value!r} is not a {kind} port: it has no {', '.join(sorted(missing))}.")]
    return []


def _encryption_keys(name: str, value: Any) -> list[CheckMessage]:
    how = (
        "Make one with: python -c "
        "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
    )
    if not isinstance(value, (list, tuple)):
        return [_error(4, f"MOOC_MICROCRED[{name!r}] must be a list of keys, the newest first.", how)]
    if not value and _reads_learners():
        return [_absent(4, f"MOOC_MICROCRED[{name!r}] is empty: personal data cannot be encrypted.", how)]
    found: list[CheckMessage] = []
    for position, key in enumerate(value):
        try:
            Fernet(key)
        except (ValueError, TypeError):
            # The key itself is a secret, also a wrong one: only its place is told.
            found.append(_error(4, f"MOOC_MICROCRED[{name!r}][{position}] is not a Fernet key.", how))
    return found


def _fernet_keys(name: str, value: Any) -> list[CheckMessage]:
    """Check a list of keys that may be empty."""
    return [] if isinstance(value, (list, tuple)) and not value else _encryption_keys(name, value)


def _public_url(name: str, value: Any) -> list[CheckMessage]:
    if value is None:
        return []
    # Without TLS only on the machine itself: wallets and verifiers open nothing else.
    if isinstance(value, str) and re.fullmatch(
        r"https://[a-zA-Z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1)(:\d+)?", value
    ):
        return []
    return [
        _error(
            2,
            f"MOOC_MICROCRED[{name!r}] must be an address such as 'https://lms.example.org', not {value!r}.",
            "Scheme and host only, no path and no slash at the end.",
        )
    ]


def _signer(name: str, value: Any) -> list[CheckMessage]:
    try:
        signer = microcred_settings.imported(name)
    except Exception as error:  # noqa: BLE001 an import may fail in any way
        # The error's text might quote what a module of the operator holds: its kind is enough.
        return [_error(7, f"MOOC_MICROCRED[{name!r}] names {value!r}: {type(error).__name__}.")]
    missing = [verb for verb in ("create_key", "sign") if not callable(getattr(signer, verb, None))]
    if missing:
        return [_error(7, f"{value!r} is not a signer: it has no {', '.join(missing)}.")]
    return []


def _identity_hash_key(name: str, value: Any) -> list[CheckMessage]:
    if not isinstance(value, str):
        return [_error(5, f"MOOC_MICROCRED[{name!r}] must be a text.")]
    if not value and _reads_learners():
        return [
            _absent(
                5,
                f"MOOC_MICROCRED[{name!r}] is empty: identity numbers can be neither stored nor found.",
                "Set a random secret of 32 characters or more and keep it: it is not derived from "
                "SECRET_KEY, so that a rotation of that one loses nothing.",
            )
        ]
    if value and value == getattr(django_settings, "SECRET_KEY", None):
        return [_warning(5, f"MOOC_MICROCRED[{name!r}] is the same as SECRET_KEY; give it its own secret.")]
    return []


def _private_storage(name: str, value: Any) -> list[CheckMessage]:
    """Check that files with personal data cannot end up where the web server serves from."""
    if value is not None and not isinstance(value, str):
        return [_error(6, f"MOOC_MICROCRED[{name!r}] must be an alias of STORAGES or a dotted path.")]
    if not value and not microcred_settings.PRIVATE_STORAGE_ROOT:
        if not _reads_learners():
            return []
        return [
            _absent(
                6,
                f"Neither MOOC_MICROCRED[{name!r}] nor 'PRIVATE_STORAGE_ROOT' is set: files with personal "
                "data can be stored nowhere.",
                "Set PRIVATE_STORAGE_ROOT to a folder that the web server does not serve, or "
                "PRIVATE_STORAGE to an alias of STORAGES.",
            )
        ]
    if value in ("default", "staticfiles"):
        return [_error(6, f"MOOC_MICROCRED[{name!r}] must not be {value!r}: that storage is public.")]
    try:
        storage = private_storage()
    except (ImproperlyConfigured, InvalidStorageError, ImportError, TypeError) as error:
        return [
            _error(
                6,
                f"The private storage cannot be opened: {error}",
                "Set PRIVATE_STORAGE_ROOT to a folder that the web server does not serve, or "
                "PRIVATE_STORAGE to an alias of STORAGES.",
            )
        ]
    return [*_served_folders(storage), *_same_as_public(storage)]


def _served_folders(storage) -> Iterable[CheckMessage]:
    location = getattr(storage, "location", None)
    if not location or not hasattr(storage, "base_location"):
        return
    here = Path(location).resolve()
    for setting in ("MEDIA_ROOT", "STATIC_ROOT"):
        served = getattr(django_settings, setting, None)
        if served and Path(served).resolve() in (here, *here.parents):
            yield _error(
                6,
                f"The private storage is at or below {setting} ({served}), which the web server serves.",
                "Move MOOC_MICROCRED['PRIVATE_STORAGE_ROOT'] to a folder of its own.",
            )


def _same_as_public(storage) -> Iterable[CheckMessage]:
    """Find a private storage that is the default one under another name, such as the same bucket."""
    try:
        public = storages["default"]
    except Exception:  # noqa: BLE001 a public storage that cannot be opened is not our finding
        return
    where = [
        (getattr(one, "bucket_name", None), str(getattr(one, "location", "") or "").strip("/"))
        for one in (storage, public)
    ]
    if where[0][0] and where[0] == where[1]:
        yield _error(
            6,
            f"The private storage is the default media storage: bucket {where[0][0]!r}, same location.",
            "Give it a bucket of its own that is not public.",
        )


def _private_root(name: str, value: Any) -> list[CheckMessage]:
    if value is None or (isinstance(value, (str, Path)) and Path(value).is_absolute()):
        return []
    return [_error(6, f"MOOC_MICROCRED[{name!r}] must be an absolute path, not {value!r}.")]


BankCheck = Callable[[Mapping[str, Any]], Iterable[str]]
_bank_check: BankCheck | None = None


def use_bank_check(check: BankCheck) -> None:
    """Let the creditbank room say what is wrong with BANKS; each finding is one sentence."""
    global _bank_check  # noqa: PLW0603
    _bank_check = check


def _banks(name: str, value: Any) -> list[CheckMessage]:
    if not isinstance(value, Mapping):
        return [_error(8, f"MOOC_MICROCRED[{name!r}] must be a dict of banks by code.")]
    if _bank_check is None:
        return []
    hint = "docs/reference/settings.md shows a bank of each kind."
    return [_error(8, str(finding), hint) for finding in _bank_check(value)]


def _miller_stages(name: str, value: Any) -> list[CheckMessage]:
    stages = ("knows", "knows_how", "shows_how", "does")
    if (
        isinstance(value, Mapping)
        and "*" in value
        and all(isinstance(kind, str) and stage in stages for kind, stage in value.items())
    ):
        return []
    return [
        _error(
            2,
            f"MOOC_MICROCRED[{name!r}] must name one of {', '.join(stages)} for each type of block.",
            "The type '*' stands for every type that is not named and must be there.",
        )
    ]


def one_of(*choices: str) -> Rule:
    """Return the rule of a setting that is one of a few words."""

    def rule(name: str, value: Any) -> list[CheckMessage]:
        if value in choices:
            return []
        return [_error(2, f"MOOC_MICROCRED[{name!r}] must be one of {', '.join(choices)}, not {value!r}.")]

    return rule


def _site_name(name: str, value: Any) -> list[CheckMessage]:
    in_languages = isinstance(value, Mapping) and bool(value) and set(value) <= {"th", "en"}
    given = value.values() if in_languages else [value]
    if value is None or all(isinstance(one, str) and one.strip() for one in given):
        return []
    return [_error(2, f"MOOC_MICROCRED[{name!r}] must be a text, or texts by th and en.")]


def page_addresses(name: str, value: Any) -> list[CheckMessage]:
    """Check addresses that pages load from: a path of the platform, or https."""
    given = [] if value is None else [value] if isinstance(value, str) else value
    wrong = not isinstance(given, (list, tuple)) or not all(
        isinstance(one, str) and re.fullmatch(r"(/(?!/)|https://[^/\s;,'\"]+/)[^\s;,'\"]*", one)
        for one in given
    )
    if wrong:
        return [
            _error(
                2,
                f"MOOC_MICROCRED[{name!r}] must hold addresses that begin with / or https://.",
                "Browsers are told to load style sheets and pictures from there and nowhere else.",
            )
        ]
    return []


def first_months(name: str, value: Any) -> list[CheckMessage]:
    """Check the months in which terms begin."""
    if (
        isinstance(value, (list, tuple))
        and value
        and all(type(one) is int and 1 <= one <= 12 for one in value)
        and len(set(value)) == len(value)
    ):
        return []
    return [
        _error(
            2,
            f"MOOC_MICROCRED[{name!r}] must list the first month, 1 to 12, of each term.",
            "In the order of the academic year, such as [8, 1, 6].",
        )
    ]


RULES: dict[str, Rule] = {
    "PLATFORM": _platform_port,
    "CONTENT": _content_port,
    "AUTHORING": _authoring_port,
    "SHARED_ISSUER_ORGANIZATIONS": texts,
    "ALLOWLIST_COURSES": course_runs,
    "CACHE_TTL": number(0, 3600),
    "KICK_INTERVAL": number(0, 3600),
    "COMPLETION_DEBOUNCE": number(0, 3600),
    "EVALUATE_WHEN_EAGER": of_type(bool, "True or False"),
    "LMS_QUEUE": text,
    "EVALUATION_BATCH": number(1, 1000, whole=True),
    "LEASE_SECONDS": number(5, 3600),
    "REVOCATION_GRACE_DAYS": number(0, 365),
    "OUTBOX_MAX_ATTEMPTS": number(1, 100, whole=True),
    "OUTBOX_BACKOFF_FIRST": number(0),
    "OUTBOX_BACKOFF_MAX": number(0),
    "OUTBOX_KEEP_DAYS": number(0),
    "PRIVATE_STORAGE": _private_storage,
    "PRIVATE_STORAGE_ROOT": _private_root,
    "ENCRYPTION_KEYS": _encryption_keys,
    "IDENTITY_HASH_KEY": _identity_hash_key,
    "IDENTITY_RETENTION_DAYS": number(1, optional=True),
    "UPLOAD_MAX_BYTES": number(1024, whole=True),
    "UPLOAD_MAX_ROWS": number(1, whole=True),
    "UPLOAD_MAX_EXPANDED_BYTES": number(1024, whole=True),
    "UPLOAD_KEEP_DAYS": number(1),
    "BANKS": _banks,
    "BANK_MAX_ATTEMPTS": number(1, 100, whole=True),
    "BANK_BACKOFF_FIRST": number(0),
    "BANK_BACKOFF_MAX": number(0),
    "BANK_TIMEOUT": number(1, 300),
    "BANK_CLOCK_SKEW": number(0, 24 * 3600),
    "MASTERY_THRESHOLD": number(0, 100),
    "MASTERY_PIECES": number(1, 1000, whole=True),
    "MILLER_STAGES": _miller_stages,
    "API_RATE": rate,
    "API_UPLOAD_RATE": rate,
    "API_PAGE_SIZE": number(1, 1000, whole=True),
    "PUBLIC_URL": _public_url,
    "ISSUER_KEY_ENCRYPTION_KEYS": _fernet_keys,
    "SIGNER": _signer,
    "DID_KEY_ISSUERS": texts,
    "ISSUE_BATCH": number(1, 5000, whole=True),
    "VERIFY_RATE": rate,
    "VERIFY_ALLOWED_HOSTS": host_names,
    "CREDENTIAL_VISIBILITY": one_of("public", "link", "private"),
    "FUNNEL_REFRESH_HOURS": number(1, 24 * 31, optional=True),
    "FUNNEL_MIN_GROUP": number(1, 1000, whole=True),
    "FUNNEL_TERMS": first_months,
    "PAGE_SITE_NAME": _site_name,
    "PAGE_LOGO": page_addresses,
    "PAGE_STYLESHEETS": page_addresses,
}


def _reads_learners() -> bool:
    """Say whether this process has a platform port; Studio has none."""
    return bool(microcred_settings.PLATFORM)


# --- the checks ---


def check_settings(**_kwargs) -> list[CheckMessage]:
    """Check every key of MOOC_MICROCRED, and the keys that it should not have."""
    given = getattr(django_settings, "MOOC_MICROCRED", {})
    if not isinstance(given, Mapping):
        return [_error(1, f"MOOC_MICROCRED must be a dict, not {type(given).__name__}.")]
    found: list[CheckMessage] = []
    for name in sorted(set(given) - set(DEFAULTS), key=str):
        near = difflib.get_close_matches(str(name).upper(), DEFAULTS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "docs/reference/settings.md lists all settings."
        found.append(_error(1, f"MOOC_MICROCRED has no setting {name!r}.", hint))
    for name, rule in RULES.items():
        found += rule(name, getattr(microcred_settings, name))
    for kind in ("OUTBOX", "BANK"):
        first, longest = f"{kind}_BACKOFF_FIRST", f"{kind}_BACKOFF_MAX"
        waits = getattr(microcred_settings, first), getattr(microcred_settings, longest)
        if all(isinstance(wait, (int, float)) for wait in waits) and waits[0] > waits[1]:
            found.append(_error(3, f"MOOC_MICROCRED[{first!r}] must not be longer than {longest!r}."))
    return found


def is_of_absence(message: CheckMessage) -> bool:
    """Say whether a warning is one of those that :func:`check_absent_secrets` repeats as an error."""
    return message.id in {f"mooc_microcred.W{ABSENT + number:03d}" for number in (4, 5, 6)}


def check_absent_secrets(**_kwargs) -> list[CheckMessage]:
    """Turn into errors what is only a warning to other commands: for ``check --deploy`` and the doctor."""
    return [
        _error(int(str(found.id)[-3:]) - ABSENT, found.msg, found.hint or "")
        for name in ("ENCRYPTION_KEYS", "IDENTITY_HASH_KEY", "PRIVATE_STORAGE")
        for found in RULES[name](name, getattr(microcred_settings, name))
        if is_of_absence(found)
    ]


def check_platform_settings(**_kwargs) -> list[CheckMessage]:
    """Check what the suite needs of Django's and the platform's own settings."""
    found: list[CheckMessage] = []
    if not django_settings.USE_TZ:
        found.append(
            _error(
                11,
                "USE_TZ is False: the suite stores instants in UTC.",
                "Set USE_TZ = True, as Open edX does.",
            )
        )
    if getattr(django_settings, "SERVICE_VARIANT", "") == "lms" and not _reads_learners():
        found.append(
            _error(
                7,
                "This is the LMS, and MOOC_MICROCRED['PLATFORM'] is not set: nothing can be evaluated.",
                "Leave the key out of your settings; the plugin sets it in the LMS.",
            )
        )
    eager = any(
        getattr(django_settings, name, False) for name in ("CELERY_ALWAYS_EAGER", "CELERY_TASK_ALWAYS_EAGER")
    )
    if eager and not django_settings.DEBUG:
        found.append(
            _warning(
                10,
                "Celery is eager outside DEBUG: tasks run inside requests, or wait for the sweeper.",
                "Right for tests and demos only.",
            )
        )
    return found


def check_databases(*, databases=None, **_kwargs) -> list[CheckMessage]:
    """Check the isolation level and character set of MySQL and MariaDB.

    Under REPEATABLE READ a worker would decide by a snapshot from before it held the learner's
    lease, and a claim would hold gaps in which the platform's own INSERTs wait.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if connection.vendor != "mysql":
            continue
        with connection.cursor() as cursor:
            cursor.execute(
                "SHOW VARIABLES WHERE Variable_name IN "
                "('transaction_isolation', 'tx_isolation', 'character_set_connection')"
            )
            variables = dict(cursor.fetchall())
        isolation = variables.get("transaction_isolation") or variables.get("tx_isolation") or ""
        if isolation.upper() not in ("READ-COMMITTED", ""):
            found.append(
                _error(
                    9,
                    f"Database {alias!r} works under {isolation}; the suite needs READ COMMITTED.",
                    "Set OPTIONS['isolation_level'] = 'read committed', as Open edX does.",
                )
            )
        if variables.get("character_set_connection") != "utf8mb4":
            found.append(
                _warning(
                    9,
                    f"Database {alias!r} is not connected as utf8mb4; some names cannot be stored.",
                    "Set OPTIONS['charset'] = 'utf8mb4'.",
                )
            )
    return found


def register_checks() -> None:
    """Register the checks with Django; again is harmless."""
    register(check_settings, TAG)
    register(check_absent_secrets, TAG, deploy=True)
    register(check_platform_settings, TAG)
    register(check_databases, TAG, Tags.database)
