#!/bin/sh
# Pins every dependency with hashes for Python 3.11 and newer, naming no registry host.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/uv ] || .venv/bin/pip install --quiet uv
for file in requirements/server requirements/multi_buffer requirements/dev tests/clients/requirements; do
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-annotate --no-header --no-emit-package fullmakt $file.in -o $file.txt "$@"
done
