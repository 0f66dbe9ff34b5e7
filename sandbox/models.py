"""What the stand-in knows of courses, learners, grades and certificates, in the platform's words."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from opaque_keys.edx.keys import CourseKey, UsageKey

from sandbox import events


def _in_language(thai: str, english: str) -> str:
    return (thai or english) if (get_language() or "").startswith("th") else (english or thai)


def new_verify_uuid() -> str:
    """Return 32 hex digits, as the platform's certificates have them."""
    return uuid.uuid4().hex


class Profile(models.Model):
    """The name and language of a user, as the platform's UserProfile holds them.

    .. no_pii: the sandbox's people are made up.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile")
    name = models.CharField(max_length=255)
    language = models.CharField(max_length=8, blank=True, default="")

    def __str__(self):
        return self.name


class Course(models.Model):
    """A course run.

    .. no_pii:
    """

    course_key = models.CharField(max_length=255, unique=True)
    organization = models.CharField(max_length=255, db_index=True)
    number = models.CharField(max_length=255)
    run = models.CharField(max_length=255)
    title_th = models.CharField(max_length=255, blank=True, default="")
    title_en = models.CharField(max_length=255, blank=True, default="")
    about_th = models.TextField(blank=True, default="")
    about_en = models.TextField(blank=True, default="")
    start = models.DateTimeField(null=True)
    end = models.DateTimeField(null=True)
    pass_mark = models.PositiveSmallIntegerField(default=60, help_text="percent of the self-test")
    certificates_automatic = models.BooleanField(
        default=True, help_text="issued on passing; else when somebody asks the platform for one"
    )
    certificates_shown_from = models.DateTimeField(null=True, blank=True)

    def __str__(self):
        return self.course_key

    @property
    def key(self) -> CourseKey:
        return CourseKey.from_string(self.course_key)

    @property
    def title(self) -> str:
        return _in_language(self.title_th, self.title_en)

    @property
    def about(self) -> str:
        return _in_language(self.about_th, self.about_en)


class Unit(models.Model):
    """A unit with its one block: a page to read, or the self-test.

    .. no_pii:
    """

    class Kind(models.TextChoices):
        READING = "html", "reading"
        SELF_TEST = "problem", "self-test"

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="units")
    block_key = models.CharField(max_length=255, unique=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.READING)
    position = models.PositiveSmallIntegerField()
    title_th = models.CharField(max_length=255, blank=True, default="")
    title_en = models.CharField(max_length=255, blank=True, default="")
    text_th = models.TextField(blank=True, default="")
    text_en = models.TextField(blank=True, default="")
    code = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["course", "position"], name="sandbox_unit_position")]

    def __str__(self):
        return self.block_key

    @property
    def usage_key(self) -> UsageKey:
        return UsageKey.from_string(self.block_key)

    @property
    def title(self) -> str:
        return _in_language(self.title_th, self.title_en)

    @property
    def text(self) -> str:
        return _in_language(self.text_th, self.text_en)


class Question(models.Model):
    """A question of a course's self-test; ``choices`` is a list of {th, en, right}.

    .. no_pii:
    """

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField()
    text_th = models.TextField(blank=True, default="")
    text_en = models.TextField(blank=True, default="")
    code = models.TextField(blank=True, default="")
    choices = models.JSONField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["course", "position"], name="sandbox_question_position")
        ]

    def __str__(self):
        return f"{self.course_id} question {self.position}"

    @property
    def text(self) -> str:
        return _in_language(self.text_th, self.text_en)

    @property
    def options(self) -> list[str]:
        return [_in_language(choice.get("th", ""), choice.get("en", "")) for choice in self.choices]

    @property
    def right(self) -> int:
        """Return the index of the right choice."""
        return next(index for index, choice in enumerate(self.choices) if choice.get("right"))


class CourseStaff(models.Model):
    """Who teaches a course and may invalidate its certificates.

    .. no_pii: the sandbox's people are made up.
    """

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="staff")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["course", "user"], name="sandbox_staff_once")]

    def __str__(self):
        return f"{self.course_id} {self.user_id}"


class Enrollment(models.Model):
    """A learner in a course run.

    .. no_pii: the sandbox's people are made up.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="enrollments")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="enrollments")
    mode = models.CharField(max_length=32, default="honor")
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "course"], name="sandbox_enrollment_once")]

    def __str__(self):
        return f"{self.user_id} {self.course_id}"


