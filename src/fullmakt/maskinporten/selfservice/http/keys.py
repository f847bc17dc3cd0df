"""``/clients/{client_id}/jwks`` (maskinporten.md §7.4)."""

from __future__ import annotations

import codecs

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import Response

from fullmakt.maskinporten.selfservice.errors import Fault, InvalidError
from fullmakt.maskinporten.selfservice.http import render
from fullmakt.maskinporten.selfservice.http.body import JsonRoute, read_json
from fullmakt.maskinporten.selfservice.http.dependencies import CallerOf, ServiceOf
from fullmakt.wire.maskinporten.selfservice import JwkBody, JwkDocument, JwksBody, JwksDocument

router = APIRouter(tags=["keys"], route_class=JsonRoute)
router_v2 = APIRouter(tags=["keys"], route_class=JsonRoute)

_TEXT = {"requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.get("", response_model=JwksDocument)
async def list_keys(service: ServiceOf, caller: CallerOf, client_id: str) -> Response:
    """The client's keys."""
    return render.answer(render.keys(await service.keys.of_client(caller, client_id)))


@router.put("", response_model=JwksDocument, operation_id="put_keys")
@router.post("", response_model=JwksDocument, operation_id="post_keys")
async def replace_keys(service: ServiceOf, caller: CallerOf, client_id: str, body: JwksBody) -> Response:
    """Replace the whole key set, by ``{"keys": […]}`` or a bare array."""
    return render.answer(render.keys(await service.keys.replace_all(caller, client_id, body.keys)))


@router.delete("", response_class=Response)
async def delete_keys(service: ServiceOf, caller: CallerOf, client_id: str) -> Response:
    """Remove every key: the only way to remove the last one with the old API."""
    await service.keys.remove_all(caller, client_id)
    return Response()


@router.get("/{kid}", response_model=JwkDocument)
async def get_key(service: ServiceOf, caller: CallerOf, client_id: str, kid: str) -> Response:
    """One key."""
    return render.answer(render.key(await service.keys.get(caller, client_id, kid)))


@router.put("/{kid}", response_model=JwkDocument)
async def put_key(service: ServiceOf, caller: CallerOf, client_id: str, kid: str, body: JwkBody) -> Response:
    """Add or renew one key."""
    return render.answer(render.key(await service.keys.put(caller, client_id, kid, body)))


@router.delete("/{kid}", response_class=Response)
async def delete_key(service: ServiceOf, caller: CallerOf, client_id: str, kid: str) -> Response:
    """Remove one key."""
    await service.keys.remove(caller, client_id, kid)
    return Response()


@router_v2.post("/clients/{client_id}/key", response_model=JwkDocument, openapi_extra=_TEXT)
async def add_key(service: ServiceOf, caller: CallerOf, client_id: str, request: Request) -> Response:
    """Add a key: a JWK, a PEM public key, or a PEM certificate. For PEM the server makes the ``kid``."""
    sent = _pasted(await request.body())
    return render.answer(render.key(await service.keys.add(caller, client_id, sent)))


def _pasted(body: bytes) -> JwkBody | str:
    text = body.removeprefix(codecs.BOM_UTF8)
    if not text.lstrip().startswith(b"{"):
        try:
            return text.decode("ascii")
        except UnicodeDecodeError as error:
            raise InvalidError(Fault("this is not a JWK and not PEM", "Jwk")) from error
    try:
        return JwkBody.model_validate(read_json(body))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from error
