"""The package as an operator gets it: built, installed and used from somewhere else."""

import json
import shutil
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.building import NOT_SOURCES, ROOT, plain_environment, run

# Built and installed once, by one process of a parallel run.
pytestmark = pytest.mark.xdist_group("packaging")

# Where the packages lie in the sources, by their import name.
SOURCES = {
    "mooc_microcred": ROOT / "mooc_microcred",
    "mooc_microcred_openedx": ROOT / "openedx_plugin" / "mooc_microcred_openedx",
    "mooc_microcred_tutor": ROOT / "openedx_plugin" / "mooc_microcred_tutor",
    "mooc_microcred_xblocks": ROOT / "xblocks" / "mooc_microcred_xblocks",
}
# What only Tutor imports, in its own environment, which has no Django: tests/tutor does so.
FOR_TUTOR = {"mooc_microcred_tutor.plugin"}
# Import names that would collide with somebody else's in a platform's site-packages.
NEVER_INSTALLED = ["tests", "sandbox", "benchmarks", "docs", "xblocks", "openedx_plugin", "tutor"]
# Runs in the fresh environment, in another directory: imports every module of every package and
# reads one file of each kind that the sources have.
LOOK_AT_EVERYTHING = """
import importlib, importlib.metadata, importlib.util, json, os, pkgutil, sys
from importlib import resources

assert not [path for path in sys.path if os.path.abspath(path or ".") == sys.argv[2]], sys.path
os.environ["DJANGO_SETTINGS_MODULE"] = "plain_settings"
import django
django.setup()
wanted = json.loads(sys.argv[1])
seen = {"modules": [], "files": {}, "from": {}}
for package in wanted["packages"]:
    module = importlib.import_module(package)
    seen["from"][package] = os.path.dirname(module.__file__)
    seen["modules"].append(package)
    for found in pkgutil.walk_packages(module.__path__, package + "."):
        if found.name in wanted["for_tutor"]:
            continue
        importlib.import_module(found.name)
        seen["modules"].append(found.name)
for package, path in wanted["files"]:
    seen["files"][package + ":" + path] = len(resources.files(package).joinpath(path).read_bytes())
seen["collisions"] = [
    name for name in wanted["never"]
    # Somebody's wheel among the dependencies may well have such a name; ours must not.
    if (spec := importlib.util.find_spec(name))
    and "/dependencies/" not in str(spec.origin or list(spec.submodule_search_locations))
]
seen["entry_points"] = sorted(
    f"{group}:{point.name}={point.load().__name__}"
    for group in ("lms.djangoapp", "cms.djangoapp")
    for point in importlib.metadata.entry_points(group=group)
    if point.name.startswith("mooc_microcred")
)
print(json.dumps(seen))
"""

# As little of a platform as the modules need for being imported.
PLAIN_SETTINGS = """
SECRET_KEY = "x"
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
    "django.contrib.sessions", "django.contrib.messages", "rest_framework", "waffle",
    "mooc_microcred.apps.MicrocredConfig", "mooc_microcred_openedx.apps.MicrocredOpenedxConfig",
]
"""


def modules_of_the_sources() -> set[str]:
    """Return the dotted names of all modules that must be importable."""
    names = set()
    for package, folder in SOURCES.items():
        for file in folder.rglob("*.py"):
            parts = file.relative_to(folder).with_suffix("").parts
            names.add(".".join((package, *(part for part in parts if part != "__init__"))))
    return names


def data_files_of_the_sources() -> list[tuple[str, str]]:
    """Return (package, path) of everything in the packages that is not Python."""
    return [
        (package, file.relative_to(folder).as_posix())
        for package, folder in SOURCES.items()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix not in (".py", ".pyc") and "__pycache__" not in file.parts
    ]


@pytest.fixture(scope="session")
def sources(tmp_path_factory):
    """A clean copy, so that neither an old build/ nor this one leaves anything behind."""
    copy = tmp_path_factory.mktemp("sources") / "mooc"
    shutil.copytree(ROOT, copy, ignore=NOT_SOURCES)
    return copy


