"""Hosts that a client can not be told to leave: a proxy that carries what it sends them to a server of ours.

A client that knows its servers by name alone is run unmodified by telling its HTTP library, as anybody may behind a
company's proxy: ``HTTPS_PROXY`` is this one, and ``SSL_CERT_FILE`` holds the authority that vouches for the names.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import socketserver
import ssl
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fullmakt.kernel.clock import system_clock
from tests.support.certificates import Ca, distinguished_name, key_usage, root, rsa_key

_CHUNK = 65_536


class NamedHosts(socketserver.ThreadingTCPServer):
    """An HTTP proxy (RFC 9110 §9.3.6) that lets connections through to ``hosts`` alone, all of which are ``server``.

    ``refused`` are the targets that were asked for and not let through.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, hosts: Collection[str], server: tuple[str, int], tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.hosts = frozenset(hosts)
        self.server = server
        self.tls = tls
        self.refused: list[str] = []

    @property
    def url(self) -> str:
        """For ``HTTPS_PROXY``."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Tunnel(socketserver.BaseRequestHandler):
    """One ``CONNECT``: TLS ends here, and what was in it goes on in the clear."""

    server: NamedHosts

    def handle(self) -> None:
        target = self._target()
        if target.removesuffix(":443") not in self.server.hosts:
            self.server.refused.append(target)
            self.request.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        self.request.sendall(b"HTTP/1.1 200 Connection Established\r\n\r\n")
        with (
            self.server.tls.wrap_socket(self.request, server_side=True) as client,
            socket.create_connection(self.server.server) as server,
        ):
            back = threading.Thread(target=_pump, args=(server, client))
            back.start()
            _pump(client, server)
            back.join()

    def _target(self) -> str:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            part = self.request.recv(1)
            if not part:
                return ""
            head += part
        method, target, *_ = head.decode("latin-1").split()
        return target if method == "CONNECT" else f"{method} {target}"


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(_CHUNK):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def named_hosts(*hosts: str, server: tuple[str, int], folder: Path) -> Iterator[dict[str, str]]:
    """The environment of clients that are to find ``hosts`` at ``server``; the authority's file lies in ``folder``."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    chain, authority = folder / "named-hosts.pem", folder / "authority.pem"
    issuer = root("Named hosts", valid=_valid())
    chain.write_bytes(_certificate(issuer, hosts))
    authority.write_bytes(issuer.certificate.public_bytes(Encoding.PEM))
    tls.load_cert_chain(chain)
    with NamedHosts(hosts, server, tls) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(authority)}
        finally:
            proxy.shutdown()
            thread.join()
    assert not proxy.refused, proxy.refused


def _certificate(authority: Ca, hosts: Collection[str]) -> bytes:
    """Certificate and key for the hosts, in PEM."""
    key = rsa_key("named hosts")
    certificate = authority.leaf(
        key=key,
        subject=distinguished_name(CN="named hosts"),
        valid=_valid(),
        extensions={
            "usage": (key_usage("digital_signature", "key_encipherment"), True),
            "hosts": (x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), False),
            "policies": None,
            "crl": None,
        },
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM) + private


def _valid() -> tuple[dt.datetime, dt.datetime]:
    now = system_clock()
    return now - dt.timedelta(days=1), now + dt.timedelta(days=1)
