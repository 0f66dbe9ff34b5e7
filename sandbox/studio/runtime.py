"""The XBlock runtime: fields from the sandbox's tables, services as the platform has them."""

from __future__ import annotations

from collections import defaultdict

from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from opaque_keys.edx.keys import UsageKey
from web_fragments.fragment import Fragment
from xblock.core import XBlock
from xblock.exceptions import InvalidScopeError
from xblock.fields import Scope, ScopeIds, String
from xblock.plugin import PluginMissingError
from xblock.reference.user_service import UserService, XBlockUser
from xblock.runtime import IdReader, KeyValueStore, KvsFieldData, Runtime

from sandbox.models import Course
from sandbox.studio.models import CONTAINERS, SCORED, Block

OURS = ("microcred_competency", "microcred_progress")


class Leaf(XBlock):
    """A block that the sandbox only carries."""

    display_name = String(default="", scope=Scope.settings)


class Holder(Leaf):
    """A block with children."""

    has_children = True


class ScoredLeaf(Leaf):
    """A block that learners get a score for."""

    has_score = True


class _Ids(IdReader):
    """Usages and definitions are the same here."""

    def get_usage_id_from_aside(self, aside_id):
        return aside_id

    def get_definition_id_from_aside(self, aside_id):
        return aside_id

    def get_aside_type_from_usage(self, aside_id):
        return aside_id

    def get_aside_type_from_definition(self, aside_id):
        return aside_id

    def get_definition_id(self, usage_id):
        return usage_id

    def get_block_type(self, def_id):
        return def_id.block_type


class _Fields(KeyValueStore):
    """Settings and content from the blocks' rows; in the LMS they cannot be changed."""

    def __init__(self, desk: SandboxRuntime):
        self._desk = desk

    def _row(self, key) -> dict:
        if key.scope not in (Scope.content, Scope.settings):
            return self._desk.of_learner[key.block_scope_id]
        row = self._desk.rows[key.block_scope_id]
        return row.fields if self._desk.studio else (row.published or {})

    def has(self, key):
        if key.scope == Scope.children:
            return bool(self._desk.children[key.block_scope_id])
        if key.scope == Scope.parent:
            return bool(self._desk.rows[key.block_scope_id].parent)
        return key.field_name in self._row(key)

    def get(self, key):
        if key.scope == Scope.children:
            return list(self._desk.children[key.block_scope_id])
        if key.scope == Scope.parent:
            parent = self._desk.rows[key.block_scope_id].parent
            if not parent:
                raise KeyError(key.field_name)
            return UsageKey.from_string(parent)
        return self._row(key)[key.field_name]

    def set(self, key, value):
        if key.scope in (Scope.children, Scope.parent):
            raise InvalidScopeError(key)
        if key.scope in (Scope.content, Scope.settings):
            if not self._desk.studio:
                raise InvalidScopeError(key)
            row = self._desk.rows[key.block_scope_id]
            row.fields = {**row.fields, key.field_name: value}
            row.save(update_fields=["fields"])
            return
        self._desk.of_learner[key.block_scope_id][key.field_name] = value

    def delete(self, key):
        row = self._row(key)
        del row[key.field_name]

    def set_many(self, update_dict):
        for key, value in update_dict.items():
            self.set(key, value)


class _Users(UserService):
    def __init__(self, user):
        super().__init__()
        self._user = user

    def get_current_user(self):
        user = XBlockUser(is_current_user=True)
        known = self._user is not None and self._user.is_authenticated
        user.opt_attrs = {
            "edx-platform.is_authenticated": known,
            "edx-platform.user_id": self._user.id if known else None,
            "edx-platform.username": self._user.username if known else None,
        }
        return user


class SandboxRuntime(Runtime):
    """The blocks of one course for one reader: drafts in Studio, what is published in the LMS."""

    def __init__(self, *, course: Course, user=None, studio: bool = False):
        services = {"field-data": KvsFieldData(_Fields(self)), "user": _Users(user)}
        super().__init__(_Ids(), services=services, id_generator=None)
        self.studio = studio
        self.is_author_mode = studio
        self.rows: dict[UsageKey, Block] = {}
        self.children: dict[UsageKey, list[UsageKey]] = defaultdict(list)
        self.of_learner: dict[UsageKey, dict] = defaultdict(dict)
        for row in Block.objects.filter(course=course):
            if studio or row.published is not None:
                self.rows[row.key] = row
        for key, row in self.rows.items():
            if row.parent:
                self.children[UsageKey.from_string(row.parent)].append(key)

    def load_block_class(self, block_type):
        if block_type in OURS:
            return XBlock.load_class(block_type)
        if block_type in CONTAINERS:
            return Holder
        return ScoredLeaf if block_type in SCORED else Leaf

    def get_block(self, usage_id, for_parent=None):
        key = UsageKey.from_string(str(usage_id))
        if key not in self.rows:
            raise PluginMissingError(str(key))
        kind = self.load_block_class(key.block_type)
        return self.construct_xblock_from_class(
            kind, ScopeIds(None, key.block_type, key, key), for_parent=for_parent
        )

    def handler_url(self, block, handler_name, suffix="", query="", thirdparty=False):
        page = "sandbox:studio_handler" if self.studio else "sandbox:xblock_handler"
        return reverse(page, args=[str(block.scope_ids.usage_id), handler_name])

    def local_resource_url(self, block, uri):
        return reverse("sandbox:xblock_resource", args=[block.scope_ids.block_type, uri])

    def resource_url(self, resource):
        raise NotImplementedError("As in the platform: use local_resource_url.")

    def publish(self, block, event_type, event_data):
        """Nothing here is scored or completed by an event."""

    def wrap_xblock(self, block, view, frag, context):
        """Wrap a view as the platform does: what its script needs stands in attributes."""
        wrapped = Fragment()
        wrapped.add_fragment_resources(frag)
        wrapped.add_content(
            format_html(
                '<div class="xblock xblock-{}" data-usage-id="{}" data-init="{}" data-handler="{}">{}</div>',
                view,
                block.scope_ids.usage_id,
                frag.js_init_fn or "",
                self.handler_url(block, "HANDLER"),
                mark_safe(frag.content),  # noqa: S308 what the block's own template made
            )
        )
        return wrapped


def head_of(fragments: list[Fragment]) -> str:
    """Return the elements that load the fragments' style sheets and scripts, each once and in order."""
    found: dict[str, str] = {}
    for fragment in fragments:
        for resource in fragment.resources:
            if resource.kind != "url":
                raise ValueError("a Content Security Policy would stop this: " + resource.data[:60])
            style = resource.mimetype == "text/css"
            shape = '<link rel="stylesheet" href="{}">' if style else '<script src="{}" defer></script>'
            found[resource.data] = shape.format(escape(resource.data))
    return mark_safe("\n".join(found.values()))  # noqa: S308 the addresses are escaped
