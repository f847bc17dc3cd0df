"""Which service owner's system calls over SOAP (consent.md §3.3): by the name of an API key, or the number of its
organisation, and the key itself for a password.

There is no token beside it, as there is none in the interface: whoever holds such a key holds its owner's SRR.
"""

from __future__ import annotations

from fullmakt.altinn.consents.altinn2.callers import Enterprise
from fullmakt.altinn.consents.altinn2.ports import ApiKeys
from fullmakt.altinn.consents.keys.model import ApiKey
from fullmakt.altinn.consents.srr.soap.faults import ErrorId, FaultError
from fullmakt.altinn.consents.srr.soap.messages import Credentials
from fullmakt.altinn.consents.srr.soap.names import PATH
from fullmakt.altinn.consents.work import Work

NOT_AUTHENTICATED = "Incorrect systemUserName or systemPassword"
NOT_AUTHORIZED = "The system is not a service owner's"


class Systems:
    """Lets systems in (``srr.soap.http.SystemGate``), with a record of those whose key is known and who were turned
    away."""

    def __init__(self, keys: ApiKeys, work: Work) -> None:
        self._keys = keys
        self._work = work

    async def system(self, credentials: Credentials) -> Enterprise:
        """The service owner.

        Raises:
            FaultError: 989, nobody has that name and that password; 5, the key is no service owner's.
        """
        key = await self._keys.holder(credentials.password)
        if key is None:
            raise FaultError(NOT_AUTHENTICATED, ErrorId.NOT_AUTHENTICATED)
        if credentials.name not in {key.name, str(key.organisation)}:
            await self._turned_away(key, "wrong_system_name")
            raise FaultError(NOT_AUTHENTICATED, ErrorId.NOT_AUTHENTICATED)
        if not key.service_owner:
            await self._turned_away(key, "key_of_no_service_owner")
            raise FaultError(NOT_AUTHORIZED, ErrorId.NOT_AUTHORIZED)
        return Enterprise(key.organisation, key)

    async def _turned_away(self, key: ApiKey, reason: str) -> None:
        organisation = str(key.organisation)
        await self._work.record(organisation, "srr:call", PATH, reason, organisation=organisation, key=key.name)
