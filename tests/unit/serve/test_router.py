"""The router picks by host and path, and is lenient where real clients need it."""

from __future__ import annotations

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from fullmakt.serve.router import Router

BASE = "http://localhost:8080"


def named(name: str) -> ASGIApp:
    """An app that answers its name, the base it was mounted at and the path it saw."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "answer", "app": name, "root": scope["root_path"], "path": scope["path"]})

    return app


async def ask(router: Router, path: str, host: str | None = "localhost:8080") -> tuple[str, str, str]:
    answers: list[dict[str, str]] = []

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        answers.append(message)

    async def receive() -> dict[str, str]:
        raise AssertionError("nothing is read")

    headers = [] if host is None else [(b"accept", b"*/*"), (b"host", host.encode("latin-1"))]
    await router({"type": "http", "path": path, "root_path": "", "headers": headers}, receive, send)
    (answer,) = answers
    return answer["app"], answer["root"], answer["path"]


@pytest.fixture
def router() -> Router:
    return Router(
        {
            BASE: named("front"),
            f"{BASE}/maskinporten/": named("tokens"),
            f"{BASE}/maskinporten/errors": named("errors"),
            "https://maskinporten.example.no/": named("host"),
        },
        default_host="localhost:8080",
        not_found=named("nobody"),
    )


@pytest.mark.parametrize(
    ("path", "app", "root"),
    [
        ("/", "front", ""),
        ("/anything", "front", ""),
        ("/maskinporten", "tokens", "/maskinporten"),
        ("/maskinporten/", "tokens", "/maskinporten"),
        ("/maskinporten/token", "tokens", "/maskinporten"),
        ("/maskinporten/errors", "errors", "/maskinporten/errors"),
        ("/maskinporten/errors/MP-250", "errors", "/maskinporten/errors"),
        ("/maskinporten/errorsome", "tokens", "/maskinporten"),
        ("/maskinportenx", "front", ""),
        ("/Maskinporten/token", "front", ""),
    ],
)
async def test_the_longest_base_path_that_ends_at_a_slash_wins(router: Router, path: str, app: str, root: str) -> None:
    assert await ask(router, path) == (app, root, path)


@pytest.mark.parametrize("path", ["//maskinporten/token", "/maskinporten//token", "///maskinporten////token"])
async def test_doubled_slashes_count_as_one(router: Router, path: str) -> None:
    assert await ask(router, path) == ("tokens", "/maskinporten", "/maskinporten/token")


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "", "gibberish\xff", None])
async def test_a_host_that_is_nobodys_gets_the_default(router: Router, host: str | None) -> None:
    assert (await ask(router, "/maskinporten/token", host))[0] == "tokens"


@pytest.mark.parametrize("host", ["maskinporten.example.no", "Maskinporten.Example.NO", "maskinporten.example.no:443"])
async def test_a_system_can_have_a_host_of_its_own(router: Router, host: str) -> None:
    assert await ask(router, "/token", host) == ("host", "", "/token")
    assert (await ask(router, "/maskinporten/token", host))[0] == "host"


async def test_an_alias_serves_what_lies_elsewhere(router: Router) -> None:
    router.alias(f"{BASE}/.well-known/x/maskinporten", "/maskinporten/.well-known/x")
    there = ("tokens", "/maskinporten", "/maskinporten/.well-known/x")
    assert await ask(router, "/.well-known/x/maskinporten") == there
    assert await ask(router, "/.well-known//x/maskinporten", "127.0.0.1:8080") == there
    assert (await ask(router, "/.well-known/x/maskinporten/more"))[0] == "front"


async def test_a_path_that_no_system_has_is_nobodys() -> None:
    router = Router({f"{BASE}/pki": named("pki")}, default_host="localhost:8080", not_found=named("nobody"))
    assert await ask(router, "/pkix") == ("nobody", "", "/pkix")
