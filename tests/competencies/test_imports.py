import contextlib
import csv
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mooc_microcred.competencies import api
from mooc_microcred.competencies.imports import read_document
from mooc_microcred.competencies.models import (
    Association,
    Competency,
    ContentTag,
    Framework,
    FrameworkImport,
)
from mooc_microcred.core import clock
from mooc_microcred.core.errors import InvalidInput, NotAllowed, NotFound, WrongState
from mooc_microcred.core.models import AuditEntry, StaffRole
from mooc_microcred.core.roles import Actor
from mooc_microcred.core.texts import Text
from tests.competencies.packages import PACKAGE, ident, item, link, node, package

pytestmark = pytest.mark.django_db

BOSS = Actor(user_id=1, superuser=True)
FRAMEWORK = ident("english")


def preview(content, **fields):
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    fields.setdefault("organization", "KMUTT")
    return api.preview_import(actor=BOSS, content=content, **fields)


def load(content, **fields):
    shown = preview(content, **fields)
    api.commit_import(actor=BOSS, token=shown.token, publish=True)
    return shown


def exported(format="case"):  # noqa: A002
    return api.export_framework(framework=FRAMEWORK, format=format, actor=BOSS)


def changes(shown):
    return {one.code: (one.what, *one.fields) for one in shown.changes}


def stored(code):
    return Competency.objects.get(code=code)


def test_a_package_is_read_into_a_tree():
    shown = load(PACKAGE)
    assert shown.is_new
    assert shown.count("new") == 4
    assert shown.unchanged == 0
    tree = [(one.code, one.depth, one.child_count) for one in Competency.objects.order_by("ordinal")]
    # In the order of the sequence numbers; what is retired is no child to show.
    assert tree == [("EN", 0, 2), ("EN-2", 1, 0), ("EN-1", 1, 0), ("EN-0", 1, 0)]
    first = stored("EN-1")
    assert (first.statement_th, first.statement_en) == ("จับใจความสำคัญ", "Gets the gist")
    assert (first.domain, first.miller, first.nqf_level) == ("skills", "knows_how", 6)
    assert (stored("EN-2").statement_th, stored("EN-2").statement_en) == ("เขียนอีเมล", "")
    old = stored("EN-0")
    assert old.retired_at.date().isoformat() == "2024-12-31"
    assert (old.successor_framework, old.successor_item) == (FRAMEWORK, ident("EN-1"))
    framework = Framework.objects.get()
    assert (framework.title_th, framework.title_en) == ("ภาษาอังกฤษเพื่อการทำงาน", "English for work")
    assert AuditEntry.objects.filter(action="framework.import").count() == 1


def sorted_package(found):
    found = json.loads(json.dumps(found))
    for section in ("CFItems", "CFAssociations"):
        found[section].sort(key=lambda row: row["identifier"])
    return found


def test_nothing_of_a_package_is_lost_on_the_way_in_and_out():
    load(PACKAGE)
    assert sorted_package(json.loads(exported())) == sorted_package(PACKAGE)


def test_the_same_file_again_changes_nothing():
    load(PACKAGE)
    before = Framework.objects.get().revision
    shown = preview(PACKAGE)
    assert not shown.changes_anything
    assert shown.unchanged == 4
    again = preview(exported())
    assert not again.changes_anything
    assert Framework.objects.get().revision == before


def test_a_preview_says_what_would_change_and_a_commit_does_just_that():
    load(PACKAGE)
    changed = package()
    rows = {row["humanCodingScheme"]: row for row in changed["CFItems"]}
    rows["EN-1"]["fullStatement"] = "Understands the gist"
    del rows["EN-1"]["extensions"]["microcred"]["statement"]
    changed["CFItems"].append(item("EN-3", "Speaks"))
    changed["CFAssociations"] = [
        one
        for one in changed["CFAssociations"]
        if not (one["associationType"] == "isChildOf" and one["originNodeURI"]["title"] == "EN-2")
    ]
    changed["CFAssociations"] += [
        link("isChildOf", "EN-2", node("EN-1"), 1),
        link("isChildOf", "EN-3", node("EN"), 9),
    ]
    changed["CFItems"] = [row for row in changed["CFItems"] if row["humanCodingScheme"] != "EN-0"]
    shown = preview(changed)
    assert changes(shown) == {
        "EN-1": ("changed", "statement_th", "statement_en"),
        "EN-2": ("moved", "parent"),
        "EN-3": ("new",),
    }
    assert shown.associations == {"new": 2, "changed": 0, "removed": 1}
    assert stored("EN-1").statement_en == "Gets the gist"
    api.commit_import(actor=BOSS, token=shown.token)
    assert stored("EN-1").statement_en == "Understands the gist"
    assert stored("EN-2").parent == stored("EN-1")
    assert stored("EN-2").depth == 2
    assert Competency.objects.count() == 5


