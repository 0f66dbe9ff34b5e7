"""Starts as an LMS or as a Studio and prints what of the suite is registered there.

python -m tests.openedx.process lms.djangoapp
"""

import json
import os
import sys


def main(project: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = (
        "tests.settings" if project == "lms.djangoapp" else "tests.openedx.studio_settings"
    )
    import django

    django.setup()
    from completion.models import BlockCompletion
    from django.apps import apps
    from django.conf import settings
    from django.contrib import admin
    from django.db.models.signals import post_save
    from django.urls import get_resolver
    from edx_django_utils.plugins import connect_plugin_receivers
    from openedx_events.tooling import OpenEdxPublicSignal, load_all_signals

    from tests.celery_app import app
    from tests.support.plugin import connect_receivers

    if project == "lms.djangoapp":
        connect_receivers()
    else:
        connect_plugin_receivers(project)

    def ours(signal, **sender):
        found = signal._live_receivers(sender.get("sender"))
        # Django 5 returns synchronous and asynchronous receivers apart.
        if isinstance(found, tuple):
            found = [*found[0], *found[1]]
        return sorted(one.__name__ for one in found if one.__module__.startswith("mooc_microcred"))

    load_all_signals()
    receivers = {}
    for signal in OpenEdxPublicSignal.all_events():
        if names := ours(signal):
            receivers[signal.event_type] = names
    app.loader.import_default_modules()
    json.dump(
        {
            "receivers": receivers,
            "block_completion": ours(post_save, sender=BlockCompletion),
            "tasks": sorted(name for name in app.tasks if name.startswith("mooc_microcred")),
            "admin": sorted(
                model.__name__ for model in admin.site._registry if model._meta.app_label == "mooc_microcred"
            ),
            "models": sorted(model.__name__ for model in apps.get_app_config("mooc_microcred").get_models()),
            "urls": sorted(
                name
                for space, (_prefix, resolver) in get_resolver().namespace_dict.items()
                if "mooc_microcred" in space
                for name in resolver.reverse_dict
                if isinstance(name, str)
            ),
            "platform": settings.MOOC_MICROCRED.get("PLATFORM"),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(sys.argv[1])
