"""The SDKs and the command line with tokens for systems: a system asks, the API sees whom it acts for."""

from __future__ import annotations

import shlex
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx2
import pytest
import typer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner

from fullmakt.cli import context
from fullmakt.cli import token as token_command
from fullmakt.client import (
    AsyncMaskinportenClient,
    AuthorizationDetailsError,
    Credentials,
    MaskinportenAuth,
    consent,
    system_user,
    virksys,
)
from fullmakt.infra.database import Database
from fullmakt.kernel.clock import FixedClock
from fullmakt.provider import RemoteKeys, TokenVerifier
from fullmakt.wire.altinn.systemusers import Cause, VirksysAnswer
from fullmakt.world.files import Profile, WorldFiles
from tests.support.sockets import served, url_of
from tests.support.token_consents import CONSENT_ID, element_of
from tests.support.token_nodes import Node, node
from tests.support.token_system_users import (
    CUSTOMER,
    HELPER,
    PART,
    SYSTEM_USER_ID,
    AltinnWithSystemUsers,
    SystemUsersAsSeenByANode,
    question_of,
)
from tests.support.tokens import ISSUER, NOW, ORGNO, PID, SCOPE, RegistryRows, key_number, payload_of

SYSTEM = "enterprise-system"
RIGHTS = VirksysAnswer(PART, HELPER, ("merverdiavgift", "skatt"))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def altinn(database: Database) -> AltinnWithSystemUsers:
    return AltinnWithSystemUsers(database)


@pytest.fixture
async def server(
    database_url: str, database: Database, altinn: AltinnWithSystemUsers, clock: FixedClock
) -> AsyncIterator[Node]:
    rows = RegistryRows(database)
    await rows.scope()
    await rows.client(SYSTEM, integration_type="altinn_virksys", client_name="Turboskatt")
    users = SystemUsersAsSeenByANode(altinn)
    async with node(database_url, clock=clock, system_users=users, virksys=True) as server:
        yield server


@pytest.fixture
def consumer(server: Node, clock: FixedClock) -> AsyncMaskinportenClient:
    return AsyncMaskinportenClient(Credentials(ISSUER, SYSTEM, key_number(1)), clock=clock, http=server.http)


@pytest.fixture
def api(server: Node, clock: FixedClock) -> httpx2.ASGITransport:
    """Answers with whom the caller acts for, as the provider's SDK reads the token."""
    verifier = TokenVerifier(ISSUER, keys=RemoteKeys(ISSUER, clock=clock, http=server.http), clock=clock)

    async def answer(request: Request) -> Response:
        token = await verifier.verify(request.headers["authorization"].removeprefix("Bearer "), scopes=[SCOPE])
        user, rights = token.system_user, token.enterprise
        return JSONResponse(
            {
                "consumer": token.consumer,
                "system_user": user and [str(user.id), user.organisation, user.system_id],
                "enterprise": rights and [rights.part, rights.hjelper, sorted(rights.rettigheit)],
            }
        )

    return httpx2.ASGITransport(app=Starlette(routes=[Route("/", answer)]))


async def test_an_api_sees_the_system_user_whose_token_it_was_sent(
    consumer: AsyncMaskinportenClient, api: httpx2.ASGITransport, altinn: AltinnWithSystemUsers
) -> None:
    await altinn.approve(question_of(client_id=SYSTEM), question_of(external_ref="ref", client_id=SYSTEM))
    for element in (system_user(CUSTOMER), system_user(CUSTOMER, "ref")):
        auth = MaskinportenAuth(consumer, SCOPE, authorization_details=element)
        async with httpx2.AsyncClient(transport=api, auth=auth, base_url="http://api.test") as http:
            for _ in range(2):
                assert (await http.get("/")).json() == {
                    "consumer": ORGNO,
                    "system_user": [str(SYSTEM_USER_ID), CUSTOMER, f"{ORGNO}_accounting"],
                    "enterprise": None,
                }


async def test_an_api_sees_the_rights_in_a_virksomhetstoken(
    consumer: AsyncMaskinportenClient, api: httpx2.ASGITransport, altinn: AltinnWithSystemUsers
) -> None:
    await altinn.permit(RIGHTS)
    auth = MaskinportenAuth(consumer, SCOPE, authorization_details=virksys(PART))
    async with httpx2.AsyncClient(transport=api, auth=auth, base_url="http://api.test") as http:
        assert (await http.get("/")).json() == {
            "consumer": ORGNO,
            "system_user": None,
            "enterprise": ["999888777", "888666555", ["merverdiavgift", "skatt"]],
        }
    assert altinn.reads == 1


