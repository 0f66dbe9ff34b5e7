"""OLX in and out: a course as a folder of elements, each in its own file or in that of its parent."""

from __future__ import annotations

import io
import tarfile
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from lxml import etree
from opaque_keys.edx.keys import CourseKey
from xblock.fields import ScopeIds

from sandbox.models import Course
from sandbox.studio.content import tell
from sandbox.studio.models import CONTAINERS, Block
from sandbox.studio.runtime import OURS, SandboxRuntime

_PARSER = etree.XMLParser(remove_blank_text=False, resolve_entities=False, no_network=True)
# Elements of a container that are no blocks.
_NO_BLOCKS = ("wiki", "textbook", "pdf_textbook")
# Of an archive, when unpacked; the demo course has 25 MB, most of it pictures.
_MOST_FILES, _MOST_BYTES = 20_000, 200 * 2**20


def unpack_course(archive, course_key: str, *, title: str = "") -> Course:
    """Read a course from an archive (.tar.gz) as Studio exports it; nothing is changed if it is not one.

    Raises:
        ValidationError: it is no archive, it is too large, or there is no course in it.
    """
    with TemporaryDirectory() as folder:
        try:
            with tarfile.open(fileobj=archive, mode="r:gz") as tar:
                members = []
                total = 0
                for member in tar:
                    total += member.size
                    members.append(member)
                    if len(members) > _MOST_FILES or total > _MOST_BYTES:
                        raise ValidationError(_("The archive is too large."))
                # The filter refuses what would be written outside of the folder.
                tar.extractall(folder, members=members, filter="data")
        except (tarfile.TarError, OSError, EOFError) as error:
            raise ValidationError(_("The file is no archive of a course (.tar.gz).")) from error
        found = sorted(Path(folder).glob("course.xml")) or sorted(Path(folder).glob("*/course.xml"))
        if not found:
            raise ValidationError(_("There is no course in the archive (course.xml)."))
        try:
            return import_course(found[0].parent, course_key, title=title)
        except (etree.XMLSyntaxError, UnicodeDecodeError) as error:
            raise ValidationError(_("The course could not be read: %s") % error) from error


def pack_course(course: Course) -> bytes:
    """Return a course as an archive (.tar.gz), which Studio imports as well."""
    made = io.BytesIO()
    with TemporaryDirectory() as folder:
        export_course(course, Path(folder) / "course")
        with tarfile.open(fileobj=made, mode="w:gz") as tar:
            tar.add(Path(folder) / "course", arcname="course")
    return made.getvalue()


@transaction.atomic
def import_course(folder: Path, course_key: str, *, title: str = "") -> Course:
    """Read a course from OLX, published as it is; a course of that key is replaced."""
    key = CourseKey.from_string(course_key)
    root = etree.parse(str(folder / "course.xml"), _PARSER).getroot()
    course, _ = Course.objects.update_or_create(
        course_key=course_key,
        defaults={
            "organization": key.org,
            "number": key.course,
            "run": key.run,
            "title_en": title or key.course,
        },
    )
    course.blocks.all().delete()
    reader = _Reader(folder, course)
    reader.read(root, "", 0)
    top = course.blocks.get(kind="course")
    top.files = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path not in reader.seen and path.suffix in (".html", ".json", ".xml", ".txt")
    }
    top.save()
    for row in course.blocks.all():
        row.publish()
    tell(course)
    return course


