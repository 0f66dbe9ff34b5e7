#!/usr/bin/env python3
"""Put figures into the README: ``bench_table.py build/bench.json README.md`` or ``--check README.md``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- figures: begin, written by make bench -->", "<!-- figures: end -->"


def main() -> int:
    """Write or check the table between the two marks."""
    source, readme = sys.argv[1], Path(sys.argv[2])
    text = readme.read_text(encoding="utf-8")
    found = re.search(f"{re.escape(BEGIN)}\n(.*?){re.escape(END)}", text, re.DOTALL)
    if not found:
        print(f"{readme} lacks the lines {BEGIN} and {END}")
        return 1
    if source == "--check":
        if not re.search(r"^\| what \|.*\n\|[-:|]+\n\| ", found[1], re.MULTILINE):
            print(f"{readme} shows no figures; run make bench")
            return 1
        return 0
    sys.path.insert(0, str(ROOT))
    from benchmarks.harness import Figure, markdown

    figures = [Figure(**row) for row in json.loads(Path(source).read_text(encoding="utf-8"))]
    table = f"{BEGIN}\n{markdown(figures)}\n{END}"
    readme.write_text(text[: found.start()] + table + text[found.end() :], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
