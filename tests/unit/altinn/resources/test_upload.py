"""A file in a form comes out as it went in."""

from __future__ import annotations

import anyio
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from fullmakt.altinn.resources.http.upload import uploaded_file


def _file(content_type: str, body: bytes, name: str = "policyFile") -> bytes | None:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", content_type.encode("latin-1", "replace"))]
    request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
    return anyio.run(uploaded_file, request, name)


def _form(content: bytes, name: str = "policyFile", kind: str = "text/xml") -> tuple[str, bytes]:
    files = {"other": ("o.txt", b"no", "text/plain"), name: ("policy.xml", content, kind)}
    request = httpx2.Request("POST", "https://x.test", files=files)
    return request.headers["content-type"], request.read()


@given(st.binary(max_size=2_000), st.sampled_from(["text/xml", "multipart/mixed; boundary=a", "message/rfc822", "x"]))
def test_any_bytes_come_through(content: bytes, kind: str) -> None:
    assert _file(*_form(content, kind=kind)) == content


def test_a_part_is_found_whatever_the_case_of_its_name() -> None:
    assert _file(*_form(b"<x/>", "POLICYfile")) == b"<x/>"
    assert _file(*_form(b"<x/>", "policy")) is None


@pytest.mark.parametrize("kind", ["multipart/mixed", "text/xml", "multipart/form-data; boundary=" + "b" * 600, "", "æ"])
def test_another_kind_of_body_holds_no_file(kind: str) -> None:
    assert _file(kind, b"--b\r\n\r\n--b--") is None


def test_what_stands_after_the_end_is_no_part() -> None:
    kind, body = _form(b"<x/>")
    boundary = kind.partition("boundary=")[2]
    part = body.partition(f"--{boundary}\r\n".encode())[2].partition(b"\r\n--")[0]
    after = f"--{boundary}--\r\n--{boundary}\r\n".encode()
    assert _file(kind, after + part, "other") is None
    assert _file(kind, body + b"epilogue") == b"<x/>"


@given(st.binary(max_size=300), st.text(max_size=40))
def test_rubbish_holds_no_file(body: bytes, parameters: str) -> None:
    assert _file(f"multipart/form-data;{parameters}", body) is None


def test_a_form_of_countless_parts_is_not_read_to_its_end() -> None:
    kind = "multipart/form-data; boundary=b"
    other = b'--b\r\nContent-Disposition: form-data; name="x"; filename="x"\r\n\r\n\r\n'
    wanted = b'--b\r\nContent-Disposition: form-data; name="policyFile"; filename="p"\r\n\r\n<x/>\r\n'
    assert _file(kind, other * 31 + wanted + b"--b--\r\n") == b"<x/>"
    assert _file(kind, other * 100_000 + wanted + b"--b--\r\n") is None
