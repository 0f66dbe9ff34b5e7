"""The blocks speak Thai: their own catalogue is complete, compiled, and has a part for the scripts."""

from __future__ import annotations

import gettext
import importlib.util
import re
from pathlib import Path

import pytest

from mooc_microcred_xblocks import messages

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("xblock_messages", ROOT / ".ci" / "xblock_messages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_message_is_translated_and_what_is_compiled_is_new(tool):
    assert tool.problems() == []


def test_the_sources_have_messages_of_each_kind(tool):
    assert "Not begun" in tool.of_python()
    assert "Your next step" in tool.of_templates()
    assert "Nothing found." in tool.of_scripts()
    assert "%(number)s found." in tool.of_scripts()


def test_translations_keep_the_placeholders(tool):
    for one, text in tool.read(messages.FOLDER / "th" / "LC_MESSAGES" / "text.po").items():
        names = re.findall(r"%\((\w+)\)s", one)
        assert sorted(names) == sorted(re.findall(r"%\((\w+)\)s", text)), one


def test_the_compiled_catalogue_is_read_by_gettext():
    catalogue = gettext.translation("text", str(messages.FOLDER), ["th"])
    assert catalogue.gettext("Not begun") == "ยังไม่เริ่ม"


class Elsewhere:
    """An i18n service whose operator has translated one message."""

    @staticmethod
    def gettext(message):
        return "เริ่มเลย" if message == "Not begun" else message


def test_an_operator_s_own_translation_wins_and_the_rest_is_not_lost():
    from django.utils import translation

    with translation.override("th"):
        assert messages.translated("Not begun", Elsewhere()) == "เริ่มเลย"
        assert messages.translated("Remove nothing", Elsewhere()) == "Remove nothing"
        assert messages.translated("Begun", Elsewhere()) == "เริ่มแล้ว"
