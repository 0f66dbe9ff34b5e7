"""OLX in and out of the sandbox: a course loses nothing on its way, whether our blocks are in it or not."""

from __future__ import annotations

import io
import json
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse
from lxml import etree

from mooc_microcred.competencies import api as competencies
from mooc_microcred.core import clock
from sandbox.models import Course, CourseStaff
from sandbox.studio.content import publish
from sandbox.studio.models import Block
from sandbox.studio.olx import export_course, import_course
from tests.xblocks.conftest import competency, entry, framework

pytestmark = pytest.mark.django_db
DEMO = Path(__file__).resolve().parents[3] / "shared" / "data" / "olx" / "open-edx-demo-course" / "course"
RUN, AGAIN = "course-v1:KMUTT+Demo+1", "course-v1:KMUTT+Demo+2"
SMALL = {
    "course.xml": '<course url_name="run" org="O" course="C"/>',
    "course/run.xml": '<course display_name="ก"><chapter url_name="c1"/><wiki slug="w"/></course>',
    "chapter/c1.xml": '<chapter display_name="One"><sequential url_name="s1"/></chapter>',
    "sequential/s1.xml": '<sequential graded="true" format="Quiz"><vertical url_name="v1"/></sequential>',
    "vertical/v1.xml": '<vertical display_name="Unit"><html url_name="h1"/><problem url_name="p1"/>'
    '<microcred_competency url_name="m1" relation="assesses" later="x" competencies="'
    "[{&quot;framework&quot;: &quot;F&quot;, &quot;item&quot;: &quot;I&quot;, &quot;weight&quot;: 2,"
    ' &quot;note&quot;: &quot;n&quot;}]"/>'
    "</vertical>",
    "html/h1.xml": '<html filename="h1" display_name="Text"/>',
    "html/h1.html": "<p>Hello &amp; <b>more</b></p>",
    "problem/p1.xml": "<problem><p>Which?</p><multiplechoiceresponse><choicegroup><choice correct='true'>a"
    "</choice></choicegroup></multiplechoiceresponse></problem>",
    "policies/run/policy.json": '{"course/run": {"start": "2026-01-01"}}',
}


@pytest.fixture
def pages(settings):
    """Let the sandbox's own addresses be there."""
    settings.ROOT_URLCONF = "sandbox.urls"
    settings.LOGIN_URL = "sandbox:login"


@pytest.fixture
def small(tmp_path):
    for name, text in SMALL.items():
        file = tmp_path / "small" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path / "small"


def nodes(course) -> list:
    """Return every node with all that it says, in the order of the course, by place and not by key."""
    rows = {row.usage_key: row for row in course.blocks.all()}

    def path(row):
        return (path(rows[row.parent]) if row.parent else ()) + ((row.position, row.kind, row.key.block_id),)

    return sorted(
        (path(row), json.dumps(row.fields, sort_keys=True), _same(row.body)) for row in rows.values()
    )


def _same(body: str) -> str:
    """Return an element's content as canonical XML, so that quotes and entities do not differ."""
    try:
        return etree.tostring(etree.fromstring(f"<x>{body}</x>"), method="c14n").decode()
    except etree.XMLSyntaxError:
        return body


def test_a_course_goes_out_and_comes_back_whole(small, tmp_path):
    first = import_course(small, RUN)
    assert [row.kind for row in first.blocks.filter(parent__contains="vertical")] == [
        "html",
        "problem",
        "microcred_competency",
    ]
    block = first.blocks.get(kind="microcred_competency")
    assert block.fields["competencies"][0]["note"] == "n"
    assert block.fields["olx_extras"] == {"later": "x"}
    export_course(first, tmp_path / "out")
    again = import_course(tmp_path / "out", AGAIN)
    assert nodes(again) == nodes(first)
    assert again.blocks.get(kind="course").files == first.blocks.get(kind="course").files


def test_an_imported_course_is_published_and_its_tags_are_read(small):
    import_course(small, RUN)
    known = competency(framework(), "PY-1")
    row = Block.objects.get(kind="microcred_competency")
    row.fields = {**row.fields, "competencies": [*row.fields["competencies"], entry(known)]}
    row.save()
    publish(row.course)
    outline = _outline(RUN)
    said = next(one for one in outline.blocks if one.kind == "microcred_competency")
    assert len(said.competencies) == 2
    assert [one.kind for one in outline.blocks][:4] == ["course", "chapter", "sequential", "vertical"]
    assert [one.scored for one in outline.blocks if one.kind == "problem"] == [True]
    assert [one.graded for one in outline.blocks if one.kind == "problem"] == [True]


def _outline(course_key):
    from sandbox.studio.content import SandboxContent

    return SandboxContent().read_course_structure(course_key, taxonomies=())