class _Reader:
    def __init__(self, folder: Path, course: Course):
        self.folder = folder
        self.course = course
        self.seen: set[Path] = {folder / "course.xml"}
        self.runtime = SandboxRuntime(course=course, studio=True)

    def read(self, node, parent: str, position: int) -> None:
        """Read one element, which may only point to the file where it stands."""
        kind = node.tag
        name = node.get("url_name") or uuid.uuid4().hex
        attributes = dict(node.attrib)
        attributes.pop("url_name", None)
        file = self.folder / kind / f"{name}.xml"
        if file.is_file() and file not in self.seen:
            self.seen.add(file)
            node = etree.parse(str(file), _PARSER).getroot()
            attributes |= dict(node.attrib)
            attributes.pop("url_name", None)
        usage = self.course.key.make_usage_key(kind, "course" if kind == "course" else name)
        row = Block(
            course=self.course,
            usage_key=str(usage),
            kind=kind,
            parent=parent,
            position=position,
            fields=attributes,
        )
        if kind == "course":
            # The run's own name, by which its files are found again.
            row.fields["url_name"] = name
        if kind in OURS:
            row.fields = self._fields_of_ours(node, usage)
        elif kind in CONTAINERS:
            row.body = _inner(node, only=_NO_BLOCKS)
        else:
            text = self.folder / kind / f"{attributes.get('filename', '')}.html"
            if attributes.get("filename") and text.is_file():
                self.seen.add(text)
                row.body = text.read_text(encoding="utf-8")
            else:
                row.body = _inner(node)
        row.save()
        if kind in CONTAINERS:
            blocks = [one for one in node if isinstance(one.tag, str) and one.tag not in _NO_BLOCKS]
            for place, child in enumerate(blocks):
                self.read(child, row.usage_key, place)

    def _fields_of_ours(self, node, usage) -> dict:
        """Let the block read itself, and keep what it has set."""
        row = Block(course=self.course, usage_key=str(usage), kind=node.tag)
        self.runtime.rows[usage] = row
        kind = self.runtime.load_block_class(node.tag)
        copy = etree.fromstring(etree.tostring(node))
        block = kind.parse_xml(copy, self.runtime, ScopeIds(None, node.tag, usage, usage))
        return {
            field.name: field.read_json(block)
            for field in block.fields.values()
            if field.is_set_on(block) and field.name not in ("parent", "children")
        }


def _inner(node, only: tuple[str, ...] | None = None) -> str:
    """Return what an element holds, as text; of a container only what is no block."""
    parts = [] if only is not None else [node.text or ""]
    for child in node:
        if only is None or child.tag in only:
            parts.append(etree.tostring(child, encoding="unicode", with_tail=only is None))
    return "".join(parts)


def export_course(course: Course, folder: Path) -> None:
    """Write a course as OLX: containers in files of their own, as Studio does, with drafts as they are."""
    runtime = SandboxRuntime(course=course, studio=True)
    top = course.blocks.get(kind="course")
    for path, text in top.files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    name = top.fields.get("url_name", course.run)
    pointer = etree.Element("course", url_name=name, org=course.organization, course=course.number)
    _write(folder / "course.xml", pointer)
    _export(runtime, top, folder, name)


def _export(runtime: SandboxRuntime, row: Block, folder: Path, name: str) -> None:
    node = _element(runtime, row, folder, name)
    for key in runtime.children[row.key]:
        child = runtime.rows[key]
        etree.SubElement(node, child.kind, url_name=key.block_id)
        _export(runtime, child, folder, key.block_id)
    _write(folder / row.kind / f"{name}.xml", node)


def _element(runtime: SandboxRuntime, row: Block, folder: Path, name: str):
    if row.kind in OURS:
        node = etree.Element(row.kind)
        runtime.get_block(row.key).add_xml_to_node(node)
        return node
    attributes = {one: value for one, value in row.fields.items() if one != "url_name"}
    if attributes.get("filename") and row.kind not in CONTAINERS:
        file = folder / row.kind / f"{attributes['filename']}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(row.body, encoding="utf-8")
        return etree.Element(row.kind, attributes)
    node = etree.fromstring(f"<{row.kind}>{row.body}</{row.kind}>", _PARSER)
    for one, value in attributes.items():
        node.set(one, value)
    return node


def _write(file: Path, node) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(etree.tostring(node, encoding="utf-8", xml_declaration=False) + b"\n")
