"""Run a settings file that Tutor rendered, without an Open edX beside it."""

from __future__ import annotations

import ast
import builtins
import types
from typing import Any
from unittest.mock import MagicMock


def run_settings(source: str, platform: dict[str, Any]) -> dict[str, Any]:
    """Return the names that a settings file leaves behind.

    Args:
        source: the file's text.
        platform: what ``from lms.envs.production import *`` and the like bring; every other name and
            module of the platform is a stand-in that takes everything and does nothing.
    """
    tree = ast.parse(source)
    names: dict[str, Any] = {
        node.id: MagicMock(name=node.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not hasattr(builtins, node.id)
    }

    def import_stand_in(name, _globals=None, _locals=None, fromlist=(), _level=0):
        if fromlist == ("*",):
            module = types.ModuleType(name)
            vars(module).update(platform)
            return module
        return MagicMock(name=name)

    names["__builtins__"] = {**vars(builtins), "__import__": import_stand_in}
    names["__name__"] = "settings"
    exec(compile(tree, "<rendered settings>", "exec"), names)  # noqa: S102 Tutor's own file
    return names
