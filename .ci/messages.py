#!/usr/bin/env python3
"""The catalogues of messages: ``messages.py extract | compile | check``.

``check`` says whether each .mo was compiled from its .po, whether each message of the sources is in
the .po, and whether each is translated. Needs the gettext tools, except that without them ``check``
compares with what is committed only, and says so.
"""

from __future__ import annotations

import gettext
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Each folder that has Python or templates with messages of its own, and its locale/ below it.
FOLDERS = ["mooc_microcred", "openedx_plugin/mooc_microcred_openedx", "sandbox"]
LANGUAGES = ["th"]
DOMAINS = {"django": ["py", "html", "txt"], "djangojs": ["js"]}


def makemessages(folder: Path) -> None:
    """Bring the .po files of a folder up to date with its sources."""
    for domain, extensions in DOMAINS.items():
        if not any(path for ending in extensions for path in folder.rglob(f"*.{ending}")):
            continue
        command = [sys.executable, "-m", "django", "makemessages", "--no-wrap", "--no-location"]
        command += ["--domain", domain, "--verbosity", "0"]
        for language in LANGUAGES:
            command += ["--locale", language]
        for ending in extensions:
            command += ["--extension", ending]
        environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
        subprocess.run(command, cwd=folder, env=environment, check=True)


def catalogues(folder: Path) -> list[Path]:
    """Return the .po files of a folder."""
    return sorted((folder / "locale").rglob("*.po"))


def compile_catalogue(po: Path, mo: Path) -> str:
    """Compile strictly; return what msgfmt has to say, empty if nothing."""
    done = subprocess.run(
        ["msgfmt", "--check", "--output-file", mo, po], capture_output=True, text=True, check=False
    )
    return done.stderr if done.returncode else ""


def entries(mo: Path) -> dict:
    """Return the messages of a compiled catalogue, without its header."""
    with mo.open("rb") as file:
        catalogue = dict(gettext.GNUTranslations(file)._catalog)
    catalogue.pop("", None)
    return catalogue


def message_ids(po: Path) -> set[str]:
    """Return the ids of the messages that are in use (not those kept for later with #~)."""
    text = re.sub(r"^#~.*$", "", po.read_text(encoding="utf-8"), flags=re.MULTILINE)
    blocks = re.findall(r'^msgid ((?:".*"\n?)+)', text, flags=re.MULTILINE)
    return {"".join(re.findall(r'"(.*)"', block)) for block in blocks} - {""}


def untranslated(po: Path) -> set[str]:
    """Return the ids that have no translation, or one that is marked as a guess."""
    text = re.sub(r"^#~.*$", "", po.read_text(encoding="utf-8"), flags=re.MULTILINE)
    # A new catalogue has no empty line below its header.
    text = re.sub(r'"\n(?=(?:#.*\n)*msgid )', '"\n\n', text)
    missing = set()
    for block in re.split(r"\n\n+", text):
        found = re.search(r'^msgid ((?:".*"\n?)+)', block, flags=re.MULTILINE)
        if not found:
            continue
        identifier = "".join(re.findall(r'"(.*)"', found[1]))
        texts = re.findall(r'^msgstr(?:\[\d+\])? ((?:".*"(?:\n|$))+)', block, flags=re.MULTILINE)
        said = ["".join(re.findall(r'"(.*)"', one)) for one in texts]
        if identifier and (not all(said) or re.search(r"^#,.*\bfuzzy\b", block, flags=re.MULTILINE)):
            missing.add(identifier)
    return missing


def check() -> list[str]:
    """Return what is wrong with the committed catalogues."""
    wrong = []
    tools = all(map(shutil.which, ("msgfmt", "xgettext")))
    if not tools:
        print("Without the gettext tools the sources were not compared (apt install gettext).")
    for name in FOLDERS:
        folder = ROOT / name
        for po in catalogues(folder):
            where = po.relative_to(ROOT)
            mo = po.with_suffix(".mo")
            wrong += [f"{where}: not translated: {one}" for one in sorted(untranslated(po))]
            if not mo.exists():
                wrong.append(f"{where}: not compiled; run make messages")
            elif tools:
                with tempfile.TemporaryDirectory() as temporary:
                    fresh = Path(temporary) / "fresh.mo"
                    complaint = compile_catalogue(po, fresh)
                    if complaint:
                        wrong.append(complaint)
                    elif entries(fresh) != entries(mo):
                        wrong.append(f"{where}: compiled from an older one; run make messages")
        if tools and folder.exists():
            wrong += _compare_with_sources(folder)
    return wrong


def _compare_with_sources(folder: Path) -> list[str]:
    wrong = []
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / folder.name
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / "locale").mkdir(exist_ok=True)
        makemessages(copy)
        for fresh in catalogues(copy):
            committed = folder / fresh.relative_to(copy)
            where = committed.relative_to(ROOT)
            ours = message_ids(committed) if committed.exists() else set()
            for missing in sorted(message_ids(fresh) - ours):
                wrong.append(f"{where}: missing; run make messages: {missing}")
            for left_over in sorted(ours - message_ids(fresh)):
                wrong.append(f"{where}: not in the sources any more; run make messages: {left_over}")
    return wrong


def main() -> int:
    """Do what the argument says."""
    action = sys.argv[1] if len(sys.argv) == 2 else ""
    if action == "check":
        wrong = check()
        print("\n".join(wrong))
        return bool(wrong)
    if action not in ("extract", "compile"):
        print(__doc__)
        return 2
    if not all(map(shutil.which, ("msgfmt", "xgettext"))):
        print("The gettext tools are needed: apt install gettext")
        return 1
    complaints = []
    for folder in (ROOT / name for name in FOLDERS):
        if action == "extract" and folder.exists():
            (folder / "locale").mkdir(exist_ok=True)
            makemessages(folder)
        elif action == "compile":
            complaints += filter(
                None, (compile_catalogue(po, po.with_suffix(".mo")) for po in catalogues(folder))
            )
    print("\n".join(complaints))
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
