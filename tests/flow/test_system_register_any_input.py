"""Whatever is sent to the system register, the answer is a refusal or a result, and never a fault of ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullmakt.infra.database import Database
from tests.support.systemusers import CALLERS, REGISTER, SYSTEM, VENDOR, RegisterSetting, definition, package, right

_MEMBERS = st.sampled_from(
    ["id", "vendor", "ID", "name", "description", "nb", "rights", "action", "resource", "value", "accessPackages",
     "urn", "clientId", "allowedRedirectUrls", "isVisible"]
)  # fmt: skip
_WORDS = st.sampled_from(
    [SYSTEM, f"{VENDOR}_b", VENDOR, f"0192:{VENDOR}", "krav", "urn:altinn:resource", "urn:altinn:accesspackage:skatt",
     "client-of-smartcloud", "https://a.example/b", "https://[", "\x00", "\ud800", "ſ", "İ", " ", "x" * 6_000]
)  # fmt: skip
_TEXT = _WORDS | st.text(max_size=20)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_MEMBERS | _TEXT, inner, max_size=5),
    max_leaves=12,
)


@st.composite
def _nearly_right(draw: st.DrawFn) -> Any:
    """A body that would do, were it not for one place in it."""
    body = json.loads(json.dumps(draw(st.sampled_from([definition(), [right("krav")], [package("skatt")]]))))
    container, key = draw(st.sampled_from(list(_places(body))))
    container[key] = draw(_JSON)
    return body


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a value: what holds it, and under which name or number."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


_BODY = st.none() | _nearly_right() | _JSON | st.binary(max_size=20)
_PATHS = ["", "/vendor", "/vendor/{}", "/vendor/{}/rights", "/vendor/{}/accesspackages", "/vendor/{}/changelog",
          "/{}", "/{}/rights", "/{}/accesspackages"]  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    who=st.sampled_from(sorted(CALLERS)) | st.just("vendor"),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.sampled_from(_PATHS),
    system=st.just(SYSTEM) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    match=st.none() | st.sampled_from(['"1"', "*", '"x"', 'W/"1"', ",", '"']) | st.text('"W/1, *', max_size=8),
    body=_BODY,
)
def test_no_input_is_a_fault_of_ours(
    database_url: str, who: str, method: str, path: str, system: str, match: str | None, body: Any
) -> None:
    async def run() -> int:
        database = Database(database_url)
        setting = RegisterSetting(database)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **({"If-Match": match} if match is not None else {})}
        async with setting.client() as vendor:
            await vendor.post(f"{REGISTER}/vendor", json=definition())
        async with setting.client(who) as client:
            answer = await client.request(
                method, REGISTER + path.format(quote(system, safe="")), content=content, headers=headers
            )
        await database.close()
        return answer.status_code

    assert asyncio.run(run()) in {200, 400, 403, 404, 405, 412}
