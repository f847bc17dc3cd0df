.DEFAULT_GOAL := help
.PHONY: help up fast test check format bench fuzz lock docs clean
BIN := .venv/bin

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

up:  ## set up, start the database, apply the demo world, serve on http://localhost:8080
	@scripts/setup.sh server
	@exec $(BIN)/fullmakt up

fast:  ## let `make up` sign tokens eight at a time, on processors that can
	@scripts/setup.sh server
	@scripts/multi_buffer.sh
	@ls .venv/lib/libcrypto_mb.so.* > /dev/null 2>&1 \
		&& echo "✓ the library is in .venv: servers that start from now on use it, on processors that can" \
		|| echo "nothing to do: the library is for Linux on x86-64"

test:  ## set up, check and run every test
	@scripts/setup.sh dev
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest

check:  ## lint, types, import laws
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports > .import-linter.log || (cat .import-linter.log; exit 1)

format:  ## let ruff mend what it can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

bench:  ## tokens a second against the limit of the hardware
	@scripts/setup.sh dev
	@$(BIN)/python -m bench

fuzz:  ## feed the token endpoint garbage until stopped (SECONDS=600 for ten minutes)
	@scripts/setup.sh dev
	@$(BIN)/python -m tests.fuzz.fuzz_token_endpoint $(if $(SECONDS),--seconds $(SECONDS))

lock:  ## write requirements/*.txt anew from their *.in files
	@scripts/lock.sh

clean:  ## remove what set-up made (not the state folder)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/clients/node_modules tests/clients/.venv
