"""Blocks on a runtime in memory, and competencies for them to name."""

from __future__ import annotations

import uuid

import pytest
from opaque_keys.edx.keys import CourseKey
from xblock.fields import ScopeIds
from xblock.runtime import DictKeyValueStore, KvsFieldData
from xblock.test.toy_runtime import ToyRuntime

from mooc_microcred.competencies.models import Competency, Framework
from mooc_microcred.core import clock

RUN = "course-v1:KMUTT+PY101+2026"


class User:
    """What the platform's user service says of a user."""

    def __init__(self, user_id):
        self.opt_attrs = {
            "edx-platform.user_id": user_id,
            "edx-platform.is_authenticated": user_id is not None,
        }


class UserService:
    def __init__(self, user_id):
        self.user = User(user_id)

    def get_current_user(self):
        return self.user


class Desk(ToyRuntime):
    """A runtime with a user, as the LMS or Studio has it; blocks are named by keys of the course."""

    def __init__(self, user_id=None, *, author_mode=False):
        super().__init__(user_id=user_id)
        self.store = DictKeyValueStore()
        self._services["field-data"] = KvsFieldData(self.store)
        if user_id is not None:
            self._services["user"] = UserService(user_id)
        self.is_author_mode = author_mode
        self.blocks = {}

    def local_resource_url(self, block, uri):
        return f"/xblock/resource/{block.scope_ids.block_type}/{uri}"

    def make(self, kind, name="", *, context=RUN, parent=None, **fields):
        """Return a block of the course; ``fields`` as an author has set them."""
        from opaque_keys.edx.locator import LibraryLocatorV2, LibraryUsageLocatorV2

        name = name or kind
        if context.startswith("lib:"):
            usage = LibraryUsageLocatorV2(LibraryLocatorV2.from_string(context), kind, name)
        else:
            usage = CourseKey.from_string(context).make_usage_key(kind, name)
        block = self.construct_xblock(kind, ScopeIds(self.user_id, kind, usage, usage))
        for field, value in fields.items():
            setattr(block, field, value)
        if parent is not None:
            block.parent = parent.scope_ids.usage_id
            parent.children = [*parent.children, usage]
            parent.save()
        block.save()
        self.blocks[usage] = block
        return block

    def get_block(self, usage_id, for_parent=None):
        return self.blocks[usage_id]


@pytest.fixture
def desk():
    """Return the class of runtimes."""
    return Desk


def framework(
    title: str = "Digital skills", *, state: str = "published", organization: str = "KMUTT"
) -> Framework:
    """Make a framework."""
    return Framework.objects.create(
        identifier=str(uuid.uuid4()),
        title_th=f"กรอบ {title}",
        title_en=title,
        organization=organization,
        state=state,
        changed=clock.now(),
    )


def competency(within: Framework, code: str, *, parent: Competency | None = None, **fields) -> Competency:
    """Make a competency, in the tree below ``parent``."""
    from mooc_microcred.competencies.frameworks import search_text

    th, en = fields.pop("th", f"ทำ {code} ได้"), fields.pop("en", f"can do {code}")
    made = Competency.objects.create(
        framework=within,
        identifier=str(uuid.uuid4()),
        code=code,
        statement_th=th,
        statement_en=en,
        parent=parent,
        depth=parent.depth + 1 if parent else 0,
        ordinal=Competency.objects.filter(framework=within).count(),
        search=search_text(code, th, en),
        changed=clock.now(),
        **fields,
    )
    if parent is not None:
        Competency.objects.filter(id=parent.id).update(child_count=parent.child_count + 1)
        parent.refresh_from_db()
    return made


def entry(one: Competency, weight=1, **more) -> dict:
    """Return what the block's field holds of a competency."""
    return {"framework": one.framework.identifier, "item": one.identifier, "weight": weight, **more}
