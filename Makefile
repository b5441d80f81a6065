# The two commands: `make up` and `make test`. Each sets up what it needs; `make help` lists the rest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/better-together
export UV := $(or $(shell command -v uv),$(CACHE)/uv/bin/uv)
export UV_PYTHON_INSTALL_DIR := $(CACHE)/python
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV
PYTHON := .venv/bin/python
JOBS ?= 2

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: up
up: setup ## bring stacks aws and gcp, or STACK="aws-prod gcp-prod", up on the laptop's clouds and print their URLs
	@$(PYTHON) -m local up $(STACK) $(if $(AUTH),--auth $(AUTH)) $(if $(REFRESH),--refresh) \
	  $(if $(ROLLOUT),--rollout $(ROLLOUT)) $(if $(ARTIFACT),--artifact $(ARTIFACT))

.PHONY: preview
preview: setup ## show what up would change: make preview STACK=aws
	@$(PYTHON) -m local preview $(or $(STACK),$(error name the stack: make preview STACK=aws))

.PHONY: drift
drift: setup ## say what in the laptop's clouds is not as up left it, and fail if anything is: make drift STACK=aws
	@$(PYTHON) -m local drift $(or $(STACK),$(error name the stack: make drift STACK=aws))

.PHONY: outputs
outputs: setup ## print all stacks' outputs as JSON (make -s outputs)
	@$(PYTHON) -m local outputs

.PHONY: check
check: setup ## check that a deployment does its work: make check STACK=aws, or URL=https://... (WRITE=1: also with users of its own)
	@$(PYTHON) -m ops check $(if $(STACK),--stack '$(STACK)') $(if $(URL),--url '$(URL)') $(if $(filter 1,$(WRITE)),--write)

.PHONY: token
token: setup ## print a token for `make up AUTH=laptop`: make -s token USER=1 (ADMIN=1: may write every user)
	@$(PYTHON) -m local token $(if $(filter command,$(origin USER)),$(USER),$(error name the user: make token USER=1)) $(if $(ADMIN),--admin)

.PHONY: destroy
destroy: setup ## destroy a stack on the laptop's clouds: make destroy STACK=aws
	@$(PYTHON) -m local destroy $(or $(STACK),$(error name the stack: make destroy STACK=aws))

.PHONY: down
down: setup ## destroy all stacks and stop the laptop's clouds
	@$(PYTHON) -m local down

.PHONY: artifact
artifact: setup ## build the artifact; print its digest, sizes and largest packages
	@$(PYTHON) -m stacks.artifact

.PHONY: test
test: setup ## run all tests
	@$(PYTHON) -m local.tools test
	app/.venv/bin/python -m pytest -n $(JOBS) tests/app tests/cloud
	$(PYTHON) -m pytest -n $(JOBS) tests/stacks tests/policy tests/momento tests/local tests/ops
	$(PYTHON) -m pytest -n $(JOBS) --dist load --maxschedchunk 1 tests/e2e

.PHONY: fuzz
fuzz: setup ## try random input and operations for long, and say how many: make fuzz EXAMPLES=2000
	@$(PYTHON) -m local.tools test
	@FUZZ_EXAMPLES=$(or $(EXAMPLES),2000) app/.venv/bin/python -m pytest -q -s -m fuzz tests/app

.PHONY: bench
bench: setup ## count round trips to slow upstreams, and take the time (on an idle machine)
	@$(PYTHON) -m local.tools test
	@REQUIRED_STORES=dynamodb-local app/.venv/bin/python -m benchmarks.round_trips --plot docs/round_trips.svg

.PHONY: openapi
openapi: setup ## write openapi.json anew
	@app/.venv/bin/python -m tests.app.openapi_file

.PHONY: snapshots
snapshots: setup ## write the stacks' snapshots anew, after a stack was changed on purpose
	@$(PYTHON) -m tests.stacks.test_snapshots

.PHONY: contract
contract: setup ## run schemathesis against aws, gcp and flask run, and say how many cases ran: make contract CASES=20
	@CONTRACT_CASES=$(or $(CASES),20) $(PYTHON) -m pytest -q -s tests/e2e/test_contract.py

.PHONY: lint
lint: setup ## ruff and pyright
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/pyright --warnings
	.venv/bin/pyright --warnings -p app
	.venv/bin/pyright --warnings -p pulumi_momento
	.venv/bin/pyright --warnings -p policy

.PHONY: setup
setup: .venv/ready app/.venv/ready pulumi_momento/.venv/ready policy/.venv/ready build/lambda-runtime/ready ## install everything into the checkout and the cache
	@$(PYTHON) -m local.tools

$(CACHE)/uv/bin/uv:
	@echo "Installing uv into $(CACHE) ..." >&2
	@command -v python3 >/dev/null || { echo "python3 is missing: install Python 3.13 (https://www.python.org/downloads/)" >&2; exit 1; }
	@python3 -m venv $(CACHE)/uv || { echo "python3 cannot make environments: install its venv package, e.g. apt-get install python3-venv" >&2; exit 1; }
	@$(CACHE)/uv/bin/pip install --quiet --disable-pip-version-check uv

build/python: .python-version | $(UV)
	@$(UV) python find --quiet 3.13 >/dev/null 2>&1 || $(UV) python install --quiet 3.13 2>/dev/null || \
	  { echo "Python 3.13 is missing: install it with pyenv, your package manager or https://www.python.org/downloads/" >&2; exit 1; }
	@mkdir -p build && touch $@

.venv/ready: pyproject.toml uv.lock pulumi_momento/pyproject.toml build/python
	@echo "Installing Pulumi and the stacks' packages ..." >&2
	@$(UV) sync --quiet --locked && touch $@

app/.venv/ready: app/pyproject.toml app/uv.lock build/python
	@echo "Installing the app's packages ..." >&2
	@$(UV) sync --quiet --locked --project app && touch $@

pulumi_momento/.venv/ready: pulumi_momento/pyproject.toml pulumi_momento/uv.lock build/python
	@echo "Installing the momento plugin's packages ..." >&2
	@$(UV) sync --quiet --locked --project pulumi_momento && touch $@

policy/.venv/ready: policy/pyproject.toml policy/uv.lock build/python
	@echo "Installing the policy pack's packages ..." >&2
	@$(UV) sync --quiet --locked --project policy && touch $@

build/lambda-runtime/ready: app/pyproject.toml app/uv.lock build/python
	@echo "Installing AWS's Lambda runtime client ..." >&2
	@rm -rf build/lambda-runtime
	@$(UV) export --quiet --locked --project app --only-group lambda-runtime --no-emit-project --output-file build/lambda-runtime.txt >/dev/null
	@$(UV) pip install --quiet --python app/.venv/bin/python --require-hashes --target build/lambda-runtime --requirement build/lambda-runtime.txt && touch $@
