"""``manage.py microcred_catalogue`` as an operator uses it: output, errors by line, exit codes."""

import io
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from mooc_microcred.achievements.models import AchievementVersion, Feed
from mooc_microcred.core.models import AuditEntry

pytestmark = pytest.mark.django_db


def run(*args):
    """Return exit code, standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("microcred_catalogue", *map(str, args), stdout=out, stderr=err, no_color=True)
    except CommandError as error:
        return error.returncode, out.getvalue(), f"{err.getvalue()}{error}"
    return 0, out.getvalue(), err.getvalue()


WRONG = """catalogue: 1
achievements:
  - code: UPPER
    organization: KMUTT
    hours: many
"""


def test_samples_are_loaded_and_loading_again_says_that_nothing_changed():
    code, out, err = run("load", "--sample", "python-series", "--sample", "maritime-english")

    assert (code, err) == (0, "")
    assert "kmutt-python v1: new version, in force" in out
    assert AchievementVersion.objects.filter(state="active").count() == 23
    assert AuditEntry.objects.filter(action="version.activated", actor_id=None).count() == 23
    assert run("load", "--sample", "python-series") == (0, "Nothing has changed.\n", "")


def test_drafts_are_loaded_without_effect():
    code, out, _err = run("load", "--draft", "--sample", "python-series")

    assert code == 0
    assert "kmutt-python v1: new version, draft" in out
    assert not AchievementVersion.objects.exclude(state="draft").exists()
    assert not Feed.objects.exists()


def test_what_is_exported_can_be_loaded_and_changes_nothing(tmp_path):
    run("load", "--sample", "maritime-english")
    file = tmp_path / "out.yaml"

    assert run("export", "--organization", "KMUTT", "--output", file)[0] == 0
    assert run("check", file)[:2] == (0, "16 achievements are right.\n")
    assert run("load", file) == (0, "Nothing has changed.\n", "")
    assert run("export")[1] == file.read_text(encoding="utf-8")
    assert run("export", "--organization", "CMU")[1] == "catalogue: 1\nissuers: []\nachievements: []\n"


@pytest.mark.parametrize("command", ["load", "check"])
def test_every_problem_is_a_line_with_file_line_and_place(command, tmp_path):
    file = tmp_path / "wrong.yaml"
    file.write_text(WRONG, encoding="utf-8")

    code, out, err = run(command, file)

    assert code == 1
    assert out == ""
    lines = err.splitlines()
    assert any(line.startswith(f"{file}:3: achievements[0].code: ") and "UPPER" in line for line in lines)
    assert any(line.startswith(f"{file}:5: achievements[0].hours: ") for line in lines)
    assert all(line.startswith(f"{file}:") for line in lines[:-1])
    assert not AchievementVersion.objects.exists()


def test_one_wrong_file_keeps_all_from_being_loaded(tmp_path):
    file = tmp_path / "wrong.yaml"
    file.write_text(WRONG, encoding="utf-8")

    code, _out, _err = run("load", file, "--sample", "python-series")

    assert code == 1
    assert not AchievementVersion.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"a: [", "line "), (b"\xff\xfe", "UTF-8"), (b"", "fields with values"), (None, "No such file")],
)
def test_a_file_that_cannot_be_read_is_told(content, said, tmp_path):
    file = tmp_path / "file.yaml"
    if content is not None:
        file.write_bytes(content)

    code, _out, err = run("check", file)

    assert code == 1
    assert str(file) in err
    assert said in err


def test_advice_does_not_keep_from_loading(tmp_path):
    run("load", "--sample", "python-series")
    file = tmp_path / "advice.yaml"
    text = run("export")[1]
    start = text.index("      en: Python Programming Fundamentals (Level 1")
    file.write_text(text[:start] + text[text.index("\n", start) + 1 :], encoding="utf-8")

    code, out, err = run("load", file)

    assert code == 0
    assert "kmutt-py101-l1 v2: new version, in force" in out
    assert "kmutt-py101-l1 v1: retired" in out
    assert "achievements[0].name: There is no English text" in err


def test_a_command_that_is_not_understood_exits_with_2():
    assert run("load")[0] == 2
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    done = subprocess.run(
        [sys.executable, "-m", "django", "microcred_catalogue", "guess"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "guess" in done.stderr


def test_the_shell_gets_the_exit_code_and_no_traceback(tmp_path):
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    file = tmp_path / "wrong.yaml"
    file.write_text("a: [", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "django", "microcred_catalogue", "check", str(file)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(file) in done.stderr
