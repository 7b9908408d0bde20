# What can be done with a checkout. `make` alone lists it.

CARGO ?= cargo
# More words for the demo: make demo ARGS="--scenario engine-crash --json"
ARGS ?=
TARGET := $(or $(CARGO_TARGET_DIR),target)
DENY_VERSION := 0.20.2

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-clients test-vm sim chaos prove lint lint-code lint-dependencies advisories bench bench-peer bench-vm

help: ## lists what can be done
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

setup: ## finds or installs what a build needs
	@.ci/setup

demo: setup ## shows the main job on real processes and real traffic
	$(CARGO) build --locked -p towpath -p hello-service
	$(TARGET)/debug/towpath demo $(ARGS)

test: ## runs the tests
	@.ci/setup tests
	$(CARGO) test --workspace --locked

test-clients: setup ## has a client in Python follow a deployment
	$(CARGO) build --locked -p towpath -p hello-service
	tests/clients/python/run $(TARGET)/debug

test-vm: setup ## runs the target of virtual machines on machines with systemd; needs root
	@.ci/setup tests
	$(CARGO) build --locked -p hello-service
	MACHINE_TREE=$$(tests/machines/tree) && export MACHINE_TREE && \
		$(CARGO) test --workspace --locked --features test-machines/systemd --test it systemd:: -- --test-threads 1

SEEDS ?= 2000
sim: ## runs engines, a store and a target through storms made from seeds: SEEDS=2000, or one again with SEEDS=101..102
	SEEDS=$(SEEDS) $(CARGO) test --locked -p engine --test it storm::whatever -- --nocapture

FAULTS ?= 200
chaos: ## kills and stops real servers and databases at moments all over a canary: FAULTS=200 on each of the two stores
	@.ci/setup tests
	FAULTS=$(FAULTS) $(CARGO) test --locked -p towpath --test it at_any_moment -- --nocapture --test-threads 1
	FAULTS=$(FAULTS) $(CARGO) test --locked -p journal-sql --test it kill -- --nocapture --test-threads 1

prove: setup ## explores the machine in every order of messages, faults and commands, up to a bound
	$(CARGO) run --release --locked -p prove -- $(ARGS)

lint: lint-code lint-dependencies ## asks rustfmt, clippy, the tidy test and cargo-deny

lint-code: setup
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --features test-machines/systemd --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps -p towpath-sdk
	$(CARGO) test --locked -p tidy -- --nocapture

lint-dependencies:
	@command -v cargo-deny >/dev/null || $(CARGO) install cargo-deny --locked --version $(DENY_VERSION)
	$(CARGO) deny check bans licenses sources

advisories: ## asks whether a dependency has a known weakness; needs a network
	@command -v cargo-deny >/dev/null || $(CARGO) install cargo-deny --locked --version $(DENY_VERSION)
	$(CARGO) deny check advisories

bench: ## measures what design and README promise, each beside its yardstick
	@.ci/setup tests
	$(CARGO) bench --locked -p plugin-host --bench calls
	$(CARGO) bench --locked -p hostile --bench plugins
	$(CARGO) bench --locked -p plugin-tool --bench languages
	$(CARGO) bench --locked -p journal-sql --bench steps
	$(CARGO) bench --locked -p load --bench active
	$(CARGO) bench --locked -p verdict --bench worlds
	$(CARGO) bench --locked -p plugin-host --bench verdicts
	$(CARGO) bench --locked -p runtime --bench router
	$(CARGO) build --release --locked -p towpath -p hello-service
	tests/measure/run $(TARGET)/release

RUNS ?= 10
HOSTS ?= 50
bench-vm: ## measures canaries over hosts behind HAProxy, under load, and a fleet: RUNS=10 HOSTS=50
	@.ci/setup tests
	$(CARGO) build --locked -p hello-service
	RUNS=$(RUNS) HOSTS=$(HOSTS) $(CARGO) bench --locked -p test-machines --bench canary

bench-peer: setup ## measures durable steps beside a durable-execution library from PyPI, on one PostgreSQL
	@.ci/setup tests
	tests/load/peer/run
