"""Altinn's system users in another program: what the token server asks over HTTP, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

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
from fullmakt.maskinporten.tokens.distant_altinn import MAX_ANSWER_BYTES, OwnToken
from fullmakt.maskinporten.tokens.distant_system_users import DistantSystemUsers
from fullmakt.serve.assembly import assemble
from fullmakt.serve.settings import ConfigError, Settings
from fullmakt.wire.altinn.systemusers import (
    LOOK_UP_SCOPE,
    VIRKSYS_SCOPE,
    Cause,
    NoSystemUser,
    SystemUserQuestion,
    VirksysAnswer,
    VirksysQuestion,
)
from tests.support.token_nodes import Node, body_of, node
from tests.support.token_system_users import (
    CUSTOMER,
    HELPER,
    PART,
    SYSTEM_USER_ID,
    AltinnWithSystemUsers,
    organisation,
    question_of,
    record_of,
)
from tests.support.tokens import CLIENT_ID, ISSUER, NOW, ORGNO, SCOPE, RegistryRows, claims_of, payload_of, sign

URL = "https://altinn.test/authentication"
OPERATOR = "991825827"
VIRKSYS = VirksysQuestion("virksys", ORGNO, PART, (SCOPE,))


class AltinnOverHttp:
    """The two look-ups, on real requests; the answers are those of ``AltinnWithSystemUsers``.

    ``node`` is the token server, once it runs: a token that its keys have not signed is refused.
    """

    def __init__(self, altinn: AltinnWithSystemUsers) -> None:
        self._altinn = altinn
        self.node: Node | None = None
        self.seen: list[Request] = []
        self.app = Starlette(
            routes=[
                Route("/authentication/api/v1/systemuser/byExternalId", self._by_external_id),
                Route("/authentication/api/v1/virksys/lookup", self._virksys, methods=["POST"]),
            ]
        )

    def _is_allowed(self, request: Request, scope: str) -> bool:
        self.seen.append(request)
        jws = parse_compact(request.headers["authorization"].removeprefix("Bearer "))
        assert self.node is not None
        key: PublicKey = self.node.service.ring.signer_at(NOW).public  # type: ignore[attr-defined]
        claims = jws.unverified_payload
        assert (claims["iss"], claims["consumer"]) == (ISSUER, organisation(OPERATOR))
        return key.verify("RS256", jws.signing_input, jws.signature) and claims["scope"] == scope

    async def _by_external_id(self, request: Request) -> Response:
        if not self._is_allowed(request, LOOK_UP_SCOPE):
            return Response(status_code=403)
        asked = request.query_params
        question = SystemUserQuestion(
            asked["clientId"], asked["systemProviderOrgNo"], asked["systemUserOwnerOrgNo"], asked.get("externalRef")
        )
        answer = self._altinn.answer(question)
        if isinstance(answer, NoSystemUser):
            return JSONResponse({"status": 404, "cause": answer.cause.value}, 404)
        return JSONResponse(record_of(question).document(product_name=f"{ORGNO}_accounting", supplier_name="VENDOR AS"))

    async def _virksys(self, request: Request) -> Response:
        if not self._is_allowed(request, VIRKSYS_SCOPE):
            return Response(status_code=403)
        asked = await request.json()
        rights = asked["rettigheit"]
        question = VirksysQuestion(
            asked["clientId"], asked["systemProviderOrgNo"], asked["part"], tuple(asked["scopes"]), asked["hjelper"],
            None if rights is None else tuple(rights),
        )  # fmt: skip
        answer = self._altinn.answer(question)
        if isinstance(answer, NoSystemUser):
            return JSONResponse({"status": 404, "cause": answer.cause.value}, 404)
        assert isinstance(answer, VirksysAnswer)
        return JSONResponse(answer.document())


@pytest.fixture
def altinn(database: Database) -> AltinnWithSystemUsers:
    return AltinnWithSystemUsers(database)


@pytest.fixture
async def server(database_url: str, database: Database, altinn: AltinnWithSystemUsers) -> AsyncIterator[Node]:
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client()
    await rows.client("virksys", integration_type="altinn_virksys")
    there = AltinnOverHttp(altinn)
    async with AsyncExitStack() as stack:
        transport = httpx2.ASGITransport(app=there.app)
        http = await stack.enter_async_context(httpx2.AsyncClient(transport=transport))
        tokens = [own_token(database, scope, lambda: there.node) for scope in (LOOK_UP_SCOPE, VIRKSYS_SCOPE)]
        distant = DistantSystemUsers(URL, http, *tokens)
        there.node = await stack.enter_async_context(node(database_url, system_users=distant, virksys=True))
        yield there.node


def own_token(database: Database, scope: str, server: Callable[[], Node | None]) -> OwnToken:
    def ring() -> Any:
        there = server()
        assert there is not None
        return there.service.ring

    return OwnToken(database, ring, FixedClock(NOW), issuer=ISSUER, orgno=OPERATOR, scope=scope)


def grant(**members: Any) -> str:
    details = [{"type": "urn:altinn:systemuser", "systemuser_org": organisation(), **members}]
    return sign(claims_of(authorization_details=details))


def virksys(**members: Any) -> str:
    details = [{"type": "urn:altinn:virksys", "part": PART, **members}]
    return sign(claims_of(iss="virksys", authorization_details=details))


async def test_both_forms_are_asked_for_and_answered(server: Node, altinn: AltinnWithSystemUsers) -> None:
    await altinn.approve(question_of(external_ref="a ref & more"))
    token = payload_of(body_of(await server.post(grant(externalRef="a ref & more")))["access_token"])
    assert token["authorization_details"][0]["systemuser_id"] == [str(SYSTEM_USER_ID)]
    await altinn.permit(VirksysAnswer(PART, HELPER, ("skatt",)))
    token = payload_of(body_of(await server.post(virksys(hjelper=HELPER, rettigheit=["skatt"])))["access_token"])
    assert token["authorization_details"] == [
        {"type": "urn:altinn:virksys", "part": PART, "hjelper": HELPER, "rettigheit": ["skatt"]}
    ]
    assert altinn.asked == [
        question_of(external_ref="a ref & more"),
        VirksysQuestion("virksys", ORGNO, PART, (SCOPE,), HELPER, ("skatt",)),
    ]


async def test_it_is_asked_each_time_and_its_cause_passed_on(server: Node, altinn: AltinnWithSystemUsers) -> None:
    await altinn.approve(question_of())
    assert [(await server.post(grant())).status_code for _ in range(2)] == [200, 200]
    altinn.cause = Cause.DELETED
    altinn.approved.clear()
    for assertion in (grant(), virksys()):
        answer = body_of(await server.post(assertion))
        assert answer["error"] == "invalid_altinn_customer_configuration"
        assert " has deleted its system user for the system" in answer["error_description"]
    assert altinn.reads == 4


async def test_the_tokens_are_kept_for_a_while_and_audited_by_scope(
    server: Node, altinn: AltinnWithSystemUsers, database: Database
) -> None:
    await altinn.approve(question_of())
    for assertion in (grant(), grant(), virksys(), virksys()):
        await server.post(assertion)
    query = "SELECT subject FROM audit.event WHERE actor = 'maskinporten' ORDER BY id"
    async with database.transaction() as connection:
        assert [row.subject for row in await connection.exec_driver_sql(query)] == [LOOK_UP_SCOPE, VIRKSYS_SCOPE]


@pytest.mark.parametrize(
    ("section", "there", "types"),
    [
        ({}, False, ("urn:altinn:systemuser", "urn:altinn:consent", "urn:altinn:virksys")),
        (
            {"systemusers_url": f"{URL}/", "virksys": False},
            True,
            ("urn:altinn:systemuser", "urn:altinn:consent"),
        ),
    ],
    ids=["our own", "elsewhere"],
)
async def test_the_settings_say_which_altinn_is_asked_and_for_what(
    database_url: str, tmp_path: Path, section: dict[str, Any], there: bool, types: tuple[str, ...]
) -> None:
    assembly = assemble(Settings.model_validate({"state": tmp_path, "maskinporten": section}), database_url)
    try:
        assert isinstance(assembly.look_ups, DistantSystemUsers) is there
        assert assembly.tokens.details_types == types
    finally:
        await assembly.close()


def test_the_form_of_the_seed_is_off_in_production_and_an_altinn_elsewhere_is_asked_by_https() -> None:
    with pytest.raises(ConfigError) as wrong:
        Settings.model_validate(
            {"environment": "production", "maskinporten": {"systemusers_url": "http://altinn.example/authentication"}}
        )
    assert "maskinporten.systemusers_url: production serves https" in str(wrong.value)
    assert Settings().tokens_config().virksys
    assert not Settings.model_construct(environment="production").tokens_config().virksys


# -- answers of many kinds --------------------------------------------------------------------------------------------


def distant(status: int, body: object) -> tuple[DistantSystemUsers, httpx2.AsyncClient]:
    async def token() -> str:
        return "a token"

    text = body if isinstance(body, str | bytes) else json.dumps(body)
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: httpx2.Response(status, content=text)))
    return DistantSystemUsers(URL, http, token, token), http


RECORD = record_of(question_of()).document(product_name="x")
RIGHTS = {"part": PART, "hjelper": HELPER, "rettigheit": ["skatt"]}


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ({"cause": "request_not_approved"}, Cause.NOT_APPROVED),
        ({"cause": "something new"}, Cause.NO_SYSTEM_USER),
        ({"cause": ["x"]}, Cause.NO_SYSTEM_USER),
        ({}, Cause.NO_SYSTEM_USER),
        ("", Cause.NO_SYSTEM_USER),
        ("[]", Cause.NO_SYSTEM_USER),
    ],
)
async def test_a_404_is_a_no_whatever_it_says(body: object, cause: Cause) -> None:
    altinn, http = distant(404, body)
    async with http:
        assert await altinn.system_users([question_of()]) == {question_of(): NoSystemUser(cause)}
        assert await altinn.virksys(VIRKSYS) == NoSystemUser(cause)


async def test_a_number_that_altinn_does_not_take_for_an_organisations_is_none() -> None:
    altinn, http = distant(400, {"title": "One or more validation errors occurred.", "cause": "no_system_user"})
    async with http:
        none = NoSystemUser(Cause.UNKNOWN_ORGANISATION)
        assert await altinn.system_users([question_of()]) == {question_of(): none}
        assert await altinn.virksys(VIRKSYS) == none


async def test_the_rights_that_are_missing_are_passed_on() -> None:
    altinn, http = distant(404, {"cause": "right_missing", "missing": ["skatt", 1, "a\x00", ""]})
    async with http:
        assert await altinn.virksys(VIRKSYS) == NoSystemUser(Cause.RIGHT_MISSING, ("skatt",))
    altinn, http = distant(404, {"cause": "right_missing", "missing": "skatt"})
    async with http:
        assert await altinn.virksys(VIRKSYS) == NoSystemUser(Cause.RIGHT_MISSING)


async def own_name() -> str:
    return "a token"


async def test_an_odd_answer_to_one_question_is_nobody_elses() -> None:
    odd, good = question_of(external_ref="odd"), question_of()

    def altinn_elsewhere(request: httpx2.Request) -> httpx2.Response:
        if request.url.params.get("externalRef") == "odd":
            return httpx2.Response(500)
        return httpx2.Response(200, json=RECORD)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(altinn_elsewhere)) as http:
        altinn = DistantSystemUsers(URL, http, own_name, own_name)
        assert await altinn.system_users([odd, good]) == {good: record_of(good)}
        assert await altinn.system_users([]) == {}


async def test_who_is_slow_to_be_answered_keeps_nobody_waiting() -> None:
    slow, good = question_of(external_ref="slow"), question_of()
    given_up = asyncio.Event()

    async def altinn_elsewhere(request: httpx2.Request) -> httpx2.Response:
        if request.url.params.get("externalRef") != "slow":
            return httpx2.Response(200, json=RECORD)
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()
        raise AssertionError

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(altinn_elsewhere)) as http:
        altinn = DistantSystemUsers(URL, http, own_name, own_name, patience=1)
        assert await altinn.system_users([slow, good]) == {good: record_of(good)}
        assert given_up.is_set()
        with pytest.raises(NeighbourUnavailableError, match="in time"):
            await altinn.system_users([slow])


async def test_altinn_is_not_asked_more_at_a_time_than_it_has_turns() -> None:
    questions = [question_of(external_ref=f"{number}") for number in range(100)]
    busy: list[int] = [0]
    most = 0

    async def altinn_elsewhere(request: httpx2.Request) -> httpx2.Response:
        nonlocal most
        busy[0] += 1
        most = max(most, busy[0])
        await asyncio.sleep(0)
        busy[0] -= 1
        return httpx2.Response(404, json={"cause": "no_system_user"})

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(altinn_elsewhere)) as http:
        answers = await DistantSystemUsers(URL, http, own_name, own_name).system_users(questions)
    assert len(answers) == 100
    assert 1 < most <= 20


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, ""), (403, ""), (500, ""), (204, ""), (302, ""),
        (200, ""), (200, "<html>"), (200, "[]"), (200, {}), (200, b"\xff"), (200, " " * (MAX_ANSWER_BYTES + 1)),
        (200, {**RECORD, "id": "x"}), (200, {**RECORD, "id": 5}), (200, {**RECORD, "created": None}),
        (200, {**RECORD, "userType": "robot"}), (200, {**RECORD, "reporteeOrgNo": "310943223"}),
        (200, {**RECORD, "supplierOrgno": CUSTOMER}), (200, {**RECORD, "isDeleted": True}),
        (200, {**RECORD, "systemId": "a\x00b"}), (200, {**RECORD, "systemId": ""}),
        (200, {**RIGHTS, "part": "0192:310943223"}), (200, {**RIGHTS, "rettigheit": []}),
        (200, {**RIGHTS, "rettigheit": "skatt"}), (200, {**RIGHTS, "rettigheit": [1]}),
        (200, {**RIGHTS, "rettigheit": ["a\x00b"]}), (200, {**RIGHTS, "rettigheit": ["x"] * 1_001}),
        (200, {**RIGHTS, "hjelper": "1"}), (200, {**RIGHTS, "hjelper": 1}),
    ],
)  # fmt: skip
async def test_what_is_no_answer_to_the_question_is_neither_a_yes_nor_a_no(status: int, body: object) -> None:
    altinn, http = distant(status, body)
    async with http:
        with pytest.raises(NeighbourUnavailableError):
            await altinn.system_users([question_of()])
        with pytest.raises(NeighbourUnavailableError):
            await altinn.virksys(VIRKSYS)


@pytest.mark.parametrize(
    "narrowed", [{"hjelper": "0192:310943223"}, {"rettigheit": ("skatt",)}, {"rettigheit": ("x",)}]
)
async def test_rights_that_were_not_asked_for_are_not_taken(narrowed: dict[str, Any]) -> None:
    altinn, http = distant(200, {**RIGHTS, "rettigheit": ["skatt", "mva"]})
    async with http:
        assert await altinn.virksys(VIRKSYS) == VirksysAnswer(PART, HELPER, ("skatt", "mva"))
        with pytest.raises(NeighbourUnavailableError):
            await altinn.virksys(VirksysQuestion(CLIENT_ID, ORGNO, PART, (SCOPE,), **narrowed))


async def test_an_altinn_that_is_gone_is_a_503(server: Node, altinn: AltinnWithSystemUsers) -> None:
    altinn.silent = True
    for assertion in (grant(), virksys()):
        answer = await server.post(assertion)
        assert (answer.status_code, body_of(answer)["error"]) == (503, "temporarily_unavailable")
    assert (await server.post(sign(claims_of()))).status_code == 200
