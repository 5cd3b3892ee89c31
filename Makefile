# demo: see it work. test: what CI runs. bench: what it costs. Needs Rust, Python 3 and make, nothing else by hand.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test format lint bench package emulator deploy-tools browser

help: ## This list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

demo: ## Collect and verify a simulated tenant, then the same with both functions on an emulated AWS
	cargo build --workspace --bins
	target/debug/entratrail demo --folder .demo/laptop
	@if command -v python3 > /dev/null; then \
	  $(MAKE) emulator && target/debug/demo; \
	else \
	  echo 'The part with AWS was left out: its emulator needs Python 3, and there is no python3 on this machine.'; \
	fi

# A build does what clippy and rustdoc do (tests/rustc); the three after each other would go through 475 crates three times.
test lint: export RUSTC_WORKSPACE_WRAPPER := $(CURDIR)/tests/rustc

# The tests that take longest, one computing and the other waiting, run beside the others.
LONG := behaviour deploy

test: format ## Format, lints, every test, documentation: all that CI checks
	tests/install-tools emulator deploy browser & tools=$$!; $(MAKE) lint; wait $$tools
	logs=$${CARGO_TARGET_DIR:-target}; failed=0; declare -A running=(); \
	  for name in $(LONG); do cargo test --workspace --test $$name > "$$logs/$$name.log" 2>&1 & running[$$name]=$$!; done; \
	  cargo test --workspace --no-fail-fast || failed=$$?; \
	  for name in $(LONG); do wait $${running[$$name]} || failed=$$?; cat "$$logs/$$name.log"; done; exit $$failed

format: ## Check the format
	cargo fmt --all -- --check

lint: ## Build with lints and documentation, warnings as errors; no second, older TLS stack in the functions
	cargo build --workspace --locked --bins --tests
	cargo build --workspace --locked $(LONG:%=--test %)
	@if cargo tree --locked -p sign-in-logs -p audit-logs --edges normal --prefix none \
	  | grep -E '^(hyper v0\.|rustls v0\.2[0-2]\.|openssl v|openssl-sys|native-tls|ring )'; then \
	  echo 'the crates above are a second TLS stack: turn off the default features of what pulls them in'; exit 1; fi

package: deploy-tools ## Build for arm64 as deploy.sh does, check the size, run it where this machine can
	tests/package

bench: ## Speed, CPU, memory, start against what is promised; other readers beside the product
	cargo build --release --workspace --bins
	target/release/bench

emulator: ## Install the AWS emulator of the tests into .venv
	tests/install-tools emulator

deploy-tools: ## Install what deploy.sh needs, and the linters, into .venv-deploy
	tests/install-tools deploy

browser: ## Install the browser that the tests look at reports with, into .venv-browser
	tests/install-tools browser
