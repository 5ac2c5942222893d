# Two commands for a start: `make demo` and `make test`. Everything else: `make help`.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export VIRTUAL_ENV := $(CURDIR)/.venv
# Images of Python set it; each ansible-playbook would compile all plugins anew, a second of its time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo demo-down bench docs test test-all check lint unit apis integration molecule e2e chaos late mutants soak acceptance

help: ## Show what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## Install what is needed (Debian packages, .venv, Docker engine); quick when it is all there
	@scripts/setup.sh

demo: setup ## A whole site on this machine, without an AWS account
	@scripts/demo.sh

demo-down: ## Remove the demo: containers, volumes, network, state
	@scripts/setup.sh venv engine
	python -m local_aws down --name local

bench: ## How long a site without a change and a release take, and what idling costs, on the demo that is up
	@scripts/setup.sh venv engine
	failed=0 # each is measured, also after one that takes too long
	python benchmarks/noop_site.py -i local || failed=1
	python -m benchmarks.release -i local || failed=1
	python benchmarks/idle.py --name local || failed=1
	exit $$failed

docs: ## The documentation, as a site in .cache/docs/html
	@scripts/setup.sh venv
	scripts/docs.sh html

test: setup ## The tests (about 35 minutes); the longest are in test-all
	@scripts/test.sh

test-all: setup ## All tests: those of test and the longest, every molecule scenario, chaos and late, one after the other; says how long each took (some again: STEPS="chaos late")
	@scripts/test-all.sh $(STEPS)

check: ## Lint and unit tests of what differs from main (under a minute on a quiet machine, once .venv is there); says of how many
	@scripts/setup.sh venv
	scripts/check.sh changed

lint: ## The linters, over everything
	@scripts/setup.sh venv
	scripts/check.sh lint

unit: ## The unit tests, all of them
	@scripts/setup.sh venv
	scripts/check.sh unit

apis: ## Tests of playbooks and templates against the embedded APIs, without Docker
	@scripts/setup.sh venv
	pytest tests/unit local_aws/tests/unit -m "playbook or embedded" --numprocesses 2 --dist loadfile --quiet

integration: setup ## Tests with real parts: molecule's core scenarios and the embedded AWS's parts, two at a time
	@scripts/integration.sh

molecule: setup ## Every host role on real hosts, all scenarios two at a time (one: molecule test -s <scenario>)
	@scripts/integration.sh molecule

e2e: setup ## The whole site end to end, with a browser
	@pytest tests/e2e --exitfirst

chaos: setup ## Runs that are interrupted or killed at each step, and finished by the next (about 15 minutes)
	@pytest tests/chaos --exitfirst

mutants: ## Change modules of the emulator, of stacks and of filters in small ways, each of which has to fail a test (about 8 minutes)
	@scripts/setup.sh venv
	python -m scripts.mutants

soak: setup ## Faults, verbs and killed verbs over a site that is used (up to two hours): make soak ACTS=100 SEED=1 MINUTES=120
	@python -m benchmarks.soak --acts $(or $(ACTS),100) --seed $(or $(SEED),1) --minutes $(or $(MINUTES),120)

acceptance: setup ## Every verb on a throw-away site in your own AWS account: make acceptance DOMAIN=try.example.org ZONE=Z0123456789 (REGION MINUTES USD)
	@python -m scripts.acceptance --domain "$(DOMAIN)" --zone "$(ZONE)" --region $(or $(REGION),us-east-1) --minutes $(or $(MINUTES),150) --usd $(or $(USD),2)

late: setup ## The whole site on an AWS that answers late, stale, in short pages and throttled (about 8 minutes)
	@pytest tests/late --exitfirst
