"""The dashboard's widget in the MFE image of Tutor 20, 21 and 22: copied, installed and in its slots."""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile

import pytest

from tests.support.building import ROOT, cannot

pytestmark = [pytest.mark.install, pytest.mark.slow, pytest.mark.xdist_group("tutor")]

CONTEXT = "plugins/mfe/build/mfe"
(CARRIED,) = (ROOT / "openedx_plugin" / "mooc_microcred_tutor" / "mfe").glob("*.tgz")
FILE = CARRIED.name
PACKAGE = "@mooc-microcred/learner-dashboard-widget"
# The slots of the learner dashboard, as both shells call them.
LEGACY = {
    "org.openedx.frontend.learner_dashboard.widget_sidebar.v1",
    "org.openedx.frontend.learner_dashboard.course_card_banner.v1",
}
FRONTEND_BASE = {
    "org.openedx.frontend.slot.learnerDashboard.widgetSidebar.v1",
    "org.openedx.frontend.slot.learnerDashboard.courseCardBanner.v1",
}


def stage(project, name):
    """Return the text of a stage of the MFE image's Dockerfile."""
    parts = re.split(r"(?m)^FROM \S+ AS (\S+)$", project.file(f"{CONTEXT}/Dockerfile"))
    return dict(zip(parts[1::2], parts[2::2], strict=True))[name]


def ours_in(project):
    """Return the files below the MFE image's build context that are ours or speak of us."""
    return sorted(
        str(file.relative_to(project.root / "env" / CONTEXT))
        for file in (project.root / "env" / CONTEXT).rglob("*")
        if file.is_file() and (file.name == FILE or b"microcred" in file.read_bytes())
    )


# What the shells bring, as little of it as the widget needs for being imported. Node has no style sheets,
# and takes the packed ES modules for such only where it is told, as webpack does without.
SHELL = {
    "react/index.js": """
        class Component {}
        export const createElement = () => null, useEffect = () => {}, useState = () => [], Fragment = '';
        export default { Component, createElement, useEffect, useState, Fragment };
    """,
    "@edx/frontend-platform/index.js": """
        export const APP_AUTH_INITIALIZED = 'AUTH', getConfig = () => ({}), subscribe = () => {};
    """,
    "@edx/frontend-platform/auth.js": """
        export const getAuthService = () => { throw new Error('not yet'); };
        export const getAuthenticatedHttpClient = () => null, getAuthenticatedUser = () => null;
    """,
    "@edx/frontend-platform/i18n.js": "export const getLocale = () => 'th';",
    "@openedx/frontend-plugin-framework/index.js": """
        export const DIRECT_PLUGIN = 'direct', PLUGIN_OPERATIONS = { Insert: 'insert', Hide: 'hide' };
    """,
    "@openedx/frontend-base/index.js": """
        export const SITE_AUTH_INITIALIZED = 'AUTH', subscribe = () => {};
        export const WidgetOperationTypes = { APPEND: 'append', PREPEND: 'prepend' };
        export const EnvironmentTypes = { PRODUCTION: 'production', DEVELOPMENT: 'development' };
        export const shellApp = { appId: 'shell' }, headerApp = { appId: 'header' };
        export const footerApp = { appId: 'footer' };
        export const getAuthService = () => { throw new Error('not yet'); };
        export const getAuthenticatedHttpClient = () => null, getAuthenticatedUser = () => null;
        export const getLocale = () => 'th', getSiteConfig = () => ({}), useSlotContext = () => ({});
    """,
    "@openedx/frontend-base/shell/style.js": "",
    "@edx/brand/core.min.css": "",
    "@edx/brand/light.min.css": "",
}
START = """
import { register } from 'node:module';
register('./hooks.mjs', import.meta.url);
await import('./run.mjs');
"""
HOOKS = """
export async function load(url, context, next) {
  if (url.endsWith('.css')) return { format: 'module', source: '', shortCircuit: true };
  return next(url, url.includes('/dist/esm/') ? { ...context, format: 'module' } : context);
}
"""


def in_shell(folder, script, *, widget=True):
    """Run a module in Node where the shells' packages are; return what it printed, and its errors."""
    node = shutil.which("node")
    if not node:
        cannot("Node is not installed")
    packages = folder / "node_modules"
    for path, source in SHELL.items():
        (packages / path).parent.mkdir(parents=True, exist_ok=True)
        (packages / path).write_text(source, encoding="utf-8")
        root = packages / "/".join(path.split("/")[: 2 if path.startswith("@") else 1])
        exports = {
            ".": "./index.js",
            "./shell/style": "./shell/style.js",
            "./*.css": "./*.css",
            "./*": "./*.js",
        }
        (root / "package.json").write_text(json.dumps({"type": "module", "exports": exports}))
    if widget:
        with tarfile.open(CARRIED) as archive:
            archive.extractall(folder / "unpacked", filter="data")
        shutil.copytree(folder / "unpacked" / "package", packages / PACKAGE)
    (folder / "hooks.mjs").write_text(HOOKS)
    (folder / "start.mjs").write_text(START)
    (folder / "run.mjs").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [node, "start.mjs"], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


