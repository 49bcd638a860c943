# The commands of this repository; `make` lists them. Each line's work is in scripts/.

.DEFAULT_GOAL := help
.PHONY: help run serve test soak check fmt stop-docker

help: ## lists these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

run: ## installs what is missing, builds, runs the demo, says how to serve; leaves nothing running
	@scripts/install-compiler.sh
	@scripts/with-docker.sh scripts/run.sh

serve: ## serves on 127.0.0.1:8327; a container engine that it starts stays running
	@scripts/install-compiler.sh
	@scripts/install-docker.sh
	@cargo build --locked --release --bin longshore
	@target/release/longshore serve

test: ## everything a change must pass, with real containers; leaves nothing running
	@scripts/test.sh

soak: ## the long runs: thousands of kills, thousands of simulated histories
	@scripts/install-compiler.sh
	@scripts/soak.sh

check: ## quick: formatting, clippy and the tests that need no container engine
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --features xtask/bench,xtask/crash -- -D warnings
	cargo nextest run --locked --workspace --features xtask/bench,xtask/crash -E 'not test(docker)'

fmt: ## formats the Rust code
	cargo fmt --all

stop-docker: ## stops a container engine that `make serve` started by hand
	@scripts/stop-docker.sh
