"""The token server's two ways to ask for consents, in our own database and over HTTP, give the same tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from fullmakt.infra.database import Database
from fullmakt.maskinporten.tokens.distant_consents import DistantConsents
from fullmakt.maskinporten.tokens.ports import Consents
from fullmakt.serve.consents import ConsentsToCome
from tests.support.consents import (
    AGENT,
    BANK,
    BFF,
    EXT,
    KARI,
    NOW,
    OLA,
    ONCE,
    OTHER_BANK,
    REQUESTS,
    ConsentSetting,
    person_urn,
    right,
)
from tests.support.token_nodes import Node, body_of, events, node
from tests.support.tokens import CLIENT_ID, RegistryRows, claims_of, payload_of, sign

SCOPE = "skd:inntekt"


@pytest.fixture
async def setting(database: Database) -> AsyncIterator[ConsentSetting]:
    setting = await ConsentSetting(database).begin()
    yield setting
    await setting.end()


@pytest.fixture(params=["in our database", "over HTTP"])
def altinn(request: pytest.FixtureRequest, setting: ConsentSetting) -> Consents:
    async def token() -> str:
        return "maskinporten"

    if request.param == "over HTTP":
        return DistantConsents("https://altinn.test", setting.client, token)
    consents = ConsentsToCome(setting.database)
    consents.are(setting.service)
    return consents


@pytest.fixture
async def server(
    database_url: str, database: Database, altinn: Consents, setting: ConsentSetting
) -> AsyncIterator[Node]:
    rows = RegistryRows(database)
    await rows.scope(SCOPE, access=[BANK, OTHER_BANK, AGENT])
    for client, owner in ((CLIENT_ID, BANK), ("other", OTHER_BANK), ("agent", AGENT)):
        await rows.client(client, client_orgno=owner, scopes=[SCOPE])
    async with node(database_url, consents=altinn, clock=setting.clock) as server:
        yield server


def grant(consent: str, giver: str = KARI, client: str = CLIENT_ID) -> str:
    details = [{"type": "urn:altinn:consent", "id": consent, "from": person_urn(giver)}]
    return sign(claims_of(int(NOW.timestamp()), iss=client, scope=SCOPE, authorization_details=details))


async def told(server: Node, assertion: str) -> str:
    """``token``, or why not."""
    answer = await server.post(assertion)
    if answer.status_code == 200:
        return "token"
    (event,) = await events(server.database, answer.headers["traceparent"].split("-")[1])
    return str(event["reason"])


async def element(server: Node, assertion: str) -> dict[str, Any]:
    answer = await server.post(assertion)
    assert answer.status_code == 200, answer.text
    (element,) = payload_of(body_of(answer)["access_token"])["authorization_details"]
    return dict(element)


async def test_from_the_request_to_the_token_and_from_the_revocation_to_none(
    setting: ConsentSetting, server: Node
) -> None:
    consent = (await setting.requested())["id"]
    assert await told(server, grant(consent)) == "consent_not_accepted"
    accepted = await setting.call("kari", "POST", f"{BFF}/consentrequests/{consent}/accept", {"language": "nb"})
    assert accepted.status_code == 200
    assert await element(server, grant(consent.upper())) == {
        "type": "urn:altinn:consent",
        "id": consent,
        "from": person_urn(KARI),
        "to": {"authority": "iso6523-actorid-upis", "ID": f"0192:{BANK}"},
        "consented": NOW.isoformat(),
        "validTo": (NOW + dt.timedelta(days=365)).isoformat(),
        "consentRights": [right(inntektsaar="2025")],
    }
    assert (await setting.call("kari", "POST", f"{BFF}/consents/{consent}/revoke")).status_code == 200
    assert await told(server, grant(consent)) == "consent_revoked"


async def test_nobody_draws_what_was_not_given_to_it_or_by_another(setting: ConsentSetting, server: Node) -> None:
    consent = await setting.accepted()
    assert await told(server, grant(str(uuid4()))) == "consent_not_found"
    assert await told(server, grant(consent, client="other")) == "consent_not_found"
    assert await told(server, grant(consent, OLA, client="other")) == "consent_not_found"
    assert await told(server, grant(consent, OLA)) == "consent_of_another_giver"
    assert await told(server, grant(consent)) == "token"


async def test_a_consent_that_was_declined_gives_none(setting: ConsentSetting, server: Node) -> None:
    consent = (await setting.requested())["id"]
    await setting.call("kari", "POST", f"{BFF}/consentrequests/{consent}/reject")
    assert await told(server, grant(consent)) == "consent_not_accepted"


async def test_a_supplier_sees_the_consent_and_can_not_draw_it_as_its_own(
    setting: ConsentSetting, server: Node
) -> None:
    consent = await setting.accepted("agent")
    assert (await setting.call("agent", "GET", f"{REQUESTS}/{consent}")).status_code == 200
    assert await told(server, grant(consent, client="agent")) == "consent_for_another_receiver"
    assert await told(server, grant(consent)) == "token"


async def test_a_consent_for_one_time_gives_none_once_its_use_is_logged(setting: ConsentSetting, server: Node) -> None:
    consent = await setting.accepted(consentRights=[right(ONCE)])
    assert await told(server, grant(consent)) == "token"
    used = await setting.call("bank", "POST", f"{EXT}/consents/{consent}/use", {})
    assert used.is_success, used.text
    assert await told(server, grant(consent)) == "consent_revoked"


async def test_the_last_second_of_a_consent_is_its_last(setting: ConsentSetting, server: Node) -> None:
    consent = await setting.accepted(validTo=(NOW + dt.timedelta(seconds=60)).isoformat())
    setting.clock.advance(seconds=59)
    assert await told(server, grant(consent)) == "token"
    setting.clock.advance(seconds=1)
    assert await told(server, grant(consent)) == "consent_expired"
