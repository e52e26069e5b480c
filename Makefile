.DEFAULT_GOAL := help
.PHONY: help run test check fmt bench bench-delivery bench-gallery fuzz dev staging roll scale test-autobahn test-containers test-openapi test-socketio

STAGING := docker compose --env-file .env.staging -f docker-compose.staging.yml

help: ## Lists the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17

run: ## Installs what is missing, builds, and starts the service with a demo party
	@scripts/install-servers
	cargo run --locked -- serve --demo demo

TEST_THREADS ?= 3
test: ## All that CI demands: format, lints, docs, tests
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	cargo test --workspace --locked --lib --bins --examples --test architecture --test frames
	cargo test --workspace --locked --doc
	cargo test --workspace --locked --test it -- --test-threads=$(TEST_THREADS) --skip alone::
	@# One at a time: each asks as much of its pods as a machine can do
	cargo test --workspace --locked --test it alone:: -- --test-threads=1

check: ## The quick look while writing
	cargo check --workspace --all-targets --locked

fmt: ## Formats everything
	cargo fmt --all

bench: ## The cost of /health beside a bare handler, of a start, of an idle pod, and of crowds
	cargo bench --bench health --bench start --bench crowds --locked

FUZZ_SECONDS ?= 600
FUZZ_CASES ?= 200000
fuzz: ## Ten minutes of whatever clients may send: make fuzz FUZZ_SECONDS=60 FUZZ_CASES=20000
	PROPTEST_CASES=$(FUZZ_CASES) cargo test --locked --package party-gallery-actors --lib decoder
	@# Each of these is a body of many packets, or a whole session
	PROPTEST_CASES=$$(($(FUZZ_CASES) / 10)) cargo test --locked --package party-gallery-actors --lib -- engine::payload engine::carrying
	FUZZ_SECONDS=$(FUZZ_SECONDS) cargo test --locked --test frames session:: -- --nocapture

bench-delivery: ## What a delivery and an idle socket cost, beside a bare floor and Socket.IO on Node; minutes
	cargo bench --bench delivery --locked

bench-gallery: ## What a page of a gallery costs with a million media, and an upload to ten thousand; minutes
	cargo bench --bench gallery --locked

dev: ## The service from this directory in containers, made anew at every change; http://127.0.0.1:3000
	docker compose -f docker-compose.dev.yml up --build

staging: ## Builds the images and starts staging; secrets are made in .env.staging
	scripts/make-secrets .env.staging
	$(STAGING) --profile backup build
	$(STAGING) up --detach --no-build --wait

roll: ## Replaces staging's replicas one after the other by those of IMAGE
	scripts/roll --env-file .env.staging -f docker-compose.staging.yml

N ?= 2
scale: ## Serves staging from N replicas: make scale N=3
	$(STAGING) up --detach --no-build --no-deps --no-recreate --scale api=$(N) api

test-autobahn: ## Holds the sockets against the Autobahn testsuite; needs Python 2.7
	tests/autobahn/run

test-openapi: ## Holds the service against its own document; needs Python
	tests/openapi/run

test-socketio: ## Holds the service against Socket.IO's own clients; needs Node.js with npm, nginx, and Python
	tests/socketio/run

test-containers: ## Tests what is shipped for containers; needs a Docker engine and Python
	tests/containers/run
