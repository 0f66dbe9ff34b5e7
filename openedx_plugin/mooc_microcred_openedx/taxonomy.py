"""Publishing a framework as one of the platform's content-tagging taxonomies.

The taxonomy is a copy for Studio's tag drawer: export id and external ids say which framework and
item a tag is, whatever it is called. Nothing is written back from it, and a tag is never deleted:
it may hang on content.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

from django.utils.translation import gettext as _

from mooc_microcred.competencies.api import TaxonomyTag
from mooc_microcred.core.errors import WrongState


class PlatformTaxonomies:
    """The tagging app of this process."""

    def publish(self, *, export_id: str, name: str, organization: str, tags: Sequence[TaxonomyTag]) -> int:
        """Create or bring up to date the taxonomy with that export id; return how many tags it was given.

        Raises:
            WrongState: the platform has no tagging app, does not know the organisation, or refuses the tags.
        """
        api, run_import, json_format = _tagging()
        taxonomy = api.get_taxonomy_by_export_id(export_id)
        if taxonomy is None:
            taxonomy = self._create(export_id, name, organization)
        elif taxonomy.name != name:
            taxonomy.name = name
            taxonomy.save()
        rows = []
        for tag in tags:
            above = {"parent_id": tag.parent} if tag.parent else {}
            rows.append({"id": tag.external_id, "value": tag.value, **above})
        file = io.BytesIO(json.dumps({"tags": rows}, ensure_ascii=False).encode())
        done, task, _plan = run_import(taxonomy, file, json_format, replace=False)
        if not done:
            raise WrongState(
                _("The platform did not take the taxonomy: %(log)s") % {"log": str(task.log or "")[-500:]}
            )
        return len(tags)

    @staticmethod
    def _create(export_id: str, name: str, organization: str):
        from openedx.core.djangoapps.content_tagging import api as content_tagging
        from organizations.models import Organization

        owner = Organization.objects.filter(short_name=organization).first()
        if owner is None:
            raise WrongState(
                _("The platform has no organisation %(name)s: its authors could not use the taxonomy.")
                % {"name": organization}
            )
        return content_tagging.create_taxonomy(name=name, export_id=export_id, orgs=[owner])


def _tagging():
    """Return the tagging API, its import and the JSON format, wherever this release has them."""
    try:
        from openedx_tagging import api
        from openedx_tagging.import_export import ParserFormat
        from openedx_tagging.import_export.api import import_tags
    except ImportError:
        try:
            from openedx_tagging.core.tagging import api
            from openedx_tagging.core.tagging.import_export.api import import_tags
            from openedx_tagging.core.tagging.import_export.parsers import ParserFormat
        except ImportError as error:
            raise WrongState(_("This platform has no content tagging.")) from error
    return api, import_tags, ParserFormat.JSON
