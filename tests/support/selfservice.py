"""A self-service system for tests: real service and database, true fakes for its neighbours."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Sequence
from typing import ClassVar

import httpx2

from fullmakt.infra.database import Database
from fullmakt.infra.sms import Sender
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.identifiers import OrgNumber, ScopeName
from fullmakt.maskinporten.selfservice.http import app
from fullmakt.maskinporten.selfservice.ports import CertificateRefusedError, CheckedCertificate
from fullmakt.maskinporten.selfservice.service import Declared, SelfService
from fullmakt.provider import StaticKeys, TokenVerifier
from fullmakt.wire.maskinporten.selfservice import JWT_BEARER, ClientBody, JwkBody, ScopeBody

START = dt.datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=dt.UTC)
PROVIDER = OrgNumber("310000019")
CONSUMER = OrgNumber("310000027")
SUPPLIER = OrgNumber("310000035")
STRANGER = OrgNumber("310000043")
ALTINN_ISSUER = "https://tt02.altinn.no/"


class Names:
    """Enhetsregisteret, with four organisations in it."""

    _NAMES: ClassVar[dict[str, str]] = {
        PROVIDER: "PROVIDER AS",
        CONSUMER: "CONSUMER AS",
        SUPPLIER: "SUPPLIER AS",
        STRANGER: "STRANGER AS",
    }

    def __init__(self) -> None:
        self.asked = 0

    async def organisation_names(self, orgnos: Collection[OrgNumber]) -> dict[OrgNumber, str]:
        self.asked += 1
        return {orgno: self._NAMES[orgno] for orgno in orgnos if orgno in self._NAMES}


class Certificates:
    """Certificates that hold, by the text of the leaf; every other is refused."""

    def __init__(self) -> None:
        self.good: dict[str, CheckedCertificate] = {}

    async def check(self, x5c: Sequence[str]) -> CheckedCertificate:
        try:
            return self.good[x5c[0]]
        except KeyError:
            raise CertificateRefusedError("The certificate is not issued by anybody we trust") from None


def selfservice(
    database: Database,
    clock: FixedClock,
    certificates: Certificates | None = None,
    *,
    allow_ec_keys: bool = False,
    sms: Sender | None = None,
) -> SelfService:
    """The service on a real database."""
    return SelfService(
        database,
        clock,
        new_uuid,
        certificates=certificates or Certificates(),
        organisations=Names(),
        allow_ec_keys=allow_ec_keys,
        sms=sms,
    )


def client_body(**more: object) -> ClientBody:
    """A Maskinporten client as real ones are made."""
    return ClientBody.model_validate(
        {
            "client_name": "test",
            "description": "a client of the tests",
            "integration_type": "maskinporten",
            "application_type": "web",
            "token_endpoint_auth_method": "private_key_jwt",
            "grant_types": [JWT_BEARER],
            **more,
        }
    )


def jwk_of(signer: LocalSigner, **more: object) -> JwkBody:
    """The public JWK, as it is sent."""
    return JwkBody.model_validate({**signer.public_jwk(), **more})


async def declare_provider(service: SelfService, *subscopes: str, **attributes: object) -> None:
    """The provider with its prefix ``provider`` and scopes under it."""
    await service.operator.declare_delegation_source(ALTINN_ISSUER, "altinn")
    await service.operator.declare_prefix("provider", PROVIDER)
    for subscope in subscopes:
        body = {"prefix": "provider", "subscope": subscope, "description": subscope, **attributes}
        await service.operator.declare_scope(ScopeBody.model_validate(body))


async def grant(service: SelfService, scope: str, consumer: OrgNumber) -> Declared:
    """Give the consumer access."""
    return await service.operator.declare_access(ScopeName(scope), consumer)


ISSUER = "https://issuer.test/"
ADMIN = frozenset({"idporten:dcr.read", "idporten:dcr.write", "idporten:scopes.read", "idporten:scopes.write"})
SUPPLYING = ADMIN | {"idporten:dcr.supplier"}
ALTINN = frozenset({"idporten:dcr.altinn"})

_issuer_key = LocalSigner.generate(kid="issuer")


class Api:
    """The self-service API in process, and callers with real signed tokens."""

    def __init__(
        self,
        database: Database,
        clock: FixedClock | None = None,
        *,
        allow_ec_keys: bool = False,
        faithful_empty_lists: bool = False,
        sms: Sender | None = None,
    ) -> None:
        self.clock = clock or FixedClock(START)
        self.certificates = Certificates()
        self.service = selfservice(database, self.clock, self.certificates, allow_ec_keys=allow_ec_keys, sms=sms)
        verifier = TokenVerifier(ISSUER, keys=StaticKeys([_issuer_key.public_jwk()]), clock=self.clock)
        self.app = app(
            self.service,
            verifier,
            base_url="https://api.samarbeid.test",
            faithful_empty_lists=faithful_empty_lists,
        )
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app), base_url="https://api.samarbeid.test/api/v1"
        )

    def token(
        self, orgno: OrgNumber, scopes: Iterable[str] = ADMIN, *, client_id: str = "admin", lifetime: int = 120
    ) -> str:
        """An access token as the token server issues them."""
        now = int(self.clock().timestamp())
        claims = {
            "iss": ISSUER,
            "client_amr": "private_key_jwt",
            "token_type": "Bearer",
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + lifetime,
            "jti": new_uuid(),
            "client_id": client_id,
            "consumer": {"authority": "iso6523-actorid-upis", "ID": orgno.iso6523},
        }
        return _issuer_key.sign(json.dumps(claims).encode()).decode()

    def caller(
        self, orgno: OrgNumber, scopes: Iterable[str] = ADMIN, *, client_id: str = "admin", lifetime: int = 120
    ) -> httpx2.AsyncClient:
        """An HTTP client that calls as this organisation."""
        token = self.token(orgno, scopes, client_id=client_id, lifetime=lifetime)
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app),
            base_url="https://api.samarbeid.test/api/v1",
            headers={"Authorization": f"Bearer {token}"},
        )