SHOW_SLOTS = """
process.env.APP_ID = '%s';
const { default: configure } = await import('./env.config.mjs');
const { pluginSlots } = await configure();
const right = ({ op, widget }) =>
  op === 'insert' && widget.type === 'direct' && typeof widget.RenderWidget === 'function';
console.log(JSON.stringify(Object.fromEntries(Object.entries(pluginSlots).map(
  ([slot, { keepDefault, plugins }]) =>
    [slot, { keepDefault, ids: plugins.map((one) => one.widget.id), right: plugins.every(right) }],
))));
"""
SHOW_APPS = """
const { default: site } = await import('./site.config.mjs');
const seen = (slot) => ({ ...slot, component: typeof slot.component });
console.log(JSON.stringify(site.apps.map(({ appId, slots = [] }) => ({ appId, slots: slots.map(seen) }))));
"""


def slots_of(project, folder, app, *, widget=True):
    """Run the rendered env.config.jsx as the MFE ``app`` does; return its slots with the ids in them."""
    shutil.copy(project.root / "env" / CONTEXT / "env.config.jsx", folder / "env.config.mjs")
    return in_shell(folder, SHOW_SLOTS % app, widget=widget)


def site_apps(project, folder, *, mode="build", widget=True):
    """Run the site's rendered configuration, without its types; return its apps with their slots."""
    site = project.root / "env" / CONTEXT / "site"
    sources = {
        "site.config": f"site.config.{mode}.tsx",
        "customApp": "src/customApp.tsx",
        "utils": "src/utils.ts",
    }
    for name, source in sources.items():
        text = (site / source).read_text(encoding="utf-8")
        text = re.sub(r": (App|ExternalRoute|ExternalScriptLoaderClass|SiteConfig|SlotOperation)\b", "", text)
        text = re.sub(r"(?m)^import \{ App\b.*frontend-base';$", "", text)
        text = (
            re.sub(r"'\./(?:src/)?(customApp|utils)'", r"'./\1.mjs'", text)
            .replace("SiteConfig, ", "")
            .replace(" as any", "")
        )
        (folder / f"{name}.mjs").write_text(text, encoding="utf-8")
    for name in re.findall(
        r"from '(@openedx/frontend-app-[\w-]+)'", (folder / "site.config.mjs").read_text()
    ):
        app = re.search(rf"import \{{ (\w+) \}} from '{name}'", (folder / "site.config.mjs").read_text())[1]
        package = folder / "node_modules" / name
        package.mkdir(parents=True)
        (package / "package.json").write_text('{"type": "module", "exports": "./index.js"}')
        (package / "index.js").write_text(f"export const {app} = {{ appId: '{name}' }};")
    return in_shell(folder, SHOW_APPS, widget=widget)[0]


def test_the_package_lies_in_the_build_context_byte_for_byte(project):
    rendered = (project.root / "env" / CONTEXT / FILE).read_bytes()
    assert rendered == CARRIED.read_bytes()
    assert len(rendered) < 200_000


def test_the_image_of_the_dashboard_installs_it_and_does_not_build_without_it(project):
    text = stage(project, "learner-dashboard-common")
    assert f"COPY {FILE} /openedx/\n" in text
    (command,) = re.findall(rf"(?m)^RUN (npm install .*{FILE} (?:.*\\\n)+.*)$", text)
    assert "--no-save" in command
    subprocess.run(["bash", "-n", "-c", command], check=True)
    assert f"require.resolve('{PACKAGE}" in command
    # The cache of webpack sees by the version alone that a package is another one.
    assert f"version=0.0.0-x{hashlib.sha256(CARRIED.read_bytes()).hexdigest()[:12]}" in command
    assert text.index("npm clean-install") < text.index(f"COPY {FILE}") < text.index("COPY env.config.jsx")
    dockerfile = project.file(f"{CONTEXT}/Dockerfile")
    images = [
        name for name in re.findall(r"(?m)^FROM \S+ AS (\S+)$", dockerfile) if FILE in stage(project, name)
    ]
    assert images == [
        "learner-dashboard-common",
        *(["site-common"] if project.release == "22" else []),
    ]


def test_the_dashboard_gets_the_widget_in_its_slots_and_keeps_what_was_there(project, tmp_path):
    slots, said = slots_of(project, tmp_path, "learner-dashboard")
    assert said == ""
    assert set(slots) == LEGACY
    for slot in slots.values():
        assert slot["keepDefault"] is True
        assert slot["right"] is True
    ids = [one for slot in slots.values() for one in slot["ids"]]
    assert len(ids) == len(set(ids)) == len(LEGACY)


