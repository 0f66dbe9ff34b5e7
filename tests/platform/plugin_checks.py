"""What must hold of the plugin in each process of the platform, run by the modules of both.

Their subclasses bring the fixture ``admin_of_the_platform``, a client in which a superuser is signed in.
"""

from __future__ import annotations

import pytest
from celery import current_app
from django.apps import apps
from django.contrib import admin
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

TASKS = {
    "mooc_microcred.tasks.evaluate_due_requests",
    "mooc_microcred.tasks.relay_outbox",
    "mooc_microcred.tasks.sync_courses",
    "mooc_microcred.tasks.deliver_to_banks",
}
LMS_QUEUE = "edx.lms.core.default"


def receivers_of(signal) -> set[str]:
    """Return the names of our receivers of a signal."""
    uids = {lookup[0] for lookup, *_ in signal.receivers}
    ours = {uid for uid in uids if isinstance(uid, str) and uid.startswith("mooc_microcred_openedx.")}
    return {uid.partition(".")[2] for uid in ours}


def ids_of(findings) -> list[str]:
    return sorted({one.id for one in findings if "mooc_microcred" in (one.id or "")})


class PluginChecks:
    """The same assertions in the LMS and in Studio."""

    def test_both_apps_are_loaded_from_their_entry_points(self):
        assert apps.is_installed("mooc_microcred")
        assert apps.is_installed("mooc_microcred_openedx")

    def test_celery_knows_every_task_and_it_is_the_platforms_celery(self):
        assert current_app.main == "proj"
        current_app.loader.import_default_modules()
        assert set(current_app.tasks) >= TASKS

    def test_keys_are_64_bits_wide_whatever_the_platforms_default(self):
        from django.db.models import BigAutoField

        models = list(apps.get_app_config("mooc_microcred").get_models())
        assert models
        for model in models:
            assert isinstance(model._meta.pk, BigAutoField) or not model._meta.pk.auto_created, model

    def test_a_kick_goes_to_the_lms_workers_by_name_whoever_sends_it(self, settings):
        """Also past the platform's router, even where that would send it to Studio's workers."""
        from mooc_microcred.core import kick

        settings.EXPLICIT_QUEUES = {task: {"queue": "edx.cms.core.default"} for task in TASKS}
        settings.ALTERNATE_ENV_TASKS = {}
        conf = current_app.conf
        before = conf.task_always_eager, conf.broker_url
        conf.task_always_eager, conf.broker_url = False, "memory://"
        try:
            with current_app.connection_for_write() as broker, broker.channel() as channel:
                current_app.amqp.queues.select_add(LMS_QUEUE)(channel).declare()
                while channel.basic_get(LMS_QUEUE, no_ack=True):
                    pass
                for task in sorted(TASKS):
                    kick.kick(task)
                assert kick.counts["sent"] == len(TASKS), kick.counts
                found = []
                while message := channel.basic_get(LMS_QUEUE, no_ack=True):
                    found.append(message.headers["task"])
            assert sorted(found) == sorted(TASKS)
        finally:
            conf.task_always_eager, conf.broker_url = before

    @pytest.mark.django_db(databases="__all__")
    def test_the_system_check_says_nothing_but_that_celery_is_eager(self):
        assert ids_of(run_checks(include_deployment_checks=False)) == ["mooc_microcred.W010"]

    @pytest.mark.django_db(databases="__all__")
    def test_no_migration_is_missing(self, settings, capsys):
        settings.MIGRATION_MODULES = {}
        call_command("makemigrations", "mooc_microcred", check_changes=True, dry_run=True)
        assert "No changes detected" in capsys.readouterr().out

    @pytest.mark.django_db(databases="__all__")
    def test_all_tables_are_there(self):
        tables = set(connection.introspection.table_names())
        ours = {model._meta.db_table for model in apps.get_app_config("mooc_microcred").get_models()}
        assert ours <= tables

    @pytest.mark.django_db(databases="__all__")
    def test_every_admin_list_opens(self, admin_of_the_platform):
        ours = [model for model in admin.site._registry if model._meta.app_label == "mooc_microcred"]
        assert len(ours) > 10
        for model in ours:
            address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            reply = admin_of_the_platform.get(address)
            assert reply.status_code == 200, (model, reply.status_code)
