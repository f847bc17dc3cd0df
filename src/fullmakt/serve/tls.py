"""HTTPS by the server itself, and the certificate that a caller may show as it connects (consent.md §2.1)."""

from __future__ import annotations

import asyncio
import functools
import ssl
import sys
from typing import Any

import structlog

from fullmakt.pki.exports import pem_bundle
from fullmakt.serve.assembly import assemble
from fullmakt.serve.protocol import TlsHttpProtocol
from fullmakt.serve.settings import ConfigError, Settings
from fullmakt.serve.settings_sections import TlsSettings

if sys.platform == "win32":
    _BaseLoop = asyncio.ProactorEventLoop
else:
    from uvloop import Loop as _BaseLoop

_NO_CHECK_TIME = ssl.VerifyFlags(0x20_0000)
"""OpenSSL's ``X509_V_FLAG_NO_CHECK_TIME``, which Python has no name for."""

_log = structlog.get_logger("fullmakt.serve")


class ServerContext(ssl.SSLContext):
    """A TLS context that also says, in seconds, how long a handshake may take."""

    handshake_timeout: float


class Tls:
    """Makes the server's TLS context, as uvicorn's ``ssl_context_factory``, and renews it.

    ``authorities`` are the certificates, in PEM, of those whom a caller's certificate may be from; with none nobody is
    asked for one. Whether a certificate holds is not for TLS to tell: one that has expired gets in here, so that the
    system that it is shown to can refuse it in its protocol's words. One from which no path leads to ``authorities``,
    or whose key usage is not for TLS, does not get that far: OpenSSL breaks off the handshake, and Python has no way to
    tell it otherwise.
    """

    def __init__(self, section: TlsSettings, authorities: str, *, handshake_timeout: float) -> None:
        self._section = section
        self._authorities = authorities
        self._handshake_timeout = handshake_timeout
        self._serving: ServerContext | None = None

    def __call__(self, *_uvicorns: object) -> ServerContext:
        """The context to serve with.

        Raises:
            ConfigError: certificate and key can not be used.
        """
        self._serving = self.context()
        return self._serving

    def context(self) -> ServerContext:
        """A context of the files as they are now.

        Raises:
            ConfigError: certificate and key can not be used.
        """
        context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
        context.handshake_timeout = self._handshake_timeout
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        _load(context, self._section)
        if self._authorities:
            context.load_verify_locations(cadata=self._authorities)
            context.verify_flags |= _NO_CHECK_TIME
            context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def reload(self) -> None:
        """Make new connections with what the files hold now; go on with what there was if it can not be used."""
        if self._serving is None:
            return
        try:
            renewed = self.context()
        except ConfigError as error:
            _log.error("tls_certificate_not_reloaded", cause=str(error))
            return

        def use_renewed(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = renewed

        # Not by loading into the context that serves: one keeps a certificate for each kind of key, the old one too.
        self._serving.sni_callback = use_renewed
        _log.info("tls_certificate_reloaded")


def _load(context: ssl.SSLContext, section: TlsSettings) -> None:
    certificate, password = section.certificate, section.key_password
    if certificate is None:
        raise ConfigError(["tls.certificate: must be set"])
    key = section.key or certificate
    try:
        # Given one, OpenSSL asks nobody at the terminal for it.
        context.load_cert_chain(certificate, key, lambda: password.get_secret_value() if password else "")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError([f"tls.key: {key} is not the key of {certificate}"]) from None
        why = f"not PEM, or tls.key_password does not open the key ({error.reason or 'unreadable'})"
        raise ConfigError([f"tls.certificate: {certificate} with the key in {key} can not be used: {why}"]) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError([f"tls.certificate: {certificate} with the key in {key}: {why}"]) from None


class Loop(_BaseLoop):
    """The event loop for a server of HTTPS: uvicorn leaves it to the loop how long a handshake may take, a minute."""

    async def create_server(self, *arguments: Any, **options: Any) -> Any:
        """As the loop's own, with the time that the ``ServerContext`` allows."""
        context = options.get("ssl")
        if isinstance(context, ServerContext):
            options["ssl_handshake_timeout"] = context.handshake_timeout
        return await super().create_server(*arguments, **options)


def check_tls(settings: Settings) -> None:
    """See whether the server's certificate and key can be used, where it has them.

    Raises:
        ConfigError: they can not.
    """
    if settings.ends_tls:
        Tls(settings.tls, "", handshake_timeout=settings.request_timeout).context()


async def prepare_tls(settings: Settings, database_url: str) -> Tls:
    """What to serve HTTPS with, where the settings say so."""
    authorities = await _authorities(settings, database_url) if settings.asks_for_certificates else ""
    return Tls(settings.tls, authorities, handshake_timeout=settings.request_timeout)


async def _authorities(settings: Settings, database_url: str) -> str:
    """Whom a caller's certificate may be from, in PEM: those whom we trust, and our own CAs of the wrong environment,
    whose certificates are to be refused in so many words."""
    assembly = assemble(settings, database_url)
    try:
        own = []
        if assembly.pki is not None:
            await assembly.pki.ensure()
            own = [authority.certificate for authority in (await assembly.pki.authorities()).values()]
        anchors = await assembly.anchors.anchors()
        return pem_bundle((*anchors.roots, *anchors.intermediates, *own)).decode()
    finally:
        await assembly.close()


def tls_options(tls: Tls, request_timeout: int) -> dict[str, Any]:
    """How uvicorn is run differently to serve HTTPS."""
    return {
        "loop": f"{__name__}:{Loop.__name__}",
        "http": functools.partial(TlsHttpProtocol, request_timeout=request_timeout),
        "ssl_context_factory": tls,
    }
