"""``fullmakt up`` that speaks HTTPS itself."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.running import Running, clean_environment, command, running, state_folder
from tests.support.tls import ServerFiles, calling, server_files

TRIES = 100_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerFiles]:
    """The server's files; whoever runs here trusts them."""
    made = server_files(tmp_path_factory.mktemp("tls"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(made.certificate))
        yield made


def tls(files: ServerFiles) -> dict[str, Any]:
    """The settings for them."""
    return {"TLS__CERTIFICATE": str(files.certificate), "TLS__KEY": str(files.key)}


@pytest.fixture(scope="module")
def secured(applied_state: Path, files: ServerFiles) -> Iterator[Running]:
    """A server with little patience."""
    with state_folder() as state:
        subprocess.run(["cp", "-a", f"{applied_state}/.", state], check=True)
        with running(state, **tls(files), REQUEST_TIMEOUT="2") as server:
            yield server


def test_it_says_where_it_is_and_commands_find_it(secured: Running) -> None:
    assert secured.url == f"https://localhost:{secured.port}"
    done = command(
        "call", f"{secured.url}/examples/whoami", "--client", "demo-bank", "--scope", "fullmakt:whoami",
        env=clean_environment(STATE=str(secured.state)),  # which tells nothing of TLS
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "910753614" in done.stdout
    metadata = httpx2.get(f"{secured.issuer}.well-known/oauth-authorization-server").json()
    assert metadata["token_endpoint"] == f"{secured.issuer}token"


def test_an_enterprise_certificate_asks_for_consent_until_it_is_revoked(
    secured: Running, files: ServerFiles, tmp_path: Path
) -> None:
    secured.command("pki", "issue", "910753614", "--out", str(tmp_path))
    [key], [chain] = tmp_path.glob("*.key.pem"), tmp_path.glob("*.chain.pem")
    key.write_bytes(key.read_bytes() + chain.read_bytes())
    serial = secured.command("pki", "list", "910753614", "--limit", "1").stdout.split()[0]
    secret = (secured.state / "api-keys" / "demo-bank").read_text().strip()
    with httpx2.Client(verify=calling(files, key), headers={"ApiKey": secret}) as http:

        def status(query: str = "?ForceEIAuthentication") -> int:
            return http.get(f"{secured.url}/altinn2/api/consentRequests{query}").status_code

        assert status() == 200
        assert status("") == 401
        secured.command("pki", "revoke", serial)
        assert 401 in (status() for _ in range(TRIES))  # the CRL is trusted for a second on a developer's machine


def test_who_does_not_finish_the_handshake_is_cut_off(secured: Running) -> None:
    for said in (b"", b"\x16\x03\x01\x02\x00\x01"):
        with socket.create_connection(("127.0.0.1", secured.port), timeout=20) as connection:
            connection.sendall(said)
            with suppress(ConnectionResetError):
                assert connection.recv(1_000) == b""
    assert "Traceback" not in secured.output


def test_who_shakes_hands_and_asks_nothing_is_told_so_and_cut_off(secured: Running, files: ServerFiles) -> None:
    with (
        socket.create_connection(("127.0.0.1", secured.port), timeout=20) as plain,
        calling(files).wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        assert connection.recv(1_000).startswith(b"HTTP/1.1 408 ")
        assert connection.recv(1_000) == b""


def test_who_speaks_plain_http_is_not_answered(secured: Running) -> None:
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"http://localhost:{secured.port}/healthz")
    assert httpx2.get(f"{secured.url}/healthz").status_code == 200
    assert "Traceback" not in secured.output


def until(happened: Callable[[], bool]) -> Iterator[None]:
    """Tries, until it has happened.

    Raises:
        AssertionError: it does not.
    """
    for _ in range(TRIES):
        if happened():
            return
        yield
    raise AssertionError("it does not happen")


def shown_by(server: Running) -> str:
    """The certificate that the server shows, in PEM."""
    return ssl.get_server_certificate(("127.0.0.1", server.port), timeout=20)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_on_sighup_it_goes_on_with_the_certificate_that_there_is_now(
    world_state: Path, tmp_path: Path, workers: str
) -> None:
    files, renewed = server_files(tmp_path), server_files(tmp_path, "renewed", curve=True)
    with running(world_state, **tls(files), WORKERS=workers) as server:
        old = shown_by(server)
        assert old == files.certificate.read_text()
        new = renewed.certificate.read_text()
        renewed.key.rename(files.key)
        renewed.certificate.rename(files.certificate)
        assert shown_by(server) == old
        server.process.send_signal(signal.SIGHUP)
        assert any(shown_by(server) == new for _ in range(TRIES))
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("workers", "told"), [("1", "tls_certificate_not_reloaded"), ("2", "aborting the restart")], ids=["one", "two"]
)
def test_what_can_not_be_used_on_sighup_changes_nothing(
    world_state: Path, tmp_path: Path, workers: str, told: str
) -> None:
    files = server_files(tmp_path)
    with running(world_state, **tls(files), WORKERS=workers) as server:
        shown = shown_by(server)
        files.key.write_text("half a k")
        server.process.send_signal(signal.SIGHUP)
        assert all(shown_by(server) == shown for _ in until(lambda: told in server.output))
        assert shown_by(server) == shown


def test_a_certificate_that_can_not_be_used_is_told_before_anything_starts(state: Path, tmp_path: Path) -> None:
    files, other = server_files(tmp_path), server_files(tmp_path, "other")
    env = clean_environment(STATE=str(state), **tls(ServerFiles(files.certificate, other.key)))
    for arguments in (("up", "--port", "0"), ("config", "check")):
        done = command(*arguments, env=env)
        assert done.returncode == 2
        assert f"tls.key: {other.key} is not the key of {files.certificate}" in done.stderr
    assert not list(state.iterdir())
