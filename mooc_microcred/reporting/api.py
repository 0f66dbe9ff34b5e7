"""The verbs of the reporting room; the only thing that other rooms call."""

from mooc_microcred.reporting.funnel import ROLES, read_cohorts, read_funnels, read_report
from mooc_microcred.reporting.refreshing import refresh_due, refresh_figures

__all__ = [
    "ROLES",
    "read_cohorts",
    "read_funnels",
    "read_report",
    "refresh_due",
    "refresh_figures",
]