def test_other_applications_of_the_image_are_left_alone(project, tmp_path):
    assert slots_of(project, tmp_path, "learning", widget=False) == ({}, "")


THEIRS = """
from tutormfe.hooks import PLUGIN_SLOTS
widget = "{ id: 'theirs', type: DIRECT_PLUGIN, RenderWidget: () => null }"
PLUGIN_SLOTS.add_item(
    ("learner-dashboard", "their_slot", "{ op: PLUGIN_OPERATIONS.Insert, widget: %s }" % widget)
)
"""


def test_without_the_package_the_slots_of_others_stay(new_project, tmp_path):
    project = new_project()
    (project.root / "plugins" / "theirs.py").write_text(THEIRS, encoding="utf-8")
    project("plugins", "enable", "theirs")
    project.enable()
    slots, said = slots_of(project, tmp_path, "learner-dashboard", widget=False)
    assert slots == {"their_slot": {"keepDefault": True, "ids": ["theirs"], "right": True}}
    assert "mooc-microcred: no widget on the dashboard" in said


def test_the_site_of_frontend_base_gets_the_widget_as_a_workspace(project, tmp_path):
    if project.release != "22":
        assert not (project.root / "env" / CONTEXT / "site").exists()
        return
    text = stage(project, "site-common")
    assert f"COPY {FILE} /openedx/\n" in text
    (command,) = re.findall(r"(?m)^RUN (mkdir -p packages/mooc-microcred-dashboard (?:.*\\\n)+.*)$", text)
    assert text.index(command) < text.index("npm install --no-audit")
    # The instruction itself is run, in folders of ours.
    if not shutil.which("npm"):
        cannot("npm is not installed")
    shutil.copy(project.root / "env" / CONTEXT / FILE, tmp_path / FILE)
    subprocess.run(["sh", "-e", "-c", command.replace("/openedx/", f"{tmp_path}/")], cwd=tmp_path, check=True)
    manifest = json.loads((tmp_path / "packages" / "mooc-microcred-dashboard" / "package.json").read_text())
    assert manifest["name"] == PACKAGE
    site = json.loads(project.file(f"{CONTEXT}/site/package.json"))
    assert site["workspaces"] == ["packages/*"]
    assert not {"scripts", "devDependencies"} & set(manifest), "or the image would compile it again"
    for mode in ("build", "dev"):
        folder = tmp_path / mode
        folder.mkdir()
        apps = site_apps(project, folder, mode=mode)
        (ours,) = [app for app in apps if "mooc-microcred" in app["appId"]]
        assert {slot["slotId"] for slot in ours["slots"]} == FRONTEND_BASE
        assert len({slot["id"] for slot in ours["slots"]}) == len(FRONTEND_BASE)
        assert {slot["component"] for slot in ours["slots"]} == {"function"}
        assert not [slot for app in apps if app is not ours for slot in app["slots"]]


def test_a_site_without_the_dashboard_does_without_the_widget(new_project, tmp_path):
    project = new_project()
    if project.release != "22":
        pytest.skip("no release before 22 has such a site")
    (project.root / "plugins" / "fewer.py").write_text(
        "from tutormfe.hooks import FRONTEND_APPS\n"
        "@FRONTEND_APPS.add()\n"
        "def fewer(apps):\n"
        "    return {name: app for name, app in apps.items() if name != 'learner-dashboard'}\n",
        encoding="utf-8",
    )
    project("plugins", "enable", "fewer")
    project.enable()
    assert FILE not in stage(project, "site-common")
    assert FILE in stage(project, "learner-dashboard-common")
    apps = site_apps(project, tmp_path, widget=False)
    assert len(apps) > len(["shell", "header", "footer", "custom"])
    assert not [app for app in apps if app["slots"]]


def test_switched_off_nothing_of_it_is_built_and_disabled_nothing_of_it_is_there(new_project, tmp_path):
    project = new_project().enable()
    assert len(ours_in(project)) > len([FILE, "Dockerfile"])
    project("config", "save", "--set=MICROCRED_DASHBOARD_WIDGET=false")
    assert ours_in(project) == [FILE], "the file may lie there, but nothing copies it"
    assert slots_of(project, tmp_path, "learner-dashboard", widget=False) == ({}, "")
    project("plugins", "disable", "microcred")
    project("config", "save")
    assert ours_in(project) == []


def test_without_tutor_mfe_there_is_nothing_of_it(new_project):
    project = new_project()
    project("plugins", "disable", "mfe")
    project.enable()
    assert "mfe" not in project.config()["PLUGINS"]
    assert not (project.root / "env" / "plugins" / "mfe").exists()
    assert not list((project.root / "env").rglob("*.tgz"))
