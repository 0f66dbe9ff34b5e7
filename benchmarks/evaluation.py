"""Evaluating 100,000 requests with two worker processes on MariaDB, in units of one INSERT+COMMIT."""

from __future__ import annotations

import os

from benchmarks.computed_platform import FIRST_WITHOUT_CERTIFICATE, RUN
from benchmarks.harness import Figure, ratio, together

REQUESTS = int(os.environ.get("MICROCRED_BENCH_REQUESTS", "100000"))
INSERTS = 4_000


def insert_some(number: int) -> int:
    """Insert and commit rows one by one, as a receiver does; return how many."""
    from mooc_microcred.achievements.api import request_evaluation

    for item in range(INSERTS):
        request_evaluation(learner_id=number * INSERTS + item, course_key=RUN, reason="bench")
    return INSERTS


def evaluate_all(number: int) -> int:
    """Evaluate until nothing is due; return how many requests were folded."""
    from mooc_microcred.achievements.api import evaluate_due
    from mooc_microcred.achievements.models import EvaluationRequest

    done = 0
    while True:
        report = evaluate_due()
        done += report.requests
        if not report.requests and not EvaluationRequest.objects.exists():
            return done


def measure_ins() -> float:
    """Return the cost of one INSERT+COMMIT with two concurrent writers, in us."""
    from mooc_microcred.achievements.models import EvaluationRequest

    cost = together(insert_some)
    EvaluationRequest.objects.all().delete()
    return cost


def fill(first_learner: int) -> None:
    """Put REQUESTS requests of as many learners into the queue."""
    from mooc_microcred.achievements.api import append_requests

    for start in range(first_learner, first_learner + REQUESTS, 1000):
        append_requests(range(start, min(start + 1000, first_learner + REQUESTS)), course_key=RUN, reason="b")


def run(ins: float) -> list[Figure]:
    """Return the figures of the evaluation."""
    fill(1)
    issuing = together(evaluate_all)
    fill(FIRST_WITHOUT_CERTIFICATE)
    quiet = together(evaluate_all)
    count = f"{REQUESTS:,} requests, two workers"
    return [
        ratio(f"evaluate and issue one award ({count})", issuing, "us", ins, 40),
        ratio(f"evaluate where nothing changes ({count})", quiet, "us", ins, 8),
    ]
