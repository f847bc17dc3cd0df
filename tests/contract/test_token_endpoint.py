"""POST /token on real PostgreSQL: every answer of maskinporten.md §6.2 to the letter, and what is written of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.trace import Trace
from fullmakt.wire.altinn.systemusers import Cause
from fullmakt.wire.maskinporten.errors import CATALOGUE, CONSENT_REASONS
from fullmakt.wire.maskinporten.grant import GRANT_TYPE
from tests.support.token_nodes import FORM, Node, body_of, events, node, used_grants
from tests.support.tokens import (
    ABSENT,
    CLIENT_ID,
    ISSUER,
    NOW,
    ORGNO,
    PID,
    SCOPE,
    SECONDS,
    SUPPLIER,
    RegistryRows,
    claims_of,
    ec_key,
    header_of,
    key_number,
    payload_of,
    sign,
)

TRACE = Trace.start()
AUTH = "Invalid assertion. Client authentication failed. "


@pytest.fixture
def rows(database: Database) -> RegistryRows:
    return RegistryRows(database)


@pytest.fixture
async def server(database_url: str, rows: RegistryRows) -> AsyncIterator[Node]:
    """A token server with one client, which may have one scope."""
    await rows.scope()
    await rows.client()
    async with node(database_url) as server:
        yield server


# -- a token ----------------------------------------------------------------------------------------------------------


async def test_a_grant_gives_a_token_in_maskinportens_shape(server: Node, database: Database) -> None:
    answer = await server.post(sign(claims_of()))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    body = body_of(answer)
    token = body.pop("access_token")
    assert body == {"token_type": "Bearer", "expires_in": 120, "scope": SCOPE}
    signer = server.service.ring.signer_at(NOW)
    assert header_of(token) == {"kid": signer.kid, "alg": "RS256"}
    claims = payload_of(token)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", claims.pop("jti"))
    assert claims == {
        "iss": ISSUER, "client_amr": "private_key_jwt", "token_type": "Bearer", "scope": SCOPE, "iat": SECONDS,
        "exp": SECONDS + 120, "client_id": CLIENT_ID,
        "consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{ORGNO}"},
    }  # fmt: skip
    assert await used_grants(database) == 1


async def test_a_token_for_resources_that_want_rfc_9068_comes_in_that_shape(
    database_url: str, rows: RegistryRows
) -> None:
    await rows.scope()
    await rows.client()
    async with node(database_url, rfc9068_resources=frozenset({"urn:api"})) as server:
        token = body_of(await server.post(sign(claims_of(resource="urn:api"))))["access_token"]
        assert header_of(token)["typ"] == "at+jwt"
        assert payload_of(token)["sub"] == CLIENT_ID
        plain = body_of(await server.post(sign(claims_of(resource="urn:other"))))["access_token"]
        assert "typ" not in header_of(plain)
        assert "sub" not in payload_of(plain)


async def test_an_ec_key_signs_grants_and_tokens_when_the_extension_is_on(
    database_url: str, rows: RegistryRows
) -> None:
    await rows.scope()
    await rows.client(keys=[ec_key()])
    async with node(database_url, allow_ec_keys=True, signing_alg="ES256") as server:
        answer = await server.post(sign(claims_of(), ec_key()))
        assert header_of(body_of(answer)["access_token"])["alg"] == "ES256"
    async with node(database_url) as faithful:
        assert body_of(await faithful.post(sign(claims_of(), ec_key())))["error_uri"] == f"{ISSUER}errors/MP-124"


# -- §2.9, what real clients do ---------------------------------------------------------------------------------------


REAL_CLIENTS: dict[str, dict[str, Any]] = {
    "aud as array": {"aud": [ISSUER]},
    "resource as string": {"resource": "https://api.example/v1"},
    "no jti": {"jti": ABSENT},
    "nbf and sub": {"nbf": SECONDS, "sub": CLIENT_ID},
    "exp ten seconds after iat": {"exp": SECONDS + 10},
    "consumer_org is the own organisation": {"consumer_org": ORGNO},
    "white space between scopes": {"scope": f" {SCOPE}\t\n{SCOPE} "},
}


async def test_what_real_clients_claim_is_taken(server: Node, subtests: pytest.Subtests) -> None:
    for name, changes in REAL_CLIENTS.items():
        with subtests.test(name):
            answer = await server.post(sign(claims_of(**changes)))
            assert answer.status_code == 200, answer.text
            assert "supplier" not in payload_of(body_of(answer)["access_token"])


async def test_the_grant_may_come_in_the_query_string_with_an_empty_body(server: Node) -> None:
    query = {"assertion": sign(claims_of()), "grant_type": GRANT_TYPE}
    assert (await server.http.post("/token", params=query, headers=FORM)).status_code == 200


async def test_the_grant_type_may_have_literal_colons_and_headers_may_be_odd(server: Node) -> None:
    content = f"grant_type={GRANT_TYPE}&assertion={sign(claims_of())}&unknown=x"
    for headers in (
        {**FORM, "charset": "utf-8", "consumer_org": SUPPLIER},
        {"content-type": "application/x-www-form-urlencoded; charset=utf-8", "accept": "text/html"},
        {"content-type": "APPLICATION/X-WWW-FORM-URLENCODED"},
    ):
        fresh = content.replace(content.partition("assertion=")[2], f"{sign(claims_of())}&unknown=x")
        assert (await server.http.post("/token", content=fresh, headers=headers)).status_code == 200


async def test_the_token_endpoint_as_audience_needs_the_leniency(database_url: str, rows: RegistryRows) -> None:
    await rows.scope()
    await rows.client()
    async with node(database_url, accept_token_endpoint_as_aud=True) as lenient, node(database_url) as strict:
        assert (await lenient.post(sign(claims_of(aud=f"{ISSUER}token")))).status_code == 200
        assert body_of(await strict.post(sign(claims_of(aud=f"{ISSUER}token"))))["error_uri"].endswith("MP-110")


async def test_the_rsa_algorithms_are_taken_for_a_key_that_names_none(server: Node, rows: RegistryRows) -> None:
    await rows.client("free", keys=[])
    await rows.key("free", key_number(2), alg=None)
    signature_of_256 = sign(claims_of(iss="free"), key_number(2))
    assert (await server.post(signature_of_256)).status_code == 200
    mislabelled = sign(claims_of(iss="free"), key_number(2), alg="RS512")
    assert body_of(await server.post(mislabelled))["error_description"].startswith(f"{AUTH}Invalid JWT signature.")


# -- §6.2, every refusal ----------------------------------------------------------------------------------------------

Grant = Callable[[], str]


def claiming(**changes: Any) -> Grant:
    return lambda: sign(claims_of(**changes))


async def furnish(rows: RegistryRows) -> None:
    """Clients and scopes for each way to be refused."""
    await rows.client("inactive", active=False)
    await rows.client("login", integration_type="idporten")
    await rows.client("expired-key", keys=[])
    await rows.key("expired-key", key_number(1), expires=SECONDS)
    await rows.client("without-keys", keys=[])
    await rows.client("virksys", keys=[], integration_type="altinn_virksys")
    await rows.scope("demo:off", active=False)
    await rows.scope("demo:people", allowed_integration_types=["idporten"])
    await rows.scope("demo:closed", access=[])
    await rows.scope("demo:enforcing", enforced_aud_for_access_token="urn:always")
    await rows.scope("demo:for-all", access=[], accessible_for_all=True)
    await rows.change(
        "INSERT INTO selfservice.delegation_source VALUES ('https://altinn.test/', 'Altinn', now(), now())", {}
    )
    await rows.scope("demo:delegable", delegation_source="https://altinn.test/")
    await rows.client(
        "wide", scopes=["demo:off", "demo:people", "demo:closed", "demo:for-all", "demo:delegable", "demo:enforcing"]
    )


REFUSALS: list[tuple[str, Grant, str, str]] = [
    ("malformed_assertion", lambda: "not.a.jwt", "MP-011", "Invalid assertion. Invalid parameter value"),
    ("malformed_assertion", lambda: sign(claims_of()) + "\n", "MP-011", "Invalid assertion. Invalid parameter value"),
    ("malformed_assertion", claiming(iss=ABSENT), "MP-011", "Invalid assertion. Invalid parameter value"),
    ("malformed_assertion", claiming(azp="x"), "MP-011", "Invalid assertion. Invalid parameter value"),
    ("malformed_assertion", claiming(exp=SECONDS + 121), "MP-011", "Invalid assertion. Invalid parameter value"),
    ("malformed_assertion", claiming(consumer_org=SUPPLIER, iss_onbehalfof="x"), "MP-011",
     "Invalid assertion. Invalid parameter value"),
    ("malformed_assertion", claiming(pid="05895199926"), "MP-011", "Invalid assertion. Invalid parameter value"),
    ("malformed_assertion", claiming(iss="wide", scope="demo:enforcing", resource="urn:elsewhere"), "MP-011",
     "Invalid assertion. Invalid parameter value"),
    ("malformed_assertion", claiming(iat=SECONDS + 5, exp=SECONDS + 4), "MP-011",
     "Invalid assertion. Invalid parameter value"),
    ("unsupported_consumer_org", claiming(iss="wide", scope="demo:delegable", consumer_org=SUPPLIER), "MP-011",
     "Invalid assertion. Invalid parameter value"),
    ("own_delegation", claiming(iss="wide", scope="demo:delegable", consumer_org=ORGNO), "",
     "Validation of JWT claim failed: The combination consumer_org in claim and delegation scope on client is invalid"),
    ("client_not_found", claiming(iss="nobody"), "MP-100", f"{AUTH}Client not found"),
    ("client_not_found", claiming(iss="inactive"), "MP-100", f"{AUTH}Client not found"),
    ("client_not_found", claiming(iss="login"), "MP-100", f"{AUTH}Client not found"),
    ("wrong_audience", claiming(aud=ISSUER[:-1]), "MP-110", f"{AUTH}Invalid JWT claim aud"),
    ("wrong_audience", claiming(aud=[ISSUER, ISSUER]), "MP-110", f"{AUTH}Invalid JWT claim aud"),
    ("expired_key", claiming(iss="expired-key"), "MP-121", f"{AUTH}Expired key."),
    ("invalid_x5c", lambda: sign(claims_of(iss="without-keys"), kid=ABSENT), "MP-123",
     f"{AUTH}Invalid JWT header x5c"),
    ("invalid_x5c", lambda: sign(claims_of(iss="without-keys"), x5c="MIIB"), "MP-123",
     f"{AUTH}Invalid JWT header x5c"),
    ("invalid_signature", lambda: sign(claims_of(), alg="HS256"), "MP-124", f"{AUTH}Invalid JWT signature."),
    ("invalid_signature", lambda: sign(claims_of(), key_number(2), kid="key-1"), "MP-124",
     f"{AUTH}Invalid JWT signature."),
    ("expired_assertion", claiming(iat=SECONDS - 60, exp=SECONDS), "MP-130", f"{AUTH}JWT is expired"),
    ("unknown_kid", lambda: sign(claims_of(), kid="other"), "", f"{AUTH}Unknown key identifier (kid) for client."),
    ("unknown_kid", claiming(iss="without-keys"), "", f"{AUTH}Unknown key identifier (kid) for client."),
    ("key_required", lambda: sign(claims_of(), kid=ABSENT, x5c=["MIIB"]), "",
     f"{AUTH}Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided"),
    ("key_required", lambda: sign(claims_of(iss="virksys"), kid=ABSENT, x5c=["MIIB"]), "",
     f"{AUTH}Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided"),
    ("issued_in_future", claiming(iat=SECONDS + 11, exp=SECONDS + 60), "", "Issue time is after now"),
    ("invalid_scope", claiming(scope=f"demo:other {SCOPE} x:y"), "MP-200",
     "Token request contains invalid scopes for client, demo:other,x:y"),
    ("invalid_scope", claiming(iss="wide", scope="demo:off"), "MP-200",
     "Token request contains invalid scopes for client, demo:off"),
    ("scope_not_for_maskinporten", claiming(iss="wide", scope="demo:people"), "MP-201",
     "Token request contains scopes not allowed for maskinporten"),
    ("no_access", claiming(iss="wide", scope="demo:closed"), "MP-250",
     "Consumer has not been granted access to the scope demo:closed."),
    ("not_delegated", claiming(iss="wide", scope="demo:for-all", consumer_org=SUPPLIER), "MP-251",
     f"Consumer {SUPPLIER} has not delegated access to the scope demo:for-all to supplier {ORGNO}."),
    ("unknown_authorization_details_type", claiming(authorization_details=[{"type": "urn:altinn:systemuser"}]),
     "MP-301",
     "Unknown authorization details type: urn:altinn:systemuser is not supported; supported: none"),
]  # fmt: skip


async def test_a_refusal_has_its_status_error_text_code_and_audit_event(
    server: Node, rows: RegistryRows, database: Database, subtests: pytest.Subtests
) -> None:
    await furnish(rows)
    for reason, grant, code, text in REFUSALS:
        with subtests.test(text, reason=reason):
            entry = CATALOGUE[reason]
            trace = Trace.start()
            form = {"grant_type": GRANT_TYPE, "assertion": grant()}
            answer = await server.http.post("/token", data=form, headers={"traceparent": trace.traceparent})
            expected = {"error": entry.error, "error_description": f"{text} (trace_id: {trace.trace_id})"}
            if code:
                expected["error_uri"] = f"{ISSUER}errors/{code}"
            assert body_of(answer) == expected
            assert answer.status_code == entry.status == (403 if entry.error == "forbidden" else 400)
            assert answer.headers["content-type"] == "application/json;charset=UTF-8"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["traceparent"].split("-")[1] == trace.trace_id
            [event] = await events(database, trace.trace_id)
            assert (event["outcome"], event["reason"]) == ("deny", reason)


@pytest.mark.parametrize(
    ("scopes", "seconds"),
    [
        ("demo:short", 30),
        ("demo:long", 900),
        ("demo:short demo:long", 30),
        ("demo:long demo:short", 30),
        (f"{SCOPE} demo:long demo:short", 30),
        (f"{SCOPE} demo:long", 900),
    ],
)
async def test_a_token_for_scopes_of_different_lifetimes_lives_as_long_as_the_shortest_as_seed_002_warns(
    server: Node, rows: RegistryRows, scopes: str, seconds: int
) -> None:
    """``SCOPE`` has no lifetime of its own, and how long an authorization lives has to do with logins alone (§3.4)."""
    await rows.scope("demo:short", at_max_age=30, authorization_max_lifetime=600)
    await rows.scope("demo:long", at_max_age=900, authorization_max_lifetime=10)
    await rows.client("mixing", scopes=[SCOPE, "demo:short", "demo:long"])
    answer = body_of(await server.post(sign(claims_of(iss="mixing", scope=scopes))))
    token = payload_of(answer["access_token"])
    assert (answer["expires_in"], token["exp"] - token["iat"], answer["scope"]) == (seconds, seconds, scopes)


def test_every_reason_of_the_catalogue_is_provoked_somewhere() -> None:
    elsewhere = {
        "replayed",  # below
        "invalid_request", "unsupported_grant_type",  # the forms below
        "invalid_certificate", "wrong_certificate_owner",  # test_token_endpoint_certificates.py
        "temporarily_unavailable",  # test_token_endpoint_outages.py
        "server_error",  # a fault of ours, which none of these tests knows how to cause
        # test_token_system_users.py:
        "unknown_authorization_details_field", "invalid_authorization_details", "details_with_consumer_org",
        # test_token_consents.py, with all of CONSENT_REASONS:
        "consent_for_another_receiver",
    }  # fmt: skip
    told = {reason for reason, *_ in REFUSALS} | set(Cause) | set(CONSENT_REASONS.values())
    assert told | elsewhere == CATALOGUE.keys()


FORMS: list[tuple[bytes, str, str]] = [
    (b"", "invalid_request", "Missing parameter: grant_type"),
    (b"grant_type=", "invalid_request", "Missing parameter: grant_type"),
    (b"grant_type=" + GRANT_TYPE.encode(), "invalid_request", "Missing parameter: assertion"),
    (b"grant_type=client_credentials&assertion=x", "unsupported_grant_type",
     "Unsupported grant_type: only urn:ietf:params:oauth:grant-type:jwt-bearer is accepted"),
    (b"grant_type=%s&assertion=a&assertion=b" % GRANT_TYPE.encode(), "invalid_request",
     "Parameter given twice with different values: assertion"),
    (b"grant_type=%ff", "invalid_request", "The form is not UTF-8"),
    (b"\xff", "invalid_request", "The form is not UTF-8"),
    (b"&".join([b"a=b"] * 51), "invalid_request", "The form has more than 50 fields"),
    (b"a" * (96 * 1024 + 1), "invalid_request", "The request is larger than 98304 bytes"),
]  # fmt: skip


async def test_a_form_without_one_grant_is_refused(server: Node, database: Database, subtests: pytest.Subtests) -> None:
    for form, error, text in FORMS:
        with subtests.test(text):
            trace = Trace.start()
            answer = await server.http.post("/token", content=form, headers={**FORM, "traceparent": trace.traceparent})
            assert answer.status_code == 400
            assert body_of(answer) == {"error": error, "error_description": f"{text} (trace_id: {trace.trace_id})"}
            [event] = await events(database, trace.trace_id)
            assert (event["outcome"], event["reason"]) == ("deny", error)


async def test_a_parameter_in_query_and_body_counts_once_when_it_is_the_same(server: Node) -> None:
    grant = sign(claims_of())
    both = {"grant_type": GRANT_TYPE, "assertion": grant}
    assert (await server.http.post("/token", params=both, data=both)).status_code == 200
    different = await server.http.post("/token", params={"assertion": "x"}, data={**both})
    assert body_of(different)["error"] == "invalid_request"


async def test_a_body_of_another_kind_or_another_method_is_refused(server: Node) -> None:
    for content_type in (
        "application/json", "text/plain", "multipart/form-data; boundary=x", f"{FORM['content-type']}XYZ", "x",
    ):  # fmt: skip
        answer = await server.http.post("/token", content=b"grant_type=x", headers={"content-type": content_type})
        assert (answer.status_code, body_of(answer)["error"]) == (400, "invalid_request")
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        answer = await server.http.request(method, "/token")
        trace_id = answer.headers["traceparent"].split("-")[1]
        document = (
            f'{{"error": "invalid_request", "error_description": "The method must be POST (trace_id: {trace_id})"}}'
        )
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert answer.text == ("" if method == "HEAD" else document)
        assert answer.headers["content-length"] == str(len(document))


async def test_on_a_developers_machine_the_caller_is_told_why(database_url: str, rows: RegistryRows) -> None:
    await rows.scope()
    await rows.client()
    async with node(database_url, explain=True) as talkative:
        body = body_of(await talkative.post(sign(claims_of(aud="https://else.where/"))))
        assert body["explanation"]["facts"] == {"aud": "https://else.where/", "expected": ISSUER}
        about_pid = await talkative.post(sign(claims_of(pid=PID[:-1] + "6")))
        assert PID[:-1] not in about_pid.text


# -- what is written --------------------------------------------------------------------------------------------------


async def test_the_audit_event_of_a_token_names_who_what_and_by_which_key_but_never_the_token(
    server: Node, database: Database
) -> None:
    grant = sign(claims_of(pid=PID, resource="urn:api"))
    answer = await server.http.post(
        "/token", data={"grant_type": GRANT_TYPE, "assertion": grant}, headers={"traceparent": TRACE.traceparent}
    )
    token = body_of(answer)["access_token"]
    [event] = await events(database, TRACE.trace_id)
    assert event == {
        "outcome": "permit", "reason": "", "trace_id": TRACE.trace_id, "actor": CLIENT_ID, "subject": SCOPE,
        "facts": {"jti": payload_of(token)["jti"], "signed_by": "key-1", "consumer": ORGNO},
    }  # fmt: skip


async def test_secrets_that_a_refused_grant_carries_reach_neither_audit_nor_log(
    server: Node, database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    within = sign(claims_of())
    grants = [
        sign(claims_of(scope=f"{PID} {within}")),
        sign(claims_of(iss=PID)),
        sign(claims_of(iss=within[:250])),
        sign(claims_of(aud=within)),
        sign(claims_of(pid=PID, scope="x:y")),
        sign(claims_of(), kid=within),
        sign({**claims_of(), within[:200]: PID}),
        within[:-9],
    ]
    for grant in grants:
        assert (await server.post(grant)).status_code == 400
    assert (await server.http.post("/token", data={"grant_type": within})).status_code == 400
    written = repr(await events(database)) + "".join(capfd.readouterr())
    for secret in (PID, within[:40], *[grant[40:90] for grant in grants]):
        assert secret not in written


async def test_a_grant_whose_signature_held_is_used_up_also_when_it_is_refused(
    server: Node, database: Database
) -> None:
    refused = sign(claims_of(scope="x:y"))
    assert body_of(await server.post(refused))["error"] == "invalid_scope"
    assert body_of(await server.post(refused))["error_uri"] == f"{ISSUER}errors/MP-012"
    assert await used_grants(database) == 1


async def test_the_event_of_a_replay_names_the_jti_that_was_used_not_that_of_a_token(
    server: Node, database: Database
) -> None:
    grant = sign(claims_of(jti="the one"))
    for _ in range(2):
        await server.post(grant)
    permit, replay = await events(database)
    assert (permit["outcome"], permit["facts"].keys()) == ("permit", {"jti", "signed_by", "consumer"})
    assert (replay["outcome"], replay["reason"], replay["facts"]) == ("deny", "replayed", {"jti": "the one"})
    assert (replay["actor"], replay["subject"]) == (CLIENT_ID, SCOPE)


async def test_a_forged_grant_does_not_burn_a_jti(server: Node, database: Database) -> None:
    claims = claims_of()
    assert (await server.post(sign(claims, key_number(2), kid="key-1"))).status_code == 400
    assert await used_grants(database) == 0
    assert (await server.post(sign(claims))).status_code == 200


async def test_a_jti_is_the_clients_own(server: Node, rows: RegistryRows) -> None:
    await rows.client("second")
    for client_id in (CLIENT_ID, "second"):
        assert (await server.post(sign(claims_of(iss=client_id, jti="the same")))).status_code == 200
    again = await server.post(sign(claims_of(iss="second", jti="the same", exp=SECONDS + 100)))
    trace_id = again.headers["traceparent"].split("-")[1]
    assert body_of(again) == {
        "error": "invalid_grant",
        "error_description": f"Grant is used before (trace_id: {trace_id})",
        "error_uri": f"{ISSUER}errors/MP-012",
    }


async def test_a_grant_without_jti_is_known_again_by_what_was_signed_not_by_its_signature(
    database_url: str, rows: RegistryRows
) -> None:
    """ECDSA signs differently each time, and every signature has a twin that verifies."""
    await rows.scope()
    await rows.client(keys=[ec_key()])
    claims = claims_of(jti=ABSENT)
    first, second = sign(claims, ec_key()), sign(claims, ec_key())
    assert first != second
    async with node(database_url, allow_ec_keys=True) as server:
        assert (await server.post(first)).status_code == 200
        assert body_of(await server.post(second))["error_uri"].endswith("MP-012")


async def test_a_claim_is_forgotten_ten_seconds_after_its_grant_has_expired(
    database_url: str, rows: RegistryRows, database: Database
) -> None:
    await rows.scope()
    await rows.client()
    clock = FixedClock(NOW)
    async with node(database_url, clock=clock) as server:
        assert (await server.post(sign(claims_of(exp=SECONDS + 60)))).status_code == 200
        ledger = server.service._ledger
        assert await ledger.forget_expired(SECONDS + 70) == 0
        assert await used_grants(database) == 1
        assert await ledger.forget_expired(SECONDS + 71) == 1
        assert await used_grants(database) == 0


# -- what is published ------------------------------------------------------------------------------------------------


async def test_the_metadata_is_maskinportens(server: Node) -> None:
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        answer = await server.http.get(path)
        assert answer.headers["content-type"] == "application/json"
        assert body_of(answer) == {
            "issuer": ISSUER,
            "token_endpoint": f"{ISSUER}token",
            "jwks_uri": f"{ISSUER}jwk",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "grant_types_supported": [GRANT_TYPE],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "RS512"],
        }
    assert (await server.http.get("/authorize")).status_code == 404


async def test_the_key_set_holds_public_keys_alone_and_may_be_cached(server: Node) -> None:
    for path in ("/jwk", "/jwks", "/.well-known/jwks.json"):
        answer = await server.http.get(path)
        assert answer.headers["cache-control"] == "public, max-age=86400"
        [key] = body_of(answer)["keys"]
        assert key.keys() == {"kty", "n", "e", "use", "alg", "kid", "x5c"}
        assert (key["kty"], key["use"], key["alg"], len(key["kid"])) == ("RSA", "sig", "RS256", 43)
        head = await server.http.head(path)
        assert (head.content, head.headers["content-length"]) == (b"", str(len(answer.content)))
        assert head.headers["cache-control"] == answer.headers["cache-control"]
        assert (await server.http.post(path)).status_code == 405
