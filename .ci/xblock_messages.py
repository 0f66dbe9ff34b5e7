#!/usr/bin/env python3
"""The catalogue of the XBlocks: ``xblock_messages.py [check]``.

The blocks bring a catalogue of their own, where the platform's i18n service looks for it, and one for
their scripts. Without an argument this brings the .po up to date with the sources (what was translated
stays), and makes the .mo and the script's catalogue of it; ``check`` changes nothing and says what is old.
"""

from __future__ import annotations

import ast
import json
import re
import struct
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "xblocks" / "mooc_microcred_xblocks"
LANGUAGES = ["th"]
HEADER = """\
Project-Id-Version: mooc-microcred XBlocks
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit
Language: {language}
Plural-Forms: nplurals=1; plural=0;
"""
SCRIPT = """\
/* Made by .ci/xblock_messages.py of the package's text.po. */
(function (global) {{
  "use strict";
  var catalogue = {catalogue};
  global.MicrocredXBlocksI18N = {{
    gettext: function (message) {{
      return Object.prototype.hasOwnProperty.call(catalogue, message) ? catalogue[message] : message;
    }}
  }};
}}(this));
"""


def of_python() -> set[str]:
    """Return the messages that are given to ``_`` or to ``say``."""
    found = set()
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = node.args[0]
            if (
                name in ("_", "say", "_wrong")
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
            ):
                found.add(first.value)
    return found


def of_templates() -> set[str]:
    """Return the messages of the tag ``say``."""
    text = "".join(file.read_text(encoding="utf-8") for file in (PACKAGE / "templates").glob("*.html"))
    return {single or double for single, double in re.findall(r"{%\s*say (?:'([^']*)'|\"([^\"]*)\")", text)}


def of_scripts() -> set[str]:
    """Return the messages of the editors' script."""
    text = (PACKAGE / "public" / "js" / "studio.js").read_text(encoding="utf-8")
    found = set(re.findall(r'(?:translated|filled)\("([^"]*)"', text))
    # The one call that chooses between two.
    return found | {
        part for pair in re.findall(r'filled\([^"]*\? "([^"]*)" : "([^"]*)"', text) for part in pair
    }


def read(po: Path) -> dict[str, str]:
    """Return the translations of a catalogue."""
    if not po.exists():
        return {}
    entries = re.findall(r'^msgid ((?:".*"\n)+)msgstr ((?:".*"\n?)+)', po.read_text(encoding="utf-8"), re.M)
    return {_unquoted(one): _unquoted(other) for one, other in entries if _unquoted(one)}


def _unquoted(text: str) -> str:
    return "".join(json.loads(line) for line in text.strip().split("\n"))


def written(language: str, messages: list[str], translations: dict[str, str]) -> str:
    """Return the text of the .po."""
    lines = ['msgid ""', 'msgstr ""']
    lines += [_quoted(f"{line}\n") for line in HEADER.format(language=language).splitlines()]
    for one in messages:
        lines += ["", f"msgid {_quoted(one)}", f"msgstr {_quoted(translations.get(one, ''))}"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def compiled(language: str, translations: dict[str, str]) -> bytes:
    """Return the .mo: the same bytes for the same catalogue, by the layout that gettext documents."""
    entries = {"": HEADER.format(language=language), **{k: v for k, v in translations.items() if v}}
    pairs = sorted((key.encode(), value.encode()) for key, value in entries.items())
    start = 7 * 4 + 16 * len(pairs)
    keys = values = b""
    offsets = []
    for key, value in pairs:
        offsets.append((len(key), len(keys), len(value), len(values)))
        keys += key + b"\0"
        values += value + b"\0"
    of_keys = b"".join(struct.pack("<2i", length, start + at) for length, at, _, _ in offsets)
    of_values = b"".join(struct.pack("<2i", length, start + len(keys) + at) for _, _, length, at in offsets)
    head = struct.pack("<7i", 0x950412DE - 2**32, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + of_keys + of_values + keys + values


def files() -> dict[Path, bytes]:
    """Return what each file should hold."""
    scripts = of_scripts()
    messages = sorted(of_python() | of_templates() | scripts)
    found = {PACKAGE / "public/js/translations/en/text.js": SCRIPT.format(catalogue="{}").encode()}
    for language in LANGUAGES:
        folder = PACKAGE / "translations" / language / "LC_MESSAGES"
        translations = read(folder / "text.po")
        translations = {one: translations.get(one, "") for one in messages}
        found[folder / "text.po"] = written(language, messages, translations).encode()
        found[folder / "text.mo"] = compiled(language, translations)
        catalogue = {one: translations[one] for one in sorted(scripts) if translations[one]}
        text = json.dumps(catalogue, ensure_ascii=False, indent=2)
        found[PACKAGE / f"public/js/translations/{language}/text.js"] = SCRIPT.format(catalogue=text).encode()
    return found


def problems() -> list[str]:
    """Return what is old, and what is not translated."""
    found = []
    for path, content in files().items():
        if not path.exists() or path.read_bytes() != content:
            found.append(f"{path.relative_to(PACKAGE)} is old: run .ci/xblock_messages.py")
        if path.suffix == ".po":
            found += [
                f"not translated ({path.parts[-3]}): {one}" for one, text in read(path).items() if not text
            ]
    return found


def main() -> int:
    """Write the files, or check them."""
    if sys.argv[1:] == ["check"]:
        found = problems()
        print("\n".join(found) or "The XBlocks' catalogue is complete.")
        return bool(found)
    for path, content in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    print("\n".join(one for one in problems()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
