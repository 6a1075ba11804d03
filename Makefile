# The one list of commands. A bare machine needs Python 3.11 or newer and make; everything else comes from the locks.
#   make demo     one whole generated market day, from nothing to a report
#   make test     all tests but those that play days and the long ones
#   make check    what must pass before a change is merged

# The first interpreter that is new enough and can create a virtual environment; override with PYTHON=...
# It is looked for once, and not before it is needed.
FIND_PYTHON = $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
    path=$$(command -v $$name) || continue; \
    "$$path" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
      && { echo "$$path"; break; }; done)
PYTHON = $(eval PYTHON := $(FIND_PYTHON))$(PYTHON)

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m infra.tools.install
# What is installed is compiled once, on all cores: a process that may not write bytecode would compile it at each start.
COMPILE := $(BIN)/python -m compileall -q -j 0
STAMP_LOCAL := $(VENV)/.installed-local
STAMP_COMPILED := $(VENV)/.compiled
STAMP_DEV := $(VENV)/.installed-dev

# One process for each core, and one because many tests wait; what has nothing left takes over from another.
PARALLEL := --numprocesses $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist worksteal
# pytest rewrites all asserts at each start where it may not keep what it wrote; here it may, whatever the shell says.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two targets never install into the same environment at once.
.NOTPARALLEL:
.PHONY: help python setup setup-dev demo test days long package bench lint format types contracts check lock calendar clean \
  vulnerabilities cloud-resources cloud-preview cloud-up cloud-mend cloud-clear-failed cloud-smoke cloud-keep \
  cloud-deploy cloud-rollback cloud-destroy

# Which stack the targets deal with that begin with cloud-. What a build is started with is somebody's text: it is taken
# as it stands and reaches a recipe as a variable of its environment, so neither make nor the shell reads words of their
# own in it.
STACK = sandbox
override STACK := $(value STACK)
override STATE := $(value STATE)
override TO := $(value TO)
export STACK STATE TO

# Pulumi's command line, which comes from its maker and not from the locks. Unless it is told not to, Google's provider
# lists the regions of Compute Engine at each command, a service that no stack has.
PULUMI = PULUMI_PYTHON_CMD="$(PYTHON)" PULUMI_GCP_SKIP_REGION_VALIDATION=true pulumi --cwd infra --non-interactive
# What is provisioned waits for Google, not for a core: the engine's default is a few at once for each core.
UP = $(PULUMI) up --stack "$$STACK" --yes --parallel 32
EXPORT = $(PULUMI) stack export --stack "$$STACK"

help: ## list the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 26

python: ## print the interpreter that .venv is made from
	@test -n "$(PYTHON)" || { \
	  echo "No Python 3.11 or newer with the venv module was found. Install one, or name it: make ... PYTHON=/path/to/python" >&2; \
	  exit 1; }
	@echo "$(PYTHON)"

$(BIN)/python:
	@$(MAKE) --no-print-directory python >/dev/null
	@echo "Creating $(VENV) with $(PYTHON)."
	@"$(PYTHON)" -m venv $(VENV)

# Each lock is installed once and again after it changed. `dev` holds all of `local` in the same versions.
$(STAMP_LOCAL): $(BIN)/python requirements/local.txt pyproject.toml
	@$(INSTALL) requirements/local.txt
	@echo "Installing this project into $(VENV)."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-compile --no-deps \
	  --no-build-isolation --editable .
	@touch $@

$(STAMP_COMPILED): $(STAMP_LOCAL)
	@echo "Compiling what was installed, so that every command starts at once."
	@$(COMPILE) $(VENV)/lib shared infra
	@touch $@
	@echo "Ready: $(BIN)/strategy --help"

$(STAMP_DEV): $(STAMP_LOCAL) requirements/dev.txt
	@$(INSTALL) requirements/dev.txt
	@echo "Compiling what was installed."
	@$(COMPILE) $(VENV)/lib shared infra
	@touch $@

setup: $(STAMP_COMPILED) ## create .venv with what the product needs (.venv/bin/strategy)

setup-dev: $(STAMP_DEV) ## add to .venv what the tests and checks need

# The day comes before the compilation of what it does not need.
demo: $(STAMP_LOCAL) ## run one whole generated market day and show its result
	@echo "Playing one simulated market day."
	@$(BIN)/strategy demo
	@$(MAKE) --question $(STAMP_COMPILED) 2>/dev/null || { $(MAKE) --no-print-directory --silent setup && \
	  echo "Report  $$(ls -t runs/*/report.html | head -n 1)"; }

test: $(STAMP_DEV) ## run the tests, without those that play days and the long ones
	$(PYTEST) -m "not days and not long" $(PARALLEL)

days: $(STAMP_DEV) ## run the tests that play days, or the last hour of one: recorded, generated, made
	$(PYTEST) -m "days and not long" $(PARALLEL)

long: $(STAMP_DEV) ## run the tests that take minutes or need a package index
	$(PYTEST) -m long

package: $(STAMP_LOCAL) ## write the deployment archive of every function into build/
	$(BIN)/strategy package --out build

bench: $(STAMP_DEV) ## measure cold starts and memory, free and under the shares of a CPU, into build/benchmarks/
	$(BIN)/python -m tests.benchmarks.cold_start --installed --json build/benchmarks/cold_start.json
	$(BIN)/python -m tests.benchmarks.cold_start --installed --share topology --json build/benchmarks/cold_start_shares.json

