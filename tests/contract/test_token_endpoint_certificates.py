"""Grants signed with an enterprise certificate (maskinporten.md §2.4, §2.5): the good, the bad and the revoked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.pki.model import IssuedCertificate
from fullmakt.pki.service import Pki
from tests.support.token_nodes import Node, body_of, events, node, set_up_pki
from tests.support.tokens import ABSENT, CLIENT_ID, NOW, ORGNO, SUPPLIER, RegistryRows, claims_of, payload_of, sign


class Line(httpx2.AsyncBaseTransport):
    """The way to the CRLs; ``cut`` it, and there is no getting through."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
        self.cut = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.cut:
            raise httpx2.ConnectError("cut", request=request)
        return await self._inner.handle_async_request(request)


@dataclass(frozen=True, slots=True)
class Scene:
    """A client without keys, a PKI that is trusted, a server that trusts it, and the line between them."""

    server: Node
    pki: Pki
    line: Line
    clock: FixedClock
    rows: RegistryRows

    async def issue(self, orgno: str = ORGNO, /, **how: Any) -> IssuedCertificate:
        return await self.pki.issue(OrgNumber(orgno), "Testbanken AS", **how)

    async def ask(self, certificate: IssuedCertificate, x5c: Any = None, **claims: Any) -> httpx2.Response:
        at = int(self.clock().timestamp())
        header = certificate.x5c if x5c is None else x5c
        return await self.server.post(sign(claims_of(at, **claims), certificate.key, kid=ABSENT, x5c=header))


@pytest.fixture
async def scene(database: Database, database_url: str) -> AsyncIterator[Scene]:
    clock = FixedClock(NOW)
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client(keys=[])
    pki, crls = await set_up_pki(database, clock)
    line = Line(crls)
    async with node(database_url, clock=clock, anchors=pki, crls=line) as server:
        yield Scene(server, pki, line, clock, rows)


def refused_as(answer: httpx2.Response, code: str, text: str) -> bool:
    body = body_of(answer)
    assert answer.status_code == 400
    assert body["error"] == "invalid_grant"
    assert body["error_uri"].endswith(f"/errors/{code}")
    assert body["error_description"].startswith(f"Invalid assertion. Client authentication failed. {text} (trace_id: ")
    return True


CRL_MAX_AGE = 300
INVALID = "The JWT is signed with an invalid certificate."
HEADER = "Invalid JWT header x5c"
OWNER = "Invalid JWT. Invalid organization number for client. Does not match certificate orgno"


@pytest.mark.parametrize("seid", [1, 2])
async def test_a_certificate_of_either_generation_signs_with_its_chain_or_alone(
    scene: Scene, seid: Literal[1, 2]
) -> None:
    certificate = await scene.issue(seid=seid)
    for x5c in (certificate.x5c, certificate.x5c[:1]):
        answer = await scene.ask(certificate, x5c)
        assert answer.status_code == 200, answer.text
        token = payload_of(body_of(answer)["access_token"])
        assert (token["client_amr"], token["consumer"]["ID"]) == ("virksomhetssertifikat", f"0192:{ORGNO}")


async def test_a_client_without_keys_may_send_a_kid_beside_its_x5c(scene: Scene) -> None:
    certificate = await scene.issue()
    grant = sign(claims_of(), certificate.key, kid="ignored", x5c=certificate.x5c)
    assert (await scene.server.post(grant)).status_code == 200


async def test_a_supplier_managed_client_signs_with_its_customers_certificate(scene: Scene) -> None:
    await scene.rows.client("managed", keys=[], supplier_orgno=SUPPLIER)
    await scene.rows.change(
        "INSERT INTO selfservice.scope_access VALUES ('demo:api.read', :orgno, 'APPROVED', now(), now())",
        {"orgno": SUPPLIER},
        "scope:demo:api.read",
    )
    customers = await scene.ask(await scene.issue(), iss="managed")
    assert payload_of(body_of(customers)["access_token"])["supplier"]["ID"] == f"0192:{SUPPLIER}"
    assert refused_as(await scene.ask(await scene.issue(SUPPLIER), iss="managed"), "MP-122", OWNER)


