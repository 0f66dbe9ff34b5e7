"""What every benchmark shares: processes that start together, and figures as ratios of one run."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")

WORKERS = 2


@dataclass(frozen=True)
class Figure:
    """One line of the table: a cost as a ratio to a baseline measured in the same run.

    Attributes:
        value: the cost in ``unit``. baseline: the cost of what it is compared with, in ``unit``.
        goal: the largest ratio (or value, for query counts) that is accepted.
    """

    name: str
    value: float
    unit: str
    baseline: float
    ratio: float
    goal: float
    meets: bool


def ratio(name: str, value: float, unit: str, baseline: float, goal: float) -> Figure:
    """Return a figure that is met while ``value / baseline`` is at most ``goal``."""
    found = value / baseline
    return Figure(name, round(value, 3), unit, round(baseline, 3), round(found, 2), goal, found <= goal)


def at_most(name: str, value: float, unit: str, goal: float) -> Figure:
    """Return a figure that is met while the value itself is at most ``goal``."""
    return Figure(name, round(value, 3), unit, goal, round(value / goal, 2), goal, value <= goal)


def together(work: Callable[[int], int], workers: int = WORKERS) -> float:
    """Run ``work(number)`` in that many processes at once; return wall time x workers / items, in us.

    Each process sets up Django and its connection before the common start.
    """
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(workers + 1), context.Queue()
    processes = [
        context.Process(target=_worker, args=(work, number, ready, results)) for number in range(workers)
    ]
    for process in processes:
        process.start()
    ready.wait(timeout=120)
    start = time.perf_counter()
    items = sum(results.get(timeout=1800) for _ in processes)
    wall = time.perf_counter() - start
    for process in processes:
        process.join()
    return wall * workers / items * 1e6


def _worker(work, number, ready, results):
    import django

    django.setup()
    from django.db import connection

    connection.ensure_connection()
    ready.wait(timeout=120)
    results.put(work(number))


def write(figures: list[Figure], folder: Path) -> None:
    """Write build/bench.json and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [asdict(one) for one in figures]
    (folder / "bench.json").write_text(
        json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    print(markdown(figures))


def markdown(figures: list[Figure]) -> str:
    """Return the table that the README shows."""
    lines = ["| what | cost | compared with | ratio | goal | met |", "|---|---:|---:|---:|---:|---|"]
    for one in figures:
        lines.append(
            f"| {one.name} | {one.value:g} {one.unit} | {one.baseline:g} {one.unit} | {one.ratio:g} "
            f"| {one.goal:g} | {'yes' if one.meets else '**no**'} |"
        )
    return "\n".join(lines)
