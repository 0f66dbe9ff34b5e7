"""Lists of a learner that go over several pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator

# Pages beside the present one to which a link leads.
NEAR = 2


def numbered(request: Any, items: Sequence[Any], size: int, *, name: str = "page") -> dict[str, Any]:
    """Return the page of a list that was asked for, with links to others, for ``_pages.html``.

    A page that there is not becomes the nearest one; what else the address asks for stays.

    Args:
        name: of the parameter in the address.
    """
    paginator = Paginator(items, size)
    page = paginator.get_page(request.GET.get(name))
    others = {key: value for key, value in request.GET.items() if key not in (name, "lang")}

    def address(number: int) -> str:
        return "?" + urlencode({**others, name: number})

    last = paginator.num_pages
    wanted = {1, last, *range(page.number - NEAR, page.number + NEAR + 1)}
    shown: list[dict[str, Any]] = []
    before = 0
    for number in sorted(one for one in wanted if 1 <= one <= last):
        shown.append({"number": number, "address": address(number), "gap": number - before > 1})
        before = number
    return {
        "items": page.object_list,
        "number": page.number,
        "of": last,
        "total": paginator.count,
        "pages": {
            "numbers": shown,
            "previous": address(page.number - 1) if page.number > 1 else "",
            "next": address(page.number + 1) if page.number < last else "",
        },
    }
