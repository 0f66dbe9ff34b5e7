"""Packaging of mooc-microcred.

Import packages are mapped by hand: ``xblocks/`` and ``openedx_plugin/`` are
source roots whose own names would collide with other modules in a platform's
site-packages, and a bare ``find_packages`` would ship tests and the sandbox.
"""

import re
from pathlib import Path

import setuptools
from setuptools import find_packages, setup

HERE = Path(__file__).parent

# Tutor builds what an operator mounts under the setuptools that the platform's release pins (69 in Ulmo),
# which knows the older keyword only.
LICENCE_KEYWORD = "license_expression" if int(setuptools.__version__.split(".")[0]) >= 77 else "license"


def packages_below(root, name):
    """Return ``name`` and its subpackages, found below the folder ``root``."""
    return find_packages(root, include=[name, f"{name}.*"])


def version():
    """Return the version that the package itself says it has, without importing it."""
    text = (HERE / "mooc_microcred" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)[1]


setup(
    name="mooc-microcred",
    version=version(),
    description="Micro-credentials for Open edX: Level 1, Level 2, stacked programmes, credit bank",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="mooc-microcred founders",
    **{LICENCE_KEYWORD: "AGPL-3.0-only"},
    python_requires=">=3.11",
    package_dir={
        "mooc_microcred": "mooc_microcred",
        "mooc_microcred_openedx": "openedx_plugin/mooc_microcred_openedx",
        "mooc_microcred_tutor": "openedx_plugin/mooc_microcred_tutor",
        "mooc_microcred_xblocks": "xblocks/mooc_microcred_xblocks",
    },
    packages=[
        *packages_below(".", "mooc_microcred"),
        *packages_below("openedx_plugin", "mooc_microcred_openedx"),
        *packages_below("openedx_plugin", "mooc_microcred_tutor"),
        *packages_below("xblocks", "mooc_microcred_xblocks"),
    ],
    include_package_data=True,
    install_requires=[
        "Django>=4.2,<6",
        "djangorestframework>=3.14",
        "drf-spectacular>=0.28",
        "edx-drf-extensions>=10.4",
        "edx-django-utils>=7.0",
        "edx-opaque-keys[django]>=2.11",
        "openedx-events>=10.2",
        "openedx-filters>=2.0",
        "celery>=5.3",
        "cryptography>=42",
        "defusedxml>=0.7.1",
        "jsonschema>=4.17",
        "openpyxl>=3.1",
        # Plots as SVG; pure Python.
        "pygal>=3.0.5,<4",
        "PyLD>=3.0",
        "pillow>=10.3",
        "python-stdnum>=1.20",
        "PyYAML>=6.0",
        "requests>=2.31",
        "segno>=1.6",
        "tqdm>=4.66",
        "web-fragments>=2.2",
        "XBlock>=5.2",
    ],
    extras_require={
        # Certificates as PDF. Apart, because it needs Pango, a system library; 66 is the newest within the
        # pins of the platform's releases of 2025 (tinycss2 1.4).
        "pdf": ["weasyprint>=66,<71"],
        # In the environment in which Tutor itself runs, not in the platform's.
        "tutor": ["tutor>=20,<23"],
        # The embedded stand-in for an LMS: the demo and the browser tests run in it.
        "sandbox": ["edx-completion>=4.7"],
        # The public events over Redis; the platform's own releases bring one of the two buses.
        "event-bus": ["edx-event-bus-redis>=0.6"],
        "test": [
            "axe-playwright-python",
            "edx-completion>=4.7",
            "pytest",
            "pytest-django",
            "pytest-xdist",
            "hypothesis",
            "schemathesis>=4",
            "redis",
            "edx-event-bus-redis>=0.6",
            "weasyprint>=66,<71",
            "pikepdf",
            "playwright",
            "import-linter",
            "build",
            "setuptools>=77",
        ],
        # Apart, because it is compiled: it needs MariaDB's or MySQL's header files.
        "mysql": ["mysqlclient"],
        "quality": [
            "ruff",
            "mypy",
            "django-stubs",
            "types-PyYAML",
            "types-requests",
            "code-annotations",
        ],
    },
    entry_points={
        "lms.djangoapp": [
            "mooc_microcred = mooc_microcred.apps:MicrocredConfig",
            "mooc_microcred_openedx = mooc_microcred_openedx.apps:MicrocredOpenedxConfig",
        ],
        "cms.djangoapp": [
            "mooc_microcred = mooc_microcred.apps:MicrocredConfig",
            "mooc_microcred_openedx = mooc_microcred_openedx.apps:MicrocredOpenedxConfig",
        ],
        "xblock.v1": [
            "microcred_competency = mooc_microcred_xblocks.competency:CompetencyBlock",
            "microcred_progress = mooc_microcred_xblocks.progress:ProgressBlock",
        ],
        "tutor.plugin.v1": ["microcred = mooc_microcred_tutor.plugin"],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: Django",
        "Framework :: Django :: 4.2",
        "Framework :: Django :: 5.2",
        "Natural Language :: English",
        "Natural Language :: Thai",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
    ],
)
