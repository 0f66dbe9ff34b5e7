"""The Tutor plugin, rendered by Tutor 20, 21 and 22. No Docker is needed or used."""

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from mooc_microcred import __version__
from mooc_microcred.core.conf import DEFAULTS
from tests.tutor.rendered_settings import run_settings

pytestmark = [pytest.mark.install, pytest.mark.slow, pytest.mark.xdist_group("tutor")]

GATEWAY = "mooc_microcred_openedx.gateway.EdxPlatform"
FERNET_KEYS = ["MICROCRED_ENCRYPTION_KEY", "MICROCRED_ISSUER_KEY_ENCRYPTION_KEY"]
SECRETS = [*FERNET_KEYS, "MICROCRED_IDENTITY_HASH_KEY"]
BLOCKS = ["microcred_competency", "microcred_progress"]


def settings_of(project, process, mode="production", **platform):
    """Run the settings of a process, on top of what the platform and the plugin have set."""
    return run_settings(project.file(f"apps/openedx/settings/{process}/{mode}.py"), platform)


def lms_settings(project, mode="production", **before):
    """Return MOOC_MICROCRED of the LMS, whose plugin settings have run already."""
    return settings_of(project, "lms", mode, MOOC_MICROCRED={"PLATFORM": GATEWAY, **before})["MOOC_MICROCRED"]


def sources_by_target(service):
    """Return the host's folder of each folder that a compose service mounts, without options."""
    mounts = [volume.split(":")[:2] for volume in service["volumes"]]
    return {target: source for source, target in mounts}


def deployments(project):
    return {
        document["metadata"]["name"]: document
        for document in project.documents("k8s/deployments.yml")
        if document["kind"] == "Deployment"
    }


def pod(deployment):
    return deployment["spec"]["template"]["spec"]


def dockerfile_stages(project):
    """Return the text of each stage of the image by its name."""
    parts = re.split(r"(?m)^FROM \S+ AS (\S+)$", project.file("build/openedx/Dockerfile"))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def run_instructions(stage):
    """Return the shell commands of a stage's RUN instructions, without their mounts."""
    found = re.findall(r"(?m)^RUN ((?:.*\\\n)*.*)", stage)
    return [re.sub(r"--mount=\S+\s*(\\\n)?\s*", "", one) for one in found]


# --- settings ---


def test_every_rendered_settings_file_is_python(project):
    files = sorted((project.root / "env" / "apps" / "openedx" / "settings").rglob("*.py"))
    assert len(files) >= 4
    for file in files:
        ast.parse(file.read_text(encoding="utf-8"), str(file))


@pytest.mark.parametrize("mode", ["production", "development"])
def test_the_lms_gets_secrets_storage_and_queue_and_keeps_what_the_plugin_has_set(project, mode):
    config = project.config()
    assert lms_settings(project, mode, CACHE_TTL=5) == {
        "PLATFORM": GATEWAY,
        "CACHE_TTL": 5,
        "LMS_QUEUE": "edx.lms.core.microcred",
        **lms_secrets(config),
        "PRIVATE_STORAGE_ROOT": "/openedx/media-private/microcred",
    }


def lms_secrets(config):
    return {
        "ENCRYPTION_KEYS": [config["MICROCRED_ENCRYPTION_KEY"]],
        "ISSUER_KEY_ENCRYPTION_KEYS": [config["MICROCRED_ISSUER_KEY_ENCRYPTION_KEY"]],
        "IDENTITY_HASH_KEY": config["MICROCRED_IDENTITY_HASH_KEY"],
    }


def test_only_settings_are_set_that_there_are(project):
    assert set(lms_settings(project)) <= set(DEFAULTS)


def test_studio_gets_the_queue_and_no_secret(project):
    names = settings_of(project, "cms", MOOC_MICROCRED={})
    assert names["MOOC_MICROCRED"] == {"LMS_QUEUE": "edx.lms.core.microcred"}
    config = project.config()
    for mode in ("production", "development"):
        text = project.file(f"apps/openedx/settings/cms/{mode}.py")
        for secret in SECRETS:
            assert config[secret] not in text


def test_settings_can_be_read_where_the_package_is_not_installed_yet(project):
    """Tutor renders settings before it has built the image."""
    assert settings_of(project, "cms")["MOOC_MICROCRED"]["LMS_QUEUE"]


def test_studio_offers_the_blocks_in_libraries_and_where_there_is_such_a_setting_in_every_course(project):
    names = settings_of(project, "cms", MOOC_MICROCRED={}, LIBRARY_ENABLED_BLOCKS=["problem", BLOCKS[0]])
    assert names["LIBRARY_ENABLED_BLOCKS"] == ["problem", *BLOCKS]
    names = settings_of(
        project, "cms", MOOC_MICROCRED={}, LIBRARY_ENABLED_BLOCKS=[], DEFAULT_ADVANCED_MODULES=["poll"]
    )
    assert names["DEFAULT_ADVANCED_MODULES"] == ["poll", *BLOCKS]


