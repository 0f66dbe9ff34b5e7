"""Pages of the sandbox LMS. They work without JavaScript, in Thai and English."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from mooc_microcred.core.roles import Actor
from sandbox import lms
from sandbox.forms import InvalidateForm, SelfTestForm
from sandbox.models import Attempt, Certificate, Course, Enrollment, Grade, Unit
from sandbox.people import ACCOUNTS, PASSWORD
from sandbox.studio import views as studio


def _may_log_in_by_click() -> bool:
    return settings.DEBUG


@require_safe
def home(request):
    """Show what the sandbox is, its people and its links."""
    context = {
        **_people(),
        "bank_url": getattr(settings, "BANK_URL", ""),
        "api_links": [
            (_("My awards, as the REST API tells them"), reverse("mooc_microcred:my-awards")),
            (_("Catalogue, as the REST API tells it"), reverse("mooc_microcred:achievements")),
            (_("Description of the REST API (OpenAPI)"), reverse("mooc_microcred:schema")),
        ],
    }
    return render(request, "sandbox/home.html", context)


def _people() -> dict:
    people = [(account, _(account.does)) for account in ACCOUNTS]
    return {"people": people, "password": PASSWORD, "by_click": _may_log_in_by_click()}


class Login(LoginView):
    """Sign in with a password, or in one click as one of the sandbox's people."""

    template_name = "sandbox/login.html"

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs, **_people())


@require_POST
def login_as(request, username):
    """Sign in as one of the sandbox's people, in a DEBUG sandbox only."""
    if not _may_log_in_by_click() or username not in {account.username for account in ACCOUNTS}:
        raise Http404
    user = get_object_or_404(get_user_model(), username=username)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        target = "sandbox:home"
    return redirect(target)


def _course(course_key: str) -> Course:
    return get_object_or_404(Course, course_key=course_key)


def _standing(user, course: Course) -> dict:
    """Return what a learner has in a course, for display."""
    units = list(course.units.all())
    completed = lms.completed_blocks(user=user, course=course) if user.is_authenticated else set()
    if not user.is_authenticated:
        return {"units": [(unit, False) for unit in units], "total": len(units), "completed": 0}
    return {
        "units": [(unit, unit.block_key in completed) for unit in units],
        "total": len(units),
        "completed": sum(unit.block_key in completed for unit in units),
        "enrollment": Enrollment.objects.filter(user=user, course=course, is_active=True).first(),
        "grade": Grade.objects.filter(user=user, course=course).first(),
        "certificate": Certificate.objects.filter(user=user, course=course).first(),
    }


@require_safe
def courses(request):
    """List the courses."""
    rows = [(course, _standing(request.user, course)) for course in Course.objects.order_by("course_key")]
    return render(request, "sandbox/courses.html", {"rows": rows})


@require_safe
def course(request, course_key):
    """Show one course, its units and how far the learner is."""
    one = _course(course_key)
    return render(request, "sandbox/course.html", {"course": one, **_standing(request.user, one)})


@login_required
@require_POST
def enrol(request, course_key):
    """Enrol; inside the transaction of the request, as in the platform."""
    one = _course(course_key)
    lms.enrol(user=request.user, course=one)
    messages.success(request, _("You are enrolled in %(course)s.") % {"course": one.title})
    return redirect("sandbox:course", course_key)


def _require_enrolment(request, course: Course) -> None:
    if not Enrollment.objects.filter(user=request.user, course=course, is_active=True).exists():
        raise PermissionDenied(_("Enrol in the course first."))


@transaction.non_atomic_requests
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def unit(request, course_key, position):
    """Show a unit; saying that it was read completes it (in autocommit, as in the platform)."""
    one = _course(course_key)
    _require_enrolment(request, one)
    page = get_object_or_404(Unit, course=one, position=position, kind=Unit.Kind.READING)
    following = one.units.filter(position__gt=position).first()
    if request.method == "POST":
        lms.complete_unit(user=request.user, unit=page)
        if following is not None and following.kind == Unit.Kind.READING:
            return redirect("sandbox:unit", course_key, following.position)
        return redirect("sandbox:course", course_key)
    done = page.block_key in lms.completed_blocks(user=request.user, course=one)
    fragments = studio.fragments_of_unit(course=one, user=request.user, beside=page.block_key)
    context = {
        "course": one,
        "unit": page,
        "done": done,
        "total": one.units.count(),
        "following": following,
        "fragments": fragments,
    }
    return studio.drawn(request, "sandbox/unit.html", context, fragments)


