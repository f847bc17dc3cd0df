"""Whatever is sent, the answer is a refusal or a result, and never a fault of ours."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullmakt.infra.database import Database
from tests.support.asking_systems import ACCOUNTANT, CHANGE, CLIENT, CUSTOMER, PUBLIC, REQUEST, USERS, SystemUsersWorld
from tests.support.systemusers import SYSTEM, VENDOR, package, right

_PATHS = [
    *((method, f"{REQUEST}/{path}") for method, path in (
        ("POST", "vendor"), ("POST", "vendor/agent"), ("GET", "vendor/{a}"), ("GET", "vendor/agent/{a}"),
        ("GET", "vendor/byexternalref/{a}/{b}/{c}"), ("GET", "vendor/bysystem/{a}"), ("DELETE", "vendor/{a}"),
        ("GET", "{a}"), ("GET", "{p}/{a}"), ("GET", "{p}/{a}/pending"), ("POST", "{p}/{a}/approve"),
        ("POST", "agent/{p}/{a}/reject"), ("POST", "{p}/{a}/escalate"),
    )),
    *((method, f"{CHANGE}/{path}") for method, path in (
        ("POST", "vendor"), ("GET", "vendor/{a}"), ("GET", "vendor/byexternalref/{a}/{b}/{c}"),
        ("GET", "vendor/bysystem/{a}"), ("DELETE", "vendor/{a}"), ("GET", "{a}"), ("GET", "{p}/{a}"),
        ("POST", "{p}/{a}/approve"), ("POST", "{p}/{a}/reject"),
    )),
    *((method, f"{USERS}/{path}") for method, path in (
        ("GET", "{p}"), ("GET", "agent/{p}"), ("GET", "{p}/{a}"), ("GET", "{p}/{a}/delegations"),
        ("POST", "{p}/create"), ("DELETE", "{p}/{a}"), ("DELETE", "agent/{p}/{a}"), ("GET", "vendor/byquery"),
        ("GET", "vendor/bysystem/{a}"), ("GET", "byExternalId"), ("GET", "internal/systemusers/stream"),
        ("GET", "internal/systemusers/{a}"), ("POST", "agent/{p}/{a}"), ("DELETE", "agent/{p}/{a}/client"),
        ("POST", "agent/{p}/{a}/self"), ("GET", "agent/{p}/clients"), ("GET", "agent/{p}/{a}/{b}/delegations"),
    )),
    *((method, f"{PUBLIC}/{path}") for method, path in (
        ("GET", "agents"), ("GET", "clients/available"), ("GET", "clients"), ("POST", "clients"), ("DELETE", "clients"),
    )),
    ("POST", "/api/v1/virksys/lookup"),
]  # fmt: skip
_NAMES = (
    "token", "correlation-id", "system-user-id", "system-id", "orgno", "external-ref", "clientId", "agent", "client",
    "systemProviderOrgNo", "systemUserOwnerOrgNo", "externalRef", "facilitatorId", "provider", "packages", "party",
)  # fmt: skip
_MEMBERS = (
    "systemId", "partyOrgNo", "externalRef", "rights", "accessPackages", "redirectUrl", "integrationTitle",
    "requiredRights", "unwantedRights", "requiredAccessPackages", "clientId", "part", "scopes", "rettigheit", "hjelper",
    "systemProviderOrgNo",
)  # fmt: skip
_KNOWN = [SYSTEM, VENDOR, CUSTOMER, ACCOUNTANT, CLIENT, "50000002", str(UUID(int=1)), "NzM0Ng", "", "\x00", "9" * 400]
_TEXT = st.sampled_from(_KNOWN) | st.text(max_size=12)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT | st.sampled_from([[right("krav")], [package("skatt")]]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_BODIES = st.dictionaries(st.sampled_from(_MEMBERS), _VALUES, max_size=6).map(lambda body: json.dumps(body).encode())
_CALLS = st.tuples(
    st.sampled_from(_PATHS),
    st.sampled_from(["vendor", "kari", "rita", "maskinporten", "admin"]),
    st.dictionaries(st.sampled_from(_NAMES), _TEXT, max_size=5),
    _BODIES | st.binary(max_size=30),
    st.tuples(_TEXT, _TEXT, _TEXT),
    st.sampled_from(["50000002", "0", "99999999999999999999", "50000003"]),
)


def test_no_request_is_a_fault_of_ours(database_url: str) -> None:
    loop = asyncio.new_event_loop()
    world = SystemUsersWorld(Database(database_url))
    loop.run_until_complete(world.registered())

    async def send(call: tuple[Any, ...]) -> None:
        (method, template), token, query, body, (a, b, c), party = call
        words = {name: quote(value, safe="") or "-" for name, value in (("a", a), ("b", b), ("c", c))}
        path = template.format(p=party, **words)
        answer = await world.send(token, method, path, params=query, content=body)
        assert answer.status_code < 500, (method, path, query, body, answer.text)

    @settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(_CALLS)
    def run(call: tuple[Any, ...]) -> None:
        loop.run_until_complete(send(call))

    try:
        run()
    finally:
        loop.run_until_complete(world.close())
        loop.run_until_complete(world.database.close())
        loop.close()
