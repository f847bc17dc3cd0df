"""Altinn's consents in another program: what the token server asks over HTTP, and what it makes of the answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fullmakt.infra.database import Database
from fullmakt.infra.unavailable import NeighbourUnavailableError
from fullmakt.jose.compact import parse_compact
from fullmakt.jose.keys import PublicKey
from fullmakt.kernel.clock import FixedClock
from fullmakt.kernel.identifiers import OrgNumber
from fullmakt.maskinporten.tokens.distant_altinn import MAX_ANSWER_BYTES, OwnToken
from fullmakt.maskinporten.tokens.distant_consents import DistantConsents
from fullmakt.serve.assembly import assemble
from fullmakt.serve.settings import ConfigError, Settings
from fullmakt.serve.settings_sections import MaskinportenSettings
from fullmakt.wire.altinn.consents import LOOK_UP_SCOPE, Cause, ConsentQuestion, NoConsent
from tests.support.token_consents import (
    CONSENT,
    CONSENT_ID,
    GIVER,
    RESOURCE,
    AltinnWithConsents,
    consent_given,
    element_of,
)
from tests.support.token_nodes import Node, body_of, node
from tests.support.tokens import ISSUER, NOW, ORGNO, PID, SUPPLIER, RegistryRows, claims_of, payload_of, sign

URL = "https://altinn.test/accessmanagement"
OPERATOR = "991825827"
OTHER_ID = "0d2f8f0e-3b3c-4c1a-9e0a-1f6f2d6d8a55"
QUESTION = ConsentQuestion(CONSENT_ID, GIVER, OrgNumber(ORGNO))


def problem(cause: Cause) -> dict[str, Any]:
    """One cause as Altinn tells it (consent.md §4.16)."""
    return {
        "type": f"urn:altinn:error:{cause.value}", "title": cause.meaning, "status": cause.status, "code": cause.value,
    }  # fmt: skip


class AltinnOverHttp:
    """The look-up, on real requests; the answers are those of ``AltinnWithConsents``.

    ``node`` is the token server, once it runs: a token that its keys have not signed is refused.
    """

    def __init__(self, altinn: AltinnWithConsents) -> None:
        self._altinn = altinn
        self.node: Node | None = None
        self.bodies: list[object] = []
        path = "/accessmanagement/api/v1/maskinporten/consent/lookup"
        self.app = Starlette(routes=[Route(path, self._look_up, methods=["POST"])])

    async def _look_up(self, request: Request) -> Response:
        jws = parse_compact(request.headers["authorization"].removeprefix("Bearer "))
        assert self.node is not None
        key: PublicKey = self.node.service.ring.signer_at(NOW).public  # type: ignore[attr-defined]
        claims = jws.unverified_payload
        signed = key.verify("RS256", jws.signing_input, jws.signature)
        if not signed or (claims["iss"], claims["scope"]) != (ISSUER, LOOK_UP_SCOPE):
            return Response(status_code=403)
        asked = await request.json()
        self.bodies.append(asked)
        receiver = OrgNumber(asked["to"].rpartition(":")[2])
        answer = self._altinn.answer(ConsentQuestion(UUID(asked["id"]), asked["from"], receiver))
        if not isinstance(answer, NoConsent):
            return JSONResponse(answer.document())
        problems = [problem(cause) for cause in answer.causes]
        if len(problems) == 1:
            return JSONResponse(problems[0], problems[0]["status"], media_type="application/problem+json")
        several = {"code": "STD-00001", "status": 500, "problems": problems}
        return JSONResponse(several, 500, media_type="application/problem+json")


@pytest.fixture
def altinn(database: Database) -> AltinnWithConsents:
    return AltinnWithConsents(database)


@pytest.fixture
def there(altinn: AltinnWithConsents) -> AltinnOverHttp:
    return AltinnOverHttp(altinn)


@pytest.fixture
async def server(database_url: str, database: Database, there: AltinnOverHttp) -> AsyncIterator[Node]:
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client()
    async with AsyncExitStack() as stack:
        transport = httpx2.ASGITransport(app=there.app)
        http = await stack.enter_async_context(httpx2.AsyncClient(transport=transport))
        token = OwnToken(database, lambda: ring(there), FixedClock(NOW), issuer=ISSUER, orgno=OPERATOR,
                         scope=LOOK_UP_SCOPE)  # fmt: skip
        there.node = await stack.enter_async_context(node(database_url, consents=DistantConsents(URL, http, token)))
        yield there.node


def ring(there: AltinnOverHttp) -> Any:
    assert there.node is not None
    return there.node.service.ring


def grant() -> str:
    return sign(claims_of(authorization_details=[element_of()]))


async def test_a_consent_is_asked_for_and_answered(
    server: Node, altinn: AltinnWithConsents, there: AltinnOverHttp
) -> None:
    await altinn.give(CONSENT)
    token = payload_of(body_of(await server.post(grant()))["access_token"])
    assert token["authorization_details"] == [CONSENT.element()]
    receiver = f"urn:altinn:organization:identifier-no:{ORGNO}"
    assert there.bodies == [{"id": str(CONSENT_ID), "from": GIVER, "to": receiver}]


async def test_it_is_asked_each_time_and_its_causes_are_passed_on(server: Node, altinn: AltinnWithConsents) -> None:
    await altinn.give(CONSENT)
    assert [(await server.post(grant())).status_code for _ in range(2)] == [200, 200]
    await altinn.revoke()
    assert "(AM-00011)" in body_of(await server.post(grant()))["error_description"]
    altinn.causes = (Cause.NOT_ACCEPTED, Cause.EXPIRED)
    answer = await server.post(grant())
    assert "(AM-00013)" in body_of(answer)["error_description"]
    assert PID not in answer.text
    assert len(altinn.asked) == 4


async def test_the_token_is_kept_for_a_while_and_audited_by_scope(
    server: Node, altinn: AltinnWithConsents, database: Database
) -> None:
    for _ in range(3):
        await server.post(grant())
    query = "SELECT subject FROM audit.event WHERE actor = 'maskinporten' ORDER BY id"
    async with database.transaction() as connection:
        assert [row.subject for row in await connection.exec_driver_sql(query)] == [LOOK_UP_SCOPE]


async def test_an_altinn_that_is_gone_is_a_503(server: Node, altinn: AltinnWithConsents) -> None:
    altinn.silent = True
    answer = await server.post(grant())
    assert (answer.status_code, body_of(answer)["error"]) == (503, "temporarily_unavailable")
    assert (await server.post(sign(claims_of()))).status_code == 200


@pytest.mark.parametrize("url", [None, f"{URL}/", URL], ids=["our own", "elsewhere with a slash", "elsewhere"])
async def test_the_settings_say_which_altinn_is_asked(database_url: str, tmp_path: Path, url: str | None) -> None:
    assembly = assemble(Settings(state=tmp_path, maskinporten=MaskinportenSettings(consents_url=url)), database_url)
    try:
        assert isinstance(assembly.consents, DistantConsents) is (url is not None)
        assert "urn:altinn:consent" in assembly.tokens.details_types
    finally:
        await assembly.close()


def test_an_altinn_elsewhere_is_asked_by_https() -> None:
    with pytest.raises(ConfigError) as wrong:
        Settings.model_validate(
            {"environment": "production", "maskinporten": {"consents_url": "http://altinn.example/accessmanagement"}}
        )
    assert "maskinporten.consents_url: production serves https" in str(wrong.value)


# -- answers of many kinds --------------------------------------------------------------------------------------------


def distant(status: int, body: object) -> tuple[DistantConsents, httpx2.AsyncClient]:
    async def token() -> str:
        return "a token"

    text = body if isinstance(body, str | bytes) else json.dumps(body)
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: httpx2.Response(status, content=text)))
    return DistantConsents(URL, http, token), http


FOUND = CONSENT.document()
(RIGHT,) = FOUND["consentRights"]


def with_right(**changes: Any) -> dict[str, Any]:
    return {**FOUND, "consentRights": [{**RIGHT, **changes}]}


async def test_a_consent_may_be_looked_up_by_the_one_who_handles_it() -> None:
    altinn, http = distant(200, consent_given(receiver=OrgNumber("310943223"), handled_by=OrgNumber(ORGNO)).document())
    async with http:
        found = await altinn.look_up(QUESTION)
    assert not isinstance(found, NoConsent)
    assert (found.receiver, found.handled_by) == ("310943223", ORGNO)


@pytest.mark.parametrize("causes", [(one,) for one in Cause] + [(Cause.EXPIRED, Cause.NOT_ACCEPTED)], ids=str)
async def test_every_problem_is_a_no_with_its_causes(causes: tuple[Cause, ...]) -> None:
    several = {"code": "STD-00001", "status": 500, "problems": [problem(one) for one in causes]}
    altinn, http = distant(500 if len(causes) > 1 else causes[0].status, several if causes[1:] else problem(causes[0]))
    async with http:
        assert await altinn.look_up(QUESTION) == NoConsent(causes)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, ""), (403, ""), (503, problem(Cause.REVOKED)), (204, ""), (302, ""),
        (404, ""), (404, {}), (404, "[]"), (400, {"code": "STD-00000"}), (400, {"code": 5}),
        (500, {"code": "AM-99999"}),
        (500, {"code": "STD-00001", "problems": []}), (500, {"code": "STD-00001", "problems": ["x"]}),
        (500, {"code": "STD-00001", "problems": [problem(Cause.REVOKED), {"code": "AM-99999"}]}),
        (200, ""), (200, "<html>"), (200, "[]"), (200, {}), (200, b"\xff"), (200, " " * (MAX_ANSWER_BYTES + 1)),
        (200, problem(Cause.REVOKED)),
        (200, {**FOUND, "id": OTHER_ID}), (200, {**FOUND, "id": "x"}), (200, {**FOUND, "id": 5}),
        (200, {**FOUND, "from": "urn:altinn:person:identifier-no:1"}), (200, {**FOUND, "from": None}),
        (200, {**FOUND, "to": f"urn:altinn:organization:identifier-no:{SUPPLIER}"}), (200, {**FOUND, "to": ORGNO}),
        (200, {**FOUND, "handledBy": 5}), (200, {**FOUND, "consented": None}), (200, {**FOUND, "validTo": "x"}),
        (200, {**FOUND, "validTo": "2027-01-20T10:34:34"}),
        (200, {**FOUND, "consentRights": []}), (200, {**FOUND, "consentRights": "x"}),
        (200, {**FOUND, "consentRights": [RIGHT] * 1_001}), (200, with_right(resource=[])),
        (200, with_right(resource=[{"type": "x", "value": RESOURCE}])), (200, with_right(action="consent")),
        (200, with_right(resource=[{"type": "urn:altinn:resource", "value": "a\x00b"}])),
        (200, with_right(action=[""])), (200, with_right(metadata={"a": 5})), (200, with_right(metadata={"a": "\x00"})),
        (200, with_right(metadata=["x"])), (200, with_right(metadata={"a": "x" * 10_001})),
    ],
)  # fmt: skip
async def test_what_is_no_answer_to_the_question_is_neither_a_yes_nor_a_no(status: int, body: object) -> None:
    altinn, http = distant(status, body)
    async with http:
        with pytest.raises(NeighbourUnavailableError):
            await altinn.look_up(QUESTION)
