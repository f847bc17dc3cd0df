"""A file in a form (RFC 7578).

The parts are taken apart by their delimiter (RFC 2046 §5.1.1); their headers are read with the standard library. It
would read the whole, too, but takes a part that calls itself ``message/rfc822`` for something to be read in its turn.
"""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser

_MAX_HEADERS = 8 * 1024
_MAX_PARTS = 32  # each costs a reading of its headers, and the form has one file
_CONTENT_TYPE = "multipart/form-data"


def uploaded_file(content_type: str, body: bytes, name: str) -> bytes | None:
    """The bytes of the file in the part ``name``, whatever the case of that; None when there is no such file.

    A part without a file name is a field and no file. What comes after the first parts, more than any form has, is not
    read.
    """
    boundary = _boundary(content_type)
    if boundary is None:
        return None
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, _MAX_PARTS + 1)
    for part in parts[:_MAX_PARTS]:
        if part.startswith(b"--"):
            return None
        head, blank, content = part.partition(b"\r\n\r\n")
        if blank and _is_file(head, name):
            return content
    return None


def _boundary(content_type: str) -> bytes | None:
    headers = _headers(b"Content-Type: " + content_type.encode("latin-1", "replace"))
    boundary = headers.get_boundary() if headers.get_content_type() == _CONTENT_TYPE else None
    return boundary.encode("latin-1", "replace") if boundary and len(boundary) <= 70 else None


def _is_file(head: bytes, name: str) -> bool:
    headers = _headers(head.partition(b"\r\n")[2])
    if headers.get_content_disposition() != "form-data" or headers.get_filename() is None:
        return False
    return str(headers.get_param("name", "", "content-disposition")).lower() == name.lower()


def _headers(head: bytes) -> EmailMessage:
    if len(head) > _MAX_HEADERS:
        return EmailMessage()
    return BytesHeaderParser(EmailMessage, policy=policy.HTTP).parsebytes(head)