def use(code):
    ContentTag.objects.create(
        digest=code, course_key="c", source="olx", said_by="x", usage_key="x", relation="teaches",
        framework=FRAMEWORK, item=ident(code),
    )  # fmt: skip


def without(code, found=None):
    found = found or package()
    found["CFItems"] = [row for row in found["CFItems"] if row["humanCodingScheme"] != code]
    return found


def test_what_is_in_use_is_never_deleted_and_retired_only_with_a_successor():
    load(PACKAGE)
    use("EN-2")
    shown = preview(without("EN-2"))
    assert [(one.code, one.what, one.used) for one in shown.changes] == [("EN-2", "retired", 1)]
    assert "EN-2" in shown.blocked
    with pytest.raises(WrongState, match="EN-2"):
        api.commit_import(actor=BOSS, token=shown.token)
    assert stored("EN-2").retired_at is None
    better = without("EN-2")
    better["CFAssociations"].append(link("replacedBy", "EN-2", node("EN-1")))
    shown = preview(better)
    assert shown.blocked == ""
    api.commit_import(actor=BOSS, token=shown.token)
    gone = stored("EN-2")
    assert gone.retired_at is not None
    assert (gone.successor_framework, gone.successor_item) == (FRAMEWORK, ident("EN-1"))
    # It comes back as what it was.
    shown = preview(PACKAGE)
    assert changes(shown)["EN-2"][0] == "returned"
    api.commit_import(actor=BOSS, token=shown.token)
    assert stored("EN-2").retired_at is None
    assert stored("EN-2").pk == gone.pk


def test_what_nobody_uses_is_retired_without_a_successor_and_what_is_used_if_one_insists():
    load(PACKAGE)
    api.commit_import(actor=BOSS, token=preview(without("EN-2")).token)
    assert stored("EN-2").retired_at is not None
    use("EN-1")
    shown = preview(without("EN-1", without("EN-2")))
    api.commit_import(actor=BOSS, token=shown.token, without_successor=True)
    assert stored("EN-1").retired_at is not None
    assert Competency.objects.count() == 4


def test_a_room_above_says_what_it_uses(monkeypatch):
    load(PACKAGE)
    monkeypatch.setattr(
        "mooc_microcred.competencies.imports._uses", {"test": lambda keys: dict.fromkeys(keys, 3)}
    )
    assert preview(without("EN-2")).changes[0].used == 3


def test_a_successor_may_stand_in_another_framework():
    other = package()
    other["CFDocument"]["identifier"] = ident("other")
    other["CFItems"] = [item("OT-1", "Other")]
    other["CFAssociations"] = []
    load(other)
    load(PACKAGE)
    use("EN-2")
    changed = without("EN-2")
    changed["CFAssociations"].append(link("replacedBy", "EN-2", node("OT-1")))
    shown = preview(changed)
    api.commit_import(actor=BOSS, token=shown.token)
    assert stored("EN-2").successor_framework == ident("other")


def test_what_was_shown_is_what_is_done_or_nothing():
    load(PACKAGE)
    first, second = preview(without("EN-2")), preview(without("EN-1"))
    api.commit_import(actor=BOSS, token=first.token)
    with pytest.raises(WrongState, match="changed since"):
        api.commit_import(actor=BOSS, token=second.token)
    with pytest.raises(WrongState, match="already"):
        api.commit_import(actor=BOSS, token=first.token)
    with pytest.raises(NotFound):
        api.commit_import(actor=BOSS, token="nothing")
    FrameworkImport.objects.update(created="2020-01-01T00:00:00Z")
    with pytest.raises(NotFound):
        api.commit_import(actor=BOSS, token=second.token)


def test_an_import_is_the_business_of_the_organisations_programme_officer():
    StaffRole.objects.create(user_id=5, role="programme_officer", organization="BUU")
    officer = Actor(user_id=5)
    content = json.dumps(PACKAGE).encode()
    with pytest.raises(NotAllowed):
        api.preview_import(actor=officer, content=content, organization="KMUTT")
    shown = preview(PACKAGE)
    with pytest.raises(NotAllowed):
        api.commit_import(actor=officer, token=shown.token)
    api.commit_import(actor=BOSS, token=shown.token)
    # A framework stays with its organisation.
    with pytest.raises(NotAllowed):
        api.preview_import(actor=officer, content=content, organization="BUU")
    with pytest.raises(InvalidInput):
        preview(PACKAGE, organization="BUU")
    with pytest.raises(NotFound):
        api.export_framework(framework=FRAMEWORK)
    api.set_framework_state(actor=BOSS, framework=FRAMEWORK, state="published")
    assert api.export_framework(framework=FRAMEWORK)


