"""The SDKs with tokens that carry a consent: a consumer draws one, and the data source sees what was agreed to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fullmakt.client import (
    AsyncMaskinportenClient,
    AuthorizationDetailsError,
    Credentials,
    MaskinportenAuth,
    consent,
)
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import RemoteKeys, TokenVerifier, consent_of, require_consent
from fullmakt.wire.altinn.consents import Cause
from tests.support.token_consents import CONSENT, CONSENT_ID, RESOURCE, AltinnWithConsents, ConsentsInOurDatabase
from tests.support.token_nodes import Node, node
from tests.support.tokens import CLIENT_ID, ISSUER, NOW, ORGNO, PID, SCOPE, RegistryRows, key_number


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def altinn(database: Database) -> AltinnWithConsents:
    return AltinnWithConsents(database)


@pytest.fixture
async def server(
    database_url: str, database: Database, altinn: AltinnWithConsents, clock: FixedClock
) -> AsyncIterator[Node]:
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client()
    async with node(database_url, clock=clock, consents=ConsentsInOurDatabase(altinn)) as server:
        yield server


@pytest.fixture
def consumer(server: Node, clock: FixedClock) -> AsyncMaskinportenClient:
    return AsyncMaskinportenClient(Credentials(ISSUER, CLIENT_ID, key_number(1)), clock=clock, http=server.http)


@pytest.fixture
def source(server: Node, clock: FixedClock) -> httpx2.ASGITransport:
    """A data source that answers with what was agreed to, as the provider's SDK reads and checks the token."""
    verifier = TokenVerifier(ISSUER, keys=RemoteKeys(ISSUER, clock=clock, http=server.http), clock=clock)

    async def answer(request: Request) -> Response:
        token = await verifier.verify(request.headers["authorization"].removeprefix("Bearer "), scopes=[SCOPE])
        given = consent_of(token)
        right = require_consent(given, token, PID, services={RESOURCE}, now=clock())
        assert given is not None
        return JSONResponse([str(given.id), token.consumer, right.resource, dict(right.metadata)])

    return httpx2.ASGITransport(app=Starlette(routes=[Route("/", answer)]))


async def test_a_data_source_sees_the_consent_whose_token_it_was_sent(
    consumer: AsyncMaskinportenClient, source: httpx2.ASGITransport, altinn: AltinnWithConsents
) -> None:
    await altinn.give(CONSENT)
    auth = MaskinportenAuth(consumer, SCOPE, authorization_details=consent(CONSENT_ID, PID))
    async with httpx2.AsyncClient(transport=source, auth=auth, base_url="http://source.test") as http:
        for _ in range(2):
            assert (await http.get("/")).json() == [str(CONSENT_ID), ORGNO, RESOURCE, {"inntektsaar": "2024"}]
    assert len(altinn.asked) == 1


@pytest.mark.parametrize("cause", list(Cause))
async def test_the_error_tells_why_a_consent_can_not_be_drawn(
    consumer: AsyncMaskinportenClient, altinn: AltinnWithConsents, cause: Cause
) -> None:
    altinn.causes = (cause,)
    with pytest.raises(AuthorizationDetailsError) as refused:
        await consumer.token(SCOPE, authorization_details=consent(CONSENT_ID, PID))
    assert (refused.value.code, refused.value.consent_cause, refused.value.cause) == ("MP-303", cause, None)
    assert PID not in str(refused.value)


async def test_whoever_waits_for_an_answer_is_told_that_it_is_not_there_yet_and_then_gets_the_token(
    consumer: AsyncMaskinportenClient, altinn: AltinnWithConsents
) -> None:
    altinn.causes = (Cause.NOT_ACCEPTED,)
    with pytest.raises(AuthorizationDetailsError) as pending:
        await consumer.token(SCOPE, authorization_details=consent(CONSENT_ID, PID))
    assert pending.value.consent_cause is Cause.NOT_ACCEPTED
    await altinn.give(CONSENT)
    assert await consumer.token(SCOPE, authorization_details=consent(CONSENT_ID, PID))
