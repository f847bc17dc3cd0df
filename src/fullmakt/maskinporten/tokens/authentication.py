"""Step 7: who signed the grant, by a registered key or an enterprise certificate (maskinporten.md §2.3 to §2.5)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from fullmakt.jose.compact import UnverifiedJws
from fullmakt.maskinporten.tokens import rules
from fullmakt.maskinporten.tokens.certificates import Certificates
from fullmakt.maskinporten.tokens.model import Refusal
from fullmakt.maskinporten.tokens.registry_cache import ClientEntry
from fullmakt.wire.maskinporten.grant import AMR_CERTIFICATE, AMR_KEY


class Authenticated(NamedTuple):
    """Who signed: ``amr`` as in ``client_amr``; ``signed_by`` is the registered ``kid`` or the certificate's serial."""

    amr: str
    signed_by: str


async def authenticate(
    jws: UnverifiedJws, entry: ClientEntry, certificates: Certificates, now: datetime
) -> Authenticated | Refusal:
    """Verify the signature of a grant whose ``iss`` is the client in ``entry``.

    Raises:
        CrlUnavailableError: whether its certificate is revoked can not be told now.
        DatabaseUnavailableError: the trusted issuers can not be read now.
    """
    header = jws.unverified_header
    key = rules.choose_key(entry.client, entry.keys, header, now.timestamp())
    if isinstance(key, Refusal):
        return key
    if key is not None:
        if not entry.public_key(key).verify(header["alg"], jws.signing_input, jws.signature):
            return Refusal("invalid_signature", {"kid": key.kid, "alg": header["alg"]})
        if key.certificate is not None:
            refusal = await certificates.check_registered(key, now)
            if refusal is not None:
                return refusal
        return Authenticated(AMR_KEY, key.kid)
    trusted = await certificates.check(header["x5c"], now)
    if isinstance(trusted, Refusal):
        return trusted
    certificate = trusted.certificate
    if not certificate.public_key.verify(header["alg"], jws.signing_input, jws.signature):
        return Refusal("invalid_signature", {"certificate": certificate.orgno, "alg": header["alg"]})
    certificates.remember(trusted)
    return rules.check_certificate_owner(entry.client, certificate.orgno) or Authenticated(
        AMR_CERTIFICATE, f"{certificate.leaf.serial_number:x}"
    )
