#!/usr/bin/env python3
"""Check the documents: every internal link leads somewhere, every command and make target exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
COMMAND = re.compile(r"\b(microcred_[a-z_]+)((?:[ \t]+[^\s`|;&\\]+)*)")
# Other names of ours that begin alike: what templates are handed, and the XBlocks.
NO_COMMANDS = {"microcred_panel", "microcred_competency", "microcred_progress"}
MAKE = re.compile(r"(?:^|`|\$ )make ([a-z-]+)\b", re.MULTILINE)


def documents() -> list[Path]:
    """Return the Markdown files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.splitlines()  # fmt: skip
    found = [ROOT / name for name in listed] or [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(path for path in found if path.exists())


def anchor(heading: str) -> str:
    """Return the anchor that a heading gets in a rendered page."""
    plain = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def without_code(text: str) -> str:
    """Blank out code, in which brackets are no links."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {anchor(heading) for heading in re.findall(r"^#{1,6} +(.+)$", text, flags=re.MULTILINE)}


def broken_links(path: Path) -> list[str]:
    """Return what is wrong with the internal links of a document."""
    wrong = []
    for target in LINK.findall(without_code(path.read_text(encoding="utf-8"))):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, fragment = target.partition("#")
        there = (path.parent / unquote(name)).resolve() if name else path
        if not there.exists():
            wrong.append(f"{path.relative_to(ROOT)}: {target} does not exist")
        elif not there.is_relative_to(ROOT):
            wrong.append(f"{path.relative_to(ROOT)}: {target} leads out of the repository")
        elif fragment and there.suffix == ".md" and unquote(fragment) not in anchors(there):
            wrong.append(f"{path.relative_to(ROOT)}: {target} has no such heading")
    return wrong


def commands() -> dict[str, set[str]]:
    """Return our management commands with every option and choice that their parsers know."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    sys.path.insert(0, str(ROOT))
    import django
    from django.core.management import get_commands, load_command_class

    django.setup()
    known = {}
    for name, app in get_commands().items():
        if name.startswith("microcred_"):
            parser = load_command_class(app, name).create_parser("manage.py", name)
            known[name] = set(_words_of(parser))
    return known


def _words_of(parser):
    for action in parser._actions:
        yield from action.option_strings
        choices = action.choices or ()
        if isinstance(choices, dict):
            for word, below in choices.items():
                yield word
                yield from _words_of(below)
        else:
            yield from map(str, choices)


def unknown_commands(path: Path, known: dict[str, set[str]], targets: set[str]) -> list[str]:
    """Return the commands, options and make targets of a document that do not exist."""
    wrong = []
    text = path.read_text(encoding="utf-8")
    code = "\n".join(
        [*re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL), *re.findall(r"`[^`\n]+`", text)]
    )
    where = path.relative_to(ROOT)
    for name, rest in COMMAND.findall(code):
        if name in NO_COMMANDS:
            continue
        if name not in known:
            wrong.append(f"{where}: there is no command {name}")
            continue
        for word in re.findall(r"(?<!\S)--[a-z-]+", rest):
            if word not in known[name]:
                wrong.append(f"{where}: {name} has no option {word}")
    wrong += [f"{where}: there is no make {target}" for target in MAKE.findall(code) if target not in targets]
    return wrong


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    known = commands()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    wrong = []
    for path in documents():
        wrong += broken_links(path) + unknown_commands(path, known, targets)
    print("\n".join(wrong) or f"{len(documents())} documents, nothing wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
