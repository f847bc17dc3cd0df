"""The decisions of the token endpoint, rule by rule (maskinporten.md §2.2, §2.3, §3.3, §3.4, §4)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullmakt.jose.compact import parse_compact
from fullmakt.maskinporten.tokens import rules
from fullmakt.maskinporten.tokens.config import TokensConfig
from fullmakt.maskinporten.tokens.model import ActingFor, Refusal, TokenPlan, UnverifiedGrant
from fullmakt.wire.maskinporten.grant import KNOWN_CLAIMS
from fullmakt.wire.maskinporten.registry import RegisteredClient
from tests.support.tokens import (
    ABSENT,
    CLIENT_ID,
    ISSUER,
    ORGNO,
    PID,
    SCOPE,
    SECONDS,
    SUPPLIER,
    claims_of,
    ec_key,
    key_number,
    registered_client,
    registered_key,
    registered_scope,
    sign,
)

CONFIG = TokensConfig(issuer=ISSUER)
BORN_IN_1870 = "01017050040"
"""The number of a person of long ago would have been this: nobody has it."""


def grant_of(config: TokensConfig = CONFIG, /, **changes: Any) -> UnverifiedGrant:
    grant = rules.read_grant(claims_of(**changes), config)
    assert isinstance(grant, UnverifiedGrant), grant
    return grant


def refusal_of(verdict: object) -> Refusal:
    assert isinstance(verdict, Refusal), verdict
    return verdict


def plan_of(client: RegisteredClient, config: TokensConfig = CONFIG, /, **changes: Any) -> TokenPlan | Refusal:
    return rules.plan_token(client, grant_of(config, **changes), "private_key_jwt", config)


# -- step 3 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512"])
def test_the_three_rsa_algorithms_are_taken(alg: str) -> None:
    assert rules.check_header(parse_compact(sign(claims_of(), alg=alg)), CONFIG) is None


@pytest.mark.parametrize(
    "alg", ["none", "None", "HS256", "PS256", "ES256", "EdDSA", "rs256", "", None, 256, ["RS256"], {}, ABSENT, "x" * 99]
)
def test_any_other_algorithm_is_an_invalid_signature(alg: Any) -> None:
    refusal = refusal_of(rules.check_header(parse_compact(sign(claims_of(), alg=alg)), CONFIG))
    assert refusal.reason == "invalid_signature"
    assert len(refusal.facts["alg"]) <= 20


def test_es256_is_taken_when_the_extension_is_on() -> None:
    jws = parse_compact(sign(claims_of(), ec_key()))
    assert rules.check_header(jws, TokensConfig(ISSUER, allow_ec_keys=True)) is None


@pytest.mark.parametrize("crit", [["exp"], [], None, "b64"])
def test_a_critical_header_is_refused_whatever_it_says(crit: Any) -> None:
    refusal = refusal_of(rules.check_header(parse_compact(sign(claims_of(), crit=crit)), CONFIG))
    assert (refusal.reason, refusal.facts["where"]) == ("malformed_assertion", "crit")


# -- step 4 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["aud", "iss", "scope", "iat", "exp"])
@pytest.mark.parametrize("absence", [ABSENT, None])
def test_a_required_claim_that_is_missing_is_malformed(name: str, absence: object) -> None:
    refusal = refusal_of(rules.read_grant(claims_of(**{name: absence}), CONFIG))
    assert refusal.facts == {"where": name, "problem": "missing"}


@pytest.mark.parametrize(
    "name", ["jti", "nbf", "resource", "pid", "consumer_org", "iss_onbehalfof", "authorization_details", "sub"]
)
@pytest.mark.parametrize("absence", [ABSENT, None])
def test_an_optional_claim_may_be_missing(name: str, absence: object) -> None:
    assert isinstance(rules.read_grant(claims_of(**{name: absence}), CONFIG), UnverifiedGrant)


NOT_TEXT: list[Any] = [1, True, ["x"], {}, "", "a\x00b"]
NOT_A_DATE: list[Any] = ["1", True, [1], {}, -1, 253_402_300_800, 10**4_000, float("inf")]
WRONG_VALUES: dict[str, list[Any]] = {
    "iss": [*NOT_TEXT, "x" * 256],
    "scope": [*NOT_TEXT, "x" * 30_001, " ", " ".join(f"a:{number}" for number in range(301))],
    "jti": [*NOT_TEXT, "x" * 256],
    "pid": [*NOT_TEXT, "1" * 41],
    "consumer_org": NOT_TEXT,
    "iss_onbehalfof": NOT_TEXT,
    "sub": NOT_TEXT,
    "iat": NOT_A_DATE,
    "exp": NOT_A_DATE,
    "nbf": NOT_A_DATE,
    "aud": [1, True, {}, [1], [None]],
    "resource": [1, True, {}, [], [1], ["a:b", None], ["a:b"] * 21, ["a:" + "b" * 2_000]],
    "authorization_details": [1, "x", {}, True],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG_VALUES.items() for value in values]
)
def test_a_claim_of_the_wrong_type_or_size_is_malformed_and_named(name: str, value: Any) -> None:
    refusal = refusal_of(rules.read_grant(claims_of(**{name: value}), CONFIG))
    assert (refusal.reason, refusal.facts["where"]) == ("malformed_assertion", name)


@pytest.mark.parametrize("jti", ["x", "x" * 255, "æ", " "])
def test_a_jti_is_any_text_of_up_to_255_characters(jti: str) -> None:
    assert grant_of(jti=jti).jti == jti


@pytest.mark.parametrize("name", ["client_id", "azp", "Aud", "scp", "æ", "x" * 500])
def test_an_unknown_claim_is_malformed_unless_the_switch_is_off(name: str) -> None:
    refusal = refusal_of(rules.read_grant(claims_of(**{name: 1}), CONFIG))
    assert refusal.facts == {"where": name[:60], "problem": "unknown claim"}
    tolerant = TokensConfig(ISSUER, reject_unknown_claims=False)
    assert isinstance(rules.read_grant(claims_of(**{name: 1}), tolerant), UnverifiedGrant)


def test_every_claim_of_the_contract_is_known() -> None:
    everything = {"resource": ["urn:a"], "pid": PID, "consumer_org": ORGNO, "iss_onbehalfof": "x",
                  "authorization_details": [{}], "sub": CLIENT_ID, "nbf": SECONDS}  # fmt: skip
    assert claims_of(**everything).keys() == KNOWN_CLAIMS
    assert isinstance(rules.read_grant(claims_of(**everything), CONFIG), UnverifiedGrant)


@pytest.mark.parametrize(
    ("given_scope", "scopes"),
    [("a:b", ("a:b",)), (" a:b \t\n c:d ", ("a:b", "c:d")), ("a:b a:b c:d a:b", ("a:b", "c:d"))],
)
def test_scopes_are_separated_by_any_white_space_and_count_once(given_scope: str, scopes: tuple[str, ...]) -> None:
    grant = grant_of(scope=given_scope)
    assert (grant.scopes, grant.scope) == (scopes, " ".join(scopes))


@pytest.mark.parametrize(
    ("resource", "values"),
    [("urn:a", ("urn:a",)), (["urn:a"], ("urn:a",)), (["urn:a", "urn:b", "urn:a"], ("urn:a", "urn:b"))],
)
def test_resource_is_a_string_or_an_array(resource: Any, values: tuple[str, ...]) -> None:
    assert grant_of(resource=resource).resource == values


_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.lists(st.text(max_size=3), max_size=3)
)


@given(st.dictionaries(st.sampled_from(sorted(KNOWN_CLAIMS)) | st.text(max_size=9), _VALUES))
def test_whatever_the_claims_are_the_answer_is_a_grant_or_a_refusal(claims: dict[str, Any]) -> None:
    verdict = rules.read_grant(claims, CONFIG)
    assert isinstance(verdict, UnverifiedGrant) or verdict.reason == "malformed_assertion"


# -- steps 5 and 6 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("integration_type", ["maskinporten", "krr", "eformidling", "altinn_virksys"])
def test_clients_of_these_types_get_tokens_here(integration_type: str) -> None:
    assert rules.check_client(registered_client(integration_type=integration_type), grant_of()) is None


@pytest.mark.parametrize("integration_type", ["idporten", "api_klient", "kontaktinfo", "ansattporten", ""])
def test_clients_of_other_types_are_not_found(integration_type: str) -> None:
    client = registered_client(integration_type=integration_type)
    assert refusal_of(rules.check_client(client, grant_of())).reason == "client_not_found"


def test_an_inactive_client_is_not_found_and_the_facts_say_that_it_exists() -> None:
    refusal = refusal_of(rules.check_client(registered_client(active=False), grant_of()))
    assert refusal.description == rules.client_not_found(grant_of()).description
    assert refusal.facts == {"client_id": CLIENT_ID, "found": True, "active": False}


@pytest.mark.parametrize("aud", [ISSUER, [ISSUER]])
def test_the_issuer_is_the_audience_as_string_or_array_of_one(aud: Any) -> None:
    assert rules.check_audience(grant_of(aud=aud), CONFIG) is None


@pytest.mark.parametrize(
    "aud",
    [ISSUER[:-1], ISSUER + "token", ISSUER.upper(), "", "https://else.where/", [ISSUER, ISSUER], [ISSUER, "x"], []],
)
def test_any_other_audience_is_refused(aud: Any) -> None:
    assert refusal_of(rules.check_audience(grant_of(aud=aud), CONFIG)).reason == "wrong_audience"


@pytest.mark.parametrize("aud", [[], [ISSUER, ISSUER]])
def test_an_array_must_hold_one_audience(aud: list[str]) -> None:
    assert refusal_of(rules.check_audience(grant_of(aud=aud), CONFIG)).facts["aud"] == "not exactly one"


def test_the_token_endpoint_is_an_audience_when_the_leniency_is_on() -> None:
    lenient = TokensConfig(ISSUER, accept_token_endpoint_as_aud=True)
    assert rules.check_audience(grant_of(aud=ISSUER + "token"), lenient) is None
    assert rules.check_audience(grant_of(aud=ISSUER), lenient) is None
    assert rules.check_audience(grant_of(aud=ISSUER[:-1]), lenient) is not None


# -- step 7 -----------------------------------------------------------------------------------------------------------


def choose(client: RegisteredClient, header: dict[str, Any], now: float = SECONDS) -> object:
    return rules.choose_key(client, {key.kid: key for key in client.keys}, {"alg": "RS256", **header}, now)


def test_a_client_with_keys_names_one_and_an_x5c_beside_it_is_not_looked_at() -> None:
    key = registered_key()
    assert choose(registered_client(), {"kid": key.kid}) == key
    assert choose(registered_client(), {"kid": key.kid, "x5c": "rubbish"}) == key


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({}, "key_required"),
        ({"kid": None}, "key_required"),
        ({"x5c": ["…"]}, "key_required"),
        ({"kid": "another"}, "unknown_kid"),
        ({"kid": 1}, "unknown_kid"),
        ({"kid": ["key-1"]}, "unknown_kid"),
        ({"kid": ""}, "unknown_kid"),
        ({"kid": "key-1", "alg": "RS512"}, "invalid_signature"),
    ],
)
def test_a_client_with_keys_is_refused_for_a_wrong_header(header: dict[str, Any], reason: str) -> None:
    assert refusal_of(choose(registered_client(), header)).reason == reason


def test_a_key_registered_without_an_algorithm_takes_all_of_its_kind() -> None:
    key = registered_key(alg=None)
    assert choose(registered_client(keys=(key,)), {"kid": key.kid, "alg": "RS512"}) == key


@pytest.mark.parametrize(("after_expiry", "reason"), [(-1, None), (0, "expired_key"), (1, "expired_key")])
def test_a_key_serves_until_the_second_of_its_expiry(after_expiry: int, reason: str | None) -> None:
    client = registered_client(keys=(registered_key(expires_at=SECONDS),))
    verdict = choose(client, {"kid": "key-1"}, SECONDS + after_expiry)
    assert (verdict.reason if isinstance(verdict, Refusal) else None) == reason


@pytest.mark.parametrize(
    ("integration_type", "header", "reason"),
    [
        ("maskinporten", {"x5c": ["…"]}, None),
        ("maskinporten", {"x5c": ["…"], "kid": "any"}, None),
        ("maskinporten", {"x5c": "a string: told by the certificate path"}, None),
        ("maskinporten", {"kid": "any"}, "unknown_kid"),
        ("maskinporten", {}, "invalid_x5c"),
        ("altinn_virksys", {"x5c": ["…"]}, "key_required"),
        ("altinn_virksys", {"kid": "any"}, "key_required"),
    ],
)
def test_a_client_without_keys_signs_with_a_certificate(
    integration_type: str, header: dict[str, Any], reason: str | None
) -> None:
    verdict = choose(registered_client(keys=(), integration_type=integration_type), header)
    assert (verdict.reason if isinstance(verdict, Refusal) else verdict) == reason


def test_the_certificate_must_be_the_client_owners_also_when_a_supplier_manages_the_client() -> None:
    client = registered_client(supplier_orgno=SUPPLIER)
    assert rules.check_certificate_owner(client, ORGNO) is None
    refusal = refusal_of(rules.check_certificate_owner(client, SUPPLIER))
    assert refusal.reason == "wrong_certificate_owner"
    assert refusal.facts == {"certificate": SUPPLIER, "client": ORGNO}


# -- step 8 -----------------------------------------------------------------------------------------------------------

TIMES: list[tuple[dict[str, float], str | None]] = [
    ({"iat": 0, "exp": 120}, None),
    ({"iat": 0, "exp": 121}, "malformed_assertion"),
    ({"iat": 0, "exp": 120.001}, "malformed_assertion"),
    ({"iat": -119, "exp": 1}, None),
    ({"iat": -120, "exp": 1}, "malformed_assertion"),
    ({"iat": 9, "exp": 129}, None),
    ({"iat": 10, "exp": 130}, None),
    ({"iat": 10.5, "exp": 130}, "issued_in_future"),
    ({"iat": 11, "exp": 131}, "issued_in_future"),
    ({"iat": 11, "exp": -1}, "issued_in_future"),
    ({"iat": -10, "exp": 1}, None),
    ({"iat": -10, "exp": 0.5}, None),
    ({"iat": -10, "exp": 0}, "expired_assertion"),
    ({"iat": -10, "exp": -1}, "expired_assertion"),
    ({"iat": -500, "exp": -1}, "expired_assertion"),
    ({"iat": 5, "exp": 5}, None),
    ({"iat": 5, "exp": 4.999}, "malformed_assertion"),
    ({"iat": 5, "exp": 3}, "malformed_assertion"),
    ({"iat": 0, "exp": 10}, None),
    ({"iat": 0, "exp": 120, "nbf": 10}, None),
    ({"iat": 0, "exp": 120, "nbf": 11}, "issued_in_future"),
    ({"iat": 0, "exp": 120, "nbf": -99_999}, None),
]


@pytest.mark.parametrize(("offsets", "reason"), TIMES)
def test_the_edges_of_time(offsets: dict[str, float], reason: str | None) -> None:
    grant = grant_of(**{name: SECONDS + offset for name, offset in offsets.items()})
    verdict = rules.check_times(grant, SECONDS, CONFIG)
    assert (verdict.reason if verdict else None) == reason


@pytest.mark.parametrize(("age", "reason"), [(10, None), (11, "expired_assertion")])
def test_an_old_grant_is_told_as_expired_when_the_option_is_on(age: int, reason: str | None) -> None:
    config = TokensConfig(ISSUER, iat_max_age=10)
    verdict = rules.check_times(grant_of(iat=SECONDS - age, exp=SECONDS + 60), SECONDS, config)
    assert (verdict.reason if verdict else None) == reason
    assert rules.check_times(grant_of(iat=SECONDS - age, exp=SECONDS + 60), SECONDS, CONFIG) is None


# -- step 10 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "where"),
    [
        ({"consumer_org": ORGNO, "iss_onbehalfof": "x"}, "iss_onbehalfof"),
        ({"iss_onbehalfof": "x"}, "iss_onbehalfof"),
        ({"consumer_org": "91075361"}, "consumer_org"),
        ({"consumer_org": "9107536140"}, "consumer_org"),
        ({"consumer_org": f"0192:{ORGNO}"}, "consumer_org"),
        ({"consumer_org": "٩١٠٧٥٣٦١٤"}, "consumer_org"),
        ({"pid": "05895199926"}, "pid"),
        ({"pid": "0589519992"}, "pid"),
        ({"pid": "99999999999"}, "pid"),
        ({"resource": "not a uri"}, "resource"),
        ({"resource": "relative/path"}, "resource"),
        ({"resource": "https://"}, "resource"),
        ({"resource": "https://api.example/#part"}, "resource"),
        ({"resource": "https://api.example/#"}, "resource"),
        ({"resource": "https://[api.example/"}, "resource"),
        ({"resource": "https://api.example/æ"}, "resource"),
        ({"resource": "https://api.example/\U0001f600"}, "resource"),
        ({"resource": "https://api.example/\x00"}, "resource"),
        ({"resource": ["https://api.example/", "nothing"]}, "resource"),
    ],
)
def test_the_syntax_of_optional_claims(claims: dict[str, Any], where: str) -> None:
    refusal = refusal_of(rules.check_claim_syntax(grant_of(**claims), CONFIG))
    assert (refusal.reason, refusal.facts["where"]) == ("malformed_assertion", where)
    assert PID[:10] not in json.dumps(refusal.facts)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"consumer_org": "999888777"},
        {"pid": PID},
        {"resource": "https://api.example/v1?a=b"},
        {"resource": ["urn:nbn:no-1", "https://xn--8ca.example"]},
    ],
)
def test_claims_of_the_right_syntax_pass(claims: dict[str, Any]) -> None:
    assert rules.check_claim_syntax(grant_of(**claims), CONFIG) is None


def test_a_synthetic_person_counts_where_the_setting_is_on_and_others_everywhere() -> None:
    production = TokensConfig(ISSUER, accept_synthetic_ids=False)
    refusal = refusal_of(rules.check_claim_syntax(grant_of(pid=PID), production))
    assert (refusal.reason, refusal.facts["where"]) == ("malformed_assertion", "pid")
    assert PID[:6] not in json.dumps(refusal.facts)
    assert rules.check_claim_syntax(grant_of(pid=PID), CONFIG) is None
    assert rules.check_claim_syntax(grant_of(pid=BORN_IN_1870), production) is None


def test_iss_onbehalfof_passes_when_the_compatibility_flag_is_on() -> None:
    config = TokensConfig(ISSUER, iss_onbehalfof=True)
    assert rules.check_claim_syntax(grant_of(iss_onbehalfof="sub-1"), config) is None
    both = grant_of(iss_onbehalfof="sub-1", consumer_org=ORGNO)
    assert refusal_of(rules.check_claim_syntax(both, config)).facts["problem"] == "excludes consumer_org"


# -- steps 11 and 12 --------------------------------------------------------------------------------------------------


def test_every_scope_that_is_not_the_clients_is_named_in_the_order_asked() -> None:
    client = registered_client(scopes=(registered_scope(), registered_scope("demo:off", active=False)))
    refusal = refusal_of(rules.check_scopes(client, ("z:z", SCOPE, "demo:off", "a:a")))
    assert refusal.description == "Token request contains invalid scopes for client, z:z,demo:off,a:a"
    assert refusal.facts["inactive"] == ["demo:off"]


@pytest.mark.parametrize(
    ("allowed", "reason"),
    [
        ((), None),
        (("maskinporten",), None),
        (("krr", "maskinporten"), None),
        (("idporten",), "scope_not_for_maskinporten"),
    ],
)
def test_a_scope_may_be_limited_to_integration_types(allowed: tuple[str, ...], reason: str | None) -> None:
    client = registered_client(scopes=(registered_scope(allowed_integration_types=allowed),))
    verdict = rules.check_scopes(client, (SCOPE,))
    assert (verdict.reason if isinstance(verdict, Refusal) else None) == reason


# -- step 13 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("consumer_org", "delegation_source", "reason"),
    [
        (None, None, None),
        (None, "https://altinn.test/", None),
        (ORGNO, None, None),
        (ORGNO, "https://altinn.test/", "own_delegation"),
        (SUPPLIER, None, "not_delegated"),
        (SUPPLIER, "https://altinn.test/", None),
    ],
)
def test_asking_for_another_organisation(
    consumer_org: str | None, delegation_source: str | None, reason: str | None
) -> None:
    scopes = (registered_scope(delegation_source=delegation_source),)
    verdict = rules.check_consumer_org(registered_client(), scopes, consumer_org)
    assert (verdict.reason if verdict else None) == reason


SOURCE = "https://altinn.test/"


def for_another(
    *, granted: frozenset[str] = frozenset({SCOPE}), delegated: frozenset[str] = frozenset({SCOPE}), **scope: Any
) -> TokenPlan | Refusal:
    """What a supplier gets that asks for a consumer; the facts default to all that it takes."""
    client = registered_client(scopes=(registered_scope(access=False, delegation_source=SOURCE, **scope),))
    acting = ActingFor(ORGNO, SUPPLIER, granted, delegated)
    return rules.plan_token(client, grant_of(consumer_org=SUPPLIER), "private_key_jwt", CONFIG, acting)


def test_a_supplier_gets_the_consumers_token() -> None:
    plan = for_another()
    assert isinstance(plan, TokenPlan), plan
    last = json.loads(b"{" + plan.tail[1:])
    assert last["consumer"]["ID"] == f"0192:{SUPPLIER}"
    assert last["supplier"]["ID"] == f"0192:{ORGNO}"
    assert last["delegation_source"] == SOURCE


@pytest.mark.parametrize(
    ("granted", "delegated", "for_all", "reason"),
    [
        (False, False, False, "no_access"),
        (False, True, False, "no_access"),
        (True, False, False, "not_delegated"),
        (False, False, True, "not_delegated"),
        (False, True, True, None),
    ],
)
def test_a_supplier_needs_the_consumers_access_and_its_delegation(
    granted: bool, delegated: bool, for_all: bool, reason: str | None
) -> None:
    def some(there: bool) -> frozenset[str]:
        return frozenset({SCOPE}) if there else frozenset()

    answer = for_another(granted=some(granted), delegated=some(delegated), accessible_for_all=for_all)
    assert (answer.reason if isinstance(answer, Refusal) else None) == reason


def test_scopes_of_two_sources_are_not_delegated_together() -> None:
    scopes = (registered_scope("a:b", delegation_source=SOURCE), registered_scope("a:c", delegation_source="urn:else"))
    verdict = rules.check_consumer_org(registered_client(), scopes, SUPPLIER)
    assert refusal_of(verdict).facts["problem"] == "the scopes have different delegation sources"


def test_without_an_altinn_to_ask_nobody_acts_for_another() -> None:
    client = registered_client(scopes=(registered_scope(delegation_source=SOURCE),))
    assert refusal_of(plan_of(client, consumer_org=SUPPLIER)).reason == "unsupported_consumer_org"


@pytest.mark.parametrize(
    ("access", "for_all", "permitted"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_access_is_granted_or_open_to_all(access: bool, for_all: bool, permitted: bool) -> None:
    scope = registered_scope(access=access, accessible_for_all=for_all)
    verdict = rules.check_access(registered_client(), (registered_scope(), scope))
    assert (verdict is None) is permitted
    if verdict is not None:
        assert verdict.description == f"Consumer has not been granted access to the scope {SCOPE}."


@pytest.mark.parametrize(
    ("supplier", "made_by_altinn", "integration_type", "holder"),
    [
        (None, False, "maskinporten", ORGNO),
        (SUPPLIER, False, "maskinporten", SUPPLIER),
        (SUPPLIER, True, "maskinporten", ORGNO),
        (SUPPLIER, False, "altinn_virksys", ORGNO),
    ],
)
def test_a_supplier_does_not_inherit_its_customers_access(
    supplier: str | None, made_by_altinn: bool, integration_type: str, holder: str
) -> None:
    client = registered_client(
        supplier_orgno=supplier, made_by_altinn=made_by_altinn, integration_type=integration_type
    )
    assert rules.access_holder(client) == holder


# -- step 15 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client_lifetime", "max_ages", "override", "cap"),
    [
        (120, (), 120, 120),
        (0, (), 120, 120),
        (600, (0, 0), 600, 600),
        (120, (1_000,), 1_000, 120),
        (600, (30,), 30, 30),
        (600, (0, 300, 900), 300, 300),
        (100, (300, 900), 300, 100),
        (86_400, (), 86_400, 86_400),
        (86_401, (), 86_400, 86_400),
        (2**31 - 1, (2**31 - 1,), 86_400, 86_400),
        (120, (86_401,), 86_400, 120),
    ],
)
def test_the_life_of_a_token(client_lifetime: int, max_ages: tuple[int, ...], override: int, cap: int) -> None:
    client = registered_client(access_token_lifetime=client_lifetime)
    scopes = tuple(registered_scope(f"demo:{age}", at_max_age=age) for age in max_ages)
    assert rules.token_lifetime(client, scopes, CONFIG) == override
    assert rules.token_lifetime(client, scopes, TokensConfig(ISSUER, lifetime_mode="cap")) == cap


def token_of(client: RegisteredClient, **claims: Any) -> dict[str, Any]:
    plan = plan_of(client, **claims)
    assert isinstance(plan, TokenPlan), plan
    token = json.loads(rules.token_payload(plan, grant_of(**claims), "a-jti", SECONDS))
    reply = json.loads(b'{"access_token":"' + plan.reply_tail)
    assert reply == {"access_token": "", "token_type": "Bearer", "expires_in": token["exp"] - SECONDS,
                     "scope": token["scope"]}  # fmt: skip
    assert isinstance(token, dict)
    return token


PLAIN = {
    "scope": SCOPE,
    "iss": ISSUER,
    "client_amr": "private_key_jwt",
    "token_type": "Bearer",
    "exp": SECONDS + 120,
    "iat": SECONDS,
    "client_id": CLIENT_ID,
    "jti": "a-jti",
    "consumer": {"authority": "iso6523-actorid-upis", "ID": f"0192:{ORGNO}"},
}


def test_a_plain_token_is_maskinportens_to_the_letter() -> None:
    assert token_of(registered_client()) == PLAIN
    assert token_of(registered_client(), consumer_org=ORGNO, sub="x", nbf=SECONDS) == PLAIN


@pytest.mark.parametrize(
    ("resource", "aud"), [("urn:a", "urn:a"), (["urn:a"], "urn:a"), (["urn:a", "urn:b"], ["urn:a", "urn:b"])]
)
def test_resource_becomes_the_audience_a_string_when_there_is_one(resource: Any, aud: Any) -> None:
    assert token_of(registered_client(), resource=resource) == {**PLAIN, "aud": aud}


ENFORCING = registered_client(scopes=(registered_scope(enforced_audience="urn:always"),))


@pytest.mark.parametrize("resource", [None, "urn:always", ["urn:always"], ["urn:always", "urn:always"]])
def test_a_scope_can_enforce_an_audience(resource: Any) -> None:
    assert token_of(ENFORCING, resource=resource)["aud"] == "urn:always"


@pytest.mark.parametrize("resource", ["urn:a", ["urn:always", "urn:a"], "urn:alway"])
def test_a_resource_does_not_go_before_an_audience_that_is_enforced(resource: Any) -> None:
    plan, grant = plan_of(ENFORCING, resource=resource), grant_of(resource=resource)
    assert isinstance(plan, TokenPlan)
    refusal = refusal_of(rules.check_resource(plan, grant))
    assert refusal.facts == {
        "where": "resource", "problem": "a scope enforces another audience", "resource": list(grant.resource),
        "enforced": "urn:always",
    }  # fmt: skip


def test_where_no_audience_is_enforced_any_resource_goes() -> None:
    plan = plan_of(registered_client(), resource="urn:a")
    assert isinstance(plan, TokenPlan)
    assert rules.check_resource(plan, grant_of(resource="urn:a")) is None


def test_scopes_that_enforce_different_audiences_do_not_go_together() -> None:
    scopes = (registered_scope("a:a", enforced_audience="urn:a"), registered_scope("b:b", enforced_audience="urn:b"))
    assert refusal_of(plan_of(registered_client(scopes=scopes), scope="a:a b:b")).reason == "invalid_scope"


def test_pid_and_iss_onbehalfof_are_copied() -> None:
    assert token_of(registered_client(), pid=PID) == {**PLAIN, "pid": PID}
    assert token_of(registered_client(), iss_onbehalfof='a"b') == {**PLAIN, "iss_onbehalfof": 'a"b'}


def test_a_supplier_managed_client_names_the_supplier_and_a_system_users_client_does_not() -> None:
    supplier = {"authority": "iso6523-actorid-upis", "ID": f"0192:{SUPPLIER}"}
    assert token_of(registered_client(supplier_orgno=SUPPLIER)) == {**PLAIN, "supplier": supplier}
    virksys = registered_client(supplier_orgno=SUPPLIER, integration_type="altinn_virksys")
    assert token_of(virksys) == PLAIN


@pytest.mark.parametrize(
    ("scope", "prefixes", "shown"),
    [
        ("altinn:maskinporten/delegations", ("demo", "test"), True),
        ("altinn:maskinporten/delegations.admin", ("demo",), True),
        ("altinn:maskinporten/delegationschemes.write", ("demo",), True),
        ("altinn:resourceregistry/resource.write", ("demo",), True),
        ("altinn:maskinporten/delegations", (), False),
        ("altinn:maskinporten/delegations.read", ("demo",), False),
        ("altinn:serviceowner", ("demo",), False),
        (SCOPE, ("demo",), False),
    ],
)
def test_consumer_prefix_goes_with_some_of_altinns_scopes(scope: str, prefixes: tuple[str, ...], shown: bool) -> None:
    client = registered_client(scopes=(registered_scope(scope),), consumer_prefixes=prefixes)
    assert token_of(client, scope=scope).get("consumer_prefix") == (list(prefixes) if shown else None)


def test_a_plan_is_refused_in_the_order_of_the_steps() -> None:
    off = registered_scope("demo:off", active=False)
    typed = registered_scope("demo:typed", allowed_integration_types=("idporten",), access=False)
    closed = registered_scope("demo:closed", access=False)
    client = registered_client(scopes=(off, typed, closed))
    order = [
        ("demo:off demo:typed demo:closed", "invalid_scope"),
        ("demo:typed demo:closed", "scope_not_for_maskinporten"),
        ("demo:closed", "no_access"),
    ]
    assert [refusal_of(plan_of(client, scope=scope)).reason for scope, _ in order] == [reason for _, reason in order]


@pytest.mark.parametrize(
    ("resource", "expected"), [(None, False), ("urn:a", True), (["urn:a", "urn:b"], True), (["urn:a", "urn:c"], False)]
)
def test_rfc_9068_is_for_tokens_whose_every_resource_wants_it(resource: Any, expected: bool) -> None:
    config = TokensConfig(ISSUER, rfc9068_resources=frozenset({"urn:a", "urn:b"}))
    assert rules.is_rfc9068(grant_of(resource=resource), config) is expected


def test_a_signature_of_another_key_does_not_verify() -> None:
    jws = parse_compact(sign(claims_of(), key_number(2), kid="key-1"))
    assert not key_number(1).public.verify("RS256", jws.signing_input, jws.signature)
    assert key_number(2).public.verify("RS256", jws.signing_input, jws.signature)