def test_what_an_operator_sets_reaches_the_settings(new_project):
    project = new_project().enable()
    bank = "{file: {backend: x.Y, name: {th: คลัง, en: Bank}, requires_identity: false, options: null}}"
    old = Fernet.generate_key().decode()
    project(
        "config", "save",
        f"--set=MICROCRED_SETTINGS={{BANKS: {bank}, CACHE_TTL: 7}}",
        f"--set=MICROCRED_RETIRED_ENCRYPTION_KEYS=[{old}]",
        f"--set=MICROCRED_RETIRED_ISSUER_KEY_ENCRYPTION_KEYS=[{old}]",
        "--set=MICROCRED_PRIVATE_STORAGE=private-bucket",
        "--set=MICROCRED_QUEUE=edx.lms.core.default",
    )  # fmt: skip
    settings = lms_settings(project)
    assert settings["BANKS"]["file"] == {
        "backend": "x.Y", "name": {"th": "คลัง", "en": "Bank"}, "requires_identity": False, "options": None
    }  # fmt: skip
    assert settings["CACHE_TTL"] == 7
    assert settings["ENCRYPTION_KEYS"][1:] == settings["ISSUER_KEY_ENCRYPTION_KEYS"][1:] == [old]
    assert settings["PRIVATE_STORAGE"] == "private-bucket"
    assert "PRIVATE_STORAGE_ROOT" not in settings
    assert settings["LMS_QUEUE"] == "edx.lms.core.default"
    # With a bucket no volume is asked for.
    assert "microcred-private" not in project.file("k8s/volumes.yml") + project.file("k8s/deployments.yml")
    assert "microcred" not in project.file("k8s/override.yml")


# --- secrets ---


def test_secrets_have_the_right_format_and_are_made_once(new_project):
    project = new_project().enable()
    first = project.config()
    for name in FERNET_KEYS:
        Fernet(first[name])
        assert len(first[name]) == 44
    assert len({first[name] for name in SECRETS}) == len(SECRETS)
    assert re.fullmatch(r"\w{48}", first["MICROCRED_IDENTITY_HASH_KEY"])
    before = lms_settings(project)
    project("config", "save")
    assert project.config() == first
    assert lms_settings(project) == before


def test_two_projects_have_different_secrets(new_project, project):
    other = new_project().enable().config()
    for name in SECRETS:
        assert other[name] != project.config()[name]


def test_disabling_takes_everything_out_but_the_secrets_which_coming_back_finds_again(new_project):
    project = new_project().enable()
    before = project.config()
    project("plugins", "disable", "microcred")
    project("config", "save")
    left = [
        file
        for file in (project.root / "env").rglob("*")
        if file.is_file() and "microcred" in file.read_text(encoding="utf-8", errors="replace").lower()
    ]
    assert left == []
    assert {key: value for key, value in project.config().items() if key.startswith("MICROCRED")} == {
        key: value for key, value in before.items() if key.startswith("MICROCRED")
    }
    project.enable()
    assert project.config() == before


# --- compose ---


def test_compose_has_a_sweeper_and_a_worker_that_share_the_private_folder_with_the_lms(project):
    base = project.yaml("local/docker-compose.yml")["services"]
    production = project.yaml("local/docker-compose.prod.yml")["services"]
    root = Path(lms_settings(project)["PRIVATE_STORAGE_ROOT"])
    shared = set()
    for service in (
        base["lms"],
        base["microcred-sweeper"],
        production["lms-worker"],
        production["microcred-worker"],
    ):
        (host,) = [
            source for target, source in sources_by_target(service).items() if Path(target) in root.parents
        ]
        shared.add(host)
    assert shared == {"../../data/openedx-media-private"}
    web_server = sources_by_target(production["caddy"])
    assert not [source for source in web_server.values() if "private" in source]


def test_the_compose_services_run_the_lms_code_with_the_lms_settings(project):
    base = project.yaml("local/docker-compose.yml")["services"]
    production = project.yaml("local/docker-compose.prod.yml")["services"]
    lms = base["lms"]
    for service in (base["microcred-sweeper"], production["microcred-worker"]):
        assert service["image"] == lms["image"]
        assert service["environment"] == {
            key: lms["environment"][key] for key in ("SERVICE_VARIANT", "DJANGO_SETTINGS_MODULE")
        }
        needed = {"/openedx/edx-platform/lms/envs/tutor", "/openedx/edx-platform/cms/envs/tutor"}
        assert needed | {"/openedx/config"} <= set(sources_by_target(service))


