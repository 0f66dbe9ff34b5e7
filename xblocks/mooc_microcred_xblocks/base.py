"""What both blocks have in common: services, templates, saving by authors, OLX."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine
from django.urls import NoReverseMatch, reverse
from lxml import etree
from web_fragments.fragment import Fragment
from xblock.completable import XBlockCompletionMode
from xblock.core import XBlock
from xblock.exceptions import JsonHandlerError
from xblock.fields import Dict, List, Scope

from mooc_microcred.competencies import api as competencies
from mooc_microcred_xblocks import messages

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
# What the platform's user service says of a user.
USER_ID = "edx-platform.user_id"
# Attributes that the exporter writes and no field holds.
_NOT_FIELDS = ("xblock-family", "url_name", "slug", "org", "course", "filename")


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return Engine(
        dirs=[str(HERE / "templates")],
        libraries={"l10n": "django.templatetags.l10n"},
        builtins=["mooc_microcred_xblocks.template_tags"],
        autoescape=True,
    )


@XBlock.wants("user")
@XBlock.wants("i18n")
class MicrocredBlock(XBlock):
    """A block of the suite. Nobody is held up by it: looking at it is neither scored nor counted."""

    # A unit is as complete without it: it says what is learned and how far one is.
    completion_mode = XBlockCompletionMode.EXCLUDED
    has_score = False
    has_author_view = True
    has_children = False
    show_in_read_only_mode = True
    icon_class = "other"
    # The name of the JavaScript catalogue that the platform compiles for this package.
    i18n_js_namespace = "MicrocredXBlocksI18N"
    # Fields with lists, which OLX shows as JSON that people can read and compare.
    on_one_line: tuple[str, ...] = ()

    olx_extras = Dict(
        help="What the block's OLX had and this version does not know; it is written back as it was.",
        scope=Scope.settings,
        default={},
    )

    # --- services ---

    def _service(self, name: str) -> Any:
        """Return a service of the runtime, or None where there is none."""
        try:
            return self.runtime.service(self, name)
        # Runtimes say by several exceptions that they have none (NoSuchServiceError, RuntimeError).
        except Exception:  # noqa: BLE001
            return None

    def say(self, message: str, **values: Any) -> str:
        """Return a message in the reader's language, its named placeholders filled."""
        text = messages.translated(message, self._service("i18n"))
        return text % values if values else text

    @property
    def language(self) -> str:
        """Return the reader's language."""
        return messages.language()

    def reader_id(self) -> int | None:
        """Return the user id of who looks at the block, or None for visitors."""
        service = self._service("user")
        if service is None:
            return None
        user = service.get_current_user()
        found = (user.opt_attrs or {}).get(USER_ID)
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    @property
    def context_id(self) -> str:
        """Return the key of the course or library in which the block is."""
        usage = self.scope_ids.usage_id
        return str(getattr(usage, "context_key", None) or getattr(usage, "course_key", "") or "")

    @property
    def unique(self) -> str:
        """Return a prefix for the ids of our elements, of which other blocks on the page have none."""
        return "microcred-" + re.sub(r"\W+", "-", str(self.scope_ids.usage_id))[-60:]

    @property
    def in_library(self) -> bool:
        """Say whether the block is in a content library, not in a course."""
        return self.context_id.startswith(("lib:", "library-v1:"))

    @property
    def in_studio(self) -> bool:
        """Say whether this is a preview for authors."""
        return bool(getattr(self.runtime, "is_author_mode", False))

    # --- views ---

    def page(self, template: str, **context: Any) -> Fragment:
        """Return a fragment of one of our templates, with our style sheet and no script."""
        found = _engine().get_template(template)
        html = found.render(Context({"block": self, "language": self.language, **context}))
        fragment = Fragment(html)
        fragment.add_css_url(self._resource("public/css/microcred.css"))
        return fragment

    def editor(
        self, template: str, initialiser: str, settings: Mapping[str, Any], **context: Any
    ) -> Fragment:
        """Return an editor for authors: a form, its script, and the catalogue of the script's messages.

        What the script needs stands in an attribute of the form: runtimes write the arguments of
        ``initialize_js`` into a script element, where a name with a closing tag would end it.
        """
        fragment = self.page(
            template,
            settings=json.dumps(settings),
            library=self.in_library,
            unique=self.unique,
            title=self.display_name or "",
            **context,
        )
        fragment.add_javascript_url(self._script_catalogue())
        fragment.add_javascript_url(self._resource("public/js/studio.js"))
        fragment.initialize_js(initialiser)
        return fragment

    def _script_catalogue(self) -> str:
        service = self._service("i18n")
        compiled = getattr(service, "get_javascript_i18n_catalog_url", None)
        try:
            url = compiled(self) if compiled else None
        # A runtime's own service; without its catalogue there is ours.
        except Exception:  # noqa: BLE001
            url = None
        if url:
            return url
        language = self.language.partition("-")[0]
        there = (HERE / "public" / "js" / "translations" / language / "text.js").is_file()
        return self._resource(f"public/js/translations/{language if there else 'en'}/text.js")

    def _resource(self, path: str) -> str:
        # resource_url raises in content libraries.
        return self.runtime.local_resource_url(self, path)

    @staticmethod
    def address(*names: str, **where: Any) -> str:
        """Return the address of the first named page that there is in this process, or an empty text."""
        for name in names:
            try:
                return reverse(name, kwargs=where or None)
            except NoReverseMatch:
                continue
        return ""

    # --- saving ---

    def require_author(self) -> None:
        """Refuse whoever may not edit the course or library, and everybody outside of Studio.

        A learner can call any handler of any block through the LMS; there nobody is an author.

        Raises:
            JsonHandlerError: 403.
        """
        if not competencies.may_edit_content(user_id=self.reader_id(), context_key=self.context_id):
            raise JsonHandlerError(403, self.say("Only authors of this course may do this, in Studio."))

    # --- OLX ---

    @classmethod
    def parse_xml(cls, node, runtime, keys):
        """Read the block; what cannot be read is kept and written back, for an import never fails on it."""
        extras = {}
        # The platform's own fields come by mixins, which the class as such does not show.
        fields = runtime.mixologist.mix(cls).fields
        for name, value in list(node.attrib.items()):
            if name not in _NOT_FIELDS and not _is_readable(fields.get(name), value):
                extras[name] = value
                del node.attrib[name]
        children = [child for child in node if isinstance(child.tag, str) and not child.tag.startswith("{")]
        for child in children:
            node.remove(child)
        block = super().parse_xml(node, runtime, keys)
        if children:
            extras["#children"] = [
                etree.tostring(child, encoding="unicode", with_tail=False) for child in children
            ]
        if extras:
            block.olx_extras = {**block.olx_extras, **extras}
        return block

    def add_xml_to_node(self, node) -> None:
        """Write the block, each field as an attribute on one line, and what was kept as it was."""
        super().add_xml_to_node(node)
        node.attrib.pop("olx_extras", None)
        for name in self.on_one_line:
            if name in node.attrib:
                node.set(name, json.dumps(getattr(self, name), ensure_ascii=False))
        for name, value in self.olx_extras.items():
            if name == "#children":
                node.extend(etree.fromstring(one) for one in value)
            elif name not in node.attrib:
                node.set(name, value)


def _is_readable(field: Any, value: str) -> bool:
    if field is None:
        return False
    try:
        found = field.from_string(value)
        field.enforce_type(found)
    except Exception:  # noqa: BLE001 whatever YAML, JSON or a check of the type says
        return False
    wanted = {List: list, Dict: dict}.get(type(field))
    return wanted is None or found is None or isinstance(found, wanted)
