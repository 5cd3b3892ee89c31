# The two commands of the README. Everything else is cargo's, or cargo xtask's.
.DEFAULT_GOAL := help
.PHONY: help demo test bench package athena

help: ## This list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

demo: ## Collect and verify a simulated tenant, then the same with two functions on an emulated AWS
	@xtask/scripts/preflight demo
	@cargo xtask demo

test: ## Format, lints, every test, documentation: all that CI checks
	@xtask/scripts/preflight test
	@cargo xtask ci

athena: ## Put tables, views, saved questions and data sets to Trino, the engine of Athena; needs Java 24 and Maven
	@cargo xtask athena

package: ## Build the functions for arm64 as deploy.sh does, check their size, run one where this machine can
	@xtask/scripts/preflight test
	@cargo xtask package

bench: ## Speed, CPU, memory, start against what is promised; other readers beside the product
	cargo build --locked --profile lambda --package bench --package sign-in-logs --package audit-logs
	target/lambda/bench
