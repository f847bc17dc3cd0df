"""Tokens that carry a consent: what was agreed to counts at once, and what was taken back gives none, on every node."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest

from fullmakt.infra.database import Database
from fullmakt.infra.feed import Changes
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.wire.altinn.consents import Cause, ConsentQuestion, ConsentRight, NoConsent
from fullmakt.wire.maskinporten.errors import CONSENT_REASONS
from tests.support.token_consents import (
    CONSENT,
    CONSENT_ID,
    GIVER,
    AltinnWithConsents,
    ConsentsInOurDatabase,
    consent_given,
    element_of,
)
from tests.support.token_nodes import Node, body_of, events, node, used_grants
from tests.support.tokens import ISSUER, ORGNO, PID, SCOPE, SUPPLIER, RegistryRows, claims_of, payload_of, sign

DELEGATED = "demo:delegated"
SOURCE = "https://altinn.test/"
OPERATOR = "an-operators-client"


@pytest.fixture
async def rows(database: Database) -> RegistryRows:
    rows = RegistryRows(database)
    await rows.delegation_source(SOURCE)
    await rows.scope()
    await rows.scope("demo:closed", access=[])
    await rows.scope(DELEGATED, access=[ORGNO], delegation_source=SOURCE)
    await rows.client(scopes=[SCOPE, "demo:closed"])
    await rows.client(OPERATOR, client_orgno=SUPPLIER, scopes=[DELEGATED])
    return rows


@pytest.fixture
def altinn(database: Database, rows: RegistryRows) -> AltinnWithConsents:
    return AltinnWithConsents(database)


class Delegations:
    """``ORGNO`` has delegated one scope to ``SUPPLIER``."""

    topics: Sequence[str] = ()

    async def delegated_scopes(self, pairs: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], frozenset[str]]:
        """As the port has it."""
        return {pair: frozenset({DELEGATED}) for pair in pairs if pair == (SUPPLIER, ORGNO)}

    async def changes_since(self, version: int) -> Changes:
        """As the port has it."""
        return Changes(version, ())


@pytest.fixture
async def nodes(database_url: str, altinn: AltinnWithConsents) -> AsyncIterator[list[Node]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                node(database_url, consents=ConsentsInOurDatabase(altinn), delegations=Delegations())
            )
            for _ in range(2)
        ]


def grant(consent: UUID | str = CONSENT_ID, giver: str = GIVER, /, **claims: Any) -> str:
    return sign(claims_of(**{"authorization_details": [element_of(consent, giver)], **claims}))


def supplied(consent: UUID = CONSENT_ID, **claims: Any) -> str:
    return grant(consent, **{"iss": OPERATOR, "scope": DELEGATED, "consumer_org": ORGNO, **claims})


async def outcome(server: Node, assertion: str) -> str:
    """``token``, or the reason for the refusal in the trail."""
    answer = await server.post(assertion)
    if answer.status_code == 200:
        return "token"
    (event,) = await events(server.database, answer.headers["traceparent"].split("-")[1])
    return str(event["reason"])


def organisation(orgno: str) -> dict[str, str]:
    return {"authority": "iso6523-actorid-upis", "ID": f"0192:{orgno}"}


# -- tokens -----------------------------------------------------------------------------------------------------------


async def test_a_consent_token_is_the_one_of_the_protocol(
    nodes: list[Node], altinn: AltinnWithConsents, database: Database
) -> None:
    await altinn.give(CONSENT)
    token = payload_of(body_of(await nodes[0].post(grant()))["access_token"])
    assert token["authorization_details"] == [
        {
            "type": "urn:altinn:consent",
            "id": str(CONSENT_ID),
            "from": GIVER,
            "to": organisation(ORGNO),
            "consented": "2026-11-20T10:34:39.676924+00:00",
            "validTo": "2027-01-20T10:34:34+00:00",
            "consentRights": [
                {
                    "action": ["consent"],
                    "resource": [{"type": "urn:altinn:resource", "value": "standard-samtykke-for-dele-data"}],
                    "metadata": {"inntektsaar": "2024"},
                }
            ],
        }
    ]
    assert token["consumer"] == organisation(ORGNO)
    assert token.keys() == {
        "iss", "client_amr", "token_type", "scope", "iat", "exp", "jti", "client_id", "consumer",
        "authorization_details",
    }  # fmt: skip
    (event,) = await events(database)
    assert (event["outcome"], event["facts"]["consent_id"]) == ("permit", str(CONSENT_ID))
    assert event["facts"]["resources"] == ["standard-samtykke-for-dele-data"]
    assert PID not in str(event)


async def test_a_suppliers_token_is_for_the_consumer_that_was_consented_to_and_names_the_supplier(
    nodes: list[Node], altinn: AltinnWithConsents
) -> None:
    await altinn.give(consent_given(handled_by=OrgNumber(SUPPLIER)))
    token = payload_of(body_of(await nodes[0].post(supplied()))["access_token"])
    assert (token["consumer"], token["supplier"]) == (organisation(ORGNO), organisation(SUPPLIER))
    assert token["delegation_source"] == SOURCE
    assert token["authorization_details"][0]["to"] == organisation(ORGNO)
    assert altinn.asked == [ConsentQuestion(CONSENT_ID, GIVER, OrgNumber(ORGNO))]


async def test_a_supplier_can_not_draw_its_consumers_consent_as_its_own(
    nodes: list[Node], altinn: AltinnWithConsents, rows: RegistryRows
) -> None:
    await rows.scope("demo:operator", access=[SUPPLIER])
    await rows.client("own", client_orgno=SUPPLIER, scopes=["demo:operator"])
    await altinn.give(consent_given(handled_by=OrgNumber(SUPPLIER)))
    assert await outcome(nodes[0], grant(iss="own", scope="demo:operator")) == "consent_for_another_receiver"
    await altinn.give(CONSENT)
    assert await outcome(nodes[0], grant(iss="own", scope="demo:operator")) == "consent_not_found"


async def test_a_consent_does_without_metadata_and_with_text_of_any_kind(
    nodes: list[Node], altinn: AltinnWithConsents
) -> None:
    rights = (ConsentRight("plain"), ConsentRight("rich", metadata={"navn": 'Bank"en\\ <Æ> \u202e'}))
    await altinn.give(consent_given(rights=rights))
    token = payload_of(body_of(await nodes[0].post(grant()))["access_token"])
    said = token["authorization_details"][0]["consentRights"]
    assert "metadata" not in said[0]
    assert said[1]["metadata"] == {"navn": 'Bank"en\\ <Æ> \u202e'}


@pytest.mark.parametrize("consents", [True, False], ids=["there", "not there"])
async def test_the_metadata_name_consent_only_where_it_can_be_asked_for(
    database_url: str, altinn: AltinnWithConsents, consents: bool
) -> None:
    port = ConsentsInOurDatabase(altinn) if consents else None
    async with node(database_url, consents=port) as server:
        metadata = body_of(await server.http.get("/.well-known/oauth-authorization-server"))
        assert ("authorization_details_types_supported" in metadata) is consents
        assert metadata.get("authorization_details_types_supported", ["urn:altinn:consent"]) == ["urn:altinn:consent"]
        assert (await outcome(server, grant()) == "unknown_authorization_details_type") is not consents


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", list(Cause))
async def test_a_consent_that_can_not_be_drawn_is_mp_303_with_altinns_code_in_words_and_facts(
    nodes: list[Node], altinn: AltinnWithConsents, cause: Cause
) -> None:
    altinn.causes = (cause,)
    answer = await nodes[0].post(grant())
    body = body_of(answer)
    assert (answer.status_code, body["error"], body["error_uri"]) == (400, "invalid_grant", f"{ISSUER}errors/MP-303")
    assert body["error_description"].startswith("Invalid authorization details values ")
    assert f"({cause.value})" in body["error_description"]
    assert PID not in answer.text
    (event,) = await events(nodes[0].database, answer.headers["traceparent"].split("-")[1])
    assert (event["outcome"], event["reason"]) == ("deny", CONSENT_REASONS[cause])
    assert event["facts"] == {"id": str(CONSENT_ID), "receiver": ORGNO, "causes": {cause.value: cause.meaning}}


REFUSALS = [
    ([], "malformed_assertion"),
    ([element_of(), element_of(uuid4())], "malformed_assertion"),
    ([{**element_of(), "to": GIVER}], "unknown_authorization_details_field"),
    ([element_of("x")], "invalid_authorization_details"),
    ([element_of(giver=PID)], "invalid_authorization_details"),
    ([{"type": "urn:altinn:samtykke", "consent_id": str(CONSENT_ID)}], "unknown_authorization_details_type"),
    ([{"type": "urn:altinn:systemuser", "systemuser_org": organisation(ORGNO)}], "unknown_authorization_details_type"),
]


async def test_what_can_not_be_asked_for_is_refused_and_altinn_not_asked(
    nodes: list[Node], altinn: AltinnWithConsents, subtests: pytest.Subtests
) -> None:
    for details, reason in REFUSALS:
        with subtests.test(str(details)):
            assert await outcome(nodes[0], sign(claims_of(authorization_details=details))) == reason
    assert await outcome(nodes[0], sign(claims_of(**element_of()))) == "malformed_assertion"
    assert await used_grants(nodes[0].database) == len(REFUSALS)
    assert altinn.asked == []


async def test_what_is_wrong_with_scopes_and_delegations_comes_first(
    nodes: list[Node], altinn: AltinnWithConsents
) -> None:
    assert await outcome(nodes[0], grant(scope="demo:closed")) == "no_access"
    assert await outcome(nodes[0], grant(scope="demo:unknown")) == "invalid_scope"
    assert await outcome(nodes[0], supplied(consumer_org="310943223")) == "not_delegated"
    assert altinn.asked == []


async def test_a_consent_given_to_somebody_else_can_not_be_drawn(nodes: list[Node], altinn: AltinnWithConsents) -> None:
    await altinn.give(consent_given(receiver=OrgNumber("310943223")))
    for assertion in (grant(), supplied()):
        assert await outcome(nodes[0], assertion) == "consent_not_found"
    await altinn.give(CONSENT)
    other = "urn:altinn:organization:identifier-no:310943223"
    assert await outcome(nodes[0], grant(CONSENT_ID, other)) == "consent_of_another_giver"


# -- freshness --------------------------------------------------------------------------------------------------------


async def test_a_consent_counts_for_the_next_token_on_every_node_and_so_does_its_revocation(
    nodes: list[Node], altinn: AltinnWithConsents
) -> None:
    altinn.causes = (Cause.NOT_ACCEPTED,)
    assert [await outcome(server, grant()) for server in nodes] == ["consent_not_accepted"] * 2
    await altinn.give(CONSENT)
    assert [await outcome(server, grant()) for server in nodes] == ["token"] * 2
    await altinn.revoke()
    assert [await outcome(server, grant()) for server in nodes] == ["consent_revoked"] * 2


async def test_a_consent_whose_time_runs_out_gives_none_though_nothing_was_announced(
    nodes: list[Node], altinn: AltinnWithConsents
) -> None:
    await altinn.give(CONSENT)
    assert await outcome(nodes[0], grant()) == "token"
    altinn.given.clear()
    altinn.causes = (Cause.EXPIRED,)
    assert await outcome(nodes[0], grant()) == "consent_expired"


@pytest.mark.parametrize("ask", [grant, supplied], ids=["consumer", "supplier"])
async def test_a_consent_that_is_revoked_before_the_token_is_written_down_gives_none(
    nodes: list[Node], altinn: AltinnWithConsents, monkeypatch: pytest.MonkeyPatch, ask: Any
) -> None:
    await altinn.give(CONSENT)
    answer = altinn.answer

    async def revoked_meanwhile(_self: object, question: ConsentQuestion) -> object:
        said = answer(question)
        if not isinstance(said, NoConsent):
            await altinn.revoke()
        return said

    monkeypatch.setattr(ConsentsInOurDatabase, "look_up", revoked_meanwhile)
    assert await outcome(nodes[0], ask()) == "consent_revoked"
    assert len(altinn.asked) == 2
    assert [event["outcome"] for event in await events(nodes[0].database)] == ["deny"]


async def test_a_consent_that_is_given_before_the_refusal_is_written_down_gives_a_token(
    nodes: list[Node], altinn: AltinnWithConsents, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = altinn.answer

    async def given_meanwhile(_self: object, question: ConsentQuestion) -> object:
        said = answer(question)
        if isinstance(said, NoConsent):
            await altinn.give(CONSENT)
        return said

    monkeypatch.setattr(ConsentsInOurDatabase, "look_up", given_meanwhile)
    assert await outcome(nodes[0], grant()) == "token"
    assert [event["outcome"] for event in await events(nodes[0].database)] == ["permit"]


async def test_changes_of_other_consents_hold_up_nobody(
    nodes: list[Node], altinn: AltinnWithConsents, monkeypatch: pytest.MonkeyPatch
) -> None:
    await altinn.give(CONSENT)
    answer = altinn.answer

    async def busy(_self: object, question: ConsentQuestion) -> object:
        said = answer(question)
        await altinn.announce(uuid4())
        return said

    monkeypatch.setattr(ConsentsInOurDatabase, "look_up", busy)
    assert [await outcome(nodes[0], grant()) for _ in range(3)] == ["token"] * 3
    assert len(altinn.asked) == 3


async def test_no_token_is_issued_after_the_revocation_however_many_are_under_way(
    nodes: list[Node], altinn: AltinnWithConsents, database: Database
) -> None:
    await altinn.give(CONSENT)
    assert await outcome(nodes[0], grant()) == "token"
    asking = [asyncio.create_task(outcome(nodes[number % 2], grant())) for number in range(60)]
    await asyncio.sleep(0)
    await altinn.revoke()
    assert [await outcome(server, grant()) for server in nodes] == ["consent_revoked"] * 2
    assert set(Counter(await asyncio.gather(*asking))) <= {"token", "consent_revoked"}
    outcomes = [event["outcome"] for event in await events(database)]
    assert "permit" not in outcomes[outcomes.index("deny") :]


async def test_a_grant_is_good_once_whatever_becomes_of_the_consent(
    nodes: list[Node], altinn: AltinnWithConsents
) -> None:
    await altinn.give(CONSENT)
    assertion = grant()
    assert await outcome(nodes[0], assertion) == "token"
    await altinn.announce(CONSENT_ID)
    for server in nodes:
        answer = body_of(await server.post(assertion))
        assert answer["error_uri"] == f"{ISSUER}errors/MP-012"


async def test_those_who_ask_at_once_for_different_things_all_get_an_answer(
    nodes: list[Node], altinn: AltinnWithConsents
) -> None:
    others = [consent_given(id=uuid4()) for _ in range(15)]
    await altinn.give(CONSENT, *others)
    grants = [one for other in others for one in (grant(), grant(other.id), sign(claims_of()), supplied())]
    assert await asyncio.gather(*[outcome(nodes[0], one) for one in grants]) == ["token"] * 60


async def test_plain_grants_do_not_wait_for_altinn(nodes: list[Node], altinn: AltinnWithConsents) -> None:
    altinn.silent = True
    assert await outcome(nodes[0], sign(claims_of())) == "token"
    answer = await nodes[0].post(grant())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert body_of(answer)["error"] == "temporarily_unavailable"
