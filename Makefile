# The interface to this repository. `make` or `make help` lists the targets; the work is in deploy/scripts/.

SHELL := /bin/bash

.DEFAULT_GOAL := help
.PHONY: help run test test-fast test-contract test-properties test-extended lint fmt bench e2e ci docs clean-data

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build, migrate and start both services with demo data (PROFILE=release, IDP_PORT=8080, API_PORT=8081)
	@PROFILE='$(PROFILE)' IDP_PORT='$(IDP_PORT)' API_PORT='$(API_PORT)' deploy/scripts/run

test: ## every test, on SQLite and on MariaDB, with Redis, npm's openid-client and a browser
	@deploy/scripts/test

test-fast: ## tests that need nothing but SQLite
	@deploy/scripts/test --fast

test-extended: ## what takes too long for every day: both services killed at random, with figures
	@deploy/scripts/test-extended

test-contract: ## both services against their OpenAPI documents, with Schemathesis
	@deploy/scripts/test-contract

test-properties: ## what is said of all policies, on a million of them
	@deploy/scripts/test-properties

lint: ## formatting, clippy, structure, dependencies
	@deploy/scripts/lint

fmt: ## format the code
	@cargo fmt --all

bench: ## measure, and write docs/benchmarks.md (BENCH_SECONDS=10)
	@BENCH_SECONDS='$(BENCH_SECONDS)' deploy/bench/run

e2e: ## start what `make run` starts, in a throw-away directory, and drive it from outside
	@PROFILE='$(PROFILE)' deploy/scripts/e2e

ci: ## what continuous integration runs: lint and test
	@deploy/scripts/lint
	@deploy/scripts/test

docs: ## write docs/configuration.md anew
	@deploy/scripts/docs

clean-data: ## forget the demo data: databases, keys and logs under data/
	@deploy/scripts/clean-data
