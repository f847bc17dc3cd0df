"""What comes in, as what the use cases take: names in any case, unknown ones passed over, texts trimmed (§1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from fullmakt.altinn.systemusers.model import Right
from fullmakt.altinn.systemusers.register import rules
from fullmakt.altinn.systemusers.register.model import Proposal
from fullmakt.infra.reading import body_of, json_body, list_of, object_of, unreadable
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.problems import BindingError


async def proposal_in(request: Request) -> Proposal:
    """What is proposed in a body of §7.

    Raises:
        BindingError: something that must be there is not, or something can not be read as what it should be.
    """
    body = await body_of(request)
    vendor = object_of("vendor", _required(body, "vendor"))
    visible = body.get("isvisible", True)
    if not isinstance(visible, bool):
        raise unreadable("isVisible", "System.Boolean")
    return Proposal(
        id=_text("id", _required(body, "id"), trimmed=False),  # a blank in it is told of (AUTH.VLD-00013)
        vendor=_text("vendor.ID", vendor.get("id") or ""),
        name=_languages("name", _required(body, "name")),
        description=_languages("description", _required(body, "description")),
        rights=tuple(list_of(body, "rights", _right, most=rules.MAX_RIGHTS)),
        packages=tuple(list_of(body, "accessPackages", _urn, most=rules.MAX_PACKAGES)),
        client_ids=tuple(list_of(body, "clientId", _client_id, most=rules.MAX_CLIENTS)),
        redirect_urls=tuple(list_of(body, "allowedRedirectUrls", _text, most=rules.MAX_REDIRECTS)),
        visible=visible,
    )


async def rights_in(request: Request) -> tuple[Right, ...]:
    """A list of rights.

    Raises:
        BindingError: the body is none.
    """
    sent = {"rights": await json_body(request)}
    _required(sent, "rights")
    return tuple(list_of(sent, "rights", _right, most=rules.MAX_RIGHTS))


async def packages_in(request: Request) -> tuple[str, ...]:
    """The URNs in a list of access packages.

    Raises:
        BindingError: the body is none.
    """
    sent = {"accesspackages": await json_body(request)}
    _required(sent, "accessPackages")
    return tuple(list_of(sent, "accessPackages", _urn, most=rules.MAX_PACKAGES))


def _right(path: str, value: Any) -> Right:
    members = object_of(path, value)
    resource = tuple(
        list_of(members, "resource", lambda at, each: _attribute(f"{path}.{at}", each), most=rules.MAX_RESOURCES)
    )
    if not resource:
        raise _missing(f"{path}.resource")
    action = members.get("action")
    return Right(resource, None if action is None else _text(f"{path}.action", action))


def _attribute(path: str, value: Any) -> Attribute:
    members = object_of(path, value)
    return Attribute(_text(f"{path}.id", members.get("id")), _text(f"{path}.value", members.get("value")))


def _urn(path: str, value: Any) -> str:
    return _text(f"{path}.urn", object_of(path, value).get("urn") or "")


def _client_id(path: str, value: Any) -> str:
    client_id = _text(path, value)
    if not client_id or not client_id.isascii() or not client_id.isprintable():
        raise BindingError({path: ["The value is not valid."]})
    return client_id


def _languages(path: str, value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or len(value) > rules.MAX_LANGUAGES:
        raise unreadable(path, f"an object of at most {rules.MAX_LANGUAGES} texts")
    return {_text(path, language): _text(path, text) for language, text in value.items() if text is not None}


def _text(path: str, value: Any, *, trimmed: bool = True) -> str:
    if not isinstance(value, str):
        raise unreadable(path, "System.String")
    if len(value) > rules.MAX_TEXT or "\x00" in value:  # PostgreSQL has no such character
        raise BindingError({path: [f"A text is of at most {rules.MAX_TEXT} characters, and U+0000 is none of them."]})
    return value.strip() if trimmed else value


def _required(members: Mapping[str, Any], name: str) -> Any:
    value = members.get(name.lower())
    if value is None:
        raise _missing(name)
    return value


def _missing(name: str) -> BindingError:
    return BindingError({name: [f"The {name} field is required."]})
