"""Rights and packages as they are written, on the wire and in columns (altinn-authentication.md §7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fullmakt.altinn.systemusers.model import Right
from fullmakt.wire.altinn.attributes import ACCESS_PACKAGE, Attribute


def right_document(right: Right) -> dict[str, Any]:
    """``{"action": …, "resource": [{"id": …, "value": …}]}``, without an action when there is none."""
    action = {} if right.action is None else {"action": right.action}
    return {**action, "resource": [{"id": one.id, "value": one.value} for one in right.resource]}


def rights_of(documents: Iterable[Mapping[str, Any]]) -> tuple[Right, ...]:
    """The rights in documents that ``right_document`` made."""
    return tuple(
        Right(tuple(Attribute(one["id"], one["value"]) for one in document["resource"]), document.get("action"))
        for document in documents
    )


def package_document(name: str) -> dict[str, str]:
    """``{"urn": "urn:altinn:accesspackage:<name>"}``."""
    return {"urn": f"{ACCESS_PACKAGE}:{name}"}