@pytest.mark.parametrize("flaw", ["expired", "revoked", "wrong_environment"])
async def test_a_certificate_with_a_flaw_is_invalid(scene: Scene, database: Database, flaw: str) -> None:
    answer = await scene.ask(await scene.issue(**{flaw: True}))
    assert refused_as(answer, "MP-120", INVALID)
    [event] = await events(database)
    assert event["reason"] == "invalid_certificate"
    assert event["facts"]["problem"] == {"wrong_environment": "untrusted"}.get(flaw, flaw)


async def test_somebody_elses_certificate_is_refused_and_so_is_somebody_elses_signature(scene: Scene) -> None:
    own, others = await scene.issue(), await scene.issue(SUPPLIER)
    assert refused_as(await scene.ask(others), "MP-122", OWNER)
    forged = sign(claims_of(), others.key, kid=ABSENT, x5c=own.x5c)
    assert refused_as(await scene.server.post(forged), "MP-124", "Invalid JWT signature.")
    forged_for_other = sign(claims_of(), own.key, kid=ABSENT, x5c=others.x5c)
    assert refused_as(await scene.server.post(forged_for_other), "MP-124", "Invalid JWT signature.")


async def test_who_has_not_the_key_pushes_nothing_out_of_memory(scene: Scene) -> None:
    own, others = await scene.issue(), await scene.issue(SUPPLIER)
    remembered = scene.server.service._decisions._certificates._known
    for x5c in (own.x5c, own.x5c[:1], [*own.x5c, *others.x5c]):
        assert refused_as(await scene.ask(others, x5c), "MP-124", "Invalid JWT signature.")
    assert len(remembered) == 0
    for x5c in (own.x5c, own.x5c[:1], [*own.x5c, *others.x5c]):
        assert (await scene.ask(own, x5c)).status_code == 200
    assert len(remembered) == 1


async def test_a_certificate_that_expires_or_is_revoked_while_it_is_remembered_stops_to_serve(scene: Scene) -> None:
    short = await scene.issue(days=1)
    assert (await scene.ask(short)).status_code == 200
    scene.clock.advance(hours=22)
    assert (await scene.ask(short)).status_code == 200
    scene.clock.advance(hours=2)
    assert refused_as(await scene.ask(short), "MP-120", INVALID)
    revoked = await scene.issue()
    assert (await scene.ask(revoked)).status_code == 200
    await scene.pki.revoke(revoked.record.serial)
    scene.clock.advance(seconds=CRL_MAX_AGE)
    assert refused_as(await scene.ask(revoked), "MP-120", INVALID)


