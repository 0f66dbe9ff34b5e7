"""All admin pages, where Django looks for them; each lives in its room."""

from mooc_microcred.achievements import admin as achievements
from mooc_microcred.competencies import admin as competencies
from mooc_microcred.core import admin as core
from mooc_microcred.credentials import pictures_admin
from mooc_microcred.creditbank import admin as creditbank
from mooc_microcred.exams import admin as exams

__all__ = ["achievements", "competencies", "core", "creditbank", "exams", "pictures_admin"]
