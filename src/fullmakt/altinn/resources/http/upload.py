"""A file in a form (RFC 7578), read with the standard library's parser of MIME."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

_MAX_CONTENT_TYPE = 500


def uploaded_file(content_type: str, body: bytes, name: str) -> bytes | None:
    """The bytes of the file in the part ``name``, whatever the case of that; None when there is no such file.

    A part without a file name is a field and no file.
    """
    if len(content_type) > _MAX_CONTENT_TYPE or not content_type.lower().startswith("multipart/form-data"):
        return None
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode("latin-1", "replace")
    form = BytesParser(EmailMessage, policy=policy.HTTP).parsebytes(head + body)
    if not form.is_multipart():
        return None
    for part in form.iter_parts():
        disposition = part["content-disposition"]
        if disposition is None or part.get_content_disposition() != "form-data" or part.get_filename() is None:
            continue
        if str(disposition.params.get("name", "")).lower() == name.lower():
            payload = part.get_payload(decode=True)
            return payload if isinstance(payload, bytes) else None
    return None