@transaction.non_atomic_requests
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def self_test(request, course_key):
    """Ask the questions, grade the answers and show which were right."""
    one = _course(course_key)
    _require_enrolment(request, one)
    form = SelfTestForm(request.POST or None, questions=one.questions.all())
    if request.method == "POST" and form.is_valid():
        lms.answer_self_test(user=request.user, course=one, answers=form.answers)
        return redirect("sandbox:self_test", course_key)
    attempt = Attempt.objects.filter(user=request.user, course=one).order_by("-at", "-id").first()
    context = {"course": one, "form": form, "attempt": attempt, "marks": _marks(form, attempt)}
    context["grade"] = Grade.objects.filter(user=request.user, course=one).first()
    beside = one.units.get(kind=Unit.Kind.SELF_TEST).block_key
    fragments = studio.fragments_of_unit(course=one, user=request.user, beside=beside)
    return studio.drawn(request, "sandbox/self_test.html", {**context, "fragments": fragments}, fragments)


def _marks(form: SelfTestForm, attempt: Attempt | None) -> list[dict]:
    """Return the questions with their fields and how the last attempt answered them."""
    rows = []
    for question, field in form.rows:
        given = attempt.answers.get(str(question.id)) if attempt else None
        rows.append(
            {
                "question": question,
                "field": field,
                "answered": given is not None,
                "right": given == question.right,
                "given": question.options[given] if given is not None else "",
            }
        )
    return rows


def _require_teacher(request, course: Course) -> None:
    if not (request.user.is_superuser or course.staff.filter(user=request.user).exists()):
        raise PermissionDenied(_("You do not teach this course."))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def teach_course(request, course_key):
    """Show the learners of a course; invalidate a certificate or take that back."""
    one = _course(course_key)
    _require_teacher(request, one)
    form = InvalidateForm(request.POST or None)
    if request.method == "POST":
        certificate = get_object_or_404(Certificate, course=one, id=request.POST.get("certificate") or 0)
        if request.POST.get("action") == "lift":
            lms.lift_invalidation(certificate=certificate)
            messages.success(request, _("The invalidation was taken back."))
            return redirect("sandbox:teach_course", course_key)
        if form.is_valid():
            lms.invalidate_certificate(
                certificate=certificate, by=request.user, notes=form.cleaned_data["notes"]
            )
            messages.success(request, _("The certificate was invalidated."))
            return redirect("sandbox:teach_course", course_key)
        messages.error(request, _("Say why the certificate is invalidated."))
    return render(request, "sandbox/teach_course.html", {"course": one, "rows": _class_list(one)})


def _class_list(course: Course) -> list[dict]:
    enrollments = course.enrollments.select_related("user__profile").order_by("user__username")
    grades = {grade.user_id: grade for grade in course.grades.all()}
    certificates = {one.user_id: one for one in course.certificates.all()}
    return [
        {
            "user": enrollment.user,
            "active": enrollment.is_active,
            "grade": grades.get(enrollment.user_id),
            "certificate": certificates.get(enrollment.user_id),
        }
        for enrollment in enrollments
    ]


# --- what staff do ---


@login_required
@require_safe
def staff(request):
    """Lead to the courses that the person teaches, and to the suite's own pages for staff."""
    taught = Course.objects.order_by("course_key")
    if not request.user.is_superuser:
        taught = taught.filter(staff__user=request.user)
    actor = Actor.of(request.user)
    context = {"taught": taught, "holds_role": actor.superuser or bool(actor.roles)}
    return render(request, "sandbox/staff.html", context)
