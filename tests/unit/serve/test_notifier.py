"""Where notifications may go, with URLs that others have chosen."""

from __future__ import annotations

import httpx2
import pytest

from fullmakt.serve.notifier import HttpNotifier

GOT: list[httpx2.Request] = []


def client(status: int = 202) -> httpx2.AsyncClient:
    def answer(request: httpx2.Request) -> httpx2.Response:
        GOT.append(request)
        return httpx2.Response(status, headers={"location": "http://127.0.0.1/"})

    GOT.clear()
    return httpx2.AsyncClient(transport=httpx2.MockTransport(answer))


async def test_a_notification_is_posted_and_nobody_is_followed_elsewhere() -> None:
    notifier = HttpNotifier(client(307), anywhere=True)
    assert await notifier.send("http://localhost:1/x", b"{}", {"content-type": "application/cloudevents+json"}) == 307
    (request,) = GOT
    assert (request.method, request.content, request.headers["content-type"]) == (
        "POST", b"{}", "application/cloudevents+json",
    )  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "http://1.1.1.1/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://192.168.1.1:8443/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
        "https://2130706433/",
        "https:///x",
        "https://[::1",
    ],
)
async def test_in_production_nothing_goes_into_our_own_network(url: str) -> None:
    notifier = HttpNotifier(client(), anywhere=False)
    with pytest.raises(OSError, match=r"."):
        await notifier.send(url, b"{}", {})
    assert GOT == []


async def test_what_is_on_the_internet_is_reached_over_https() -> None:
    notifier = HttpNotifier(client(), anywhere=False)
    assert await notifier.send("https://1.1.1.1/hendelser", b"{}", {}) == 202


async def test_what_can_not_be_reached_is_told_as_an_error_of_the_line() -> None:
    def broken(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no")

    notifier = HttpNotifier(httpx2.AsyncClient(transport=httpx2.MockTransport(broken)), anywhere=True)
    with pytest.raises(ConnectionError, match="ConnectError"):
        await notifier.send("https://bank.example/", b"{}", {})
