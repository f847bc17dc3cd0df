"""The README's commands do what it says, in processes of their own and over sockets."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import httpx2

from fullmakt.jose.compact import parse_compact
from tests.support.running import Running, clean_environment, command

WHOAMI = ("--client", "demo-bank", "--scope", "fullmakt:whoami")


def test_up_tells_where_everything_is_and_it_is_there(server: Running) -> None:
    addresses = [word.rstrip(".") for word in server.output.split() if word.startswith(server.url)]
    assert f"{server.issuer}" in addresses
    with httpx2.Client() as http:
        assert http.get(f"{server.url}/readyz").json()["ready"] is True
        assert http.get(f"{server.url}/").status_code == 200
        assert all(http.get(address).status_code < 500 for address in addresses)


def test_token_prints_a_token_and_nothing_else(server: Running) -> None:
    done = server.command("token", *WHOAMI)
    claims = parse_compact(done.stdout.strip()).unverified_payload
    assert claims["iss"] == server.issuer
    assert claims["scope"] == "fullmakt:whoami"
    assert claims["consumer"] == {"authority": "iso6523-actorid-upis", "ID": "0192:910753614"}
    assert done.stderr == ""


def test_json_prints_the_whole_response(server: Running) -> None:
    response = json.loads(server.command("token", *WHOAMI, "--json").stdout)
    assert response.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (response["token_type"], response["scope"]) == ("Bearer", "fullmakt:whoami")


def test_curl_prints_a_command_that_a_shell_can_run_once(server: Running) -> None:
    printed = server.command("token", *WHOAMI, "--curl").stdout.strip()
    assert shlex.split(printed)[0] == "curl"
    first, second = (json.loads(subprocess.check_output(["sh", "-c", printed], timeout=10)) for _ in range(2))
    assert first["token_type"] == "Bearer"
    assert second["error_uri"] == f"{server.issuer}errors/MP-012"  # the grant is used up


def test_call_gets_a_token_and_calls_the_api_with_it(server: Running) -> None:
    answer = json.loads(server.command("call", f"{server.url}/examples/whoami", *WHOAMI).stdout)
    assert (answer["consumer"], answer["scopes"]) == ("910753614", ["fullmakt:whoami"])


def test_a_refusal_says_what_is_wrong_and_what_to_do(server: Running) -> None:
    done = server.command("token", "--client", "demo-stranger", "--scope", "fullmakt:whoami", code=1)
    assert done.stdout == ""
    assert "Consumer has not been granted access to the scope fullmakt:whoami." in done.stderr
    assert "Ask the owner of the scope for access." in done.stderr
    trace_id = done.stderr.rpartition("fullmakt explain ")[2].strip()
    assert "MP-250" in server.command("explain", trace_id).stdout


def test_the_commands_find_the_port_that_the_state_folder_is_served_on(server: Running) -> None:
    env = clean_environment(STATE=str(server.state))
    done = command("token", *WHOAMI, env=env)
    assert done.returncode == 0, done.stderr


def test_a_client_that_is_not_there_is_told_with_those_that_are(server: Running) -> None:
    done = server.command("token", "--client", "demo-bnak", "--scope", "fullmakt:whoami", code=2)
    assert "no client is called 'demo-bnak'; there are: demo-admin, demo-bank" in done.stderr


def test_commands_without_a_world_say_how_to_get_one(state: Path) -> None:
    done = command("token", *WHOAMI, env=clean_environment(STATE=str(state)))
    assert done.returncode == 2
    assert "run `fullmakt up` first" in done.stderr


def test_private_keys_are_for_their_owner_alone(server: Running) -> None:
    files = [*(server.state / "clients").iterdir(), server.state / "master.key"]
    assert files
    assert {oct(os.stat(file).st_mode & 0o077) for file in files} == {"0o0"}


def test_whatever_up_says_is_there_answers(server: Running) -> None:
    systems = json.loads(server.command("world", "show", "--json").stdout)["systems"]
    answers = {name: httpx2.get(url).status_code for name, url in systems.items()}
    examples = {"whoami", "virksomhetstoken", "tynn"}
    assert answers == {name: 401 if name in examples else 200 for name in systems}
