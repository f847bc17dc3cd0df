"""Altinn's system users where they are kept by another program: the two look-ups over HTTP.

Source: altinn-authentication.md §12; maskinporten.md §5.1, §5.2. That a 404 names its ``cause`` is ours; the real
service says no more than that there is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import httpx2

from fullmakt.infra.feed import Changes
from fullmakt.infra.unavailable import NeighbourUnavailableError
from fullmakt.jose.strict_json import StrictJsonError, loads_object
from fullmakt.maskinporten.tokens.distant_altinn import Asker
from fullmakt.wire.altinn.systemusers import (
    Cause,
    NoSystemUser,
    SystemUserQuestion,
    SystemUserRecord,
    VirksysAnswer,
    VirksysQuestion,
    organisation_of,
)

_MAX_RIGHTS = 1_000
_MAX_TEXT = 300
_AT_ONCE = 20
"""System users that Altinn is asked for at the same time."""
_PATIENCE = 4.0
"""Seconds for all that are asked for together, and less than whoever asks for them has."""


class DistantSystemUsers:
    """The ``SystemUsers`` port over HTTP. Its answers are not remembered, for nobody tells when they change.

    ``url`` is the public URL of Altinn's authentication, ``…/authentication``, without a slash at the end. The tokens
    are for ``LOOK_UP_SCOPE`` and ``VIRKSYS_SCOPE``.
    """

    topics: Sequence[str] = ()
    virksys_topics: Sequence[str] = ()

    def __init__(
        self,
        url: str,
        http: httpx2.AsyncClient,
        look_up_token: Callable[[], Awaitable[str]],
        virksys_token: Callable[[], Awaitable[str]],
        *,
        patience: float = _PATIENCE,
    ) -> None:
        self._system_user_url = f"{url}/api/v1/systemuser/byExternalId"
        self._virksys_url = f"{url}/api/v1/virksys/lookup"
        self._system_users = Asker(http, look_up_token)
        self._virksys = Asker(http, virksys_token)
        self._patience = patience
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def system_users(
        self, questions: Collection[SystemUserQuestion]
    ) -> dict[SystemUserQuestion, SystemUserRecord | NoSystemUser]:
        """The answer to each question; those that Altinn leaves unanswered, or answers oddly, are left out.

        Raises:
            NeighbourUnavailableError: that is all of them.
        """
        tasks = {question: asyncio.create_task(self._system_user(question)) for question in questions}
        if not tasks:
            return {}
        try:
            await asyncio.wait(tasks.values(), timeout=self._patience)
        finally:
            late = [task for task in tasks.values() if task.cancel()]
        if late:
            await asyncio.wait(late)
        return _answered(tasks)

    async def why_none(self, _question: SystemUserQuestion) -> None:
        """An answer that is a no has said why: what has been left out, has not been answered."""

    async def virksys(self, question: VirksysQuestion) -> VirksysAnswer | NoSystemUser:
        """What the decision point permits.

        Raises:
            NeighbourUnavailableError: Altinn does not answer, or not as it should.
        """
        status, body = await self._virksys.post(self._virksys_url, question.document())
        document = _document(status, body)
        return document if isinstance(document, NoSystemUser) else _rights(document, question)

    async def changes_since(self, version: int) -> Changes:
        """Nobody tells."""
        return Changes(version, ())

    async def virksys_version(self) -> int:
        """Nobody counts."""
        return 0

    async def _system_user(self, question: SystemUserQuestion) -> SystemUserRecord | NoSystemUser:
        asked = {
            "clientId": question.client_id,
            "systemProviderOrgNo": question.vendor,
            "systemUserOwnerOrgNo": question.owner,
        }
        if question.external_ref:
            asked["externalRef"] = question.external_ref
        async with self._turns:
            status, body = await self._system_users.get(self._system_user_url, asked)
        document = _document(status, body)
        return document if isinstance(document, NoSystemUser) else _record(document, question)


def _answered(
    tasks: Mapping[SystemUserQuestion, asyncio.Task[SystemUserRecord | NoSystemUser]],
) -> dict[SystemUserQuestion, SystemUserRecord | NoSystemUser]:
    failures = [error for task in tasks.values() if not task.cancelled() and (error := task.exception())]
    answers = {one: task.result() for one, task in tasks.items() if not task.cancelled() and not task.exception()}
    unforeseen = [error for error in failures if not isinstance(error, NeighbourUnavailableError)]
    if unforeseen or not answers:
        raise next(iter([*unforeseen, *failures]), NeighbourUnavailableError("Altinn does not answer in time"))
    return answers


def _document(status: int, body: bytes) -> dict[str, Any] | NoSystemUser:
    if status == httpx2.codes.BAD_REQUEST:
        return NoSystemUser(Cause.UNKNOWN_ORGANISATION)  # the grant's number is all that we have not checked ourselves
    if status not in (httpx2.codes.OK, httpx2.codes.NOT_FOUND):
        raise NeighbourUnavailableError(f"Altinn answers {status}")
    try:
        document = loads_object(body)
    except StrictJsonError as error:
        if status == httpx2.codes.NOT_FOUND:
            return NoSystemUser(Cause.NO_SYSTEM_USER)
        raise NeighbourUnavailableError("Altinn answers with something else than JSON") from error
    if status == httpx2.codes.OK:
        return document
    cause, missing = document.get("cause"), document.get("missing")
    names = missing if isinstance(missing, list) and len(missing) <= _MAX_RIGHTS else []
    return NoSystemUser(
        next((one for one in Cause if one == cause), Cause.NO_SYSTEM_USER),
        tuple(name for name in names if _is_text(name)),
    )


def _record(document: dict[str, Any], question: SystemUserQuestion) -> SystemUserRecord:
    try:
        record = SystemUserRecord.read(document)
    except ValueError as error:
        raise NeighbourUnavailableError("Altinn answers with something else than a system user") from error
    about_it = (record.owner, record.vendor, record.deleted) == (question.owner, question.vendor, False)
    if not about_it or not _is_text(record.system_id):
        raise NeighbourUnavailableError("Altinn answers with another system user than was asked for")
    return record


def _rights(document: dict[str, Any], question: VirksysQuestion) -> VirksysAnswer:
    part, helper, rights = (document.get(name) for name in ("part", "hjelper", "rettigheit"))
    fits = part == question.part and question.hjelper in (None, helper)
    of_helper = helper is None or (isinstance(helper, str) and organisation_of(helper) is not None)
    if not fits or not of_helper or not isinstance(rights, list) or not 0 < len(rights) <= _MAX_RIGHTS:
        raise NeighbourUnavailableError("Altinn answers with something else than the rights that were asked for")
    if not all(_is_text(one) for one in rights) or set(question.rettigheit or rights) != set(rights):
        raise NeighbourUnavailableError("Altinn answers with other rights than were asked for")
    return VirksysAnswer(question.part, helper, tuple(rights))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_TEXT and value.isprintable()
