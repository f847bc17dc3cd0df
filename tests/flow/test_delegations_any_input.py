"""Whatever is sent, the answer is a refusal or a result, and never a fault of ours."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullmakt.infra.database import Database
from fullmakt.wire.altinn import attributes as ids
from tests.support.access_management import Scene
from tests.support.parties import national_id

ORGNO = "910753614"
_ENDPOINTS = [
    *(
        ("GET", f"/api/v1/{path}")
        for path in ("maskinporten/delegations/", "authorizedparty/50000001", "authorizedparties")
    ),
    *((method, "/api/v1/enduser/maskinportensuppliers") for method in ("GET", "POST", "DELETE")),
    *((method, "/api/v1/enduser/maskinportensuppliers/resources") for method in ("GET", "POST", "DELETE")),
    ("GET", "/api/v1/enduser/maskinportenconsumers"),
    ("DELETE", "/api/v1/enduser/maskinportenconsumers/resources"),
    *((method, "/api/v1/enduser/connections") for method in ("GET", "POST", "DELETE")),
    *((method, "/api/v1/enduser/connections/accesspackages") for method in ("GET", "POST", "DELETE")),
    *((method, "/api/v1/enduser/connections/resources/rights") for method in ("GET", "POST", "PUT")),
    *((method, "/api/v1/enduser/connections/resources/instances/rights") for method in ("GET", "POST", "PUT")),
    ("DELETE", "/api/v1/enduser/connections/resources/instances"),
    *(
        ("POST", f"/api/v1/organization/maskinportenschema/{rest}")
        for rest in ("offered", "offered/revoke", "delegationcheck")
    ),
    ("POST", "/api/v1/resourceowner/authorizedparties"),
    ("POST", "/api/v1/serviceowner/connections/accesspackages"),
    ("POST", "/api/v1/policyinformation/getdelegationchanges"),
    ("GET", "/api/v1/policyinformation/accesspackages"),
]
_NAMES = (
    "party", "from", "to", "supplier", "consumer", "supplierOrg", "consumerOrg", "resource", "instance", "scope",
    "package", "packageId", "cascade", "includeRoles", "includeSubParties", "anyOfResourceIds", "orgCode",
)  # fmt: skip
_WORDS = st.sampled_from(
    [
        ORGNO,
        "api",
        "skjema",
        "pakke",
        "true",
        str(UUID(int=1)),
        "urn:altinn:instance-id:1/a",
        "skjema:read",
        "a:b",
        "50000001",
    ]
)
_TEXT = _WORDS | st.text(max_size=20) | st.sampled_from(["\x00", "9" * 400, "١٢٣٤٥٦٧٨٩", "-1", "urn:altinn:partyid"])
_MEMBERS = st.sampled_from(
    ["to", "from", "rights", "resource", "id", "type", "value", "directRightKeys", "personIdentifier", "lastName",
     "packageUrn", "subject", "party", "partyFilter"]
)  # fmt: skip
_IDS = st.sampled_from(
    [getattr(ids, name) for name in ("ORGANISATION", "PERSON", "PARTY_ID", "PARTY_UUID", "USER_ID", "RESOURCE")]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT | _IDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_MEMBERS | _TEXT, inner, max_size=5),
    max_leaves=12,
)
_BODY = st.none() | _JSON | st.dictionaries(_MEMBERS, _JSON, min_size=1, max_size=5) | st.binary(max_size=20)


def _encoded(body: Any) -> dict[str, Any]:
    if body is None:
        return {}
    return {"content": body if isinstance(body, bytes) else json.dumps(body).encode("utf-8", "surrogatepass")}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    endpoint=st.sampled_from(_ENDPOINTS),
    query=st.dictionaries(st.sampled_from(_NAMES), _TEXT, max_size=5),
    known=st.booleans(),
    body=_BODY,
)
def test_no_input_is_a_fault_of_ours(
    database_url: str, endpoint: tuple[str, str], query: dict[str, str], known: bool, body: Any
) -> None:
    async def run() -> int:
        database = Database(database_url)
        async with Scene(database) as scene:
            mine = scene.parties.organisation(ORGNO)
            other = scene.parties.organisation("810418672")
            kari = scene.parties.person(national_id(1))
            scene.resources.add("api", "a:b")
            scene.resources.add("skjema", resource_type="GenericAccessResource")
            scene.packages.add("pakke")
            every = (
                "altinn:portal/enduser",
                "altinn:maskinporten/delegations.admin",
                "altinn:accessmanagement/authorizedparties.admin",
                "altinn:serviceowner/delegations:accesspackage.write",
                "altinn:authorization/authorize",
            )
            scene.administrator("kari", kari, mine, *every)
            scene.authority.permit(kari, "skjema", mine, "read")
            ends = {"party": str(mine.party_uuid), "to": str(other.party_uuid), "from": str(mine.party_uuid)}
            method, path = endpoint
            headers = {"Authorization": "Bearer kari", "Altinn-Party-OrganizationNumber": ORGNO}
            params = {**(ends if known else {}), **query}
            answer = await scene.client.request(method, path, params=params, headers=headers, **_encoded(body))
        await database.close()
        return answer.status_code

    assert asyncio.run(run()) in {200, 201, 204, 400, 403}
