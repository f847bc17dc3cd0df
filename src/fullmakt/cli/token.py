"""``fullmakt token`` and ``fullmakt call``: a token over HTTP with a real signed grant, and an API called with it."""

from __future__ import annotations

import json
import shlex
import sys
from typing import Annotated, Any, NamedTuple, NoReturn, Unpack

import httpx2
import typer
from rich.console import Console
from rich.markup import escape

from fullmakt.cli.context import NoWorldError, find_place
from fullmakt.cli.profile import ProfileError, credentials_of, profile_of
from fullmakt.client import (
    Credentials,
    MaskinportenAuth,
    MaskinportenError,
    TokenRequest,
    build_grant,
    consent,
    grant_form,
    system_user,
    virksys,
)
from fullmakt.client.grant import Asked
from fullmakt.kernel.clock import new_uuid, system_clock

_TIMEOUT = 10.0

ClientOption = Annotated[str, typer.Option("--client", help="The client's alias in the world, or its client id.")]
ScopeOption = Annotated[list[str], typer.Option("--scope", help="A scope; may be given several times.")]
ResourceOption = Annotated[
    list[str] | None, typer.Option("--resource", help="Audience that the token is limited to (a URI).")
]
PidOption = Annotated[str | None, typer.Option("--pid", help="National identity number the token is about.")]
ConsumerOption = Annotated[
    str | None, typer.Option("--consumer-org", help="The organisation on whose behalf a supplier asks.")
]
OwnerOption = Annotated[
    str | None, typer.Option("--systemuser-org", help="Ask for the system user that this organisation has approved.")
]
ReferenceOption = Annotated[
    str | None, typer.Option("--external-ref", help="The vendor's own reference of that system user.")
]
PartOption = Annotated[
    str | None,
    typer.Option("--part", help="Ask for a virksomhetstoken for this party (0192: and nine digits)."),
]
HelperOption = Annotated[str | None, typer.Option("--hjelper", help="The agent that the party is a client of.")]
RightOption = Annotated[
    list[str] | None, typer.Option("--rettigheit", help="A right that it must have; may be given several times.")
]
ConsentOption = Annotated[
    str | None, typer.Option("--consent", help="Ask for a token that carries this consent, by its id.")
]
GiverOption = Annotated[
    str | None, typer.Option("--from", help="Who has given the consent: a person's or an organisation's number.")
]

_errors = Console(stderr=True, highlight=False, soft_wrap=True)


def token(
    client: ClientOption,
    scope: ScopeOption,
    resource: ResourceOption = None,
    pid: PidOption = None,
    consumer_org: ConsumerOption = None,
    systemuser_org: OwnerOption = None,
    external_ref: ReferenceOption = None,
    part: PartOption = None,
    hjelper: HelperOption = None,
    rettigheit: RightOption = None,
    consent_id: ConsentOption = None,
    giver: GiverOption = None,
    curl: Annotated[bool, typer.Option("--curl", help="Print the curl command instead of sending.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole response.")] = False,
) -> None:
    """Get an access token for a client of the world."""
    details = _details(
        _Options(systemuser_org, external_ref, part, hjelper, rettigheit or None, consent_id, giver),
    )
    credentials = _credentials(client)
    request = _request(
        scope, resource=resource or (), pid=pid, consumer_org=consumer_org, authorization_details=details
    )
    endpoint, audience = _discover(credentials.issuer)
    grant = build_grant(credentials, request, audience=audience, now=system_clock(), jti=new_uuid())
    form = grant_form(grant)
    if curl:
        print(_curl(endpoint, form))
        return
    response = _send(httpx2.Request("POST", endpoint, data=form))
    if response.status_code != 200:
        _explain_refusal(response)
    print(json.dumps(response.json(), indent=2) if as_json else response.json()["access_token"])


