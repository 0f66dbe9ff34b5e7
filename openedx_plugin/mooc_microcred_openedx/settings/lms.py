"""Settings of the LMS and its workers: they read learners, so they have a platform port."""

from pathlib import Path

from mooc_microcred_openedx.settings import common

MAKO_TEMPLATES = Path(__file__).parents[1] / "mako"

_STEPS = "mooc_microcred_openedx.filters."
#: What is appended to the pipeline of each filter; a filter that a release does not have is never run.
FILTERS = {
    "org.openedx.learning.dashboard.render.started.v1": _STEPS + "DashboardPanel",
    "org.openedx.learning.home.courserun.api.rendered.started.v1": _STEPS + "CourseRunCard",
    "org.openedx.learning.home.enrollment.api.rendered.v1": _STEPS + "EnrollmentCard",
    "org.openedx.learning.certificate.render.started.v1": _STEPS + "CertificatePanel",
    "org.openedx.learning.instructor.dashboard.render.started.v1": _STEPS + "CourseSection",
    "org.openedx.learning.instructor.dashboard.tabs.requested.v1": _STEPS + "CourseTab",
}
#: Our public events, each with the field that keeps what is about one thing in order on the bus.
BUS_TOPIC = "mooc-microcred-lifecycle"
BUS_EVENTS = {
    "org.mooc_microcred.learning.award.issued.v1": "award.uuid",
    "org.mooc_microcred.learning.award.revoked.v1": "award.uuid",
    "org.mooc_microcred.learning.credit.deposited.v1": "credit.key",
}


def plugin_settings(settings):
    """Name the gateway to edx-platform, unless the operator names another one, and show what there is."""
    common.plugin_settings(settings)
    settings.MOOC_MICROCRED.setdefault("PLATFORM", "mooc_microcred_openedx.gateway.EdxPlatform")
    settings.MOOC_MICROCRED.setdefault("AUTHORING", "mooc_microcred_openedx.authoring.CourseStaff")
    append_filter_steps(settings)
    append_bus_events(settings)
    folders = getattr(settings, "MAKO_TEMPLATE_DIRS_BASE", None)
    if folders is not None and MAKO_TEMPLATES not in folders:
        folders.append(MAKO_TEMPLATES)


def append_bus_events(settings):
    """Say how our events go to the event bus, switched off unless the operator switches them on."""
    config = dict(getattr(settings, "EVENT_BUS_PRODUCER_CONFIG", None) or {})
    for event_type, key in BUS_EVENTS.items():
        config.setdefault(event_type, {BUS_TOPIC: {"event_key_field": key, "enabled": False}})
    settings.EVENT_BUS_PRODUCER_CONFIG = config


def append_filter_steps(settings):
    """Append our steps to the operator's pipelines, whatever form these have; again is harmless."""
    config = dict(getattr(settings, "OPEN_EDX_FILTERS_CONFIG", None) or {})
    for name, step in FILTERS.items():
        found = config.get(name) or {}
        # openedx-filters also takes a list of steps, or one alone, for the whole configuration.
        if isinstance(found, str):
            found = {"pipeline": [found]}
        elif isinstance(found, (list, tuple)):
            found = {"pipeline": list(found)}
        pipeline = found.get("pipeline") or []
        pipeline = [pipeline] if isinstance(pipeline, str) else list(pipeline)
        if step not in pipeline:
            pipeline.append(step)
        config[name] = {"fail_silently": True, **found, "pipeline": pipeline}
    settings.OPEN_EDX_FILTERS_CONFIG = config
