"""Tokens for system users and enterprise systems: what customers have approved counts at once, on every node."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from fullmakt.infra.database import Database
from fullmakt.wire.altinn.systemusers import Cause, VirksysAnswer, VirksysQuestion
from fullmakt.wire.maskinporten.errors import CATALOGUE
from tests.support.token_nodes import Node, body_of, events, node, used_grants
from tests.support.token_system_users import (
    CUSTOMER,
    HELPER,
    PART,
    SYSTEM_USER_ID,
    AltinnWithSystemUsers,
    SystemUsersAsSeenByANode,
    organisation,
    question_of,
)
from tests.support.tokens import (
    ABSENT,
    ISSUER,
    ORGNO,
    SCOPE,
    SUPPLIER,
    RegistryRows,
    claims_of,
    key_number,
    payload_of,
    sign,
)

TYPES = ["urn:altinn:systemuser", "urn:altinn:virksys"]
SYSTEM = "virksys"
RIGHTS = VirksysAnswer(PART, HELPER, ("merverdiavgift", "skatt"))


@pytest.fixture
async def rows(database: Database) -> RegistryRows:
    rows = RegistryRows(database)
    await rows.scope()
    await rows.scope("demo:closed", access=[])
    await rows.client(scopes=[SCOPE, "demo:closed"])
    await rows.client(SYSTEM, integration_type="altinn_virksys", supplier_orgno=SUPPLIER, client_name='Turbo"skatt" Æ')
    return rows


@pytest.fixture
def altinn(database: Database, rows: RegistryRows) -> AltinnWithSystemUsers:
    return AltinnWithSystemUsers(database)


@pytest.fixture
async def nodes(database_url: str, altinn: AltinnWithSystemUsers) -> AsyncIterator[list[Node]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                node(database_url, system_users=SystemUsersAsSeenByANode(altinn), virksys=True)
            )
            for _ in range(2)
        ]


def grant(owner: str = CUSTOMER, external_ref: str | None = None, /, **claims: Any) -> str:
    reference = {} if external_ref is None else {"externalRef": external_ref}
    details = [{"type": TYPES[0], "systemuser_org": organisation(owner), **reference}]
    return sign(claims_of(**{"authorization_details": details, **claims}))


def virksys(part: str = PART, /, client: str = SYSTEM, **members: Any) -> str:
    details = [{"type": TYPES[1], "part": part, **members}]
    return sign(claims_of(iss=client, authorization_details=details))


async def outcome(server: Node, assertion: str) -> str:
    """``token``, or the reason for the refusal in the trail."""
    answer = await server.post(assertion)
    if answer.status_code == 200:
        return "token"
    trace_id = answer.headers["traceparent"].split("-")[1]
    (event,) = await events(server.database, trace_id)
    return str(event["reason"])


# -- tokens -----------------------------------------------------------------------------------------------------------


async def test_a_system_user_token_is_the_one_of_the_protocol(
    nodes: list[Node], altinn: AltinnWithSystemUsers, database: Database
) -> None:
    await altinn.approve(question_of())
    token = payload_of(body_of(await nodes[0].post(grant()))["access_token"])
    assert token["authorization_details"] == [
        {
            "type": "urn:altinn:systemuser",
            "systemuser_org": organisation(),
            "systemuser_id": [str(SYSTEM_USER_ID)],
            "system_id": f"{ORGNO}_accounting",
        }
    ]
    assert token["consumer"] == organisation(ORGNO)
    assert token.keys() == {
        "iss", "client_amr", "token_type", "scope", "iat", "exp", "jti", "client_id", "consumer",
        "authorization_details",
    }  # fmt: skip
    (event,) = await events(database)
    assert (event["outcome"], event["facts"]["systemuser_id"]) == ("permit", str(SYSTEM_USER_ID))
    assert (event["facts"]["consumer"], event["facts"]["owner"]) == (ORGNO, CUSTOMER)


async def test_a_virksomhetstoken_is_the_one_of_the_seed(
    nodes: list[Node], altinn: AltinnWithSystemUsers, database: Database
) -> None:
    await altinn.permit(RIGHTS)
    token = payload_of(body_of(await nodes[0].post(virksys(hjelper=HELPER, rettigheit=["skatt"])))["access_token"])
    assert token["client_name"] == 'Turbo"skatt" Æ'
    assert token["authorization_details"] == [
        {"type": "urn:altinn:virksys", "part": PART, "hjelper": HELPER, "rettigheit": ["merverdiavgift", "skatt"]}
    ]
    assert token["consumer"] == organisation(ORGNO)
    assert "supplier" not in token
    assert altinn.asked == [VirksysQuestion(SYSTEM, ORGNO, PART, (SCOPE,), HELPER, ("skatt",))]
    (event,) = await events(database)
    assert (event["outcome"], event["facts"]["part"], event["facts"]["hjelper"]) == ("permit", PART, HELPER)


async def test_an_enterprise_system_gets_system_user_tokens_as_well_and_a_plain_client_no_virksomhetstoken(
    nodes: list[Node], altinn: AltinnWithSystemUsers
) -> None:
    await altinn.approve(question_of(client_id=SYSTEM))
    await altinn.permit(RIGHTS)
    assert await outcome(nodes[0], grant(iss=SYSTEM)) == "token"
    answer = body_of(await nodes[0].post(virksys(client=claims_of()["iss"])))
    assert answer["error_uri"] == f"{ISSUER}errors/MP-301"
    assert "urn:altinn:virksys is for clients with integration_type altinn_virksys" in answer["error_description"]


async def test_details_go_with_what_else_a_grant_may_ask_for(database_url: str, altinn: AltinnWithSystemUsers) -> None:
    await altinn.approve(question_of())
    wanted = frozenset({"https://api.test"})
    async with node(database_url, system_users=SystemUsersAsSeenByANode(altinn), rfc9068_resources=wanted) as server:
        token = payload_of(body_of(await server.post(grant(resource="https://api.test")))["access_token"])
    assert (token["aud"], token["sub"]) == ("https://api.test", token["client_id"])
    assert token["authorization_details"][0]["systemuser_id"] == [str(SYSTEM_USER_ID)]


@pytest.mark.parametrize(
    ("settings", "supported"),
    [({}, TYPES[:1]), ({"virksys": True}, TYPES)],
    ids=["the real one's", "and the seed's"],
)
async def test_the_metadata_name_what_can_be_asked_for(
    database_url: str, altinn: AltinnWithSystemUsers, settings: dict[str, Any], supported: list[str]
) -> None:
    path = "/.well-known/oauth-authorization-server"
    async with node(database_url, system_users=SystemUsersAsSeenByANode(altinn), **settings) as server:
        assert body_of(await server.http.get(path))["authorization_details_types_supported"] == supported
        assert await outcome(server, virksys()) == (
            "no_system_user" if "virksys" in settings else "unknown_authorization_details_type"
        )
    async with node(database_url) as server:
        assert "authorization_details_types_supported" not in body_of(await server.http.get(path))


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", list(Cause))
async def test_each_cause_is_told_and_audited_under_its_own_name(
    nodes: list[Node], altinn: AltinnWithSystemUsers, cause: Cause
) -> None:
    altinn.cause = cause
    answer = await nodes[0].post(virksys(rettigheit=["skatt"]))
    body = body_of(answer)
    assert (answer.status_code, body["error"]) == (400, "invalid_altinn_customer_configuration")
    assert body["error_uri"] == f"{ISSUER}errors/MP-303"
    facts = {"owner": "999888777", "client_id": SYSTEM, "vendor": ORGNO, "scopes": SCOPE}
    assert body["error_description"].startswith(CATALOGUE[cause.value].text.format_map({**facts, "missing": "skatt"}))
    (event,) = await events(nodes[0].database, answer.headers["traceparent"].split("-")[1])
    assert (event["outcome"], event["reason"]) == ("deny", cause.value)
    assert {name: event["facts"][name] for name in facts} == facts


REFUSALS = [
    ([], "malformed_assertion"),
    ([{"type": TYPES[0], "systemuser_org": organisation(), "systemuser_id": ["x"]}],
     "unknown_authorization_details_field"),
    ([{"type": TYPES[0], "systemuser_org": organisation(), "externalref": "x"}], "unknown_authorization_details_field"),
    ([{"type": TYPES[0], "systemuser_org": f"0192:{CUSTOMER}"}], "invalid_authorization_details"),
    ([{"type": TYPES[1]}], "invalid_authorization_details"),
    ([{"type": "urn:altinn:consent"}], "unknown_authorization_details_type"),
]  # fmt: skip


async def test_what_can_not_be_asked_for_is_refused_and_altinn_not_asked(
    nodes: list[Node], altinn: AltinnWithSystemUsers, subtests: pytest.Subtests
) -> None:
    for details, reason in REFUSALS:
        with subtests.test(str(details)):
            assert await outcome(nodes[0], sign(claims_of(authorization_details=details))) == reason
    assert await used_grants(nodes[0].database) == len(REFUSALS)
    assert altinn.reads == 0


async def test_what_is_wrong_with_the_scopes_comes_first(nodes: list[Node], altinn: AltinnWithSystemUsers) -> None:
    assert await outcome(nodes[0], grant(scope="demo:closed")) == "no_access"
    assert await outcome(nodes[0], grant(scope="demo:unknown")) == "invalid_scope"
    assert altinn.reads == 0


@pytest.mark.parametrize("consumer", [SUPPLIER, ORGNO], ids=["another", "its own"])
@pytest.mark.parametrize("ask", [grant, virksys], ids=["system user", "virksys"])
async def test_a_supplier_can_not_have_such_a_token_for_its_customer(
    nodes: list[Node], altinn: AltinnWithSystemUsers, ask: Any, consumer: str
) -> None:
    await altinn.approve(question_of())
    await altinn.permit(RIGHTS)
    claims = payload_of(ask())
    answer = await nodes[0].post(sign({**claims, "consumer_org": consumer}))
    body = body_of(answer)
    assert (answer.status_code, body["error_uri"]) == (400, f"{ISSUER}errors/MP-011")
    assert body["error_description"].startswith("Invalid assertion. Invalid parameter value: consumer_org can not be")
    assert ("can not pass the API scope on to an operator" in body["error_description"]) is (ask is virksys)


async def test_an_operators_own_client_is_told_that_the_system_is_another_vendors(
    nodes: list[Node], altinn: AltinnWithSystemUsers, rows: RegistryRows
) -> None:
    await rows.scope("demo:operator", access=[SUPPLIER])
    await rows.client("operator", client_orgno=SUPPLIER, scopes=["demo:operator"])
    altinn.cause = Cause.OTHER_VENDOR
    answer = body_of(await nodes[0].post(grant(iss="operator", scope="demo:operator")))
    assert answer["error"] == "invalid_altinn_customer_configuration"
    assert f"belongs to another vendor than {SUPPLIER}, who owns the client" in answer["error_description"]
    assert set(altinn.asked) == {question_of(client_id="operator", vendor=SUPPLIER)}


KEY_REQUIRED = (
    "Invalid assertion. Client authentication failed. Invalid JWT. The client requires pre-registered jwk and no key"
    " identifier (kid) provided"
)


@pytest.mark.parametrize(
    "header", [{"kid": ABSENT, "x5c": ["MIIB"]}, {"kid": ABSENT}, {}], ids=["x5c", "neither", "a kid of nobody's"]
)
async def test_an_enterprise_system_gets_no_token_before_it_has_a_key(
    nodes: list[Node], rows: RegistryRows, header: dict[str, Any]
) -> None:
    await rows.client("keyless", integration_type="altinn_virksys", keys=[])
    answer = await nodes[0].post(sign(claims_of(iss="keyless"), **header))
    body = body_of(answer)
    assert (answer.status_code, body["error"]) == (400, "invalid_grant")
    assert body["error_description"].startswith(f"{KEY_REQUIRED} (trace_id")
    assert "error_uri" not in body
    await rows.key("keyless", key_number(1))
    assert await outcome(nodes[1], sign(claims_of(iss="keyless"))) == "token"
    assert await outcome(nodes[1], sign(claims_of(iss="keyless"), kid=ABSENT, x5c=["MIIB"])) == "key_required"


# -- freshness --------------------------------------------------------------------------------------------------------


async def test_an_approval_and_its_withdrawal_count_for_the_next_token_on_every_node(
    nodes: list[Node], altinn: AltinnWithSystemUsers
) -> None:
    assert [await outcome(server, grant()) for server in nodes] == ["no_system_user"] * 2
    await altinn.approve(question_of())
    assert [await outcome(server, grant()) for server in nodes] == ["token"] * 2
    assert [await outcome(server, grant(CUSTOMER, "other")) for server in nodes] == ["no_system_user"] * 2
    altinn.cause = Cause.DELETED
    await altinn.approve()
    assert [await outcome(server, grant()) for server in nodes] == ["system_user_deleted"] * 2


async def test_a_system_user_is_remembered_until_its_client_is_concerned_and_a_no_is_not(
    nodes: list[Node], altinn: AltinnWithSystemUsers
) -> None:
    await altinn.approve(question_of(), question_of(client_id=SYSTEM))
    await outcome(nodes[0], grant())
    reads = altinn.reads
    assert [await outcome(nodes[0], grant()) for _ in range(3)] == ["token"] * 3
    assert altinn.reads == reads
    await altinn.permit(RIGHTS)  # a change on another topic
    assert await outcome(nodes[0], grant()) == "token"
    assert altinn.reads == reads
    altinn.cause = Cause.NOT_APPROVED
    assert await outcome(nodes[0], grant("310943223")) == "request_not_approved"
    altinn.cause = Cause.UNKNOWN_ORGANISATION  # for which nobody rings a bell here
    assert await outcome(nodes[0], grant("310943223")) == "unknown_organisation"


async def test_what_the_decision_point_permits_is_asked_each_time(
    nodes: list[Node], altinn: AltinnWithSystemUsers
) -> None:
    await altinn.permit(RIGHTS)
    assert await outcome(nodes[0], virksys()) == "token"
    del altinn.rights[PART]
    assert await outcome(nodes[0], virksys()) == "no_system_user"


async def test_a_right_that_is_withdrawn_before_the_token_is_written_down_gives_none(
    nodes: list[Node], altinn: AltinnWithSystemUsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await altinn.permit(RIGHTS)
    answer = altinn.answer

    async def withdrawn_meanwhile(_self: object, question: VirksysQuestion) -> object:
        said = answer(question)
        if isinstance(said, VirksysAnswer):
            await altinn.permit(None)
        return said

    monkeypatch.setattr(SystemUsersAsSeenByANode, "virksys", withdrawn_meanwhile)
    assert await outcome(nodes[0], virksys()) == "no_system_user"
    assert altinn.reads == 2


async def test_no_token_is_issued_after_the_deletion_however_many_are_under_way(
    nodes: list[Node], altinn: AltinnWithSystemUsers, database: Database
) -> None:
    await altinn.approve(question_of())
    assert await outcome(nodes[0], grant()) == "token"
    asking = [asyncio.create_task(outcome(nodes[number % 2], grant())) for number in range(60)]
    await asyncio.sleep(0)
    await altinn.approve()
    assert [await outcome(server, grant()) for server in nodes] == ["no_system_user"] * 2
    assert set(Counter(await asyncio.gather(*asking))) <= {"token", "no_system_user"}
    outcomes = [event["outcome"] for event in await events(database)]
    assert "permit" not in outcomes[outcomes.index("deny") :]


async def test_those_who_ask_at_once_for_different_things_all_get_an_answer(
    nodes: list[Node], altinn: AltinnWithSystemUsers
) -> None:
    await altinn.approve(question_of())
    await altinn.permit(RIGHTS)
    grants = [one for _ in range(15) for one in (grant(), virksys(), sign(claims_of()))]
    assert await asyncio.gather(*[outcome(nodes[0], one) for one in grants]) == ["token"] * 45


async def test_plain_grants_do_not_wait_for_altinn(nodes: list[Node], altinn: AltinnWithSystemUsers) -> None:
    altinn.silent = True
    assert await outcome(nodes[0], sign(claims_of())) == "token"
    for assertion in (grant(), virksys()):
        answer = await nodes[0].post(assertion)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert body_of(answer)["error"] == "temporarily_unavailable"
