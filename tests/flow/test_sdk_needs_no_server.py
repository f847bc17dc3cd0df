"""Whoever installs the SDKs alone gets no server: they import and work without one."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys

REFUSED = {
    "alembic", "fastapi", "jinja2", "lxml", "orjson", "prometheus_client", "psycopg", "pydantic", "pydantic_settings",
    "rich", "sqlalchemy", "starlette", "structlog", "typer", "uvicorn", "uvloop",
}

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED or name.startswith("fullmakt.infra"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NotInstalled())

import datetime as dt
import fullmakt.client as client
import fullmakt.provider as provider
import fullmakt.provider.asgi
from fullmakt.jose.keys import LocalSigner

assert not REFUSED & {name.partition(".")[0] for name in sys.modules}

signer = LocalSigner.generate()
credentials = client.Credentials("https://issuer.test/", "the-client", signer)
request = client.TokenRequest.of("a:b")
now = dt.datetime.now(dt.UTC)
grant = client.build_grant(credentials, request, audience="https://issuer.test/", now=now, jti="one")
verifier = provider.SyncTokenVerifier("https://issuer.test/", keys=provider.StaticKeys([signer.public_jwk()]))
try:
    verifier.verify(grant)
except provider.InvalidTokenError as error:
    print(error.reason)
decisions = provider.SyncDecisionClient("http://127.0.0.1:1/authorization", auth=lambda: "a-token")
try:
    decisions.authorize({"urn:altinn:userid": 1}, "read", "thing", 50001)
except provider.DecisionUnavailableError as error:
    print(error.reason)
"""


def test_both_sdks_work_where_no_server_is_installed() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("wrong_issuer\nunavailable", "")