@pytest.mark.parametrize("cause", list(Cause))
async def test_the_error_tells_which_of_the_causes_it_was(
    consumer: AsyncMaskinportenClient, altinn: AltinnWithSystemUsers, cause: Cause
) -> None:
    altinn.cause = cause
    with pytest.raises(AuthorizationDetailsError) as refused:
        await consumer.token(SCOPE, authorization_details=virksys(PART, rettigheit=["skatt"]))
    assert (refused.value.code, refused.value.cause, refused.value.reason) == ("MP-303", cause, cause.value)
    assert refused.value.error == "invalid_altinn_customer_configuration"


@pytest.mark.parametrize(
    ("element", "code"),
    [
        ({"type": "urn:altinn:consent"}, "MP-301"),
        ({**virksys(PART), "Part": PART}, "MP-302"),
        ({**virksys(PART), "part": "999888777"}, "MP-303"),
    ],
)
async def test_what_can_not_be_asked_for_is_an_error_of_the_same_kind_without_a_cause(
    consumer: AsyncMaskinportenClient, element: dict[str, object], code: str
) -> None:
    with pytest.raises(AuthorizationDetailsError) as refused:
        await consumer.token(SCOPE, authorization_details=element)
    assert (refused.value.code, refused.value.cause, refused.value.error) == (code, None, "invalid_grant")


# -- the command line -------------------------------------------------------------------------------------------------

app = typer.Typer()
token_command.register(app)


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[str]:
    """A world on this machine with the client, and a token server that has metadata and no more."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = url_of(listening)

        async def metadata(_request: Request) -> Response:
            return JSONResponse({"issuer": url, "token_endpoint": f"{url}token"})

        files = WorldFiles(tmp_path)
        files.ensure_key(SYSTEM)
        files.write_profile(
            Profile(SYSTEM, SYSTEM, ORGNO, "altinn_virksys", (SCOPE,), "key", key_file=files.key_path(SYSTEM).name)
        )
        context.provide(_no_world, lambda: context.Place(tmp_path, url, url))
        app = Starlette(routes=[Route("/.well-known/oauth-authorization-server", metadata)])
        with served(app, listening):
            yield url


def _no_world() -> AbstractAsyncContextManager[context.OpenWorld]:
    raise AssertionError("a token needs no world that is open")


@pytest.mark.parametrize(
    ("options", "element"),
    [
        (["--systemuser-org", CUSTOMER], system_user(CUSTOMER)),
        (["--systemuser-org", f"0192:{CUSTOMER}", "--external-ref", "a ref"], system_user(CUSTOMER, "a ref")),
        (["--part", PART], virksys(PART)),
        (
            ["--part", PART, "--hjelper", HELPER, "--rettigheit", "skatt", "--rettigheit", "mva"],
            virksys(PART, hjelper=HELPER, rettigheit=["skatt", "mva"]),
        ),
        (["--consent", str(CONSENT_ID), "--from", PID], element_of()),
        (["--consent", str(CONSENT_ID), "--from", CUSTOMER], consent(CONSENT_ID, CUSTOMER)),
    ],
)
def test_the_command_asks_for_a_token_with_details(issuer: str, options: list[str], element: dict[str, object]) -> None:
    line = run("token", "--client", SYSTEM, "--scope", SCOPE, *options, "--curl")
    words = shlex.split(line)
    grant = next(word.partition("=")[2] for word in words if word.startswith("assertion="))
    claims = payload_of(grant)
    assert (claims["authorization_details"], claims["aud"], words[-1]) == ([element], issuer, f"{issuer}token")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--systemuser-org", CUSTOMER, "--part", PART], "give one of them"),
        (["--external-ref", "a ref"], "--external-ref goes with --systemuser-org"),
        (["--hjelper", HELPER], "go with --part"),
        (["--systemuser-org", CUSTOMER, "--rettigheit", "skatt"], "go with --part"),
        (["--systemuser-org", "12"], "an organisation number is nine digits"),
        (["--part", "9908:999888777"], "is not Enhetsregisteret"),
        (["--consent", str(CONSENT_ID)], "--consent and --from go together"),
        (["--from", PID], "--consent and --from go together"),
        (["--consent", "x", "--from", PID], "a consent's id is a UUID"),
        (["--consent", str(CONSENT_ID), "--from", PID[:-1]], "a party is eleven digits, nine digits, or the URN"),
        (["--consent", str(CONSENT_ID), "--from", PID, "--part", PART], "give one of them"),
    ],
)
@pytest.mark.parametrize("command", [["token"], ["call", "http://127.0.0.1:1/"]], ids=["token", "call"])
def test_options_that_do_not_go_together_are_told(command: list[str], options: list[str], told: str) -> None:
    assert told in run(*command, "--client", SYSTEM, "--scope", SCOPE, *options, code=2)