def test_the_sweeper_is_told_words_that_the_command_knows(project):
    sweeper = project.yaml("local/docker-compose.yml")["services"]["microcred-sweeper"]
    assert_sweeps(sweeper["command"])
    for name, deployment in deployments(project).items():
        if name == "microcred-sweeper":
            assert_sweeps(pod(deployment)["containers"][0]["args"])


def assert_sweeps(command):
    from mooc_microcred.management.commands.microcred_sweep import Command

    assert command[:3] == ["./manage.py", "lms", "microcred_sweep"]
    options = Command().create_parser("manage.py", "microcred_sweep").parse_args(command[3:])
    assert options.loop
    assert options.interval == 30


def test_the_worker_consumes_the_queue_to_which_lms_and_studio_send(project):
    queues = {
        settings_of(project, process, MOOC_MICROCRED={})["MOOC_MICROCRED"]["LMS_QUEUE"]
        for process in ("lms", "cms")
    }
    (queue,) = queues
    worker = project.yaml("local/docker-compose.prod.yml")["services"]["microcred-worker"]
    for command in (
        worker["command"],
        pod(deployments(project)["microcred-worker"])["containers"][0]["args"],
    ):
        assert f"--queues={queue}" in command
        assert parsed_by_celery(command).queues == [queue]


def parsed_by_celery(command):
    """Return what Celery understands of a worker's command."""
    from types import SimpleNamespace

    from celery.bin.celery import celery
    from celery.bin.worker import worker

    from tests.celery_app import app

    assert command[:3] == ["celery", "--app=lms.celery", "worker"]
    assert celery.commands["worker"] is worker
    context = worker.make_context("worker", list(command[3:]), obj=SimpleNamespace(app=app))
    return SimpleNamespace(**context.params)


def test_development_has_the_sweeper_with_the_development_settings_and_no_worker(project):
    services = project.yaml("dev/docker-compose.yml")["services"]
    sweeper = services["microcred-sweeper"]
    assert sweeper["environment"]["DJANGO_SETTINGS_MODULE"] == "lms.envs.tutor.development"
    assert sweeper["image"] == services["lms"]["image"]
    assert "microcred-worker" not in services


# --- Kubernetes ---