def call(
    url: Annotated[str, typer.Argument(help="The API to call.")],
    client: ClientOption,
    scope: ScopeOption,
    method: Annotated[str, typer.Option("--request", "-X", help="The HTTP method.")] = "GET",
    data: Annotated[str | None, typer.Option("--data", "-d", help="The body, JSON.")] = None,
    resource: ResourceOption = None,
    pid: PidOption = None,
    consumer_org: ConsumerOption = None,
    systemuser_org: OwnerOption = None,
    external_ref: ReferenceOption = None,
    part: PartOption = None,
    hjelper: HelperOption = None,
    rettigheit: RightOption = None,
    consent_id: ConsentOption = None,
    giver: GiverOption = None,
) -> None:
    """Get a token and call an API with it; prints the body, and the status when it is not a success."""
    details = _details(
        _Options(systemuser_org, external_ref, part, hjelper, rettigheit or None, consent_id, giver),
    )
    credentials = _credentials(client)
    asked: Asked = {
        "resource": resource or (), "pid": pid, "consumer_org": consumer_org, "authorization_details": details,
    }  # fmt: skip
    _request(scope, **asked)  # tells what is wrong with it before anything is sent
    headers = {"content-type": "application/json"} if data is not None else {}
    try:
        with httpx2.Client(auth=MaskinportenAuth(credentials, scope, **asked), timeout=_TIMEOUT) as api:
            response = api.request(method, url, content=data, headers=headers)
    except MaskinportenError as error:
        _fail(str(error), trace_id=error.trace_id)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        _fail(f"{url} does not answer: {error}")
    print(response.text)
    if response.is_error:
        challenge = response.headers.get("www-authenticate", "")
        _errors.print("[red]✗[/]", escape(f"{response.status_code} {response.reason_phrase} {challenge}"))
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Put the commands on the list."""
    app.command()(token)
    app.command()(call)


def _credentials(alias: str) -> Credentials:
    try:
        place = find_place()
        return credentials_of(place.state, profile_of(place.state, alias), place.issuer)
    except (NoWorldError, ProfileError) as error:
        _fail(str(error), code=2)


class _Options(NamedTuple):
    """The options that come to an element of ``authorization_details``."""

    owner: str | None
    reference: str | None
    part: str | None
    helper: str | None
    rights: list[str] | None
    consent: str | None
    giver: str | None


def _details(given: _Options) -> dict[str, Any] | None:
    """The element of ``authorization_details`` that the options come to."""
    if sum(one is not None for one in (given.owner, given.part, given.consent)) > 1:
        _fail("--systemuser-org, --part and --consent ask for tokens of different kinds: give one of them", code=2)
    if given.owner is None and given.reference is not None:
        _fail("--external-ref goes with --systemuser-org", code=2)
    if given.part is None and (given.helper is not None or given.rights):
        _fail("--hjelper and --rettigheit go with --part", code=2)
    if (given.consent is None) is not (given.giver is None):
        _fail("--consent and --from go together", code=2)
    try:
        if given.owner is not None:
            return system_user(given.owner, given.reference)
        if given.consent is not None and given.giver is not None:
            return consent(given.consent, given.giver)
        return None if given.part is None else virksys(given.part, hjelper=given.helper, rettigheit=given.rights)
    except ValueError as error:
        _fail(str(error), code=2)


def _request(scope: list[str], **asked: Unpack[Asked]) -> TokenRequest:
    try:
        return TokenRequest.of(" ".join(scope), **asked)
    except ValueError as error:
        _fail(str(error), code=2)


def _discover(issuer: str) -> tuple[str, str]:
    response = _send(httpx2.Request("GET", f"{issuer}.well-known/oauth-authorization-server"))
    if response.status_code != 200:
        _fail(f"{issuer} answers {response.status_code} when asked for its metadata")
    try:
        metadata = response.json()
        return metadata["token_endpoint"], metadata["issuer"]
    except (ValueError, KeyError, TypeError):
        _fail(f"what {issuer} answers is no metadata: is it another program that listens there?")


def _send(request: httpx2.Request) -> httpx2.Response:
    try:
        with httpx2.Client(timeout=_TIMEOUT) as http:
            return http.send(request)
    except (httpx2.HTTPError, httpx2.InvalidURL):
        _fail(f"nobody answers at {request.url}: is `fullmakt up` running?")


def _curl(endpoint: str, form: dict[str, str]) -> str:
    fields = " ".join(f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in form.items())
    return f"curl -sS {fields} {shlex.quote(endpoint)}"


def _explain_refusal(response: httpx2.Response) -> NoReturn:
    """Show the error as it came, and on a developer's machine why."""
    try:
        body = response.json()
    except ValueError:
        _fail(f"{response.status_code} {response.reason_phrase}")
    why = body.pop("explanation", None)
    print(json.dumps(body, indent=2, ensure_ascii=False), file=sys.stderr)
    if why:
        facts = ", ".join(f"{name}={_told(value)}" for name, value in why["facts"].items() if value not in ([], {}))
        _errors.print("\n[red]✗[/]", escape(why["cause"]), f"[dim]({escape(facts)})[/]" if facts else "")
        _errors.print("[green]→[/]", escape(why["remedy"]))
    trace_id = str(body.get("error_description", "")).rpartition("trace_id: ")[2].rstrip(")")
    _hint(trace_id)
    raise typer.Exit(1)


def _told(value: object) -> str:
    """A fact in words: what it is made of, without the signs of a programming language."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_told(one)}" for name, one in value.items())
    return " ".join(map(_told, value)) if isinstance(value, list) else str(value)


def _fail(message: str, *, trace_id: str | None = None, code: int = 1) -> NoReturn:
    _errors.print("[red]✗[/]", escape(message))
    _hint(trace_id)
    raise typer.Exit(code)


def _hint(trace_id: str | None) -> None:
    if trace_id:
        _errors.print(f"[dim]  fullmakt explain {escape(trace_id)}[/]")