class Attempt(models.Model):
    """The answers that a learner once gave to a self-test: index of the choice by question id.

    .. no_pii: the sandbox's people are made up.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField(default=timezone.now)
    answers = models.JSONField()
    right = models.PositiveSmallIntegerField()
    total = models.PositiveSmallIntegerField()

    class Meta:
        indexes = [models.Index(fields=["user", "course", "at"], name="sandbox_attempt_latest")]

    def __str__(self):
        return f"{self.user_id} {self.course_id} {self.right}/{self.total}"


class BlockScore(models.Model):
    """The points that a learner has for a scored block, as the platform's student module keeps them.

    .. no_pii: the sandbox's people are made up.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="block_scores")
    usage_key = models.CharField(max_length=255)
    earned = models.DecimalField(max_digits=9, decimal_places=3)
    possible = models.DecimalField(max_digits=9, decimal_places=3)
    modified = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "course", "usage_key"], name="sandbox_score_once")
        ]

    def __str__(self):
        return f"{self.user_id} {self.usage_key} {self.earned}/{self.possible}"


class Grade(models.Model):
    """The course grade as last computed; ``percent`` is 0-100.

    .. no_pii: the sandbox's people are made up.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="grades")
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    passed = models.BooleanField()
    passed_at = models.DateTimeField(null=True, help_text="first pass; never cleared")
    modified = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "course"], name="sandbox_grade_once")]

    def __str__(self):
        return f"{self.user_id} {self.course_id} {self.percent}"


class Certificate(models.Model):
    """A course certificate. Saving sends what the platform sends, each time (see sandbox.events).

    .. no_pii: the sandbox's people are made up.
    """

    class Status(models.TextChoices):
        DOWNLOADABLE = "downloadable", "downloadable"
        GENERATING = "generating", "generating"
        NOT_PASSING = "notpassing", "notpassing"
        UNVERIFIED = "unverified", "unverified"
        UNAVAILABLE = "unavailable", "unavailable"

    PASSING = (Status.DOWNLOADABLE, Status.GENERATING)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="certificates")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="certificates")
    status = models.CharField(max_length=32, choices=Status.choices)
    mode = models.CharField(max_length=32, default="honor")
    name = models.CharField(max_length=255, blank=True, default="")
    grade = models.CharField(max_length=8, blank=True, default="", help_text="fraction 0-1, as text")
    verify_uuid = models.CharField(max_length=32, unique=True, default=new_verify_uuid)
    created = models.DateTimeField(default=timezone.now)
    modified = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "course"], name="sandbox_certificate_once")]

    def __str__(self):
        return f"{self.verify_uuid} {self.status}"

    def save(self, *args, **kwargs):
        """Save, then send CERTIFICATE_CHANGED and, with a passing status, CERTIFICATE_CREATED."""
        super().save(*args, **kwargs)
        events.send_certificate_changed(self)
        if self.status in self.PASSING:
            events.send_certificate_created(self)

    def withdraw(self, status: str) -> None:
        """Give it a status that does not pass: CERTIFICATE_CHANGED, then CERTIFICATE_REVOKED."""
        self.status = status
        self.save()
        events.send_certificate_revoked(self)


class CertificateInvalidation(models.Model):
    """That a person invalidated a certificate, and why.

    .. no_pii: the sandbox's people are made up.
    """

    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="invalidations")
    invalidated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    notes = models.TextField()
    active = models.BooleanField(default=True)
    created = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"{self.certificate_id} {'active' if self.active else 'lifted'}"


def name_of(user) -> str:
    """Return the name in the profile, or the user name."""
    profile = Profile.objects.filter(user=user).first()
    return (profile and profile.name) or user.get_full_name() or user.username


# Django finds an app's models here.
from sandbox.studio.models import Block  # noqa: E402,F401
