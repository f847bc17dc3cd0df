"""Self-service makes a key pair: the file is the answer, the password is a text message (maskinporten.md §8.6)."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from sqlalchemy import text
from structlog.processors import format_exc_info
from structlog.testing import capture_logs

from fullmakt.infra.database import Database
from fullmakt.infra.sms import Inbox, SmsNotSentError
from fullmakt.jose.keys import LocalSigner
from fullmakt.kernel.clock import FixedClock
from fullmakt.maskinporten.selfservice.rules.key_files import PASSWORD_BITS
from tests.support.selfservice import CONSUMER, START, STRANGER, SUPPLIER, SUPPLYING, Api, client_body, jwk_of

PHONE = "+4799999123"
PATH = "/clients/c1/keys/p12"
PASSWORD = re.compile(r"[a-z2-9]{5}(?:-[a-z2-9]{5}){3}")
KEYS = [LocalSigner.generate(kid=f"k{number}") for number in range(2)]


class Sms:
    """An inbox that can be out of order: for a while with ``fails``, or held up until ``gate`` is set."""

    def __init__(self) -> None:
        self.inbox = Inbox(FixedClock(START))
        self.fails: SmsNotSentError | None = None
        self.arrived = asyncio.Event()
        self.gate: asyncio.Event | None = None

    async def send(self, to: str, text: str, reference: str) -> None:
        self.arrived.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        await self.inbox.send(to, text, reference)

    @property
    def passwords(self) -> list[str]:
        """The passwords that were sent, the newest first."""
        return [found[0] for one in self.inbox.texts if (found := PASSWORD.search(one.text))]


@pytest.fixture
def sms() -> Sms:
    return Sms()


@pytest.fixture
async def api(database: Database, sms: Sms) -> Api:
    api = Api(database, sms=sms)
    for client_id in ("c1", "c2", "c3"):
        await api.service.operator.declare_client(
            client_id, CONSUMER, client_body(integration_type="altinn_virksys"), supplier=SUPPLIER
        )
    return api


@pytest.fixture
def me(api: Api) -> httpx2.AsyncClient:
    return api.caller(SUPPLIER, SUPPLYING, lifetime=10**6)


def opened(answer: httpx2.Response, password: str) -> LocalSigner:
    """The key in the file, by the name that the file gives it."""
    store = pkcs12.load_pkcs12(answer.content, password.encode())
    assert isinstance(store.key, rsa.RSAPrivateKey)
    assert store.cert is not None
    assert store.cert.certificate.public_key() == store.key.public_key()
    assert store.cert.friendly_name is not None
    return LocalSigner.from_native(store.key, store.cert.friendly_name.decode())


async def kids(me: httpx2.AsyncClient, client: str = "c1") -> list[str]:
    return [key["kid"] for key in (await me.get(f"/clients/{client}/jwks")).json()["keys"]]


def told(answer: httpx2.Response) -> str:
    """The one thing that the error says."""
    body = answer.json()
    assert body["status"] == answer.status_code
    (error,) = body["errors"]
    assert body["error"] == f", {error['errorMessage']}"
    return str(error["errorMessage"])


async def test_the_file_is_the_answer_and_the_password_is_on_the_telephone(
    me: httpx2.AsyncClient, sms: Sms, api: Api
) -> None:
    answer = await me.post(PATH, json={"phone": PHONE})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-pkcs12"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"] == 'attachment; filename="c1.p12"'
    (sent,) = sms.inbox.texts
    (password,) = sms.passwords
    assert sent.to == PHONE
    assert len(sent.text) < 160
    assert password.encode() not in answer.content
    assert password not in str(answer.headers)
    key = opened(answer, password)
    assert key.native.key_size == 2048
    assert key.kid == key.public.thumbprint == answer.headers["x-key-id"]
    assert sent.text == f"Passord til nøkkelfilen: {password}\nNøkkel: {key.kid[:8]}. Del det ikke med noen."
    (registered,) = (await me.get("/clients/c1/jwks")).json()["keys"]
    assert registered == {
        **key.public_jwk(),
        "exp": int(START.timestamp()) + 365 * 24 * 3600,
        "created": "2026-11-21T12:00:00.123+00:00",
        "last_updated": "2026-11-21T12:00:00.123+00:00",
    }


def test_a_password_can_not_be_guessed() -> None:
    assert PASSWORD_BITS >= 80


@pytest.mark.parametrize(
    ("language", "words"), [("nn", "Ikkje del det"), ("en-GB", "Do not share"), ("de", "Del det ikke")]
)
async def test_the_text_is_in_the_language_of_who_asks(
    me: httpx2.AsyncClient, sms: Sms, language: str, words: str
) -> None:
    await me.post(PATH, json={"phone": PHONE}, headers={"Accept-Language": language})
    assert words in sms.inbox.texts[0].text


async def test_asking_again_makes_another_key_whatever_the_idempotency_key(me: httpx2.AsyncClient, sms: Sms) -> None:
    headers = {"Idempotency-Key": "the-same"}
    first, second = [await me.post(PATH, json={"phone": PHONE}, headers=headers) for _ in range(2)]
    assert first.headers["x-key-id"] != second.headers["x-key-id"]
    later, earlier = sms.passwords
    assert opened(second, later).kid == second.headers["x-key-id"]
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_pkcs12(second.content, earlier.encode())
    assert set(await kids(me)) == {first.headers["x-key-id"], second.headers["x-key-id"]}
    # The file is in its answer alone.
    for method in ("GET", "PUT", "DELETE"):
        assert (await me.request(method, PATH)).status_code == 405
    assert (await me.get(f"/clients/c1/keys/{first.headers['x-key-id']}")).status_code == 404


@pytest.mark.parametrize("perhaps", [False, True], ids=["never sent", "perhaps sent"])
async def test_a_gateway_that_is_down_leaves_nothing_behind_and_trying_again_works(
    me: httpx2.AsyncClient, sms: Sms, database: Database, perhaps: bool
) -> None:
    sms.fails = SmsNotSentError("the gateway answers 503", perhaps=perhaps)
    refused = await me.post(PATH, json={"phone": PHONE})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert told(refused) == (
        "sms_not_sent: The SMS gateway did not confirm the text message to +47*****123, and no key is registered:"
        " try again later"
    )
    assert await kids(me) == []
    sms.fails = None
    answer = await me.post(PATH, json={"phone": PHONE})
    assert await kids(me) == [opened(answer, sms.passwords[0]).kid]
    events = await audited(database)
    assert [(event["outcome"], event["reason"]) for event in events] == [("deny", "sms_not_sent"), ("done", "")]


async def test_texts_that_were_never_sent_are_not_counted_and_those_perhaps_sent_are(
    me: httpx2.AsyncClient, sms: Sms
) -> None:
    sms.fails = SmsNotSentError("down")
    assert [(await me.post(PATH, json={"phone": PHONE})).status_code for _ in range(6)] == [503] * 6
    sms.fails = SmsNotSentError("silent", perhaps=True)
    statuses = [(await me.post(PATH, json={"phone": PHONE})).status_code for _ in range(6)]
    assert statuses == [503] * 5 + [429]


async def test_where_no_texts_can_be_sent_no_file_is_made(database: Database) -> None:
    api = Api(database)
    await api.service.operator.declare_client("c1", CONSUMER, client_body())
    refused = await api.caller(CONSUMER).post(PATH, json={"phone": PHONE})
    assert refused.status_code == 503
    assert told(refused).startswith("sms_not_configured: ")
    assert await kids(api.caller(CONSUMER)) == []
    stranger = await api.caller(STRANGER).post(PATH, json={"phone": PHONE})
    assert stranger.status_code == 403


async def test_five_texts_an_hour_for_a_client_and_no_more(me: httpx2.AsyncClient, api: Api, sms: Sms) -> None:
    async def ask(client: str, phone: str) -> int:
        await me.delete(f"/clients/{client}/jwks")
        return (await me.post(f"/clients/{client}/keys/p12", json={"phone": phone})).status_code

    assert [await ask("c1", f"+479999900{number}") for number in range(5)] == [200] * 5
    assert await ask("c1", "+4799999006") == 429
    refused = await me.post(PATH, json={"phone": "+4799999007"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    assert told(refused).startswith("too_many_texts: ")
    assert len(sms.inbox.texts) == 5
    assert await kids(me) == []
    assert await ask("c2", "+4799999000") == 200
    api.clock.advance(minutes=60)
    assert await ask("c1", "+4799999001") == 200


async def test_five_texts_an_hour_to_a_telephone_whatever_the_client(me: httpx2.AsyncClient, sms: Sms) -> None:
    path = "/clients/{}/keys/p12"
    asked = ["c1", "c1", "c1", "c2", "c2", "c3", "c3"]
    statuses = [(await me.post(path.format(client), json={"phone": PHONE})).status_code for client in asked]
    assert statuses == [200] * 5 + [429] * 2
    assert len(sms.inbox.texts) == 5
    assert (await me.post(path.format("c3"), json={"phone": "+4799999124"})).status_code == 200


async def test_many_at_once_are_no_more_than_one_after_the_other(me: httpx2.AsyncClient, sms: Sms) -> None:
    answers = await asyncio.gather(*(me.post(PATH, json={"phone": PHONE}) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 3
    good = {answer.headers["x-key-id"] for answer in answers if answer.status_code == 200}
    assert set(await kids(me)) == good
    assert len(sms.inbox.texts) == 5


async def test_no_text_is_sent_for_a_key_that_there_is_no_room_for(me: httpx2.AsyncClient, sms: Sms) -> None:
    await me.post("/clients/c1/jwks", json=[{**KEYS[0].public_jwk(), "kid": f"k{number}"} for number in range(5)])
    refused = await me.post(PATH, json={"phone": PHONE})
    assert (refused.status_code, told(refused)) == (400, "A client can have at most 5 keys")
    assert sms.inbox.texts == ()


async def test_keys_that_come_while_the_text_is_under_way_are_counted_too(
    me: httpx2.AsyncClient, sms: Sms, api: Api
) -> None:
    sms.gate = asyncio.Event()
    asked = asyncio.create_task(me.post(PATH, json={"phone": PHONE}))
    await sms.arrived.wait()
    bodies = [jwk_of(KEYS[0], kid=f"k{number}") for number in range(5)]
    await api.service.operator.declare_keys("c1", bodies)
    sms.gate.set()
    refused = await asked
    assert (refused.status_code, told(refused)) == (400, "A client can have at most 5 keys")
    assert len(await kids(me)) == 5


@pytest.mark.parametrize(
    "phone",
    ["", "99999123", "004799999123", "+47 99999123", "+0799999123", "+479", "+4712345678901234", "+47٩٩٩٩٩١٢٣",
     "+4799999123\n", "tel:+4799999123", "+4799999123;ext=1", None, 4799999123, ["+4799999123"]],
    ids=range(14),
)  # fmt: skip
async def test_a_number_that_is_none_is_refused_and_not_repeated(me: httpx2.AsyncClient, sms: Sms, phone: Any) -> None:
    refused = await me.post(PATH, json={"phone": phone})
    assert refused.status_code == 400
    (error,) = refused.json()["errors"]
    assert (error["fieldIdentifier"], error["objectName"]) == ("phone", "KeyFile")
    assert "99999" not in refused.text.replace("+4799999999", "")
    assert sms.inbox.texts == ()


async def audited(database: Database) -> list[dict[str, Any]]:
    async with database.transaction() as connection:
        rows = await connection.execute(
            text("SELECT * FROM audit.event WHERE action = 'client-key:make-file' ORDER BY id")
        )
        return [dict(row) for row in rows.mappings()]


async def test_the_audit_trail_tells_of_the_key_and_masks_the_telephone(
    me: httpx2.AsyncClient, database: Database
) -> None:
    answer = await me.post(PATH, json={"phone": PHONE})
    (event,) = await audited(database)
    assert (event["outcome"], event["subject"]) == ("done", "c1")
    assert event["facts"] == {"kids": [answer.headers["x-key-id"]], "phone": "+47*****123"}


async def dumped(database: Database) -> str:
    """Every row of every table, as text."""
    tables = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    rows: list[str] = []
    async with database.transaction() as connection:
        for schema, table in (await connection.execute(text(tables))).all():
            found = await connection.execute(text(f'SELECT t::text FROM "{schema}"."{table}" AS t'))  # noqa: S608
            rows += found.scalars()
    return "\n".join(rows)


class Logged:
    """All that is logged in a test, however logging happens to be set up, and all that is printed."""

    def __init__(self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
        caplog.set_level(logging.DEBUG)
        self._caplog = caplog
        self._capfd = capfd

    def __str__(self) -> str:
        return self._caplog.text + "".join(self._capfd.readouterr())


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Logged:
    return Logged(caplog, capfd)


async def test_no_log_and_no_table_holds_the_password_the_private_key_or_the_number(
    me: httpx2.AsyncClient, sms: Sms, database: Database, logged: Logged
) -> None:
    answer = await me.post(PATH, json={"phone": PHONE})
    sms.fails = SmsNotSentError("the gateway answers 500")
    await me.post(PATH, json={"phone": PHONE})
    (password,) = sms.passwords
    native = opened(answer, password).native
    assert isinstance(native, rsa.RSAPrivateKey)
    exponent = native.private_numbers().d.to_bytes(256)
    der = native.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    secrets = [
        password, PHONE, PHONE[1:], PHONE[3:], exponent.hex(), base64.urlsafe_b64encode(exponent).decode()[:300],
        der.hex(), base64.b64encode(der).decode()[400:800], answer.content.hex(),
        base64.b64encode(answer.content).decode()[:300],
    ]  # fmt: skip
    stored = await dumped(database)
    assert answer.headers["x-key-id"] in stored  # the dump is one
    log = str(logged)
    for secret in secrets:
        assert secret not in stored
        assert secret not in log


async def test_a_fault_in_the_sender_tells_nothing_of_the_text(
    database: Database, sms: Sms, me: httpx2.AsyncClient
) -> None:
    class Broken:
        async def send(self, to: str, text: str, reference: str) -> None:
            await sms.inbox.send(to, text, reference)
            raise RuntimeError("a fault")

    broken = Api(database, sms=Broken())
    with capture_logs(processors=[format_exc_info]) as lines:  # as the product writes what was raised
        answer = await broken.caller(SUPPLIER, SUPPLYING).post(PATH, json={"phone": PHONE})
    assert answer.status_code == 500
    assert await kids(me) == []
    (line,) = lines
    assert "a fault" in line["exception"]
    assert sms.passwords[0] not in f"{line}{answer.text}"