async def test_when_revocation_can_not_be_told_the_caller_is_told_to_come_back(
    scene: Scene, database: Database
) -> None:
    scene.line.cut = True
    certificate = await scene.issue()
    answer = await scene.ask(certificate)
    assert (answer.status_code, body_of(answer)["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert await events(database) == []
    scene.line.cut = False
    scene.clock.advance(seconds=11)
    assert (await scene.ask(certificate)).status_code == 200


async def test_a_key_that_is_locked_to_a_certificate_falls_with_it(scene: Scene) -> None:
    certificate = await scene.issue()
    await scene.rows.client("locked", keys=[])
    der = certificate.leaf.public_bytes(Encoding.DER)
    later = int(NOW.timestamp()) + 10**8
    await scene.rows.key("locked", certificate.key, certificate=der, x5c=certificate.x5c, expires=later)

    async def ask() -> httpx2.Response:
        return await scene.server.post(sign(claims_of(int(scene.clock().timestamp()), iss="locked"), certificate.key))

    answer = await ask()
    assert payload_of(body_of(answer)["access_token"])["client_amr"] == "private_key_jwt"
    await scene.pki.revoke(certificate.record.serial)
    scene.clock.advance(seconds=CRL_MAX_AGE)
    assert refused_as(await ask(), "MP-120", INVALID)


async def test_chains_of_every_shape(scene: Scene) -> None:
    certificate, other = await scene.issue(), await scene.issue(SUPPLIER)
    leaf, issuer = certificate.x5c
    bad_base64 = leaf[:-4] + "-_=="
    shapes: list[tuple[Any, str | None, str]] = [
        ([leaf, issuer, issuer, leaf], None, "looped"),
        ([leaf, *other.x5c], None, "with strangers"),
        ([issuer, leaf], "MP-120", "reversed"),
        ([issuer], "MP-120", "without its leaf"),
        ([leaf] + [issuer] * 9, None, "ten long"),
        ([leaf] + [issuer] * 10, "MP-120", "eleven long"),
        ([leaf] + [issuer] * 19, "MP-120", "twenty long"),
        ([], "MP-123", "empty"),
        (leaf, "MP-123", "a plain string"),
        ({"0": leaf}, "MP-123", "an object"),
        ([leaf, None], "MP-123", "with null"),
        ([leaf, [issuer]], "MP-123", "nested"),
        ([leaf[: len(leaf) // 2]], "MP-123", "truncated"),
        ([leaf + "AAAA"], "MP-123", "with bytes behind"),
        ([bad_base64], "MP-123", "base64url"),
        ([leaf[:76] + "\r\n" + leaf[76:]], None, "with line breaks, as @vtfk/maskinporten-auth sends them"),
        ([""], "MP-123", "an empty string"),
        (["æøå"], "MP-123", "not ASCII"),
    ]
    for x5c, code, what in shapes:
        answer = await scene.ask(certificate, x5c)
        if code is None:
            assert answer.status_code == 200, (what, answer.text)
        else:
            assert refused_as(answer, code, INVALID if code == "MP-120" else HEADER), what


async def test_a_chain_of_fifty_is_more_than_a_request_may_hold(scene: Scene, database: Database) -> None:
    certificate = await scene.issue()
    answer = await scene.ask(certificate, certificate.x5c * 25)
    assert (answer.status_code, body_of(answer)["error"]) == (400, "invalid_request")
    assert [event["reason"] for event in await events(database)] == ["malformed_assertion"]


async def test_a_clients_first_key_ends_its_use_of_certificates(scene: Scene) -> None:
    certificate = await scene.issue()
    assert (await scene.ask(certificate)).status_code == 200
    await scene.rows.key(CLIENT_ID, certificate.key)
    text = "Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided"
    assert text in body_of(await scene.ask(certificate))["error_description"]
    await scene.rows.delete_keys()
    assert (await scene.ask(certificate)).status_code == 200


async def test_an_enterprise_system_never_gets_a_token_by_its_owners_certificate(scene: Scene) -> None:
    certificate = await scene.issue()
    await scene.rows.client("system", keys=[], integration_type="altinn_virksys")
    text = "Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided (trace_id: "
    for has_key in (False, True):
        if has_key:
            await scene.rows.key("system", certificate.key)
            assert (await scene.server.post(sign(claims_of(iss="system"), certificate.key))).status_code == 200
        refused = body_of(await scene.ask(certificate, iss="system"))
        assert refused.keys() == {"error", "error_description"}
        assert refused["error"] == "invalid_grant"
        assert refused["error_description"].startswith(f"Invalid assertion. Client authentication failed. {text}")
    assert (await scene.ask(certificate)).status_code == 200  # an ordinary client of the same owner's


async def test_without_revocation_no_crl_is_asked_for(database: Database, database_url: str) -> None:
    clock = FixedClock(NOW)
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client(keys=[])
    pki, crls = await set_up_pki(database, clock)
    revoked = await pki.issue(OrgNumber(ORGNO), "Testbanken AS", revoked=True)

    line = Line(crls)
    line.cut = True
    async with node(database_url, clock=clock, anchors=pki, crls=line, revocation=False) as server:
        grant = sign(claims_of(), revoked.key, kid=ABSENT, x5c=revoked.x5c)
        assert (await server.post(grant)).status_code == 200
