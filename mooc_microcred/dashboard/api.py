"""The verbs of the dashboard room; the only thing that others call."""

from mooc_microcred.dashboard.cards import read_course_cards, read_honour
from mooc_microcred.dashboard.course import read_course_overview
from mooc_microcred.dashboard.glance import read_glance
from mooc_microcred.dashboard.ladder import read_course_ladder
from mooc_microcred.dashboard.learner import first_steps, read_dashboard, read_road
from mooc_microcred.dashboard.programme import list_programmes, read_programme
from mooc_microcred.dashboard.wall import read_wall

__all__ = [
    "first_steps",
    "list_programmes",
    "read_course_cards",
    "read_course_ladder",
    "read_course_overview",
    "read_dashboard",
    "read_glance",
    "read_honour",
    "read_programme",
    "read_road",
    "read_wall",
]
