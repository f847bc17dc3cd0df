"""Altinn 2's form of consent over TLS: the certificate that the connection was made with counts (consent.md §2.1)."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
import uvicorn
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import text

from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki.model import IssuedCertificate
from fullmakt.serve.app import create
from fullmakt.serve.tls import Tls, prepare_tls, tls_options
from fullmakt.serve.up import server_options
from tests.flow.test_consents_altinn2_in_the_house import BANK, HEADER, SUPPLIER, House
from tests.support.consents_altinn2 import body
from tests.support.house import whole_house
from tests.support.tls import ServerFiles, calling, client_file, server_files

FORCED = "?ForceEIAuthentication"


class Secured:
    """The house behind a TLS port of its own."""

    def __init__(
        self, house: House, port: int, files: ServerFiles, renewed: ServerFiles, folder: Path, tls: Tls
    ) -> None:
        self.house, self.port, self.files, self.folder, self.tls = house, port, files, folder, tls
        self.renewed = renewed

    async def issue(self, organisation: OrgNumber = BANK, **more: Any) -> IssuedCertificate:
        pki = self.house.assembly.pki
        assert pki is not None
        return await pki.issue(organisation, "Banken AS", **more)

    async def ask(
        self,
        issued: IssuedCertificate | None,
        query: str = FORCED,
        *,
        certificates: int = 1,
        headers: dict[str, str] | None = None,
    ) -> int:
        """The status of a request for consent over a connection that was made with the certificate."""
        own = client_file(self.folder, issued, certificates=certificates) if issued is not None else None
        async with httpx2.AsyncClient(verify=calling(self.files, own)) as http:
            answer = await http.post(
                f"https://localhost:{self.port}/altinn2/api/consentRequests{query}",
                headers={"ApiKey": self.house.keys[BANK], **(headers or {})},
                json=body(),
            )
        return answer.status_code

    async def why_refused(self) -> list[dict[str, Any]]:
        """What the audit trail holds of the requests that were refused."""
        async with self.house.assembly.database.transaction() as connection:
            rows = await connection.execute(text("SELECT facts FROM audit.event WHERE action = 'consent:request'"))
            return list(rows.scalars())


class _Server(uvicorn.Server):
    """Says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def serving(app: Any, listening: socket.socket, tls: Tls) -> AsyncIterator[None]:
    """The app answers over TLS on ``listening``, as ``fullmakt up`` serves it."""
    options = {**server_options(30), **tls_options(tls, 30), "lifespan": "off"}
    server = _Server(uvicorn.Config(app, **options))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listening]))
        await server.up.wait()
        try:
            yield
        finally:
            server.should_exit = True


@asynccontextmanager
async def secured(
    database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **consents: Any
) -> AsyncIterator[Secured]:
    files, renewed = server_files(folder), server_files(folder, "renewed", curve=True)
    trusted = folder / "trusted.pem"
    trusted.write_bytes(files.certificate.read_bytes() + renewed.certificate.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))  # the house fetches its own CRLs over HTTPS
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        settings: dict[str, Any] = {
            "port": port,
            "insecure": {"demo_world": False},
            "tls": {"certificate": files.certificate, "key": files.key},
            "consents": consents,
            "maskinporten": {"crl_max_age": 0},
        }
        async with whole_house(database_url, folder, **settings) as (assembly, http):
            house = House(assembly, http)
            await house.fill()
            tls = await prepare_tls(assembly.settings, database_url)
            async with serving(create(assembly), listening, tls):
                yield Secured(house, port, files, renewed, folder, tls)


@pytest.fixture
async def house(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Secured]:
    async with secured(database_url, tmp_path, monkeypatch) as started:
        yield started


async def test_the_certificate_counts_with_the_flag_alone(house: Secured) -> None:
    issued = await house.issue()
    assert await house.ask(issued) == 200
    assert await house.ask(issued, f"{FORCED}=true") == 200
    assert await house.ask(issued, "") == 401
    assert await house.ask(issued, certificates=2) == 200  # with its issuing CA beside it
    assert await house.ask(await house.issue(seid=1)) == 200


async def test_the_certificate_has_to_be_the_key_owners(house: Secured) -> None:
    assert await house.ask(await house.issue(SUPPLIER)) == 403


@pytest.mark.parametrize("fault", ["expired", "revoked", "wrong_environment"])
async def test_a_certificate_that_does_not_hold_is_refused_in_the_protocols_words(house: Secured, fault: str) -> None:
    faults: dict[str, Any] = {fault: True}
    assert await house.ask(await house.issue(**faults)) == 401
    [why] = await house.why_refused()
    assert why["problem"] == {"wrong_environment": "untrusted"}.get(fault, fault)


async def test_who_shows_no_certificate_is_served_and_refused_where_one_is_needed(house: Secured) -> None:
    assert await house.ask(None) == 401
    async with httpx2.AsyncClient(verify=calling(house.files)) as http:
        assert (await http.get(f"https://localhost:{house.port}/healthz")).status_code == 200


async def test_a_header_counts_for_nothing_beside_the_connection(house: Secured) -> None:
    good = (await house.issue()).leaf.public_bytes(Encoding.PEM).decode()
    spoofed = {HEADER: quote(good, safe=""), "X-SSL-Cert": quote(good, safe=""), "Client-Cert": quote(good)}
    assert await house.ask(None, headers=spoofed) == 401
    assert await house.ask(await house.issue(SUPPLIER), headers=spoofed) == 403


