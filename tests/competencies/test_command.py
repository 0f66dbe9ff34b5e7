import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from mooc_microcred.competencies.models import Competency, Framework
from tests.competencies.packages import PACKAGE, ident, item, package

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command("microcred_framework", *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "framework.json"
    path.write_text(json.dumps(PACKAGE))
    return path


def test_a_file_is_shown_then_imported_then_exported(file, tmp_path):
    assert "new  EN-1" in run("diff", str(file), "--organization", "KMUTT")
    assert not Framework.objects.exists()
    run("import", str(file), "--organization", "KMUTT", "--publish")
    assert Framework.objects.get().state == "published"
    changed = package()
    changed["CFItems"].append(item("EN-9", "More"))
    file.write_text(json.dumps(changed))
    shown = run("diff", str(file))
    assert "new  EN-9" in shown
    assert "Unchanged: 4." in shown
    out = tmp_path / "out.json"
    run("export", ident("english"), "--output", str(out))
    assert len(json.loads(out.read_text())["CFItems"]) == 4
    assert ident("english") in run("list")
    assert run("export", ident("english"), "--format", "csv").count("\n") == 5


def test_what_is_wrong_is_told_line_by_line_and_changes_nothing(file):
    broken = package()
    del broken["CFItems"][0]["fullStatement"]
    file.write_text(json.dumps(broken))
    with pytest.raises(CommandError) as refused:
        run("import", str(file), "--organization", "KMUTT")
    assert "CASE" in str(refused.value)
    assert not Competency.objects.exists()
    with pytest.raises(CommandError):
        run("import", str(file) + ".missing", "--organization", "KMUTT")
    with pytest.raises(CommandError):
        run("export", ident("nothing"))
