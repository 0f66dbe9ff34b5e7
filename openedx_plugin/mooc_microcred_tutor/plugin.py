"""Micro-credentials in an Open edX that Tutor runs: image, settings, worker, sweeper, storage, first steps.

Entry point ``microcred`` of the group ``tutor.plugin.v1``. The files in ``patches/`` are named after the
patch of Tutor's templates that each fills; ``tasks/`` holds what ``tutor ... do init`` runs. What an
operator may set stands in ``DEFAULTS`` and, for people, in docs/how-to/operator.md.
"""

from __future__ import annotations

import base64
import hashlib
import os
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from tutor import hooks

VERSION = metadata.version("mooc-microcred")

DEFAULTS: dict[str, Any] = {
    "MICROCRED_VERSION": VERSION,
    # Certificates as PDF: the extra and the system's libraries that it needs.
    "MICROCRED_PDF": True,
    # What pip installs into the image; a wheel's URL or a git+https address does too. Nothing is
    # installed when a checkout is mounted (`tutor mounts add .../mooc-microcred`).
    "MICROCRED_PIP_REQUIREMENT": (
        "mooc-microcred{% if MICROCRED_PDF %}[pdf]{% endif %}=={{ MICROCRED_VERSION }}"
    ),
    "MICROCRED_APT_PACKAGES": ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz0b", "fontconfig"],
    # Fonts for what people type in; the ones of the certificates come with the package.
    "MICROCRED_APT_FONTS": ["fonts-thai-tlwg"],
    # A queue of its own, so that a backfill does not stand before the platform's grades and mails.
    "MICROCRED_QUEUE": "edx.lms.core.microcred",
    "MICROCRED_WORKER_CONCURRENCY": 2,
    # Seconds between two sweeps.
    "MICROCRED_SWEEP_INTERVAL": 30,
    # An alias of Django's STORAGES (a private bucket), instead of a folder on a volume.
    "MICROCRED_PRIVATE_STORAGE": "",
    # Below the volume that Tutor shares between LMS, Studio and workers and that the web server
    # does not serve; on Kubernetes a volume of our own is mounted there.
    "MICROCRED_PRIVATE_STORAGE_ROOT": "/openedx/media-private/microcred",
    # Keys that were used earlier and still decrypt.
    "MICROCRED_RETIRED_ENCRYPTION_KEYS": [],
    "MICROCRED_RETIRED_ISSUER_KEY_ENCRYPTION_KEYS": [],
    # More keys of MOOC_MICROCRED, such as BANKS; they win over everything above.
    "MICROCRED_SETTINGS": {},
    # The widget on the learner dashboard, in the image `mfe` of the plugin tutor-mfe.
    "MICROCRED_DASHBOARD_WIDGET": True,
    # Arguments of `microcred_catalogue load` at every init, such as ["--sample", "python-series"] or
    # ["/openedx/data/catalogue.yaml"].
    "MICROCRED_CATALOGUE": [],
    # Switches that init makes, unless somebody has set them before.
    "MICROCRED_WAFFLE_SWITCHES": ["completion.enable_completion_tracking"],
    "MICROCRED_XBLOCKS": ["microcred_competency", "microcred_progress"],
    "MICROCRED_K8S_WORKER_REPLICAS": 1,
    "MICROCRED_K8S_VOLUME_SIZE": "10Gi",
    "MICROCRED_K8S_VOLUME_CLASS": "",
    # Web and worker pods on several nodes write there: the volume's class must allow it.
    "MICROCRED_K8S_VOLUME_ACCESS_MODE": "ReadWriteMany",
}

# The widget's npm package, see openedx_plugin/mfe/README.md. It is not published: its file comes with us.
WIDGET_PACKAGE = "@mooc-microcred/learner-dashboard-widget"

_files = resources.files(__package__)
(WIDGET_FILE,) = [one.name for one in _files.joinpath("mfe").iterdir() if one.name.endswith(".tgz")]
WIDGET_DIGEST = "x" + hashlib.sha256(_files.joinpath("mfe", WIDGET_FILE).read_bytes()).hexdigest()[:12]


def fernet_key() -> str:
    """Return a new key in the format of Fernet: 32 random bytes as 44 characters of urlsafe base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


hooks.Filters.ENV_TEMPLATE_VARIABLES.add_items(
    [
        ("microcred_fernet_key", fernet_key),
        ("microcred_widget_package", WIDGET_PACKAGE),
        ("microcred_widget_file", WIDGET_FILE),
        ("microcred_widget_digest", WIDGET_DIGEST),
    ]
)
hooks.Filters.CONFIG_DEFAULTS.add_items(list(DEFAULTS.items()))
# Made once and kept in config.yml: whoever loses them loses what they encrypt.
hooks.Filters.CONFIG_UNIQUE.add_items(
    [
        ("MICROCRED_ENCRYPTION_KEY", "{{ microcred_fernet_key() }}"),
        # Of its own: whoever reads personal data need not be able to sign as an issuer.
        ("MICROCRED_ISSUER_KEY_ENCRYPTION_KEY", "{{ microcred_fernet_key() }}"),
        ("MICROCRED_IDENTITY_HASH_KEY", "{{ 48|random_string }}"),
    ]
)

# `tutor mounts add /path/to/mooc-microcred`: in the image at build time, in the containers at run time.
hooks.Filters.MOUNTED_DIRECTORIES.add_item(("openedx", r"mooc-microcred.*"))

for _patch in _files.joinpath("patches").iterdir():
    hooks.Filters.ENV_PATCHES.add_item((_patch.name, _patch.read_text(encoding="utf-8")))

# `mfe/….tgz` of this folder becomes a file of the folder from which tutor-mfe has its image built. The
# patches called `mfe-…` are of tutor-mfe, too: where it is not enabled, nothing asks for them.
hooks.Filters.ENV_TEMPLATE_ROOTS.add_item(str(_files))


@hooks.Filters.ENV_TEMPLATE_TARGETS.add()
def _carry_the_widget(targets: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put the widget's package where the image is built, if there is such an image."""
    if "mfe" in hooks.Filters.PLUGINS_LOADED.iterate():
        targets.append((f"mfe/{WIDGET_FILE}", "plugins/mfe/build"))
    return targets


@hooks.Filters.IS_FILE_RENDERED.add()
def _copy_the_widget_as_it_is(rendered: bool, path: str) -> bool:
    """Keep Tutor from reading the widget's package as a template."""
    return rendered and path != f"mfe/{WIDGET_FILE}"


# Before Tutor forgets our hooks, which it does first of all.
@hooks.Actions.PLUGIN_UNLOADED.add(priority=hooks.priorities.HIGH - 1)
def _take_the_widget_out(plugin: str, root: str, _config: Any) -> None:
    """Leave nothing where the image is built when this plugin is disabled."""
    if plugin == "microcred":
        Path(root, "env", "plugins", "mfe", "build", "mfe", WIDGET_FILE).unlink(missing_ok=True)


# After the platform's own init, which migrates.
hooks.Filters.CLI_DO_INIT_TASKS.add_item(
    ("lms", _files.joinpath("tasks", "lms-init.sh").read_text(encoding="utf-8")),
    priority=hooks.priorities.LOW,
)
