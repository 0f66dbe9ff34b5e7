"""The committed package of the dashboard's widget: whoever installs by pip has no npm to make it."""

import json
import os
import re
import shutil

import pytest

from tests.mfe.packed import SOURCE, members, run_node, sources_with_tools, the_package


def test_it_is_what_the_sources_compile_to():
    folder = sources_with_tools(f"compiled.{os.getpid()}")
    run_node(folder, "build.mjs")
    wanted = {name: (folder / name).read_bytes() for name in ("package.json", "README.md")}
    for file in (folder / "dist").rglob("*"):
        if file.is_file():
            wanted[str(file.relative_to(folder))] = file.read_bytes()
    shutil.rmtree(folder)
    assert members() == wanted, 'run "make mfe" and commit the package'


def test_its_name_and_version_are_those_of_package_json():
    package = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))
    name = package["name"].removeprefix("@").replace("/", "-")
    assert the_package().name == f"{name}-{package['version']}.tgz"
    assert json.loads(members()["package.json"]) == package
    # "type": "module" would break the import of @edx/frontend-platform/auth in the legacy shell.
    assert "type" not in package
    assert "dependencies" not in package


@pytest.mark.parametrize(
    ("entry", "shell"), [("legacy", "@edx/frontend-platform"), ("frontend-base", "@openedx/frontend-base")]
)
def test_each_entry_needs_its_shell_and_react_only_and_holds_no_code_of_others(entry, shell):
    found = members()
    package = json.loads(found["package.json"])
    for form, pattern in (("esm", r'from "([^"]+)"|import "([^"]+)"'), ("cjs", r'require\("([^"]+)"\)')):
        code = found[f"dist/{form}/{entry}.js"].decode()
        needs = {one for pair in re.findall(pattern, code) for one in ([pair] if form == "cjs" else pair)} - {
            ""
        }
        packages = {one for one in needs if not one.startswith(".")}
        assert {one for one in packages if one != "react" and not one.startswith(shell)} == set()
        assert "react" in packages
        assert needs - packages == {"../widget.css"}
        # The compiler names the file from which each part comes.
        assert set(re.findall(r"^// (\S+)/", code, re.MULTILINE)) <= {"src", "src/core", "src/core/messages"}
        assert "node_modules" not in code
    assert set(package["exports"]) == {"./legacy", "./frontend-base", "./widget.css", "./package.json"}
    assert all(
        path.removeprefix("./") in found
        for way in package["exports"].values()
        for path in (way.values() if isinstance(way, dict) else [way])
    )


def test_its_styles_touch_nothing_outside_of_it():
    sheet = re.sub(r"/\*.*?\*/", "", members()["dist/widget.css"].decode(), flags=re.DOTALL)
    sheet = re.sub(r"@media[^{]+\{((?:[^{}]+\{[^{}]*\})*)\s*\}", r"\1", sheet)
    selectors = [one.strip() for part in re.findall(r"([^{}]+)\{", sheet) for one in part.split(",")]
    assert len(selectors) > 50
    assert [one for one in selectors if not one.startswith(".mcw")] == []
    assert "@import" not in sheet
    assert "url(" not in sheet
