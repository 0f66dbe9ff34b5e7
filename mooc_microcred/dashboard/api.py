"""The verbs of the dashboard room; the only thing that others call."""

from mooc_microcred.dashboard.cards import read_course_cards, read_honour
from mooc_microcred.dashboard.course import read_course_overview
from mooc_microcred.dashboard.ladder import read_course_ladder
from mooc_microcred.dashboard.learner import read_dashboard

__all__ = ["read_course_cards", "read_course_ladder", "read_course_overview", "read_dashboard", "read_honour"]