@pytest.mark.skipif(not DEMO.is_dir(), reason="the Open edX Demo Course's OLX is not at ../shared/data/olx")
def test_the_demo_course_is_tagged_exported_and_imported_with_nothing_lost(tmp_path):
    first = import_course(DEMO, RUN, title="Open edX Demo")
    counts = {kind: first.blocks.filter(kind=kind).count() for kind in ("chapter", "sequential", "vertical")}
    assert counts == {"chapter": 6, "sequential": 17, "vertical": 58}
    assert first.blocks.filter(kind="problem").count() >= 29
    skills = framework()
    picked = [competency(skills, f"OX-{number}") for number in range(8)]
    stranger = {"framework": "elsewhere", "item": "unknown", "weight": 2, "kept": ["as", "it", "is"]}
    units = list(first.blocks.filter(kind="vertical").order_by("id"))
    for number, unit in enumerate(units):
        key = first.key.make_usage_key("microcred_competency", f"tag{number}")
        Block.objects.create(
            course=first,
            usage_key=str(key),
            kind="microcred_competency",
            parent=unit.usage_key,
            position=100,
            fields={
                "relation": ("teaches", "practises", "assesses")[number % 3],
                "covers": ("unit", "subsection")[number % 2],
                "display_name": f"ทักษะ {number} & <b>",
                "competencies": [entry(picked[number % 8], 1.5), stranger],
                "olx_extras": {"later": "x"},
            },
        )
    publish(first)
    export_course(first, tmp_path / "out")
    again = import_course(tmp_path / "out", AGAIN)
    before, after = nodes(first), nodes(again)
    # The place of a child is what its parent says, not the number that a row had.
    assert [_unplaced(one) for one in after] == [_unplaced(one) for one in before]
    assert len(after) == len(before) == first.blocks.count()
    tags = competencies.get_competencies(keys=[(one.framework.identifier, one.identifier) for one in picked])
    assert len(tags) == 8
    assert again.blocks.get(kind="course").files == first.blocks.get(kind="course").files


def _unplaced(node):
    path, fields, body = node
    return [step[1:] for step in path], fields, body


def test_a_person_exports_a_course_and_imports_it_as_another_run(pages, small, client, django_user_model):
    author = django_user_model.objects.create_user("author")
    first = import_course(small, RUN)
    CourseStaff.objects.create(user=author, course=first)
    client.force_login(author)
    here = reverse("sandbox:studio_course", args=[RUN])
    assert "course.tar.gz" in client.get(here).content.decode()
    archive = client.get(reverse("sandbox:studio_export", args=[RUN]))
    assert archive["Content-Type"] == "application/gzip"
    given = {"key": AGAIN, "archive": SimpleUploadedFile("course.tar.gz", archive.content)}
    answer = client.post(reverse("sandbox:studio_import", args=[RUN]), given, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("sandbox:studio_course", args=[AGAIN])
    again = Course.objects.get(course_key=AGAIN)
    assert nodes(again) == nodes(first)
    assert again.blocks.get(kind="course").files == first.blocks.get(kind="course").files


def test_the_sandbox_s_first_course_says_what_is_learned_and_where_it_is_assessed(db, settings):
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "PLATFORM": "sandbox.platform.SandboxPlatform",
        "CONTENT": "sandbox.studio.content.SandboxContent",
    }
    call_command("sandbox_load", stdout=io.StringIO())
    with clock.shifted(timedelta(minutes=3)):
        competencies.sync_due()
    run = "course-v1:KMUTT+PY101+2026"
    tags = competencies.tags_of_course(course_key=run)
    assert {one.relation for one in tags} == {"teaches", "practises", "assesses"}
    assert all(one.competency for one in tags)
    gaps = {(gap.kind, gap.key[1]) for gap in competencies.coverage_of_course(course_key=run).gaps}
    assert "assessed_before_taught" not in {kind for kind, _item in gaps}
    assert "nothing_scored" not in {kind for kind, _item in gaps}
    # Again is harmless, and what an author has changed stays.
    Block.objects.filter(kind="microcred_competency").update(fields={"competencies": []})
    call_command("sandbox_load", stdout=io.StringIO())
    assert Block.objects.filter(kind="microcred_competency").count() == 5
    assert all(not one.fields["competencies"] for one in Block.objects.filter(kind="microcred_competency"))


def _archive(**files):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"no archive", AGAIN),
        (_archive(**{"a.txt": b"x"}), AGAIN),
        (_archive(**{"../../course.xml": b"<course/>"}), AGAIN),
        (_archive(**{"course.xml": b"<course"}), AGAIN),
        (_archive(**{"course.xml": b"<course/>"}), "no key"),
    ],
    ids=["no archive", "no course", "outside", "no XML", "no key"],
)
def test_an_archive_that_is_not_right_changes_nothing(pages, small, client, django_user_model, content, key):
    author = django_user_model.objects.create_user("author")
    CourseStaff.objects.create(user=author, course=import_course(small, RUN))
    client.force_login(author)
    before = Block.objects.count()
    given = {"key": key, "archive": SimpleUploadedFile("course.tar.gz", content)}
    answer = client.post(reverse("sandbox:studio_import", args=[RUN]), given)
    assert answer["Location"] == reverse("sandbox:studio_course", args=[RUN])
    assert (Block.objects.count(), Course.objects.filter(course_key=AGAIN).exists()) == (before, False)


def test_nobody_exports_or_replaces_a_course_that_they_do_not_teach(pages, small, client, django_user_model):
    own, theirs = import_course(small, RUN), import_course(small, AGAIN)
    stranger = django_user_model.objects.create_user("stranger")
    CourseStaff.objects.create(user=stranger, course=own)
    client.force_login(stranger)
    assert client.get(reverse("sandbox:studio_export", args=[AGAIN])).status_code == 403
    archive = client.get(reverse("sandbox:studio_export", args=[RUN])).content
    given = {"key": AGAIN, "archive": SimpleUploadedFile("course.tar.gz", archive)}
    assert client.post(reverse("sandbox:studio_import", args=[RUN]), given).status_code == 403
    assert theirs.blocks.exists()
