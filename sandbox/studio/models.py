"""The blocks of courses, with what authors have set and what is published of it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from opaque_keys.edx.keys import UsageKey

CONTAINERS = ("course", "chapter", "sequential", "vertical", "library_content", "split_test", "wrapper")
# Types that learners get a score for.
SCORED = ("problem", "lti", "openassessment", "drag-and-drop-v2", "library_content_problem")


class Block(models.Model):
    """A block of a course.

    ``fields`` are of our own blocks the values of their fields, of all others the attributes of their OLX;
    ``body`` is what else an element holds: text and elements that are no blocks.

    .. no_pii:
    """

    course = models.ForeignKey("sandbox.Course", on_delete=models.CASCADE, related_name="blocks")
    usage_key = models.CharField(max_length=255, unique=True)
    kind = models.CharField(max_length=100)
    parent = models.CharField(max_length=255, blank=True, default="")
    position = models.PositiveIntegerField(default=0)
    fields = models.JSONField(default=dict)
    body = models.TextField(blank=True, default="")
    published = models.JSONField(null=True, default=None)
    published_at = models.DateTimeField(null=True)
    # Of the course itself: files of its OLX that are no blocks, by path.
    files = models.JSONField(default=dict)

    class Meta:
        app_label = "sandbox"
        ordering = ["position", "id"]

    def __str__(self):
        return self.usage_key

    @property
    def key(self) -> UsageKey:
        return UsageKey.from_string(self.usage_key)

    @property
    def name(self) -> str:
        return str(self.fields.get("display_name") or "")

    @property
    def changed(self) -> bool:
        """Say whether there is something to publish."""
        return self.published != self.fields

    def publish(self) -> None:
        self.published = self.fields
        self.published_at = timezone.now()
        self.save(update_fields=["published", "published_at"])
