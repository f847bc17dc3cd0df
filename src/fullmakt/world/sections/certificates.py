"""Certificates that belong to no client, issued by ``fullmakt.pki`` and kept in the state folder."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fullmakt.world.certificates import Certificates, UnfitCertificateError
from fullmakt.world.files import WorldFiles
from fullmakt.world.model import Certificate, Entry, Kind, World
from fullmakt.world.names import Names


class CertificatesSection:
    """The certificates in the state folder as a ``WorldSection``."""

    kinds = (Kind.CERTIFICATE,)

    def __init__(self, certificates: Certificates, files: WorldFiles) -> None:
        self._certificates = certificates
        self._files = files

    async def current(self, names: Names | None) -> World:
        """Those that can be used for a while yet; any other counts as not there."""
        wanted = names.certificates if names else await asyncio.to_thread(self._files.certificate_names)
        found = []
        for name in sorted(wanted):
            with suppress(UnfitCertificateError):
                found.append(Certificate(name, await self._certificates.check(self._files.certificate(name))))
        return World(certificates=tuple(found))

    async def apply(self, entry: Entry) -> None:
        """Have it issued."""
        if not isinstance(entry, Certificate):
            raise TypeError(f"the PKI keeps no {type(entry).__name__}")
        await self._certificates.ensure(self._files.certificate(entry.name), entry.organisation)