@pytest.fixture(scope="session")
def built(sources, tmp_path_factory):
    """The wheel and the sdist; the wheel is built from the sdist, as pip does."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, sources, cwd=out)
    return {"wheel": next(out.glob("*.whl")), "sdist": next(out.glob("*.tar.gz"))}


def fresh_environment(folder: Path) -> Path:
    """Make a virtual environment that sees the dependencies of the running one, but not our package.

    Returns:
        its interpreter.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    )
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    for where in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(where).iterdir():
            # An editable install of ours would answer for the package under test.
            if "mooc_microcred" not in entry.name and entry.suffix != ".pth":
                target = dependencies / entry.name
                if not target.exists():
                    target.symlink_to(entry)
    (site / "dependencies.pth").write_text(f"{dependencies}\n")
    return python


def install(python: Path, what, *options) -> None:
    """Install without dependencies and without asking any index."""
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    run(*pip, *options, what, cwd=python.parents[1])


@pytest.fixture(scope="session", params=["wheel", "sdist", "editable"])
def installed(request, tmp_path_factory, sources):
    """What a fresh environment sees after the installation, told from another directory."""
    folder = tmp_path_factory.mktemp(request.param)
    python = fresh_environment(folder / "venv")
    if request.param == "editable":
        install(python, sources, "--editable")
    else:
        install(python, request.getfixturevalue("built")[request.param])
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "plain_settings.py").write_text(PLAIN_SETTINGS)
    wanted = {
        "packages": list(SOURCES),
        "files": data_files_of_the_sources(),
        "never": NEVER_INSTALLED,
        "for_tutor": sorted(FOR_TUTOR),
    }
    out = run(
        python,
        "-c",
        LOOK_AT_EVERYTHING,
        json.dumps(wanted),
        str(ROOT),
        cwd=elsewhere,
        env=plain_environment(PYTHONPATH=str(elsewhere)),
    )
    seen = json.loads(out.splitlines()[-1])
    root = sources if request.param == "editable" else folder / "venv"
    return seen, root


@pytest.mark.slow
def test_every_module_can_be_imported_from_elsewhere(installed):
    seen, root = installed
    missing = modules_of_the_sources() - FOR_TUTOR - set(seen["modules"])
    assert missing == set()
    for package, folder in seen["from"].items():
        assert Path(folder).is_relative_to(root), f"{package} does not come from what was installed"


@pytest.mark.slow
def test_every_template_catalogue_static_file_schema_and_sample_is_there(installed):
    seen, _ = installed
    expected = {
        f"{package}:{path}": (SOURCES[package] / path).stat().st_size
        for package, path in data_files_of_the_sources()
    }
    assert seen["files"] == expected
    kinds = {Path(name).suffix for name in expected}
    assert {".mo", ".yaml", ".json"} <= kinds


@pytest.mark.slow
def test_nothing_is_installed_under_a_name_of_somebody_else(installed):
    seen, _ = installed
    assert seen["collisions"] == []


@pytest.mark.slow
def test_both_apps_are_found_by_lms_and_studio(installed):
    seen, _ = installed
    assert seen["entry_points"] == [
        f"{group}:{point}"
        for group in ("cms.djangoapp", "lms.djangoapp")
        for point in (
            "mooc_microcred=MicrocredConfig",
            "mooc_microcred_openedx=MicrocredOpenedxConfig",
        )
    ]


@pytest.mark.slow
def test_the_wheel_holds_our_packages_and_nothing_else(built):
    names = zipfile.ZipFile(built["wheel"]).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(SOURCES)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert not [name for name in names if name.endswith((".pyc", ".sqlite3")) or "__pycache__" in name]


@pytest.mark.slow
def test_the_sdist_holds_licence_readme_and_no_tests(built):
    with tarfile.open(built["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "setup.py", "pyproject.toml"} <= names
    assert not [name for name in names if name.startswith(("tests/", "sandbox/", "benchmarks/"))]
    # The widget is source code, too, and nothing of what npm installs.
    assert {"openedx_plugin/mfe/package-lock.json", "openedx_plugin/mfe/src/core/Panel.jsx"} <= names
    assert not [name for name in names if "node_modules" in name or "/dist/" in name]


def test_the_licence_is_the_agpl_as_the_fsf_published_it():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "GNU AFFERO GENERAL PUBLIC LICENSE\n                       Version 3, 19 November 2007" in text
    assert "13. Remote Network Interaction; Use with the GNU General Public License." in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text.splitlines()) == 661
