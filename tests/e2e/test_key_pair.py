"""Keys for an enterprise system on a real server: made in a real browser, which keeps the private half, and made by
self-service, whose password is in the inbox and in no log (maskinporten.md §8.6)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from playwright.sync_api import Browser, Page, Request, Route

from fullmakt.client import Credentials, MaskinportenClient
from fullmakt.jose.keys import PRIVATE_MEMBERS, LocalSigner
from tests.support.browser import LEAST_CONTRAST, chromium, contrasts
from tests.support.running import Running, running, state_folder

SCOPE = "skatteetaten:mva"
PORTAL_PAGE = "/a-page-of-the-portal-to-come"
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
MAKE = "async bits => (await import('/static/keypair.js')).generateKeyPair(...bits)"
MAKE_AND_SEND = """
async ([path, token]) => {
  const { generateKeyPair } = await import("/static/keypair.js");
  const pair = await generateKeyPair();
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "text/plain" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(pair.publicJwk) });
  return { ...pair, status: answer.status, registered: await answer.json() };
}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    """A server of this file's own: clients are made and given keys on it."""
    with state_folder() as folder, running(folder) as started:
        yield started


@pytest.fixture(scope="module")
def admin(server: Running) -> str:
    """The vendor's token for self-service."""
    return server.token("demo-vendor-admin", "idporten:dcr.write")


@pytest.fixture(scope="module")
def browser(server: Running) -> Iterator[Browser]:
    del server  # which is to outlive it
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser, server: Running) -> Iterator[Page]:
    """A page at the portal's origin that may run the portal's scripts, and no others."""

    def fulfil(route: Route) -> None:
        headers = {"Content-Security-Policy": POLICY}
        route.fulfill(content_type="text/html", headers=headers, body="<!doctype html><link rel='icon' href='data:,'>")

    with browser.new_context(base_url=server.url) as context:
        opened = context.new_page()
        opened.route(f"**{PORTAL_PAGE}", fulfil)
        opened.goto(PORTAL_PAGE)
        yield opened


def system(server: Running, admin: str) -> str:
    """A new enterprise system of the vendor's, without a key."""
    body = {
        "client_name": "Turboskatt", "description": "Et virksomhetssystem", "integration_type": "altinn_virksys",
        "scopes": [SCOPE],
    }  # fmt: skip
    answer = httpx2.post(
        f"{server.url}/selvbetjening/api/v1/clients", json=body, headers={"Authorization": f"Bearer {admin}"}
    )
    assert (answer.status_code, answer.json()["key_status"]) == (200, "missing")
    return str(answer.json()["client_id"])


def token(server: Running, client_id: str, signer: LocalSigner) -> str:
    with httpx2.Client() as http:
        return MaskinportenClient(Credentials(server.issuer, client_id, signer), http=http).token(SCOPE).value


def leaves(request: Request) -> str:
    """All of a request that leaves the browser."""
    return "\n".join([request.url, json.dumps(request.all_headers()), request.post_data or ""])


def test_the_browser_makes_a_key_pair_and_sends_its_public_half_alone(page: Page, server: Running, admin: str) -> None:
    client_id = system(server, admin)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))  # playwright marks what it is handed
    path = f"/selvbetjening/api/v2/clients/{client_id}/key"
    made: dict[str, Any] = page.evaluate(MAKE_AND_SEND, [path, admin])
    assert (made["status"], made["registered"]["kid"]) == (200, made["kid"])

    assert [(request.method, request.url.removeprefix(server.url)) for request in sent] == [
        ("GET", "/static/keypair.js"),
        ("POST", path),
    ]
    assert json.loads(sent[1].post_data or "") == made["publicJwk"]
    members = PRIVATE_MEMBERS & made["privateJwk"].keys()
    assert members == {"d", "p", "q", "dp", "dq", "qi"}
    private = [made["privateJwk"][name] for name in members] + made["privatePem"].splitlines()[1:-1]
    for request in sent:
        assert [value for value in private if value in leaves(request)] == []
        assert not re.search(rf'"({"|".join(PRIVATE_MEMBERS)})"', request.post_data or "")
    assert made["registered"]["n"] in leaves(sent[1])  # it would have been seen
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]

    for signer in (
        LocalSigner.from_jwk(made["privateJwk"]),
        LocalSigner.from_pem(made["privatePem"].encode(), made["kid"]),
    ):
        assert token(server, client_id, signer)


def test_both_halves_are_as_jwks_and_pem_are(page: Page) -> None:
    made = page.evaluate(MAKE, [])
    public, private = made["publicJwk"], made["privateJwk"]
    assert set(public) == {"kty", "use", "alg", "kid", "n", "e"}
    assert (public["kty"], public["use"], public["alg"], public["e"]) == ("RSA", "sig", "RS256", "AQAB")
    assert {name: private[name] for name in public} == public
    signer = LocalSigner.from_pem(made["privatePem"].encode())
    assert signer.public_jwk() == public
    assert signer.private_jwk() == private
    assert signer.public.thumbprint == made["kid"] == public["kid"]
    assert all(len(line) <= 64 for line in made["privatePem"].splitlines())
    assert page.evaluate(MAKE, [])["kid"] != made["kid"]


def test_a_larger_key_can_be_asked_for_and_a_weak_one_can_not(page: Page) -> None:
    larger = LocalSigner.from_jwk(page.evaluate(MAKE, [3072])["privateJwk"]).native
    assert isinstance(larger, rsa.RSAPrivateKey)
    assert larger.key_size == 3072
    for bits in (1024, 2047, 8193, 2048.5, "2048", None):
        told = page.evaluate(f"bits => ({MAKE})(bits).then(() => 'made', error => `${{error}}`)", [bits])
        assert told == "RangeError: an RSA key has 2048 to 8192 bits", bits


def test_a_page_that_can_make_no_keys_is_told_why(page: Page) -> None:
    page.evaluate("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    told = page.evaluate(f"() => ({MAKE})([]).then(() => 'made', error => error.message)")
    assert told == "keys can be made on a page served by https, or by a loopback name, alone"


def test_pages_that_make_no_keys_run_no_script(page: Page) -> None:
    page.goto("/")
    assert page.evaluate("import('/static/keypair.js').then(() => 'ran', () => 'refused')") == "refused"


def test_an_empty_inbox_fits_a_small_telephone(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto("/innboks?lang=nb")
    assert page.get_by_text("Det er ingen tekstmeldinger ennå.").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert [words for words, ratio in contrasts(page).items() if ratio < LEAST_CONTRAST] == []


def test_a_file_is_downloaded_and_its_password_is_in_the_inbox_and_in_no_log(
    page: Page, server: Running, admin: str
) -> None:
    client_id = system(server, admin)
    answer = httpx2.post(
        f"{server.url}/selvbetjening/api/v1/clients/{client_id}/keys/p12",
        json={"phone": "+4799999123"},
        headers={"Authorization": f"Bearer {admin}", "Accept-Language": "nn"},
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-pkcs12")
    page.goto("/innboks?lang=nn")
    text = page.locator("article pre").first.inner_text()
    (password,) = re.findall(r"\w{5}(?:-\w{5}){3}", text)
    assert text.startswith(f"Passord til nøkkelfila: {password}")
    store = pkcs12.load_pkcs12(answer.content, password.encode())
    assert token(server, client_id, LocalSigner.from_native(store.key, answer.headers["x-key-id"]))
    assert password not in server.output
    assert "99999123" not in server.output
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert [words for words, ratio in contrasts(page).items() if ratio < LEAST_CONTRAST] == []
