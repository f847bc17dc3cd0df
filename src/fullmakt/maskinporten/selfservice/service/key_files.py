"""Making a client's key pair for it: the file in the answer, the password by text message (maskinporten.md §8.6)."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import secrets

import structlog

from fullmakt.infra.sms import Sender, SmsNotSentError
from fullmakt.jose.keys import PublicKey
from fullmakt.kernel.clock import NewId
from fullmakt.maskinporten.selfservice import key_file
from fullmakt.maskinporten.selfservice.errors import TooManyError, UnavailableError
from fullmakt.maskinporten.selfservice.key_file import KeyFile
from fullmakt.maskinporten.selfservice.model import Caller
from fullmakt.maskinporten.selfservice.rules import key_files as rules
from fullmakt.maskinporten.selfservice.rules import keys as key_rules
from fullmakt.maskinporten.selfservice.rules.keys import SentKey
from fullmakt.maskinporten.selfservice.service.keys import changeable, put_one
from fullmakt.maskinporten.selfservice.service.work import Change, Work
from fullmakt.maskinporten.selfservice.store import keys as store
from fullmakt.maskinporten.selfservice.store import texts

ACTION = "client-key:make-file"
_RETRY_AFTER = 5
_log = structlog.get_logger("fullmakt.selfservice")


class KeyFiles:
    """The use case; ``sms`` is None where texts can not be sent."""

    def __init__(self, work: Work, new_id: NewId, sms: Sender | None) -> None:
        self._work = work
        self._new_id = new_id
        self._sms = sms

    async def make(self, caller: Caller, client_id: str, phone: str, language: str) -> KeyFile:
        """Make a key pair, send its file's password to ``phone`` (E.164), and register the public half.

        The file is in the answer and nowhere else. The password goes first: a key that nobody can use is never
        registered, and whoever got a password without a file asks again. ``language`` is the text's: nb, nn or en.

        Raises:
            DeniedError, NotFoundError: as of every use case on keys.
            InvalidError: the client has as many keys as it may have.
            TooManyError: there have been too many such texts for the client, or to the telephone.
            UnavailableError: texts can not be sent here, or this one was not.
        """
        sms, now = await self._admit(caller, client_id, phone)
        password = rules.password(secrets.choice)
        made = await asyncio.to_thread(key_file.make, password, now, dt.timedelta(seconds=key_rules.MAX_KEY_LIFE))
        try:
            await sms.send(phone, rules.text(password, made.kid, language), self._new_id())
        except SmsNotSentError as error:
            raise await self._not_sent(error, caller, client_id, phone) from None
        async with self._work.changing(caller.name, ACTION, client_id) as change:
            client = await changeable(change.connection, caller, client_id)
            await put_one(change, client, _sent(made.kid, made.public_key, change.now), {})
            change.done(phone=rules.masked(phone))
        return made

    async def _admit(self, caller: Caller, client_id: str, phone: str) -> tuple[Sender, dt.datetime]:
        """See that the key will be taken, as far as can be told, and count the text."""
        async with self._work.changing(caller.name, ACTION, client_id) as change:
            await changeable(change.connection, caller, client_id)
            key_rules.require_room(len(await store.of_client(change.connection, client_id)) + 1)
            if self._sms is None:
                raise UnavailableError(
                    "sms_not_configured",
                    "Text messages can not be sent from here: make the key pair yourself, and register its public half",
                )
            await _count(change, client_id, phone)
            return self._sms, change.now

    async def _not_sent(self, error: SmsNotSentError, caller: Caller, client_id: str, phone: str) -> UnavailableError:
        """The refusal, told; a text that was certainly not sent does not count."""
        _log.warning("sms_not_sent", why=str(error), perhaps=error.perhaps)
        if not error.perhaps:
            async with self._work.changing(caller.name, ACTION, client_id) as change:
                for counted in rules.counted(client_id, phone):
                    await texts.take_back(change.connection, counted)
        refusal = UnavailableError(
            "sms_not_sent",
            f"The SMS gateway did not confirm the text message to {rules.masked(phone)}, and no key is registered:"
            " try again later",
            _RETRY_AFTER,
        )
        await self._work.tell_refusal(refusal, caller.name, ACTION, client_id)
        return refusal


async def _count(change: Change, client_id: str, phone: str) -> None:
    for counted in rules.counted(client_id, phone):
        sent, until = await texts.count(change.connection, counted, change.now, rules.WINDOW)
        if sent > rules.MAX_TEXTS:
            wait = max(1, math.ceil((until - change.now).total_seconds()))
            raise TooManyError(
                "too_many_texts",
                f"At most {rules.MAX_TEXTS} text messages an hour are sent for a client, and to a telephone",
                wait,
            )
    await texts.forget(change.connection, change.now, rules.WINDOW)


def _sent(kid: str, public_key: PublicKey, now: dt.datetime) -> SentKey:
    return SentKey(kid, "RS256", public_key, int(now.timestamp()) + key_rules.MAX_KEY_LIFE, None)
