"""Asking the database the same small question again and again: whether anything has changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection, connections
from django.db.models import QuerySet


def asked(
    question: Callable[..., QuerySet[Any, Any]],
    *of: Hashable,
    given: Mapping[Any, Any] | None = None,
) -> tuple[Any, ...]:
    """Return the rows of a question as the database says them, to tell whether anything has changed.

    It is put into SQL once for the same arguments, which for a small question is most of what it costs.

    Args:
        question: takes the arguments and returns a query of columns.
        given: what stands in the SQL for what -> what is asked for now.
    """
    alias, sql, values = _sql(question, of)
    given = given or {}
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, [given.get(one, one) for one in values])
        return tuple(cursor.fetchall())


def moment_of(value: Any) -> datetime | None:
    """Return an instant as Django gives it, of what ``asked`` has found in a column of instants."""
    operations: Any = connection.ops
    return operations.convert_datetimefield_value(value, None, connection)


@lru_cache(maxsize=256)
def _sql(
    question: Callable[..., QuerySet[Any, Any]], of: tuple[Hashable, ...]
) -> tuple[str, str, tuple[Any, ...]]:
    rows = question(*of)
    sql, values = rows.query.get_compiler(rows.db).as_sql()
    return rows.db, sql, tuple(values)
