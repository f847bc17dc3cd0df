"""Requests for consent that are links, as the portal shows them and lets people answer them (consent.md §2.7)."""

from __future__ import annotations

from collections.abc import Mapping

from fullmakt.altinn.consents.altinn2 import rules as altinn2
from fullmakt.altinn.consents.altinn2.errors import RequestRefusedError
from fullmakt.altinn.consents.altinn2.linking import Linking, LinkRequest
from fullmakt.altinn.consents.errors import ConsentRefusedError
from fullmakt.altinn.consents.service import ConsentsService
from fullmakt.altinn.consents.showing import Showing
from fullmakt.altinn.consents.templates import Shown
from fullmakt.kernel.identifiers import InvalidIdentifierError, NationalId
from fullmakt.portal.consent_links import BadLinkError, Fault, Flaw, Members, Onward, ShownLink
from fullmakt.portal.consents import Answer, Refused, RefusedError, Right
from fullmakt.serve.consent_pages import TECHNICAL, WHY, digest, error_code
from fullmakt.serve.consents import Consents
from fullmakt.serve.picked_people import PickedPeople
from fullmakt.wire.altinn.attributes import PERSON, Attribute
from fullmakt.wire.altinn.callers import Caller
from fullmakt.wire.altinn.consents2 import ErrorCode

_FLAWS: Mapping[ErrorCode, Flaw] = {
    ErrorCode.VALID_TO: Flaw.TIME,
    ErrorCode.SERVICE: Flaw.SERVICE,
    ErrorCode.METADATA: Flaw.PARAMETER,
    ErrorCode.TEMPLATES: Flaw.TEMPLATE,
    ErrorCode.REDIRECT: Flaw.REDIRECT,
    ErrorCode.NOT_LISTED: Flaw.RECEIVER,
    ErrorCode.NOT_ALLOWED: Flaw.RECEIVER,
    ErrorCode.NO_SUCH_PARTY: Flaw.NUMBER,
}


class LinkDesk:
    """The portal's ``ConsentLinks``."""

    def __init__(self, service: ConsentsService, showing: Showing, linking: Linking, people: PickedPeople) -> None:
        self._service = service
        self._showing = showing
        self._linking = linking
        self._people = people

    async def shown(self, members: Members, language: str) -> ShownLink:
        """The request in words.

        Raises:
            BadLinkError: the link can not be used.
        """
        request = await self._found(members)
        words = await self._words(request, language)
        url, now = request.link.redirect_url, self._service.work.clock()
        return ShownLink(
            title=words.title,
            heading=words.heading,
            message=words.message,
            intro=words.intro,
            rights=tuple(Right(right.title, right.html) for right in words.rights),
            expiration=words.expiration,
            read=digest(words),
            back=url,
            failed=altinn2.link_failed_url(url, TECHNICAL, error_code(), now),
        )

    async def answer(self, members: Members, answer: Answer, number: str, *, language: str, read: str) -> Onward:
        """Let the person answer.

        Raises:
            BadLinkError: the link can not be used any more.
            RefusedError: the answer was not taken.
        """
        request = await self._found(members)
        words = await self._words(request, language)
        if digest(words) != read:
            raise RefusedError(Refused.CHANGED)
        caller = await self._caller(number)
        url = request.link.redirect_url
        try:
            if answer is Answer.REJECT:
                await self._linking.reject(request, caller)
                return Onward(altinn2.link_url(url, None))
            given = await self._linking.accept(request, caller, language=language, shown=words.document())
        except ConsentRefusedError as error:
            raise RefusedError(WHY.get(error.reason, Refused.PERSON)) from error
        except RequestRefusedError as error:
            raise _bad(error) from error
        return Onward(altinn2.link_url(url, str(given.id)), given.id)

    async def _found(self, members: Members) -> LinkRequest:
        try:
            return await self._linking.find(members)
        except RequestRefusedError as error:
            raise _bad(error) from error

    async def _words(self, request: LinkRequest, language: str) -> Shown:
        try:
            return await self._showing.page(request.draft, language, giver=request.giver)
        except ConsentRefusedError as error:  # the receiver has gone from the register in this very moment
            raise BadLinkError(Fault(Flaw.RECEIVER, ErrorCode.RECEIVER.value, "")) from error

    async def _caller(self, number: str) -> Caller:
        """Whoever says to have that number; nobody in particular where there is no such person."""
        try:
            name = Attribute(PERSON, NationalId(number))
        except InvalidIdentifierError:
            return _NOBODY
        person = await self._service.neighbours.party(name)
        return _NOBODY if person is None else await self._people.caller(person.party_uuid) or _NOBODY


_NOBODY = Caller(frozenset())


def link_desk(consents: Consents, people: PickedPeople) -> LinkDesk:
    """The desk over these consents."""
    linking = Linking(consents.service, consents.services, consents.srr, consents.keys)
    return LinkDesk(consents.service, consents.showing, linking, people)


def _bad(error: RequestRefusedError) -> BadLinkError:
    faults = [Fault(_FLAWS.get(one.code, Flaw.UNREADABLE), one.code.value, one.message) for one in error.errors]
    return BadLinkError(*faults)
