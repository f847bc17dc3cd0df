"""How a resource is read that somebody publishes."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.requests import Request

from fullmakt.infra.reading import json_body
from fullmakt.wire.altinn.problems import BindingError
from fullmakt.wire.altinn.resource_registry import ResourceDocument


async def resource_body(request: Request) -> ResourceDocument:
    """The body as a resource.

    Raises:
        BindingError: it is none; each member that can not be read is named by its path, ``$.title.nb``.
        HTTPException: see ``json_body``.
    """
    body = await json_body(request)
    try:
        return ResourceDocument.model_validate(body)
    except ValidationError as error:
        faults: dict[str, list[str]] = {}
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            path = ".".join(("$", *(str(step) for step in fault["loc"])))
            faults.setdefault(path, []).append(f"The JSON value could not be converted: {fault['msg']}")
        raise BindingError(faults) from error
