"""Pages of the stand-in for Studio, and the addresses by which blocks are drawn and spoken to."""

from __future__ import annotations

import uuid
from mimetypes import guess_type

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
from webob import Request
from xblock.core import XBlock
from xblock.exceptions import NoSuchHandlerError

from sandbox.models import Course, CourseStaff, Enrollment
from sandbox.studio.authoring import SandboxAuthoring, studio
from sandbox.studio.content import publish, tell
from sandbox.studio.models import CONTAINERS, Block
from sandbox.studio.olx import pack_course, unpack_course
from sandbox.studio.runtime import OURS, SandboxRuntime, head_of

# As strict as an operator may set it: a block that needs more does not work here.
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; frame-ancestors 'self'"
)


def drawn(request, template: str, context: dict, fragments: list) -> HttpResponse:
    """Render a page with blocks in it."""
    response = render(request, template, {**context, "head": head_of(fragments)})
    response["Content-Security-Policy"] = POLICY
    return response


def fragments_of_unit(*, course: Course, user, beside: str) -> list:
    """Return what learners see of our blocks in the unit in which a block stands."""
    own = Block.objects.filter(usage_key=beside).first()
    if own is None:
        return []
    runtime = SandboxRuntime(course=course, user=user)
    return [
        runtime.render(runtime.get_block(row.key), "student_view", {})
        for row in runtime.rows.values()
        if row.parent == own.parent and row.kind in OURS
    ]


def _course_of_author(request, course_key: str) -> Course:
    course = get_object_or_404(Course, course_key=course_key)
    if not SandboxAuthoring().may_see(request.user.id, course_key):
        raise PermissionDenied(_("You do not teach this course."))
    return course


def _block_of_author(request, usage_key: str) -> Block:
    row = get_object_or_404(Block.objects.select_related("course"), usage_key=usage_key)
    _course_of_author(request, row.course.course_key)
    return row


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def outline(request, course_key):
    """Show the outline of a course; publish everything."""
    course = _course_of_author(request, course_key)
    if request.method == "POST":
        publish(course)
        return redirect("sandbox:studio_course", course_key)
    rows = list(course.blocks.all())
    below: dict[str, list[Block]] = {}
    for row in rows:
        below.setdefault(row.parent, []).append(row)
    sections = [
        (chapter, [(part, below.get(part.usage_key, [])) for part in below.get(chapter.usage_key, [])])
        for top in below.get("", [])
        for chapter in below.get(top.usage_key, [])
        if chapter.kind == "chapter"
    ]
    changed = sum(row.changed for row in rows)
    return render(
        request,
        "sandbox/studio/outline.html",
        {"course": course, "sections": sections, "changed": changed},
    )


@login_required
@require_safe
def export_olx(request, course_key):
    """Give a course as the archive that Studio imports."""
    course = _course_of_author(request, course_key)
    answer = HttpResponse(pack_course(course), content_type="application/gzip")
    answer["Content-Disposition"] = 'attachment; filename="course.tar.gz"'
    return answer


@login_required
@require_POST
def import_olx(request, course_key):
    """Read an archive into a new run, taught by whoever brought it; a run of their own is replaced."""
    course = _course_of_author(request, course_key)
    back = redirect("sandbox:studio_course", course_key)
    key, archive = request.POST.get("key", "").strip(), request.FILES.get("archive")
    try:
        CourseKey.from_string(key)
    except InvalidKeyError:
        messages.error(request, _("A course key looks like this: %s") % "course-v1:KMUTT+PY101+2027")
        return back
    if Course.objects.filter(course_key=key).exists():
        _course_of_author(request, key)
    if archive is None:
        messages.error(request, _("Choose a file."))
        return back
    try:
        made = unpack_course(archive, key, title=request.POST.get("title", "").strip()[:255] or course.title)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return back
    CourseStaff.objects.get_or_create(user=request.user, course=made)
    messages.success(
        request, _("The course was imported: %(blocks)s blocks.") % {"blocks": made.blocks.count()}
    )
    return redirect("sandbox:studio_course", made.course_key)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def unit(request, usage_key):
    """Show a unit as authors see it; add one of our blocks, remove one, publish."""
    row = _block_of_author(request, usage_key)
    if row.kind != "vertical":
        raise Http404
    if request.method == "POST":
        return _change_unit(request, row)
    runtime = SandboxRuntime(course=row.course, user=request.user, studio=True)
    shown, fragments = [], []
    for key in runtime.children[row.key]:
        child = runtime.rows[key]
        fragment = None
        if child.kind in OURS:
            fragment = runtime.render(runtime.get_block(key), "author_view", {})
            fragments.append(fragment)
        shown.append((child, fragment))
    context = {
        "course": row.course,
        "unit": row,
        "blocks": shown,
        "changed": any(child.changed for child, _fragment in shown) or row.changed,
    }
    return drawn(request, "sandbox/studio/unit.html", context, fragments)


