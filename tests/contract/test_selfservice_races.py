"""Two writers at once: one order or the other, and nothing half done."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest

from fullmakt.infra.database import Database
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from fullmakt.maskinporten.selfservice.errors import ConflictError, InvalidError
from fullmakt.maskinporten.selfservice.model import Caller
from fullmakt.maskinporten.selfservice.registry import PostgresRegistry
from fullmakt.maskinporten.selfservice.service import SelfService
from fullmakt.wire.maskinporten.selfservice import OnBehalfOfBody, ScopeBody
from tests.support.selfservice import (
    ADMIN,
    CONSUMER,
    PROVIDER,
    START,
    client_body,
    declare_provider,
    jwk_of,
    selfservice,
)

OWNER = Caller(PROVIDER, "admin", ADMIN)
SIGNER = LocalSigner.generate()


@pytest.fixture
def service(database: Database) -> SelfService:
    return selfservice(database, FixedClock(START))


async def outcomes(*attempts: Coroutine[Any, Any, object]) -> Counter[str]:
    found = await asyncio.gather(*attempts, return_exceptions=True)
    unexpected = [
        one for one in found if isinstance(one, Exception) and not isinstance(one, ConflictError | InvalidError)
    ]
    assert unexpected == []
    return Counter(type(one).__name__ if isinstance(one, Exception) else "done" for one in found)


async def test_an_id_is_given_once(service: SelfService) -> None:
    attempts = [service.clients.create(OWNER, client_body(client_id="mine", client_name=f"n{n}")) for n in range(8)]
    assert await outcomes(*attempts) == {"done": 1, "ConflictError": 7}
    assert len(await service.clients.of(OWNER)) == 1


async def test_a_scope_is_made_once(service: SelfService) -> None:
    await declare_provider(service)
    body = ScopeBody.model_validate({"prefix": "provider", "subscope": "read", "description": "d"})
    assert await outcomes(*(service.scopes.create(OWNER, body) for _ in range(8))) == {"done": 1, "ConflictError": 7}


async def test_an_onbehalfof_is_added_once(service: SelfService) -> None:
    await service.clients.create(OWNER, client_body(client_id="mine"))
    body = OnBehalfOfBody(onbehalfof="x")
    assert await outcomes(*(service.onbehalfof.add(OWNER, "mine", body) for _ in range(8))) == {
        "done": 1,
        "ConflictError": 7,
    }


async def test_access_given_by_many_at_once_is_given(service: SelfService, database: Database) -> None:
    await declare_provider(service, "read")
    registry = PostgresRegistry(database)
    before = (await registry.changes_since(0)).version
    attempts = [service.accesses.approve(OWNER, "provider:read", CONSUMER) for _ in range(8)]
    assert await outcomes(*attempts) == {"done": 8}
    (access,) = await service.accesses.given(OWNER, scope="provider:read", consumer=None)
    assert access.state == "APPROVED"
    assert (await registry.changes_since(before)).version == before + 1


async def test_five_keys_are_the_most_however_many_add_at_once(service: SelfService) -> None:
    await service.clients.create(OWNER, client_body(client_id="mine"))
    attempts = [service.keys.put(OWNER, "mine", f"k{n}", jwk_of(SIGNER, kid=f"k{n}")) for n in range(9)]
    assert await outcomes(*attempts) == {"done": 5, "InvalidError": 4}
    assert len(await service.keys.of_client(OWNER, "mine")) == 5


async def test_key_sets_put_at_once_end_as_one_of_them(service: SelfService) -> None:
    await service.clients.create(OWNER, client_body(client_id="mine"))
    sets = [[jwk_of(SIGNER, kid=f"s{n}-{k}") for k in range(n % 5 + 1)] for n in range(10)]
    assert await outcomes(*(service.keys.replace_all(OWNER, "mine", keys) for keys in sets)) == {"done": 10}
    left = {key.kid for key in await service.keys.of_client(OWNER, "mine")}
    assert left in [{key.kid for key in keys} for keys in sets]


async def test_replacements_at_once_end_as_one_of_them(service: SelfService) -> None:
    await declare_provider(service, "a", "b", "c")
    await service.clients.create(OWNER, client_body(client_id="mine"))
    wanted = [
        client_body(client_name=f"n{n}", scopes=scopes)
        for n, scopes in enumerate((["provider:a"], ["provider:b", "provider:c"], [], ["provider:a", "provider:c"]))
    ]
    assert await outcomes(*(service.clients.replace(OWNER, "mine", body) for body in wanted)) == {"done": 4}
    left = await service.clients.get(OWNER, "mine")
    assert (left.attributes.client_name, list(left.scopes)) in [(body.client_name, body.scopes) for body in wanted]


async def test_the_operator_and_an_organisation_do_not_trip_over_each_other(service: SelfService) -> None:
    await service.operator.declare_client("mine", PROVIDER, client_body())
    attempts: list[Coroutine[Any, Any, object]] = []
    for number in range(5):
        attempts.append(service.operator.declare_client("mine", PROVIDER, client_body(client_name=f"o{number}")))
        attempts.append(service.clients.replace(OWNER, "mine", client_body(client_name=f"c{number}")))
        attempts.append(service.keys.put(OWNER, "mine", f"k{number}", jwk_of(SIGNER, kid=f"k{number}")))
    assert await outcomes(*attempts) == {"done": 15}
    assert len(await service.keys.of_client(OWNER, "mine")) == 5
