"""Files that the API answers with: always to be saved, never to be shown."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def download(content: bytes, *, name: str, media_type: str) -> HttpResponse:
    """Return bytes as a file; ``name`` is ours (ASCII), never what somebody uploaded."""
    answer = HttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def file_answer(description: str, *media_types: str) -> dict[tuple[int, str], OpenApiResponse]:
    """Return what the document says of an answer that is a file, by status and media type."""
    return {
        (200, one.partition(";")[0]): OpenApiResponse(response=OpenApiTypes.BINARY, description=description)
        for one in media_types
    }
