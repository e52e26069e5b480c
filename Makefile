.DEFAULT_GOAL := help
.PHONY: help run test check fmt bench

help: ## Lists the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

run: ## Installs what is missing, builds, and starts the service with a demo party
	@scripts/install-servers
	cargo run --locked -- serve --demo demo

test: ## All that CI demands: format, lints, docs, tests
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	cargo test --workspace --locked

check: ## The quick look while writing
	cargo check --workspace --all-targets --locked

fmt: ## Formats everything
	cargo fmt --all

bench: ## The cost of /health beside a bare handler, of a start, and of an idle pod
	cargo bench --bench health --bench start --locked