async def test_behind_a_proxy_nobody_is_asked_and_the_header_counts(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with secured(database_url, tmp_path, monkeypatch, client_certificate_header=HEADER) as house:
        issued = await house.issue()
        assert await house.ask(issued) == 401  # the proxy's own, for all that we know
        handed_on = {HEADER: quote(issued.leaf.public_bytes(Encoding.PEM).decode(), safe="")}
        assert await house.ask(None, headers=handed_on) == 200


async def test_a_certificate_of_a_ca_that_nobody_knows_breaks_the_handshake(house: Secured) -> None:
    stranger = house.folder / "stranger.pem"
    made = server_files(house.folder, "stranger-server")
    stranger.write_bytes(made.key.read_bytes() + made.certificate.read_bytes())
    async with httpx2.AsyncClient(verify=calling(house.files, stranger)) as http:
        with pytest.raises(httpx2.TransportError):
            await http.get(f"https://localhost:{house.port}/healthz")
    assert await house.ask(None) == 401  # and nobody else is harmed


# -- by hand, to see what clients do not show --------------------------------------------------------------------------


class Connection:
    """What came of a request on a connection of its own."""

    def __init__(self, house: Secured, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> None:
        with (
            socket.create_connection(("127.0.0.1", house.port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname="localhost", session=session) as secure,
        ):
            content = json.dumps(body()).encode()
            secure.sendall(
                f"POST /altinn2/api/consentRequests{FORCED} HTTP/1.1\r\nHost: localhost:{house.port}\r\n"
                f"ApiKey: {house.house.keys[BANK]}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode()
                + content
            )
            answer = b"".join(iter(lambda: secure.recv(65_536), b""))
            self.status = int(answer.split()[1])
            self.reused = bool(secure.session_reused)
            self.session = secure.session
            self.version = secure.version()
            self.protocol = secure.selected_alpn_protocol()

    @classmethod
    async def make(cls, house: Secured, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> Connection:
        return await asyncio.to_thread(cls, house, context, session)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
async def test_a_session_that_is_resumed_keeps_its_certificate_and_no_longer_than_it_holds(
    house: Secured, version: ssl.TLSVersion
) -> None:
    issued = await house.issue()
    context = calling(house.files, client_file(house.folder, issued))
    context.maximum_version = version
    first = await Connection.make(house, context)
    again = await Connection.make(house, context, first.session)
    assert (first.status, first.reused, again.status, again.reused) == (200, False, 200, True)
    pki = house.house.assembly.pki
    assert pki is not None
    await pki.revoke(issued.record.serial)
    after = await Connection.make(house, context, again.session)
    assert (after.status, after.reused) == (401, True)


async def test_a_session_without_a_certificate_has_none_when_it_is_resumed(house: Secured) -> None:
    anonymous = calling(house.files)
    first = await Connection.make(house, anonymous)
    anonymous.load_cert_chain(client_file(house.folder, await house.issue()))
    again = await Connection.make(house, anonymous, first.session)
    assert (first.status, again.reused, again.status) == (401, True, 401)


async def test_http_1_1_is_spoken_whatever_else_is_offered(house: Secured) -> None:
    context = calling(house.files)
    context.set_alpn_protocols(["h2", "http/1.1"])
    made = await Connection.make(house, context)
    assert (made.protocol, made.version) == ("http/1.1", "TLSv1.3")


async def test_tls_1_1_is_not_spoken(house: Secured) -> None:
    context = calling(house.files)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await Connection.make(house, context)


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\xff\xff" + b"\x00" * 70_000,
        b"\x00" * 200,
        b"\x80" * 7,
    ],
    ids=["http", "endless hello", "zeros", "ssl 2"],
)
async def test_what_is_no_handshake_is_cut_off_and_harms_nobody(
    house: Secured, said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(said)
    with suppress(ConnectionError):
        writer.write_eof()
        answer = await reader.read()
        assert not answer.startswith(b"HTTP/")
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    assert await house.ask(await house.issue()) == 200
    assert "Traceback" not in caplog.text


async def test_those_who_do_not_finish_their_handshake_hold_up_nobody(house: Secured) -> None:
    silent = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(50)]
    for _, writer in silent[::2]:
        writer.write(b"\x16\x03\x01\x02\x00\x01")  # and no more
    assert await house.ask(await house.issue()) == 200
    for _, writer in silent:
        writer.transport.abort()


# -- renewal -----------------------------------------------------------------------------------------------------------


async def test_a_renewed_certificate_is_served_from_the_next_connection_on_whatever_its_key(house: Secured) -> None:
    issued = await house.issue()
    house.renewed.certificate.rename(house.files.certificate)
    house.renewed.key.rename(house.files.key)
    house.tls.reload()
    own = client_file(house.folder, issued)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = calling(house.files, own)  # trusts the new one, and no other
        context.maximum_version = version
        made = await Connection.make(house, context)
        assert made.status == 200
        again = await Connection.make(house, context, made.session)
        assert (again.status, again.reused) == (200, True)


async def test_a_renewal_that_can_not_be_used_changes_nothing(house: Secured) -> None:
    before = calling(house.files)
    house.files.certificate.write_text("half a certifi")
    house.tls.reload()
    assert (await Connection.make(house, before)).status == 401