# --- tables ---

TABLE = """รหัส,อยู่ภายใต้,สมรรถนะ,ข้อความภาษาอังกฤษ,ด้าน,ระดับมิลเลอร์,ระดับคุณวุฒิ,ตรงกับ,หมายเหตุ
EN,,ภาษาอังกฤษ,English,,,,,ก
EN-1,EN,จับใจความ,Gets the gist,ทักษะ,knows how,๖,https://data.europa.eu/esco/skill/1,
EN-2,EN,เขียนอีเมล,,ความรู้,knows,,,
"""
NEW = {"framework": FRAMEWORK, "title": Text(th="ภาษาอังกฤษ"), "creator": "KMUTT"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp874", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_is_read_as_thai_excel_saves_it(encoding, delimiter):
    shown = load(TABLE.replace(",", delimiter).encode(encoding), **NEW)
    assert shown.count("new") == 3
    assert list(shown.ignored) == ["หมายเหตุ"]
    one = stored("EN-1")
    assert (one.statement_th, one.domain, one.miller, one.nqf_level) == ("จับใจความ", "skills", "knows_how", 6)
    assert one.parent == stored("EN")
    match = Association.objects.get(kind="exactMatchOf")
    assert match.destination_uri == "https://data.europa.eu/esco/skill/1"


def test_our_own_table_comes_back_unchanged():
    load(PACKAGE)
    text = exported("csv").decode("utf-8-sig")
    shown = preview(text.encode(), framework=FRAMEWORK)
    assert not shown.changes_anything, shown.changes
    rows = list(csv.DictReader(io.StringIO(text)))
    rows[2]["statement_en"] = "=cmd()"
    file = io.StringIO()
    writer = csv.DictWriter(file, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    shown = load(file.getvalue().encode(), framework=FRAMEWORK)
    assert [one.fields for one in shown.changes] == [["statement_en"]]
    # What a table cannot say is not taken away.
    assert stored("EN-1").extras["conceptKeywords"] == ["listening"]
    assert Association.objects.count() == 8
    assert "'=cmd()" in exported("csv").decode()


def test_rows_without_identifiers_are_known_by_their_codes():
    load(PACKAGE)
    shown = preview(TABLE.encode(), framework=FRAMEWORK)
    assert {code: what for code, (what, *_fields) in changes(shown).items()} == {
        "EN": "changed",
        "EN-1": "changed",
        "EN-2": "changed",
    }


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("code,statement_en\n,x\n", "row 2, code"),
        ("code,statement_en\nA,x\na,y\n", "row 3, code"),
        ("code,statement_en\nA,\n", "row 2, statement"),
        ("code,statement_en,domain\nA,x,magic\n", "row 2, domain"),
        ("code,statement_en,miller\nA,x,guesses\n", "row 2, miller"),
        ("code,statement_en,nqf\nA,x,9\n", "row 2, nqf"),
        ("code,statement_en,parent\nA,x,B\n", "row 2, parent"),
        ("code,statement_en,parent\nA,x,A\n", "row 2, parent"),
        ("code,statement_en,parent\nA,x,B\nB,y,A\n", "parent"),
        ("code,statement_en,identifier\nA,x,not-a-uuid\n", "row 2, identifier"),
        ("code,statement_en,exact_match\nA,x,javascript:alert(1)\n", "row 2, exact_match"),
        ("code,statement_en,replaced_by\nA,x,Z\n", "row 2, replaced_by"),
    ],
)
def test_what_is_wrong_in_a_table_is_told_by_row_and_column(text, where):
    with pytest.raises(InvalidInput) as refused:
        preview(text.encode(), **NEW)
    assert where in [one.where for one in refused.value.problems]
    assert not Framework.objects.exists()
    assert not FrameworkImport.objects.exists()


def test_the_platforms_taxonomy_goes_out_and_comes_in():
    load(PACKAGE)
    document = json.loads(exported("taxonomy_json"))
    assert {(tag["id"], tag.get("parent_id")) for tag in document["tags"]} == {
        (ident("EN"), None), (ident("EN-1"), ident("EN")), (ident("EN-2"), ident("EN")),
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(exported("taxonomy_csv").decode())))
    assert [row["id"] for row in rows][0] == ident("EN")
    for content in (exported("taxonomy_json"), exported("taxonomy_csv")):
        shown = preview(content, framework=FRAMEWORK)
        # What is in force stays as it is; retired items are not offered as tags.
        assert not shown.changes
    document["tags"].append({"id": "writing", "value": "การเขียน", "parent_id": ident("EN")})
    shown = preview(document, framework=FRAMEWORK)
    assert changes(shown) == {"writing": ("new",)}
    api.commit_import(actor=BOSS, token=shown.token)
    assert stored("writing").statement_th == "การเขียน"
    assert stored("EN-1").domain == "skills"


