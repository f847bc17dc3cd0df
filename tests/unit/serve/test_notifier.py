"""Where notifications may go, with URLs that others have chosen."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fullmakt.serve.notifier import HttpNotifier, Resolve
from tests.support.certificates import root, rsa_key

ALWAYS = (dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
GOT: list[httpx2.Request] = []


def client(status: int = 202) -> httpx2.AsyncClient:
    def answer(request: httpx2.Request) -> httpx2.Response:
        GOT.append(request)
        return httpx2.Response(status, headers={"location": "http://127.0.0.1/"})

    GOT.clear()
    return httpx2.AsyncClient(transport=httpx2.MockTransport(answer))


async def test_a_notification_is_posted_and_nobody_is_followed_elsewhere() -> None:
    notifier = HttpNotifier(client(307), anywhere=True)
    assert await notifier.send("http://localhost:1/x", b"{}", {"content-type": "application/cloudevents+json"}) == 307
    (request,) = GOT
    assert (request.method, request.content, request.headers["content-type"]) == (
        "POST", b"{}", "application/cloudevents+json",
    )  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "http://1.1.1.1/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://192.168.1.1:8443/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
        "https://2130706433/",
        "https://224.0.0.1/",
        "https://100.64.0.1/",
        "https://[ff02::1]/",
        "https://[fec0::1]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[64:ff9b:1::1]/",
        "https://[2002:7f00:1::1]/",
        "https:///x",
        "https://[::1",
    ],
)
async def test_in_production_nothing_goes_into_our_own_network(url: str) -> None:
    notifier = HttpNotifier(client(), anywhere=False)
    with pytest.raises(OSError, match=r"."):
        await notifier.send(url, b"{}", {})
    assert GOT == []


@pytest.mark.parametrize("url", ["https://1.1.1.1/hendelser", "https://[64:ff9b::1.1.1.1]/", "https://[2606:4700::1]/"])
async def test_what_is_on_the_internet_is_reached_over_https(url: str) -> None:
    notifier = HttpNotifier(client(), anywhere=False)
    assert await notifier.send(url, b"{}", {}) == 202


def answers(*times: list[str]) -> Resolve:
    """A resolver that says something else each time it is asked."""
    said = iter(times)

    async def resolve(host: str, port: int) -> list[str]:
        assert (host, port) == ("xn--bnk-ula.example", 8443)
        return next(said)

    return resolve


URL = "https://b\u00e5nk.example:8443/hendelser?a=b"


async def test_what_is_connected_to_is_the_address_that_was_looked_at() -> None:
    notifier = HttpNotifier(client(), anywhere=False, resolve=answers(["1.1.1.1"], ["127.0.0.1"]))
    assert await notifier.send(URL, b"{}", {}) == 202
    (request,) = GOT
    assert str(request.url) == "https://1.1.1.1:8443/hendelser?a=b"
    assert request.headers["host"] == "xn--bnk-ula.example:8443"
    assert request.extensions["sni_hostname"] == "xn--bnk-ula.example"
    with pytest.raises(ConnectionRefusedError):  # the name now leads here, and so it is refused
        await notifier.send(URL, b"{}", {})
    assert len(GOT) == 1


@pytest.mark.parametrize("found", [[], ["1.1.1.1", "10.0.0.1"], ["::1", "1.1.1.1"]], ids=["none", "last", "first"])
async def test_a_name_of_which_one_address_is_ours_is_not_sent_to(found: list[str]) -> None:
    with pytest.raises(ConnectionRefusedError):
        await HttpNotifier(client(), anywhere=False, resolve=answers(found)).send(URL, b"{}", {})
    assert GOT == []


async def test_another_address_of_the_name_is_tried_when_one_can_not_be_reached() -> None:
    tried: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        tried.append(request.url.host)
        if len(tried) < 3:
            raise httpx2.ConnectError("no route")
        return httpx2.Response(202)

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    every = [f"1.1.1.{number}" for number in range(1, 9)]
    notifier = HttpNotifier(http, anywhere=False, resolve=answers(every))
    assert await notifier.send(URL, b"{}", {}) == 202
    assert tried == every[:3]


class Line(httpx2.AsyncBaseTransport):
    """The Internet: every address leads to one server on this machine."""

    def __init__(self, port: int, trusted: ssl.SSLContext) -> None:
        self._port = port
        self._through = httpx2.AsyncHTTPTransport(verify=trusted)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return await self._through.handle_async_request(request)

    async def aclose(self) -> None:
        await self._through.aclose()


@pytest.mark.parametrize(("name", "reached"), [("bank.example", True), ("other.example", False)])
async def test_the_certificate_is_the_name_s_and_not_the_address_s(tmp_path: Path, name: str, reached: bool) -> None:
    ca = root(valid=ALWAYS)
    of_bank = (x509.SubjectAlternativeName([x509.DNSName("bank.example")]), False)
    leaf = ca.leaf(valid=ALWAYS, extensions={"usage": None, "policies": None, "crl": None, "names": of_bank})
    (tmp_path / "leaf.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    key = rsa_key("leaf").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "leaf.key").write_bytes(key)
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "leaf.key")
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    trusted = ssl.create_default_context(cadata=ca.certificate.public_bytes(Encoding.PEM).decode())
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=own)

    async def resolve(_host: str, _port: int) -> list[str]:
        return ["1.1.1.1"]

    async with server, httpx2.AsyncClient(transport=Line(server.sockets[0].getsockname()[1], trusted)) as http:
        notifier = HttpNotifier(http, anywhere=False, resolve=resolve)
        if reached:
            assert await notifier.send(f"https://{name}/", b"{}", {}) == 204
            assert b"host: bank.example\r\n" in asked[0].lower()
        else:
            with pytest.raises(ConnectionError):
                await notifier.send(f"https://{name}/", b"{}", {})
            assert asked == []


async def test_what_can_not_be_reached_is_told_as_an_error_of_the_line() -> None:
    def broken(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no")

    notifier = HttpNotifier(httpx2.AsyncClient(transport=httpx2.MockTransport(broken)), anywhere=True)
    with pytest.raises(ConnectionError, match="ConnectError"):
        await notifier.send("https://bank.example/", b"{}", {})
