"""A file in a form (RFC 7578)."""

from __future__ import annotations

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

_MAX_PARTS = 32  # the form has one file


async def uploaded_file(request: Request, name: str) -> bytes | None:
    """The bytes of the file in the part ``name``, whatever the case of that; None when there is no such file.

    A part without a file name is a field and no file.
    """
    try:
        async with request.form(max_files=_MAX_PARTS, max_fields=_MAX_PARTS) as form:
            for field, value in form.multi_items():
                if isinstance(value, UploadFile) and field.lower() == name.lower():
                    return await value.read()
    except (HTTPException, MultiPartException, ValueError):  # ValueError: a boundary that is no text
        return None
    return None
