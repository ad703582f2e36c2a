"""What a query asks of a list: columns, order, pages, names.

[RabbitMQ: "Management HTTP API"]
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sandbox.brokers.amqp.management.answers import HttpError, bad_request

_PAGE_SIZE: Final = 100
_MAX_PAGE_SIZE: Final = 500


def arrange(value: Any, query: Mapping[str, str]) -> Any:
    """Cut an object, or a list of objects, to what the query asks for.

    Raises:
        HttpError: 400, the page or the pattern is none.
    """
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return _arrange_list(value, query)
    if isinstance(value, dict):
        return _columns(value, query)
    return value


def _arrange_list(items: list[dict[str, Any]], query: Mapping[str, str]) -> Any:
    total = len(items)
    items = _named(items, query)
    order = query.get("sort")
    if order:
        reverse = query.get("sort_reverse") == "true"
        items = sorted(items, key=lambda item: _rank(_lookup(item, order)), reverse=reverse)
    if "page" not in query:
        return [_columns(item, query) for item in items]
    page = _positive(query["page"], "page")
    size = _positive(query.get("page_size", str(_PAGE_SIZE)), "page_size")
    if size > _MAX_PAGE_SIZE:
        raise bad_request(f"page_size is at most {_MAX_PAGE_SIZE}")
    pages = max(1, -(-len(items) // size))
    if page > pages:
        reason = f"Page out of range, page: {page} page size: {size}, len: {len(items)}"
        raise HttpError(400, "page_out_of_range", reason)
    shown = items[(page - 1) * size : page * size]
    return {
        "filtered_count": len(items),
        "item_count": len(shown),
        "items": [_columns(item, query) for item in shown],
        "page": page,
        "page_count": pages,
        "page_size": size,
        "total_count": total,
    }


def _named(items: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    wanted = query.get("name")
    if not wanted or "page" not in query:
        return items
    if query.get("use_regex") != "true":
        lowered = wanted.lower()
        return [item for item in items if lowered in str(item.get("name", "")).lower()]
    try:
        pattern = re.compile(wanted, re.IGNORECASE)
    except re.error as problem:
        raise bad_request(f"name is no regular expression: {problem}") from problem
    return [item for item in items if pattern.search(str(item.get("name", "")))]


def _columns(item: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    wanted = query.get("columns")
    if not wanted:
        return item
    cut: dict[str, Any] = {}
    for column in wanted.split(","):
        _copy(item, cut, column.split("."))
    return cut


def _copy(item: Any, cut: dict[str, Any], path: Sequence[str]) -> None:
    if not isinstance(item, dict) or path[0] not in item:
        return
    if len(path) == 1:
        cut[path[0]] = item[path[0]]
    else:
        _copy(item[path[0]], cut.setdefault(path[0], {}), path[1:])


def _lookup(item: Any, path: str) -> Any:
    for step in path.split("."):
        item = item.get(step) if isinstance(item, dict) else None
    return item


def _rank(value: Any) -> tuple[int, float, str]:
    """An order over everything that JSON has."""
    if value is None:
        return 0, 0.0, ""
    return (1, value, "") if isinstance(value, int | float) else (2, 0.0, str(value))


def _positive(text: str, name: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise bad_request(f"{name} must be a number from 1, not {text!r}")
    return int(text)
