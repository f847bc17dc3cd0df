"""What goes out: camelCase, and nothing that is null (altinn-authentication.md §1, §8 to §11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from fullmakt.altinn.systemusers.documents import package_document, right_document
from fullmakt.altinn.systemusers.requests.answering import Shown
from fullmakt.altinn.systemusers.requests.asking import PAGE_SIZE
from fullmakt.altinn.systemusers.requests.changing import ShownChange
from fullmakt.altinn.systemusers.requests.model import RequestStatus, SystemUserRequest
from fullmakt.altinn.systemusers.requests.rules import timed_out
from fullmakt.altinn.systemusers.users.model import Client, Page, SystemUser
from fullmakt.altinn.systemusers.work import Work
from fullmakt.infra.opaque import opaque
from fullmakt.wire.altinn.delegations import Given, GivenKind
from fullmakt.wire.altinn.systemusers import UserType

Document = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Urls:
    """Public URLs without a slash at the end: ``api`` the system's own, ``pages`` where people answer."""

    api: str
    pages: str


@dataclass(frozen=True, slots=True)
class Documents:
    """Writes them. The clock tells which requests have timed out."""

    urls: Urls
    work: Work

    def request(self, request: SystemUserRequest) -> Document:
        """A request, as the vendor sees it (§8.1)."""
        key = request.key
        agent = key.kind is UserType.AGENT
        rights = {} if agent else {"rights": [right_document(right) for right in request.rights]}
        return {
            "id": str(request.request_id),
            "integrationTitle": request.integration_title,
            "externalRef": key.external_ref,
            "systemId": key.system_id,
            "partyOrgNo": str(key.party),
            **rights,
            "accessPackages": [package_document(name) for name in request.packages],
            "status": str(request.status),
            "redirectUrl": request.redirect_url,
            "confirmUrl": self.confirm_url("agentrequest" if agent else "request", str(request.request_id)),
            "escalated": request.escalated,
            "created": moment(request.created),
            "timedOut": timed_out(request.created, self.work.clock()),
        }

    def shown(self, shown: Shown) -> Document:
        """A request, as those who are asked see it (§8.3)."""
        return {
            **self.request(shown.request),
            "partyId": shown.party.party_id,
            "partyUuid": str(shown.party.party_uuid),
            "userMayEscalateButNotApprove": shown.may_escalate_only,
            "systemUserType": shown.request.key.kind.value,
        }

    def change(self, shown: ShownChange) -> Document:
        """A change request (§9)."""
        change, user = shown.change, shown.user
        asked = change.alteration
        needed = change.status is not RequestStatus.NO_CHANGE_NEEDED
        change_id = str(change.change_request_id)
        return {
            "id": change_id,
            "systemUserId": str(user.system_user_id),
            "systemId": user.system_id,
            "partyOrgNo": str(user.owner.orgno),
            "externalRef": user.external_ref,
            "requiredRights": [right_document(right) for right in asked.required_rights],
            "unwantedRights": [right_document(right) for right in asked.unwanted_rights],
            "requiredAccessPackages": [package_document(name) for name in asked.required_packages],
            "unwantedAccessPackages": [package_document(name) for name in asked.unwanted_packages],
            "status": str(change.status),
            "redirectUrl": change.redirect_url,
            "confirmUrl": self.confirm_url("changerequest", change_id) if needed else "",
            "created": moment(change.created),
        }

    def shown_change(self, shown: ShownChange) -> Document:
        """A change request, as those who are asked see it."""
        owner = shown.user.owner
        return {**self.change(shown), "partyId": owner.party_id, "partyUuid": str(owner.party_uuid)}

    def confirm_url(self, page: str, request_id: str) -> str:
        """Where people answer."""
        path = f"{self.urls.pages}/accessmanagement/ui/systemuser/{page}"
        return f"{path}?{urlencode({'id': request_id, 'DONTCHOOSEREPORTEE': 'true'})}"

    def page_of_system(
        self,
        path: str,
        system_id: str,
        found: Sequence[T],
        number: Callable[[T], int],
        document: Callable[[T], Document],
    ) -> Document:
        """The first fifty of what was found of a system, below ``path``; when that is more, where the next ones are."""
        shown = found[:PAGE_SIZE]
        following = number(shown[-1]) if len(found) > PAGE_SIZE else None
        return self.page(f"{path}/bysystem/{quote(system_id, safe='')}", [document(one) for one in shown], following)

    def page(self, path: str, documents: Sequence[Document], following: int | None) -> Document:
        """A page of a list; ``following`` is the number of its last entry, when there are more."""
        url = f"{self.urls.api}{path}"
        links = {} if following is None else {"next": f"{url}?{urlencode({'token': opaque(following)})}"}
        return {"links": links, "data": list(documents)}

    def stream(self, path: str, page: Page, limit: int) -> Document:
        """A page of the stream of system users (§10)."""
        users = page.users
        following = users[-1].sequence_no if len(users) == limit else None
        stats = {
            "pageStart": users[0].sequence_no if users else 0,
            "pageEnd": users[-1].sequence_no if users else 0,
            "sequenceMax": page.sequence_max,
        }
        listed = self.page(path, [streamed(user) for user in users], following)
        return {"links": listed["links"], "stats": stats, "data": listed["data"]}


def moment(time: datetime) -> str:
    """ISO 8601, UTC."""
    return time.isoformat().replace("+00:00", "Z")


def of_party(user: SystemUser) -> Document:
    """A system user, as its owner sees it."""
    return {**user.record.document(), "partyId": str(user.owner.party_id)}


def with_rights(user: SystemUser, given: Iterable[Given]) -> Document:
    """A system user, and what it may: of an agent, what it is to have in each client."""
    return {**of_party(user), **(rights_given(given) if user.kind is UserType.STANDARD else agents_packages(user))}


def agents_packages(user: SystemUser) -> Document:
    """What an agent was approved with."""
    return {"rights": [], "accessPackages": [package_document(name) for name in user.packages]}


def rights_given(given: Iterable[Given]) -> Document:
    """What a system user has been given."""
    found = list(given)
    resources = dict.fromkeys(one.name for one in found if one.kind is GivenKind.RESOURCE)
    packages = dict.fromkeys(one.name for one in found if one.kind is GivenKind.PACKAGE)
    return {
        "rights": [{"resource": [{"id": "urn:altinn:resource", "value": name}]} for name in resources],
        "accessPackages": [package_document(name) for name in packages],
    }


def streamed(user: SystemUser) -> Document:
    """A system user in the stream."""
    return {
        "id": str(user.system_user_id),
        "partyOrgNo": str(user.owner.orgno),
        "partyId": user.owner.party_id,
        "integrationTitle": user.integration_title,
        "isDeleted": user.deleted,
        "lastChanged": moment(user.changed),
        "created": moment(user.created),
        "sequenceNo": user.sequence_no,
        "systemUserType": user.kind.value,
    }


def client(one: Client) -> Document:
    """A client, in the public lists (§11)."""
    return {
        "clientId": str(one.party_uuid),
        "clientOrganizationNumber": str(one.orgno),
        "clientOrganizationName": one.name,
    }


def portal_client(one: Client) -> Document:
    """A client, as the portal sees it: with what is held there."""
    return {**client(one), "accessPackages": [package_document(name) for name in one.packages]}


def clients_of(user: SystemUser, clients: Iterable[Client]) -> Document:
    """A list of clients, with whose they are."""
    return {
        "links": {},
        "systemUserInformation": {
            "systemUserId": str(user.system_user_id),
            "systemUserOwnerOrg": str(user.owner.orgno),
        },
        "data": [client(one) for one in clients],
    }
