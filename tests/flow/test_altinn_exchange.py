"""Altinn's token issuer over HTTP: exchange, keys, refresh, introspection, and who holds a token."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from fullmakt.altinn.exchange.config import ExchangeConfig
from fullmakt.altinn.exchange.http import app
from fullmakt.altinn.exchange.keys import AltinnKeys
from fullmakt.altinn.exchange.service import ExchangeService
from fullmakt.altinn.exchange.tokens import AltinnTokens, TokenCallers
from fullmakt.client import AsyncAltinnClient, AsyncMaskinportenClient, Credentials
from fullmakt.infra.database import Database
from fullmakt.infra.secrets import MasterKey
from fullmakt.infra.unavailable import NeighbourUnavailableError
from fullmakt.jose.compact import b64url_decode
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock, new_uuid
from fullmakt.kernel.identifiers import NationalId, OrgNumber
from fullmakt.provider import TokenVerifier, TrustedIssuers
from fullmakt.provider.key_cache import KeyCacheLimits
from fullmakt.provider.keys import StaticKeys, usable_keys
from fullmakt.provider.remote import RemoteKeys
from fullmakt.wire.altinn.attributes import PERSON, USER_ID, Attribute
from fullmakt.wire.altinn.callers import InvalidCallerError
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from tests.support.fake_issuer import CONSUMER, FakeIssuer, party
from tests.support.tokens import header_of, payload_of

URL = "https://platform.test/authentication"
ISSUER = f"{URL}/api/v1/openid/"
NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
PERSON_ID = NationalId("05895199925")
PARTY = UUID("0f6cd9a1-2f9b-4a70-9c1f-0d2d8f6c9e11")
DIGDIR = OrgNumber("991825827")
MASTER_KEY = MasterKey(bytes(32))
UNKNOWN_PROVIDER = (
    "Invalid token provider: facebook. Trusted token providers are 'Maskinporten', 'Id-porten' and 'AltinnStudio'."
)


class OnePerson:
    """A register of one person; ``user_id`` may be taken away."""

    user_id: int | None = 20001234

    async def identify(self, attributes: Collection[Attribute]) -> dict[Attribute, PartyIdentity]:
        person = PartyIdentity(50001234, PARTY, PartyKind.PERSON, "Rar Kum", user_id=self.user_id,
                               national_id=PERSON_ID)  # fmt: skip
        known = {Attribute(PERSON, PERSON_ID), Attribute(USER_ID, "20001234")}
        return {attribute: person for attribute in attributes if attribute in known}


class TwoServiceOwners:
    async def org_codes(self) -> Mapping[str, OrgNumber]:
        return {"skd": OrgNumber(CONSUMER), "digdir": DIGDIR}


class World:
    """An exchange, Maskinporten and ID-porten."""

    def __init__(self, database: Database, *, with_idporten: bool = True, config: ExchangeConfig | None = None) -> None:
        self.clock = FixedClock(NOW)
        self.maskinporten = FakeIssuer(self.clock)
        self.idporten = FakeIssuer(self.clock, "https://idporten.test")
        self.parties = OnePerson()
        self.keys = AltinnKeys(database, MASTER_KEY, self.clock, ISSUER)
        verifier = TokenVerifier(
            self.maskinporten.issuer, keys=StaticKeys([self.maskinporten.signer.public_jwk()]), clock=self.clock
        )
        people = AltinnTokens(self.idporten.issuer, StaticKeys([self.idporten.signer.public_jwk()]), self.clock)
        self.service = ExchangeService(
            config or ExchangeConfig(URL), database, self.keys, verifier, self.parties, TwoServiceOwners(), self.clock,
            new_uuid, idporten=people if with_idporten else None,
        )  # fmt: skip
        self.callers = TokenCallers(self.service.tokens, verifier, self.clock)
        transport = httpx2.ASGITransport(app=app(self.service, self.callers))
        self.http = httpx2.AsyncClient(transport=transport, base_url="https://platform.test")

    def person_token(self, **changes: Any) -> str:
        claims = {"consumer": None, "scope": "openid altinn:portal/enduser", "pid": str(PERSON_ID),
                  "acr": "idporten-loa-high", "amr": ["BankID"], **changes}  # fmt: skip
        return self.idporten.mint(**claims)

    async def get(self, path: str, token: str | None = None, **headers: str) -> httpx2.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        return await self.http.get(path, headers=sent)

    async def exchange(self, provider: str, token: str, query: str = "", **headers: str) -> httpx2.Response:
        return await self.get(f"/api/v1/exchange/{provider}{query}", token, **headers)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    world = World(database)
    async with world.http:
        yield world


async def test_a_maskinporten_token_is_exchanged_for_one_that_the_published_keys_verify(world: World) -> None:
    token = world.maskinporten.mint(scope="altinn:serviceowner/instances.read")
    answer = await world.exchange("Maskinporten", token)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    claims, header = payload_of(answer.text), header_of(answer.text)
    assert claims["iss"] == ISSUER
    assert claims["urn:altinn:orgNumber"] == CONSUMER
    assert claims["urn:altinn:org"] == "skd"
    assert claims["exp"] == int(NOW.timestamp()) + 1800
    jwks = (await world.get("/api/v1/openid/.well-known/openid-configuration/jwks")).json()["keys"]
    assert [key["kid"] for key in jwks] == [header["kid"]]
    assert set(jwks[0]) == {"kty", "use", "kid", "e", "n", "x5c"}
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    digest = hashlib.sha1(base64.b64decode(jwks[0]["x5c"][0]), usedforsecurity=False).digest()
    assert header["kid"] == digest.hex().upper()
    assert b64url_decode(header["x5t"].encode()) == digest
    verified = await AltinnTokens(ISSUER, StaticKeys(jwks), world.clock).claims(answer.text)
    assert verified == claims
    assert set(usable_keys(jwks)) == {header["kid"]}


async def test_our_own_sdk_verifies_the_exchanged_token_by_the_issuers_metadata(world: World) -> None:
    answer = await world.exchange("maskinporten", world.maskinporten.mint(scope="a:b"))
    mounted = httpx2.ASGITransport(app=_under("/authentication", app(world.service, world.callers)))
    async with httpx2.AsyncClient(transport=mounted) as line:
        keys = RemoteKeys(ISSUER, limits=KeyCacheLimits(), clock=world.clock, http=line)
        token = await TokenVerifier(ISSUER, keys=keys, clock=world.clock).verify(answer.text)
    assert token.consumer == CONSUMER


async def test_our_own_sdks_exchange_a_token_and_trust_either_issuers(world: World) -> None:
    altinn = _under("/authentication", app(world.service, world.callers))

    async def line(scope: Any, receive: Any, send: Any) -> None:
        to_altinn = (b"host", b"platform.test") in scope["headers"]
        await (altinn if to_altinn else world.maskinporten.app)(scope, receive, send)

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(line)) as http:
        credentials = Credentials(world.maskinporten.issuer, "the-client", world.maskinporten.client_key)
        maskinporten = AsyncMaskinportenClient(credentials, clock=world.clock, http=http)
        altinns = await AsyncAltinnClient(maskinporten, URL).token("a:b")
        trusted = TrustedIssuers(
            *(
                TokenVerifier(issuer, keys=RemoteKeys(issuer, clock=world.clock, http=http), clock=world.clock)
                for issuer in (world.maskinporten.issuer, ISSUER)
            )
        )
        for token, issuer in ((await maskinporten.token("a:b"), world.maskinporten.issuer), (altinns, ISSUER)):
            verified = await trusted.verify(token.value, scopes=["a:b"])
            assert (verified.issuer, verified.consumer, verified.client_id) == (issuer, CONSUMER, "the-client")
    assert altinns.expires_at == NOW + dt.timedelta(minutes=30)


def _under(prefix: str, inner: Any) -> Any:
    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await inner({**scope, "root_path": prefix}, receive, send)

    return mounted


async def test_the_issuers_metadata_are_those_of_altinn(world: World) -> None:
    answer = await world.get("/api/v1/openid/.well-known/openid-configuration")
    assert answer.json() == {
        "issuer": ISSUER,
        "authorization_endpoint": f"{URL}/api/v1/authorize/",
        "token_endpoint": f"{URL}/api/v1/token/",
        "end_session_endpoint": f"{URL}/api/v1/openid/logout/",
        "jwks_uri": f"{ISSUER}.well-known/openid-configuration/jwks",
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


@pytest.mark.parametrize("path", ["/API/V1/Exchange/MASKINPORTEN/", "/api/v1/exchange/maskinporten"])
async def test_a_path_is_taken_in_any_case_with_or_without_a_slash(world: World, path: str) -> None:
    assert (await world.get(path, world.maskinporten.mint())).status_code == 200


@pytest.mark.parametrize(("query", "status"), [("?TEST=True", 200), ("?test=", 200), ("?test=perhaps", 400)])
async def test_test_is_true_or_false_under_a_name_in_any_case(world: World, query: str, status: int) -> None:
    token = world.maskinporten.mint(consumer=party(DIGDIR), scope="altinn:serviceowner")
    answer = await world.exchange("maskinporten", token, query)
    assert answer.status_code == status
    if status == 200:
        assert payload_of(answer.text)["urn:altinn:org"] == ("digdir" if query == "?test=" else "ttd")


async def test_a_system_users_token_is_its_vendors_and_names_it_in_its_details_alone(world: World) -> None:
    details: dict[str, Any] = {
        "type": "urn:altinn:systemuser",
        "systemuser_org": party("314168267"),
        "systemuser_id": ["a545ca29-7fb8-4810-a2f2-0be171cb2a26"],
        "system_id": f"{CONSUMER}_smartcloud",
    }
    answer = await world.exchange("maskinporten", world.maskinporten.mint(authorization_details=[details], aud="x"))
    claims = payload_of(answer.text)
    assert claims["authorization_details"] == details
    assert claims["urn:altinn:orgNumber"] == CONSUMER
    assert not {"aud", "client_amr"} & claims.keys()
    caller = await world.callers.identify(answer.text)
    assert (str(caller.system_user), caller.system_user_org) == (details["systemuser_id"][0], "314168267")


async def test_two_details_stay_two_and_one_stays_an_array_where_that_is_set(world: World, database: Database) -> None:
    two = [{"type": "a"}, {"type": "b"}]
    answer = await world.exchange("maskinporten", world.maskinporten.mint(authorization_details=two))
    assert payload_of(answer.text)["authorization_details"] == two
    keeping = World(database, config=ExchangeConfig(URL, collapse_arrays=False))
    async with keeping.http:
        answer = await keeping.exchange("maskinporten", keeping.maskinporten.mint(authorization_details=two[:1]))
    assert payload_of(answer.text)["authorization_details"] == two[:1]


@pytest.mark.parametrize("icd", ["0192", "9908"])
async def test_a_consumer_is_taken_under_either_number_of_its_register(world: World, icd: str) -> None:
    consumer = {"authority": "iso6523-actorid-upis", "ID": f"{icd}:{CONSUMER}"}
    answer = await world.exchange("maskinporten", world.maskinporten.mint(consumer=consumer))
    claims = payload_of(answer.text)
    assert (claims["consumer"], claims["urn:altinn:orgNumber"]) == (consumer, CONSUMER)


@pytest.mark.parametrize(("late", "status"), [(9, 200), (10, 401)])
async def test_clocks_may_differ_by_ten_seconds(world: World, late: int, status: int) -> None:
    now = int(NOW.timestamp())
    token = world.maskinporten.mint(iat=now - 120, exp=now - late)
    assert (await world.exchange("maskinporten", token)).status_code == status


async def test_who_asks_for_json_gets_a_json_string(world: World) -> None:
    answer = await world.exchange("maskinporten", world.maskinporten.mint(), Accept="application/json")
    assert answer.headers["content-type"].startswith("application/json")
    assert payload_of(answer.json())["iss"] == ISSUER


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(NOW.timestamp()) - 11, "iat": int(NOW.timestamp()) - 120},
        {"iss": "https://other.test/"},
        {"consumer": None},
        {"consumer": {"authority": "x", "ID": f"0192:{CONSUMER}"}},
    ],
)
async def test_a_token_that_is_not_to_be_believed_is_401_with_no_body(world: World, changes: dict[str, Any]) -> None:
    answer = await world.exchange("maskinporten", world.maskinporten.mint(**changes))
    assert (answer.status_code, answer.content) == (401, b"")


async def test_a_signature_of_anothers_is_401(world: World) -> None:
    forger = LocalSigner.generate(kid=world.maskinporten.signer.kid)
    answer = await world.exchange("maskinporten", world.maskinporten.mint(forger))
    assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize("authorization", ["", "Basic YTpi", "Bearer", "Bearer x.y.z", "Bearer æ", "bearer \x7f"])
async def test_what_is_no_bearer_token_is_401_before_the_provider_is_looked_at(
    world: World, authorization: str
) -> None:
    answer = await world.http.get("/api/v1/exchange/facebook", headers=[(b"Authorization", authorization.encode())])
    assert (answer.status_code, answer.content) == (401, b"")


async def test_an_unknown_provider_is_named_in_the_text(world: World) -> None:
    answer = await world.exchange("facebook", world.maskinporten.mint())
    assert (answer.status_code, answer.text) == (400, UNKNOWN_PROVIDER)
    as_json = await world.exchange("facebook", world.maskinporten.mint(), Accept="application/json")
    assert (as_json.status_code, as_json.json()) == (400, UNKNOWN_PROVIDER)


async def test_enterprise_users_are_gone(world: World) -> None:
    answer = await world.exchange("maskinporten", world.maskinporten.mint(), X_Altinn_EnterpriseUser_Authentication="x")
    assert answer.status_code == 410
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_persons_token_is_exchanged_for_as_long_as_it_lasts(world: World) -> None:
    answer = await world.exchange("id-porten", world.person_token())
    assert answer.status_code == 200
    claims = payload_of(answer.text)
    assert claims["exp"] == int(NOW.timestamp()) + world.idporten.lifetime
    caller = await world.callers.identify(answer.text)
    assert (caller.user_id, caller.party_id, caller.party_uuid, caller.auth_level) == (20001234, 50001234, PARTY, 4)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"scope": "openid"}, 403),
        ({"pid": None}, 401),
        ({"pid": "24907999889"}, 401),
        ({"pid": "1"}, 401),
        ({"acr": None}, 401),
        ({"exp": 1}, 401),
        ({"exp": None}, 401),
        ({"exp": "soon"}, 401),
        ({"nbf": int(NOW.timestamp()) + 60}, 401),
    ],
)
async def test_a_persons_token_that_will_not_do_is_refused_with_no_body(
    world: World, changes: dict[str, Any], status: int
) -> None:
    answer = await world.exchange("id-porten", world.person_token(**changes))
    assert (answer.status_code, answer.content) == (status, b"")


async def test_a_person_without_a_user_is_refused(world: World) -> None:
    world.parties.user_id = None
    assert (await world.exchange("id-porten", world.person_token())).status_code == 401


async def test_where_no_idporten_is_configured_no_persons_token_is_taken(database: Database) -> None:
    world = World(database, with_idporten=False)
    async with world.http:
        assert (await world.exchange("id-porten", world.person_token())).status_code == 401
        assert (await world.exchange("altinnstudio", world.person_token())).status_code == 401


async def test_a_refreshed_token_says_the_same_and_lasts_on(world: World) -> None:
    token = (await world.exchange("id-porten", world.person_token())).text
    world.clock.advance(seconds=100)
    renewed = await world.get("/api/v1/refresh", token)
    before, after = payload_of(token), payload_of(renewed.text)
    assert after["exp"] == int(world.clock().timestamp()) + 1800
    times = {"iat", "nbf", "exp"}
    assert {name: before[name] for name in before if name not in times} == {
        name: after[name] for name in after if name not in times
    }


async def test_a_browser_refreshes_by_its_cookie(world: World) -> None:
    token = (await world.exchange("maskinporten", world.maskinporten.mint())).text
    assert (await world.get("/api/v1/refresh", Cookie=f"AltinnStudioRuntime={token}")).status_code == 200


async def test_refreshing_can_add_the_persons_number(world: World) -> None:
    token = (await world.exchange("id-porten", world.person_token(pid=str(PERSON_ID)))).text
    claims = payload_of((await world.get("/api/v1/refresh?enrichPid=true", token)).text)
    assert claims["pid"] == PERSON_ID


async def test_only_a_good_token_of_ours_is_refreshed(world: World) -> None:
    token = (await world.exchange("maskinporten", world.maskinporten.mint())).text
    world.clock.advance(minutes=31)
    for refused in (token, world.maskinporten.mint()):
        answer = await world.get("/api/v1/refresh", refused)
        assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.parametrize(("late", "status"), [(9, 200), (10, 401)])
@pytest.mark.parametrize("query", ["", "?ENRICHPID=false"])
async def test_our_own_clock_may_differ_by_ten_seconds_too(world: World, late: int, status: int, query: str) -> None:
    token = (await world.exchange("maskinporten", world.maskinporten.mint())).text
    world.clock.advance(minutes=30, seconds=late)
    assert (await world.get(f"/API/v1/Refresh/{query}", token)).status_code == status


async def test_nobody_refreshes_for_ever(world: World) -> None:
    token = (await world.exchange("maskinporten", world.maskinporten.mint())).text
    for _ in range(12 * 60 // 25):
        world.clock.advance(minutes=25)
        token = (await world.get("/api/v1/refresh", token)).text
    world.clock.advance(minutes=25)
    assert (await world.get("/api/v1/refresh", token)).status_code == 401


@pytest.mark.parametrize(
    "body", [b"", b"token=", b"token=x.y.z", b"\xff\xfe", b"token=%00", b"a" * 200_000, b"a=1&" * 30]
)
async def test_introspection_knows_our_own_tokens_and_no_others(world: World, body: bytes) -> None:
    token = (await world.exchange("maskinporten", world.maskinporten.mint())).text
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-www-form-urlencoded"}
    url = "/api/v1/introspection"
    known = await world.http.post(url, content=f"token={token}&token_type_hint=x".encode(), headers=headers)
    assert known.json() == {"active": True, "iss": ISSUER}
    unknown = await world.http.post(url, content=body, headers=headers)
    assert (unknown.status_code, unknown.json()) == (200, {"active": False})
    assert (await world.http.post(url, content=body)).status_code == 401


async def test_both_issuers_tokens_tell_who_calls(world: World) -> None:
    raw = world.maskinporten.mint(scope="altinn:serviceowner", supplier=party("991825827"))
    altinns = (await world.exchange("maskinporten", raw)).text
    for token, code in ((raw, None), (altinns, "skd")):
        caller = await world.callers.identify(token)
        assert (caller.consumer, caller.supplier, caller.org_code) == (CONSUMER, "991825827", code)
        assert caller.scopes == {"altinn:serviceowner"}


async def test_a_token_of_nobody_trusted_tells_nothing(world: World) -> None:
    altinns = (await world.exchange("maskinporten", world.maskinporten.mint())).text
    header, payload, signature = altinns.split(".")
    forger = LocalSigner.generate(kid=header_of(altinns)["kid"])
    good = payload_of(altinns)
    for token, reason in (
        ("x", "malformed"),
        (f"{header}.{payload}.{signature[:-8]}AAAAAAAA", "bad_signature"),
        (world.idporten.mint(), "wrong_issuer"),
        (world.maskinporten.mint(forger, iss=ISSUER), "bad_signature"),
        (world.maskinporten.mint(LocalSigner.generate(kid="nobody"), iss=ISSUER), "unknown_kid"),
        (world.maskinporten.mint(header={"alg": "none", "kid": "x"}, iss=ISSUER), "bad_header"),
        (await world.service.issue({"consumer": "x"}, actor="test"), "bad_claim"),
    ):
        with pytest.raises(InvalidCallerError) as refused:
            await world.callers.identify(token)
        assert refused.value.reason == reason
    assert good["iss"] == ISSUER


async def test_when_maskinportens_keys_can_not_be_had_nobody_is_called_a_liar(world: World, database: Database) -> None:
    verifier = TokenVerifier(world.maskinporten.issuer, clock=world.clock,
                             keys=RemoteKeys(world.maskinporten.issuer, limits=KeyCacheLimits(), clock=world.clock,
                                             http=world.maskinporten.http()))  # fmt: skip
    world.maskinporten.down = True
    with pytest.raises(NeighbourUnavailableError):
        await TokenCallers(world.service.tokens, verifier, world.clock).identify(world.maskinporten.mint())
    service = ExchangeService(ExchangeConfig(URL), database, world.keys, verifier, world.parties, TwoServiceOwners(),
                              world.clock, new_uuid)  # fmt: skip
    with pytest.raises(NeighbourUnavailableError):
        await service.exchange("maskinporten", world.maskinporten.mint())


async def test_every_token_leaves_an_event_and_no_number_of_a_person(world: World, database: Database) -> None:
    await world.exchange("maskinporten", world.maskinporten.mint())
    await world.exchange("id-porten", world.person_token())
    await world.exchange("id-porten", world.person_token(scope="openid"))
    await world.exchange("facebook", world.maskinporten.mint())
    await world.exchange("maskinporten", world.maskinporten.mint(), X_Altinn_EnterpriseUser_Authentication="a:secret")
    for token in ("x.y.z", None):
        await world.get("/api/v1/exchange/maskinporten", token)
        await world.get("/api/v1/refresh", token)
    async with database.transaction() as connection:
        rows = await connection.execute(
            text(
                "SELECT action, outcome, reason, actor, facts::text FROM audit.event"
                " WHERE action LIKE 'token:%' ORDER BY id"
            )
        )
        events = [tuple(row) for row in rows]
    assert [event[:4] for event in events] == [
        ("token:exchange", "permit", "", CONSUMER),
        ("token:exchange", "permit", "", f"party:{PARTY}"),
        ("token:exchange", "deny", "scope", ""),
        ("token:exchange", "deny", "unknown_provider", ""),
        ("token:exchange", "deny", "enterprise_users_gone", ""),
        ("token:exchange", "deny", "malformed", ""),
        ("token:refresh", "deny", "malformed", ""),
        ("token:exchange", "deny", "missing", ""),
        ("token:refresh", "deny", "missing", ""),
    ]
    assert PERSON_ID not in str(events)
    assert "secret" not in str(events)


async def test_a_caller_is_remembered_no_longer_than_its_token_lasts(world: World) -> None:
    token = world.maskinporten.mint()
    first = await world.callers.identify(token)
    assert await world.callers.identify(token) is first
    world.clock.advance(seconds=11)
    again = await world.callers.identify(token)
    assert again == first
    assert again is not first
    world.clock.advance(hours=2)
    with pytest.raises(InvalidCallerError):
        await world.callers.identify(token)