def test_kubernetes_has_worker_and_sweeper_like_the_platforms_own_worker(project):
    found = deployments(project)
    model = pod(found["lms-worker"])
    for name in ("microcred-worker", "microcred-sweeper"):
        document = found[name]
        assert document["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/name": name}
        assert document["spec"]["template"]["metadata"]["labels"] == {"app.kubernetes.io/name": name}
        container = pod(document)["containers"][0]
        assert container["image"] == model["containers"][0]["image"]
        assert container["env"] == model["containers"][0]["env"]
        volumes = {volume["name"] for volume in pod(document)["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes
        assert {volume["name"] for volume in model["volumes"]} <= volumes


def test_on_kubernetes_web_pods_workers_and_sweeper_mount_one_private_volume(project):
    root = lms_settings(project)["PRIVATE_STORAGE_ROOT"]
    claims = [
        document["metadata"]["name"]
        for document in project.documents("k8s/volumes.yml")
        if document["kind"] == "PersistentVolumeClaim"
    ]
    assert claims.count("microcred-private") == 1
    patched = {document["metadata"]["name"]: document for document in project.documents("k8s/override.yml")}
    own = {name: one for name, one in deployments(project).items() if name.startswith("microcred")}
    assert set(patched) == {"lms", "lms-worker"}
    assert set(patched) <= set(deployments(project)), "kustomize refuses a patch without a target"
    for name, document in {**patched, **own}.items():
        spec = pod(document)
        (container,) = spec["containers"]
        assert container["name"] == name
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounts["microcred-private"] == root
        (volume,) = [volume for volume in spec["volumes"] if volume["name"] == "microcred-private"]
        assert volume["persistentVolumeClaim"] == {"claimName": "microcred-private"}
        assert spec["securityContext"]["fsGroup"] == 1000, "or the server's user may not write there"
    assert "k8s/override.yml" in project.file("kustomization.yml")
    project.yaml("kustomization.yml")


# --- the image ---


def test_the_image_installs_the_package_without_changing_what_the_platform_pins(project):
    stage = dockerfile_stages(project)["python-requirements"]
    (command,) = [one for one in run_instructions(stage) if "mooc-microcred" in one]
    assert f"'mooc-microcred[pdf]=={__version__}'" in command
    constraints = re.search(r"-c (\S+)", command)[1]
    assert command.index("freeze") < command.index(f"> {constraints}") < command.index("install")
    assert stage.index("requirements/edx/base.txt \\\n") < stage.index("mooc-microcred[pdf]")


def test_the_image_gets_the_libraries_and_fonts_of_pdf_in_the_stage_that_production_is_made_from(project):
    stages = dockerfile_stages(project)
    (command,) = [one for one in run_instructions(stages["minimal"]) if "pango" in one]
    for package in ("libpango-1.0-0", "libpangoft2-1.0-0", "fontconfig", "fonts-thai-tlwg"):
        assert package in command.split()
    assert "FROM minimal AS production" in project.file("build/openedx/Dockerfile")


def test_every_instruction_of_ours_in_the_image_is_shell(project):
    ours = [
        command
        for stage in dockerfile_stages(project).values()
        for command in run_instructions(stage)
        if "microcred" in command or "pango" in command
    ]
    assert len(ours) == 2
    for command in ours:
        subprocess.run(["bash", "-n", "-c", command], check=True)


def test_without_pdf_nothing_of_it_is_installed(new_project):
    project = new_project().enable()
    project("config", "save", "--set=MICROCRED_PDF=false")
    text = project.file("build/openedx/Dockerfile")
    assert f"'mooc-microcred=={__version__}'" in text
    assert "pango" not in text


def test_a_mounted_checkout_is_installed_in_place_of_the_release_and_seen_by_every_service(
    new_project, tmp_path
):
    project = new_project().enable()
    checkout = tmp_path / "mooc-microcred"
    checkout.mkdir()
    project("mounts", "add", str(checkout))
    project("config", "save")
    stages = dockerfile_stages(project)
    assert "mooc-microcred" not in stages["python-requirements"]
    for name in ("production", "development"):
        assert 'install -e "/mnt/mooc-microcred"' in stages[name]
    assert "-e '/mnt/mooc-microcred[pdf]'" in stages["production"]
    base = project.yaml("local/docker-compose.yml")["services"]
    production = project.yaml("local/docker-compose.prod.yml")["services"]
    for service in (
        base["lms"],
        base["microcred-sweeper"],
        production["lms-worker"],
        production["microcred-worker"],
    ):
        assert sources_by_target(service)["/mnt/mooc-microcred"] == str(checkout)


# --- init ---


def our_task(project):
    tasks = project.init_tasks()
    (position,) = [place for place, (_, script) in enumerate(tasks) if "Micro-credentials" in script]
    (platform,) = [
        place
        for place, (service, script) in enumerate(tasks)
        if service == "lms" and "create_dot_application" in script and place != position
    ]
    assert platform < position, "the platform's tables are made first"
    service, script = tasks[position]
    assert service == "lms"
    subprocess.run(["bash", "-n", "-c", script], check=True)
    return script


def run_task(script, folder, switches=""):
    """Run a task as Tutor does, with a manage.py that writes down what it is told; return that."""
    manage = folder / "manage.py"
    log = folder / "told"
    log.write_text("")
    manage.write_text(
        "#!/bin/sh\n"
        f'echo "$*" >> {log}\n'
        f'case "$*" in *--list*) printf "{switches}";; *" -") sed "s/^/< /" >> {log};; esac\n'
    )
    manage.chmod(0o755)
    subprocess.run(
        ["sh", "-e", "-c", script], cwd=folder, env={"PATH": os.environ["PATH"]}, check=True, timeout=20
    )
    return log.read_text(encoding="utf-8").splitlines()


def test_init_migrates_and_makes_the_switch_that_nobody_has_set(project, tmp_path):
    assert run_task(our_task(project), tmp_path) == [
        "lms migrate mooc_microcred",
        "lms waffle_switch --list",
        "lms waffle_switch --create completion.enable_completion_tracking on",
    ]


def test_init_leaves_a_switch_as_somebody_has_set_it(project, tmp_path):
    told = run_task(our_task(project), tmp_path, "completion.enable_completion_tracking: off\\n")
    assert told == ["lms migrate mooc_microcred", "lms waffle_switch --list"]


def test_init_loads_the_catalogues_that_are_configured(new_project, tmp_path):
    project = new_project()
    patch = "    version: 1\n    name: 'ภาษา $HOME'\n"
    (project.root / "plugins" / "ours.yml").write_text(
        f"name: ours\nversion: 1.0.0\npatches:\n  microcred-catalogue: |\n{patch}", encoding="utf-8"
    )
    project("plugins", "enable", "ours")
    project.enable()
    project(
        "config", "save",
        "--set=MICROCRED_CATALOGUE=[--sample, python-series]", "--set=MICROCRED_WAFFLE_SWITCHES=[]",
    )  # fmt: skip
    assert run_task(our_task(project), tmp_path) == [
        "lms migrate mooc_microcred",
        "lms microcred_catalogue load --sample python-series",
        "lms microcred_catalogue load -",
        "< version: 1",
        "< name: 'ภาษา $HOME'",
    ]
