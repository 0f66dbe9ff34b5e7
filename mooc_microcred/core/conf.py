"""The settings of the suite: one dict, ``MOOC_MICROCRED``, with documented defaults."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

# .. setting_name: MOOC_MICROCRED
# .. setting_default: {}
# .. setting_description: Everything that can be set of the suite, as one dict. What is left out has
#     its default below; docs/reference/settings.md describes each key for operators, and
#     ``manage.py check`` tells every wrong value and every key that is not one of these.
DEFAULTS: dict[str, Any] = {
    # Dotted path of the class that implements core.platform.Platform. The plugin sets it to its
    # gateway in the LMS; it stays None in Studio, which never reads learners.
    "PLATFORM": None,
    # Dotted path of the class that implements core.content.Content. The plugin sets it to the module
    # store in the LMS and in Studio.
    "CONTENT": None,
    # Dotted path of the class that implements core.authoring.Authoring. The plugin sets it: Studio's own
    # permissions in Studio; in the LMS nobody edits, and the staff of a course see what its authors see.
    "AUTHORING": None,
    # Short names of organisations, such as the platform's own, whose issuers may award for all others.
    "SHARED_ISSUER_ORGANIZATIONS": [],
    # Seconds for which a process may use its set of courses that have achievements.
    "CACHE_TTL": 60,
    # Seconds between two kicks of the evaluation task by one process.
    "KICK_INTERVAL": 2,
    # Seconds into which the completions of one learner in one course are gathered.
    "COMPLETION_DEBOUNCE": 60,
    # .. toggle_name: MOOC_MICROCRED['EVALUATE_WHEN_EAGER']
    # .. toggle_implementation: DjangoSetting
    # .. toggle_default: False
    # .. toggle_description: Whether evaluation runs inside the request when Celery is eager.
    # .. toggle_use_cases: open_edx
    # .. toggle_creation_date: 2026-11-21
    # .. toggle_warning: For demos and tests only: a learner's request would wait for it.
    "EVALUATE_WHEN_EAGER": False,
    # Keys of course runs in which learners who meet our own criteria may be put on the platform's
    # list of exceptions, where it refuses them a certificate (Level 1, own_with_platform).
    "ALLOWLIST_COURSES": [],
    # The queue that LMS workers consume; tasks that read learners are sent there by name.
    "LMS_QUEUE": "edx.lms.core.default",
    # Evaluation requests that a worker claims at a time.
    "EVALUATION_BATCH": 200,
    # Seconds for which a worker owns a learner, and a claimed request stays invisible to others.
    "LEASE_SECONDS": 120,
    # Days for which an award stays suspended before it is revoked, when its certificate has
    # turned notpassing or unverified.
    "REVOCATION_GRACE_DAYS": 7,
    # Outbox: attempts before a message is dead, first and longest wait in seconds, days to keep.
    "OUTBOX_MAX_ATTEMPTS": 12,
    "OUTBOX_BACKOFF_FIRST": 5,
    "OUTBOX_BACKOFF_MAX": 3600,
    "OUTBOX_KEEP_DAYS": 30,
    # Django storage alias (in STORAGES) or dotted path of the storage of personal files; None
    # means a FileSystemStorage without URL in PRIVATE_STORAGE_ROOT.
    "PRIVATE_STORAGE": None,
    "PRIVATE_STORAGE_ROOT": None,
    # Keys of Fernet (44 characters, urlsafe base64), the newest first: personal data at rest.
    "ENCRYPTION_KEYS": [],
    # Secret of the keyed hash by which identity numbers are looked up. Never rotate it without
    # `microcred_identity rehash`, or no number will be found any more.
    "IDENTITY_HASH_KEY": "",
    # Days for which a verified identity is kept after it was last needed; None means until retirement.
    "IDENTITY_RETENTION_DAYS": None,
    # Exam result files.
    "UPLOAD_MAX_BYTES": 10 * 1024 * 1024,
    "UPLOAD_MAX_ROWS": 50_000,
    "UPLOAD_MAX_EXPANDED_BYTES": 200 * 1024 * 1024,
    "UPLOAD_KEEP_DAYS": 180,
    # Credit banks by code; see docs/reference/settings.md.
    "BANKS": {},
    # Deliveries to a bank: attempts before a dead letter, waits in seconds, timeout in seconds.
    "BANK_MAX_ATTEMPTS": 12,
    "BANK_BACKOFF_FIRST": 30,
    "BANK_BACKOFF_MAX": 6 * 3600,
    "BANK_TIMEOUT": 20,
    # Seconds by which a bank's clock may differ from ours. A bank does nothing with a message that
    # is older, so only after it does "I do not know this message" mean that it never will.
    "BANK_CLOCK_SKEW": 300,
    # Criteria of competencies that have none of their own: the weighted mean, in percent, that the scored
    # pieces must reach, and how many pieces there must be.
    "MASTERY_THRESHOLD": 70,
    "MASTERY_PIECES": 1,
    # Miller's stage at which a type of block shows a competency; "*" is every other type.
    "MILLER_STAGES": {"*": "knows_how", "openassessment": "shows_how", "edx_sga": "shows_how"},
    # Requests per minute of one user to the REST API (DRF throttle rates).
    "API_RATE": "120/min",
    "API_UPLOAD_RATE": "20/min",
    "API_PAGE_SIZE": 50,
    # Where people and machines reach the suite's public pages: "https://host" without a slash at the
    # end. It is part of the id of every credential, for ever. None means Django's LMS_ROOT_URL.
    "PUBLIC_URL": None,
    # Fernet keys, the newest first, by which the private keys of issuers are encrypted at rest. Empty
    # means those of ENCRYPTION_KEYS.
    "ISSUER_KEY_ENCRYPTION_KEYS": [],
    # Dotted path of the class that holds the private keys of issuers and signs with them; another
    # one lets a KMS or HSM do so. See docs/reference/credentials.md.
    "SIGNER": "mooc_microcred.credentials.signers.DatabaseSigner",
    # Codes of issuers whose credentials name a did:key instead of the did:web: they can be verified
    # without a network, and the issuer's key can never be changed.
    "DID_KEY_ISSUERS": [],
    # Credentials that are signed in one transaction.
    "ISSUE_BATCH": 500,
    # Checking a credential needs no account: requests per minute of one IP address or person.
    "VERIFY_RATE": "30/min",
    # Hosts of foreign issuers whose keys, status lists and vocabularies may be fetched (https only)
    # when somebody has a credential checked. Empty: nothing is ever fetched.
    "VERIFY_ALLOWED_HOSTS": [],
    # Who sees a credential of a learner who has not decided: "public", "link" or "private".
    "CREDENTIAL_VISIBILITY": "link",
    # The figures of the programme office: hours after which they are counted anew (None: never); below how
    # many learners a figure is not told to who is no programme officer there; the first months of the
    # terms, in the order of the academic year.
    "FUNNEL_REFRESH_HOURS": 24,
    "FUNNEL_MIN_GROUP": 5,
    "FUNNEL_TERMS": [8, 1, 6],
    # What the public pages have around them: the platform's name, as a text or {"th": ..., "en": ...}
    # (None means Django's PLATFORM_NAME), the address of its logo, and style sheets that come after ours.
    "PAGE_SITE_NAME": None,
    "PAGE_LOGO": None,
    "PAGE_STYLESHEETS": [],
}


class Settings:
    """Attribute access to ``MOOC_MICROCRED`` with defaults; follows ``override_settings``."""

    def __init__(self):
        self._values: dict[str, Any] | None = None
        self._imported: dict[str, Any] = {}

    def _load(self) -> dict[str, Any]:
        if self._values is None:
            self._values = {**DEFAULTS, **getattr(django_settings, "MOOC_MICROCRED", {})}
        return self._values

    def __getattr__(self, name: str) -> Any:
        if name not in DEFAULTS:
            raise AttributeError(f"MOOC_MICROCRED has no setting {name!r}")
        return self._load()[name]

    def imported(self, name: str) -> Any:
        """Return the object that setting ``name`` names by dotted path, or None."""
        path = getattr(self, name)
        if not isinstance(path, str):
            return path
        if path not in self._imported:
            self._imported[path] = import_string(path)
        return self._imported[path]

    def reload(self) -> None:
        """Forget what was read; the next access reads Django's settings again."""
        self._values = None


microcred_settings = Settings()


def _reload_on_change(*, setting: str, **_kwargs) -> None:
    if setting == "MOOC_MICROCRED":
        microcred_settings.reload()


setting_changed.connect(_reload_on_change, dispatch_uid="mooc_microcred.core.conf")
