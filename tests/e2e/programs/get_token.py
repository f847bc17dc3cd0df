"""Gets a token as a program in any language would: from ``fullmakt world show --json`` alone, without our SDK.

Reads that document on standard input, takes a client's alias and a scope as arguments, and prints the token response.
Needs the standard library and ``cryptography``.
"""

from __future__ import annotations

import base64
import json
import sys
import time
import urllib.parse
import urllib.request
import uuid

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="))


def private_key(jwk: dict[str, str]) -> rsa.RSAPrivateKey:
    public = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"]))
    p, q, d, dp, dq, qi = (number(jwk[name]) for name in ("p", "q", "d", "dp", "dq", "qi"))
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public).private_key()


def grant(client_id: str, scope: str, audience: str, jwk: dict[str, str]) -> str:
    now = int(time.time())
    header = {"alg": "RS256", "kid": jwk["kid"]}
    claims = {"iss": client_id, "aud": audience, "scope": scope, "iat": now, "exp": now + 60, "jti": str(uuid.uuid4())}
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{base64url(private_key(jwk).sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


def main(alias: str, scope: str) -> None:
    world = json.load(sys.stdin)
    client = next(client for client in world["clients"] if client["alias"] == alias)
    with open(client["key_file"], encoding="utf-8") as file:
        jwk = json.load(file)
    with urllib.request.urlopen(f"{world['issuer']}.well-known/oauth-authorization-server") as response:  # noqa: S310
        metadata = json.load(response)
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": grant(client["client_id"], scope, metadata["issuer"], jwk),
    }
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(metadata["token_endpoint"], data=body) as response:  # noqa: S310
        print(response.read().decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
