# Two commands matter: `make serve` and `make test`. Each makes what it needs first, says so, and
# does nothing twice: every finished step leaves a stamp in .venv or .cache.
#
# To add a target, give it a "## sentence": `make help` prints those.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# MkDocs announces its successor at every build; docs/decisions/mkdocs-material.md knows.
export NO_MKDOCS_2_WARNING := 1

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PORT ?= 8000
# How many tests run at once, and anything else for pytest: make test PYTEST="-k acks -x"
JOBS ?= 2
PYTEST ?=

# What the site is made from; node_modules and caches are made from these themselves.
SITE_SOURCES := $(shell find sandbox docs labs solutions mkdocs.yml \( -name node_modules -o -name __pycache__ -o -name '*.tmp' \) -prune -o -type f -print 2>/dev/null)

say = @printf '\033[1m==>\033[0m %s\n' $(1)

.PHONY: help
help: ## Print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

# --- Environments: one folder, a stamp for each set of packages ------------------------------

$(STAMPS)/venv:
	$(call say,"Making a Python environment in $(VENV)")
	@tools/make-venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

# $(STAMPS)/site.packages installs the extra `site`, and so on.
$(STAMPS)/%.packages: pyproject.toml $(STAMPS)/venv
	$(call say,"Installing Python packages ($*)")
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

SITE_ENV := $(STAMPS)/site.packages
TEST_ENV := $(STAMPS)/site,notebooks,test.packages
DEV_ENV := $(STAMPS)/site,notebooks,test,dev.packages

# --- The site --------------------------------------------------------------------------------

.cache/site.stamp: $(SITE_SOURCES) | $(SITE_ENV)
	$(call say,"Building the site into site/ (the first time takes a few minutes)")
	@$(BIN)/python -m mkdocs build --quiet
	@mkdir -p .cache && touch $@

.PHONY: site
site: $(SITE_ENV) .cache/site.stamp ## Write the static site into site/

.PHONY: serve
serve: site ## Build everything and serve it on http://127.0.0.1:8000
	@$(BIN)/sandbox serve --port $(PORT)

# --- Tests -----------------------------------------------------------------------------------

.PHONY: browsers
browsers:
	@tools/need chromium
	@tools/need firefox-esr

.PHONY: notebooks
notebooks: $(TEST_ENV) ## Write every lesson as a notebook into build/notebooks
	$(call say,"Writing notebooks")
	@$(BIN)/sandbox notebooks build/notebooks

.PHONY: test
test: browsers $(TEST_ENV) site notebooks ## Run every test that needs no real broker, browsers included
	@tools/run-tests $(JOBS) $(PYTEST)

.PHONY: servers
servers:
	@tools/need rabbitmq-server
	@tools/need redis-server
	@tools/need mosquitto
	@tools/need mosquitto-clients
	@tools/need java

.PHONY: test-live
test-live: $(TEST_ENV) servers ## Run the tests against a real RabbitMQ, Kafka, Redis and Mosquitto
	$(call say,"Running the tests against real servers that they start")
	@$(BIN)/python -m pytest -m live -n $(JOBS) --dist loadgroup $(PYTEST)

.PHONY: parity
parity: $(TEST_ENV) ## Write the page that compares the sandbox with real brokers
	@$(BIN)/python -m tests.parity.page

.PHONY: lint
lint: $(DEV_ENV) ## Check formatting, types, layers and spelling
	@tools/lint

.PHONY: format
format: $(DEV_ENV) ## Rewrite files as `make lint` wants them
	@tools/lint --fix

.PHONY: bench
bench: $(TEST_ENV) site ## Measure, and print ratios from one run
	$(call say,"Measuring; leave the machine alone meanwhile")
	@$(BIN)/python -m bench

.PHONY: clean
clean: ## Remove everything that was made, the environment too
	rm -rf $(VENV) .cache site build dist