lint: $(STAMP_DEV) ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP_DEV) ## rewrite style and formatting where that is safe
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

types: $(STAMP_DEV) ## check types, strictly, everywhere
	$(BIN)/mypy shared infra tests $(wildcard functions/*/main.py)

contracts: $(STAMP_DEV) ## check that rooms import only inward
	$(BIN)/lint-imports --no-logo

check: lint types contracts test days ## everything that must pass before a change is merged

lock: $(STAMP_DEV) ## write the lock files from pyproject.toml; UPGRADE=1 looks for newer versions
	$(BIN)/python -m infra.tools.locks $(if $(UPGRADE),--upgrade)

vulnerabilities: $(STAMP_DEV) ## look for known vulnerabilities in all that is locked; asks a service on the network
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements/dev.txt

cloud-resources: $(STAMP_DEV) ## count the resources of each stack by kind, without the cloud
	$(BIN)/python -m tests.infra.cloud.census

# Of a stack that has nothing yet every property is new: those are shown once there is something to compare. It looks at
# nothing but the state (--refresh=false), for which the account of a pull request may ask.
cloud-preview: ## show what `make cloud-up` would change; STACK=sandbox or production
	$(PULUMI) install
	if $(EXPORT) | grep -q '"urn":'; then diff=--diff; else diff=; fi; \
	  $(PULUMI) preview --stack "$$STACK" --refresh=false $$diff

# What a `cloud-up` that failed wrote down is what was meant, so each one first looks at what Google has
# (infra/Pulumi.yaml).
cloud-up: ## provision the stack and deploy every function
	$(PULUMI) install
	$(UP)

cloud-mend: ## mend a `cloud-up` that was killed, while no other one runs: import what it had made, then deploy
	$(PULUMI) install
	$(PULUMI) cancel --stack "$$STACK" --yes
	"$(PYTHON)" -m infra.tools.mend adopt "$$STACK" env $(PULUMI)
	$(UP)
	"$(PYTHON)" -m infra.tools.mend settle "$$STACK" env $(PULUMI)

cloud-clear-failed: ## delete the functions whose first build failed, which no `cloud-up` mends; then cloud-up
	@test -n "$(PYTHON)"
	$(EXPORT) | "$(PYTHON)" -m infra.tools.failed

cloud-smoke: ## ask a deployed stack whether it answers where it must and is closed where it must
	@test -n "$(PYTHON)"
	$(PULUMI) stack output --stack "$$STACK" --json | "$(PYTHON)" -m infra.tools.smoke

cloud-deploy: cloud-up cloud-smoke cloud-keep ## cloud-up, then cloud-smoke, then cloud-keep

# What an archive is built from.
SOURCES = functions shared pyproject.toml

# A build in the cloud has no commit but its own and may fetch none: what it deployed lies beside Pulumi's state.
cloud-keep: ## keep in the bucket STATE what a roll-back to this commit is built from; without STATE nothing is kept
	test -z "$$STATE" || { mkdir -p build && git archive --output build/kept.tar HEAD $(SOURCES) && \
	  gcloud storage cp build/kept.tar "gs://$$STATE/deployed/$$(git rev-parse HEAD).tar"; }

# The archives of a commit are built anew, to the byte what they were then: the same content, so the same names.
cloud-rollback: ## deploy the functions of an earlier commit with the present provisioning: TO=commit
	@test -n "$$TO" || { echo "Name the commit to go back to: make cloud-rollback TO=... STACK=..." >&2; exit 1; }
	rm -rf build/rollback build/rollback.tar && mkdir -p build/rollback
	if commit=$$(git rev-parse --verify --quiet --end-of-options "$$TO^{commit}"); \
	  then git archive --output build/rollback.tar "$$commit" $(SOURCES); \
	elif test -z "$$STATE"; then printf '%s\n' \
	  "This checkout has no commit $$TO, and no bucket to look for it in was named: STATE=..." >&2; exit 1; \
	elif test "$${#TO}" -ne 40 || case "$$TO" in *[!0-9a-f]*) true ;; *) false ;; esac; then printf '%s\n' \
	  "This checkout has no commit $$TO, and what was kept is found by a commit's full id of 40 digits." >&2; exit 1; \
	else gcloud storage cp "gs://$$STATE/deployed/$$TO.tar" build/rollback.tar; fi
	tar -x -C build/rollback -f build/rollback.tar
	cp "infra/Pulumi.$$STACK.yaml" build/rollback.yaml
	$(PULUMI) install
	$(UP) --config-file "$(CURDIR)/build/rollback.yaml" --config etrade-strategy:source=build/rollback
	@$(MAKE) --no-print-directory cloud-smoke

# Never without the engine's preview (--skip-preview): that is where it refuses as a whole. What Google itself protects no
# preview sees, so both are looked at before, in what Google has now.
cloud-destroy: ## take the stack down; while anything in it is protected, nothing is destroyed
	$(PULUMI) install
	$(PULUMI) refresh --stack "$$STACK" --yes
	$(EXPORT) | "$(PYTHON)" -m infra.tools.destroyable
	$(PULUMI) destroy --stack "$$STACK" --yes

calendar: $(STAMP_DEV) ## write shared/domain/base/nyse.py from the exchange's rules
	$(BIN)/python -m infra.tools.nyse_calendar

clean: ## remove .venv and the caches; runs and reports stay
	rm -rf $(VENV) infra/venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