def _change_unit(request, row: Block) -> HttpResponse:
    action = request.POST.get("action", "")
    if action in OURS:
        key = row.course.key.make_usage_key(action, uuid.uuid4().hex)
        place = Block.objects.filter(parent=row.usage_key).count() + 10
        Block.objects.create(
            course=row.course, usage_key=str(key), kind=action, parent=row.usage_key, position=place
        )
        if action == "microcred_competency":
            return redirect("sandbox:studio_edit", str(key))
    elif action == "remove":
        gone = get_object_or_404(
            Block, usage_key=request.POST.get("block", ""), parent=row.usage_key, kind__in=OURS
        )
        gone.delete()
        tell(row.course)
    elif action == "publish":
        publish(row.course, [row, *Block.objects.filter(parent=row.usage_key)])
    return redirect("sandbox:studio_unit", row.usage_key)


@login_required
@require_safe
def edit(request, usage_key):
    """Show the editor of a block, which Studio has in a frame of its own."""
    row = _block_of_author(request, usage_key)
    if row.kind not in OURS:
        raise Http404
    runtime = SandboxRuntime(course=row.course, user=request.user, studio=True)
    fragment = runtime.render(runtime.get_block(row.key), "studio_view", {})
    title = runtime.get_block(row.key).display_name
    context = {"item": row, "fragment": fragment, "course": row.course, "title": title}
    return drawn(request, "sandbox/studio/edit.html", context, [fragment])


@login_required
@require_POST
def studio_handler(request, usage_key, handler):
    """Run a handler as Studio does: for anybody who is signed in; the block itself must refuse."""
    row = get_object_or_404(Block.objects.select_related("course"), usage_key=usage_key)
    with studio():
        return _handled(
            SandboxRuntime(course=row.course, user=request.user, studio=True), row, request, handler
        )


@login_required
@require_POST
def xblock_handler(request, usage_key, handler):
    """Run a handler as the LMS does: for whoever is enrolled."""
    row = get_object_or_404(
        Block.objects.select_related("course"), usage_key=usage_key, published__isnull=False
    )
    if not Enrollment.objects.filter(user=request.user, course=row.course, is_active=True).exists():
        raise PermissionDenied
    return _handled(SandboxRuntime(course=row.course, user=request.user), row, request, handler)


def _handled(runtime: SandboxRuntime, row: Block, request, handler: str) -> HttpResponse:
    asked = Request.blank("/", method="POST", body=request.body, content_type=request.content_type)
    try:
        answer = runtime.get_block(row.key).handle(handler, asked)
    except NoSuchHandlerError as error:
        raise Http404 from error
    return HttpResponse(answer.body, status=answer.status_int, content_type=answer.content_type)


@require_safe
def xblock_resource(request, block_type, uri):
    """Serve a public file of a block's package."""
    if block_type not in OURS:
        raise Http404
    try:
        content = XBlock.load_class(block_type).open_local_resource(uri).read()
    except Exception as error:  # it says by many exceptions that there is none, or that it is not public
        raise Http404 from error
    return HttpResponse(content, content_type=guess_type(uri)[0] or "application/octet-stream")


@login_required
@require_safe
def learn_unit(request, usage_key):
    """Show a unit of a course that was imported: our blocks, and the names of the others."""
    row = get_object_or_404(Block.objects.select_related("course"), usage_key=usage_key, kind="vertical")
    if row.published is None:
        raise Http404
    runtime = SandboxRuntime(course=row.course, user=request.user)
    shown, fragments = [], []
    for key in runtime.children[row.key]:
        child = runtime.rows[key]
        fragment = runtime.render(runtime.get_block(key), "student_view", {}) if child.kind in OURS else None
        fragments += [fragment] if fragment else []
        shown.append((child, fragment))
    context = {"course": row.course, "unit": row, "blocks": shown, "containers": CONTAINERS}
    return drawn(request, "sandbox/studio/learn_unit.html", context, fragments)