def test_a_foreign_taxonomy_becomes_a_framework():
    tags = [{"id": "a", "value": "Above"}, {"id": "b", "value": "ต่ำกว่า", "parent_id": "a"}]
    load({"tags": tags}, **NEW)
    assert stored("b").parent == stored("a")
    assert load({"tags": tags}, **NEW).unchanged == 2


# --- what is no framework ---


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda one: one["CFDocument"].pop("creator"), "CFDocument.creator"),
        (lambda one: one["CFDocument"].update(identifier="x"), "CFDocument.identifier"),
        # Version 7 of UUIDs is none that CASE takes.
        (
            lambda one: one["CFItems"][0].update(identifier="01890a5d-ac96-774b-bcce-b302099a8057"),
            "CFItems[0].identifier",
        ),
        (lambda one: one["CFItems"][0].update(colour="red"), "CFItems[0].colour"),
        (lambda one: one["CFItems"][1].update(fullStatement=""), "CFItems[1].fullStatement"),
        (lambda one: one["CFItems"].append(one["CFItems"][0]), "CFItems[4].identifier"),
        (
            lambda one: one["CFItems"][0].update(lastChangeDateTime="yesterday"),
            "CFItems[0].lastChangeDateTime",
        ),
        (
            lambda one: one["CFItems"][1]["extensions"]["microcred"].update(nqf=9),
            "CFItems[1].extensions.microcred.nqf",
        ),
        (
            lambda one: one["CFItems"][1]["extensions"]["microcred"].update(domain="x"),
            "CFItems[1].extensions.microcred.domain",
        ),
        (
            lambda one: one["CFAssociations"][0].update(associationType="likes"),
            "CFAssociations[0].associationType",
        ),
        (lambda one: one["CFAssociations"][0].update(originNodeURI="x"), "CFAssociations[0].originNodeURI"),
        (lambda one: one.update(extra={}), "extra"),
        (lambda one: one.update(CFItems={}), "CFItems"),
    ],
)
def test_what_is_wrong_in_a_package_is_told_by_its_place(spoil, where):
    found = package()
    spoil(found)
    with pytest.raises(InvalidInput) as refused:
        preview(found)
    assert where in [one.where for one in refused.value.problems]


@pytest.mark.parametrize(
    "content", [b"", b"  ", b"{", b"[]", b"{}", b"null", b"\xff\xfe\x00", b"name,score\nx,1", b"[" * 100_000]
)
def test_what_is_no_framework_at_all_is_refused(content):
    with pytest.raises(InvalidInput):
        preview(content, **NEW)


def test_a_file_that_is_too_large_is_not_even_read(settings):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "UPLOAD_MAX_BYTES": 1024}
    with pytest.raises(InvalidInput, match="larger"):
        preview(b"{" + b" " * 2000)


def test_a_table_needs_the_name_of_its_framework():
    with pytest.raises(InvalidInput, match="identifier"):
        preview(TABLE.encode())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["CFDocument", "CFItems", "CFAssociations", "identifier", "uri", "title", "tags", "id", "value",
             "extensions", "microcred", "fullStatement", "originNodeURI", "associationType"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=15,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(json_values)
def test_whatever_the_json_it_is_read_or_refused(found):
    with contextlib.suppress(InvalidInput):
        read_document(json.dumps(found).encode(), framework=FRAMEWORK)


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=400))
def test_whatever_the_bytes_they_are_read_or_refused(content):
    for start in (b"", b"code,statement_en\n", b"id,value,parent_id\n"):
        with contextlib.suppress(InvalidInput):
            read_document(start + content, framework=FRAMEWORK)


def test_two_thousand_items_are_imported_in_few_queries(django_assert_max_num_queries):
    found = package()
    found["CFItems"] = [item(f"I{number}", f"Statement {number}") for number in range(2000)]
    found["CFAssociations"] = [
        link("isChildOf", f"I{number}", node(f"I{number // 10}")) for number in range(1, 2000)
    ]
    shown = preview(found)
    assert shown.count("new") == 2000
    with django_assert_max_num_queries(250):
        api.commit_import(actor=BOSS, token=shown.token, publish=True)
    assert clock.now() > Framework.objects.get().changed
    assert Competency.objects.filter(depth__gt=2).exists()
    with django_assert_max_num_queries(12):
        preview(found)
