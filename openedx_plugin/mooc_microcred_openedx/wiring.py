"""The receivers that ``plugin_app`` cannot name, because their signals are not in every release or process.

``plugin_app`` names the rest; the platform connects those in the LMS or in Studio only.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from operator import attrgetter

from django.apps import apps
from django.db.models.signals import post_save
from django.dispatch import Signal

from mooc_microcred.competencies.api import use_competency_source, use_taxonomies
from mooc_microcred.core.conf import microcred_settings
from mooc_microcred_openedx import authoring_receivers, receivers
from mooc_microcred_openedx.core_competencies import core_competencies
from mooc_microcred_openedx.taxonomy import PlatformTaxonomies

EXAM_ATTEMPT_SIGNALS = (
    "EXAM_ATTEMPT_SUBMITTED",
    "EXAM_ATTEMPT_VERIFIED",
    "EXAM_ATTEMPT_REJECTED",
    "EXAM_ATTEMPT_ERRORED",
    "EXAM_ATTEMPT_RESET",
)
RETIREMENT_SIGNALS = ("USER_RETIRE_LMS_MISC", "USER_RETIRE_LMS_CRITICAL")


def connect_optional_receivers() -> None:
    """Connect what there is to connect; again is harmless.

    What concerns learners is connected where a platform port is set: in the LMS, not in Studio.
    """
    _connect(
        "openedx_events.content_authoring.signals", "COURSE_RERUN_COMPLETED", receivers.course_rerun_completed
    )
    # COURSE_CATALOG_INFO_CHANGED is sent only where the operator has set SEND_CATALOG_INFO_SIGNAL.
    _connect("xmodule.modulestore.django", "SignalHandler.course_published", receivers.course_published)
    use_taxonomies(PlatformTaxonomies())
    use_competency_source(core_competencies())
    _connect_authoring()
    if microcred_settings.PLATFORM is None:
        return
    _connect(
        "openedx_events.learning.signals",
        "PERSISTENT_SUBSECTION_GRADE_CHANGED",
        receivers.subsection_grade_changed,
    )
    for name in EXAM_ATTEMPT_SIGNALS:
        _connect("openedx_events.learning.signals", name, receivers.exam_attempt_changed)
    for name in RETIREMENT_SIGNALS:
        _connect("openedx.core.djangoapps.user_api.accounts.signals", name, receivers.learner_retired)
    if apps.is_installed("completion"):
        post_save.connect(
            receivers.block_completed,
            sender="completion.BlockCompletion",
            dispatch_uid="mooc_microcred_openedx.block_completed",
        )


def _connect_authoring() -> None:
    """Connect what is sent where content is published, imported, deleted and tagged: in Studio."""
    for name, receiver in (
        ("XBLOCK_PUBLISHED", authoring_receivers.block_published),
        ("XBLOCK_DELETED", authoring_receivers.block_deleted),
        ("COURSE_IMPORT_COMPLETED", authoring_receivers.course_imported),
        ("COURSE_RERUN_COMPLETED", authoring_receivers.content_rerun_completed),
        ("CONTENT_OBJECT_ASSOCIATIONS_CHANGED", authoring_receivers.object_tagged),
    ):
        _connect("openedx_events.content_authoring.signals", name, receiver)
    for name, receiver in (
        ("SignalHandler.course_published", authoring_receivers.content_published),
        ("SignalHandler.course_deleted", authoring_receivers.course_deleted),
    ):
        _connect("xmodule.modulestore.django", name, receiver)


def _connect(module: str, name: str, receiver) -> None:
    """Connect a receiver to the signal ``name`` of a module, where both are there."""
    with suppress(ModuleNotFoundError, AttributeError):
        signal = attrgetter(name)(import_module(module))
        if isinstance(signal, Signal):
            signal.connect(receiver, dispatch_uid=f"mooc_microcred_openedx.{receiver.__name__}")
