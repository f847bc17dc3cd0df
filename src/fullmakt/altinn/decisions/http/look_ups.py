"""What else the system answers: roles, parties and policies (§1), and who can do something (ours)."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from fullmakt.altinn.decisions.http.gateway import AUTHORIZE_ADMIN, Gateway
from fullmakt.altinn.decisions.service import DecisionPoint
from fullmakt.infra.reading import Query, json_body
from fullmakt.infra.routes import folded_route
from fullmakt.kernel.text import is_storable
from fullmakt.wire.altinn import attributes as ids
from fullmakt.wire.altinn.attributes import Attribute
from fullmakt.wire.altinn.parties import PartyIdentity, PartyKind
from fullmakt.wire.altinn.problems import BindingError

_MAX_POLICIES = 100
_PARTY_TYPES = {PartyKind.PERSON: 1, PartyKind.ORGANISATION: 2}


class LookUpEndpoints:
    """Starlette's routes."""

    def __init__(self, service: DecisionPoint, gateway: Gateway) -> None:
        self._service = service
        self._gateway = gateway
        self.routes = [
            folded_route("/api/v1/roles", self.roles),
            folded_route("/api/v1/parties", self.parties),
            folded_route("/api/v1/parties/{party_id}/validate", self.validate),
            folded_route("/api/v1/policies/roleswithaccess/{org}/{app}", self.roles_with_access),
            folded_route("/api/v1/policies/GetPolicies", self.policies, methods=["POST"]),
            folded_route("/api/v1/who-can", self.who_can),
        ]

    async def roles(self, request: Request) -> Response:
        """The roles of a user for a party, to the user itself: ``[{"type", "value"}]``; 404 when there are none."""
        user, party_id = _number(request, "coveredByUserId"), _number(request, "offeredByPartyId")
        person = await self._self(request, "roles", user)
        party = await self._service.identify_party([Attribute(ids.PARTY_ID, str(party_id))])
        if person is None or party is None:
            return Response(status_code=404)
        held = await self._service.held(person.party_uuid, party.party_uuid)
        roles = sorted(one.value for one in held.roles if one.id == ids.ROLE_CODE)
        if not roles:
            return Response(status_code=404)
        return JSONResponse([{"type": "altinn", "value": value} for value in roles])

    async def parties(self, request: Request) -> Response:
        """Those that a user can act for, to the user itself."""
        return JSONResponse([_party(one) for one in await self._represented(request, "parties")])

    async def validate(self, request: Request) -> Response:
        """Whether a user can act for a party: ``true`` or ``false``."""
        party_id = request.path_params["party_id"]
        found = any(str(one.party_id) == party_id for one in await self._represented(request, "parties/validate"))
        return JSONResponse(found)

    async def roles_with_access(self, request: Request) -> Response:
        """The role codes that an app's policy names; 404 without a policy."""
        subjects = await self._service.policy_subjects(f"app_{request.path_params['org']}_{request.path_params['app']}")
        if subjects is None:
            return Response(status_code=404)
        return JSONResponse(sorted({one.value for one in subjects if one.id == ids.ROLE_CODE}))

    async def policies(self, request: Request) -> Response:
        """What the policies of some apps name: ``[{"org", "app"}]`` in, each with ``rules`` of subjects out."""
        wanted = await json_body(request)
        if not isinstance(wanted, list) or len(wanted) > _MAX_POLICIES or not all(map(_is_app, wanted)):
            raise BindingError({"$": [f"a list of at most {_MAX_POLICIES} objects with org and app"]})
        answers = []
        for one in wanted:
            subjects = await self._service.policy_subjects(f"app_{one['org']}_{one['app']}")
            named = sorted(subjects or ())
            answers.append({**one, "subjects": [{"id": each.id, "value": each.value} for each in named]})
        return JSONResponse(answers)

    async def who_can(self, request: Request) -> Response:
        """``?action=&resource=&party=<urn>``: everybody who may, and by what. Needs the admin scope.

        The header ``X-Complete`` is ``false`` when there are more to look at than are looked at.
        """
        caller = await self._gateway.outside(request.headers, "who-can", AUTHORIZE_ADMIN)
        query = Query(request)
        action, resource, urn = (query.text(name) or "" for name in ("action", "resource", "party"))
        name, _, value = urn.rpartition(":")
        given = {"action": action, "resource": resource, "party": value}
        missing = [key for key, one in given.items() if not one or not is_storable(one)]
        if missing:
            raise BindingError({key: [f"The {key} field is required."] for key in missing})
        party = await self._service.identify_party([Attribute(name, value)])
        if party is None:
            raise BindingError({"party": ["names no party that is known, such as " + ids.ORGANISATION + ":<number>"]})
        found = await self._service.who_can(action, resource, party.party_uuid, actor=caller.actor)
        answers = [
            {
                "subject": {"id": one.who.id, "value": one.who.value},
                "name": one.party.name if one.party is not None else None,
                "reason": one.decision.reason,
                "facts": one.decision.facts,
                "holds": [each.urn for each in one.roles],
            }
            for one in found.able
        ]
        complete = {"X-Complete": str(found.complete).lower()}
        return Response(orjson.dumps(answers), headers=complete, media_type="application/json")

    async def _represented(self, request: Request, endpoint: str) -> list[PartyIdentity]:
        person = await self._self(request, endpoint, _number(request, "userId"))
        return await self._service.represented_by(person.party_uuid) if person is not None else []

    async def _self(self, request: Request, endpoint: str, user: int) -> PartyIdentity | None:
        """The user, who must be the one that asks."""
        caller = await self._gateway.oneself(request, endpoint, user)
        return await self._service.identify_party([Attribute(ids.PARTY_UUID, str(caller.party_uuid))])


def _is_app(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("org", "app"))


def _number(request: Request, name: str) -> int:
    number = Query(request).number(name)
    if number is None or number < 1:
        raise BindingError({name: [f"The {name} field is required, and a number above zero."]})
    return number


def _party(party: PartyIdentity) -> dict[str, Any]:
    return {
        "partyId": party.party_id,
        "partyUuid": str(party.party_uuid),
        "partyTypeName": _PARTY_TYPES[party.kind],
        "orgNumber": party.orgno,
        "unitType": party.form,
        "name": party.name,
        "isDeleted": False,
        "onlyHierarchyElementWithNoAccess": False,
        "childParties": None,
    }
