# The two commands: `make up` and `make test`. Each sets up what it needs; `make help` lists the rest.
# Variables of the command line reach the recipes as environment variables, since what make expands is run as shell code.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

ifndef HOME
  export HOME := $(shell unset HOME; echo ~)
endif
export UV := $(CURDIR)/build/uv/bin/uv
export PATH := $(value PATH):$(CURDIR)/build/uv/bin
export UV_PYTHON_INSTALL_DIR := $(CURDIR)/build/pythons
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV
PYTHON := .venv/bin/python
json = $(if $(filter 1,$(JSON)),--json)
need_plan = $(if $(value PLAN),,$(error name the plan: make $@ PLAN=build/plan.json))
need_stack = $(if $(value STACK),,$(error name the stack: make $@ STACK=aws))

.PHONY: help
help: ## list the targets and the variables
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-14s%s\n", $$1, $$2 }' Makefile
	@awk -F '## ' '/^# [A-Z]+=.*## / { printf "%-14s%s\n", substr($$1, 3), $$2 }' Makefile

# STACK=      ## the stack, for up and destroy also several: STACK="aws-prod gcp-prod"
# ROLLOUT=10  ## up: percent of the requests to the newest version, 0 to 100
# ARTIFACT=   ## up, preview: build, promoted, or sha256:... of an artifact that ran before; rollback: the last; promote: a release of FROM; plan: the only one allowed
# AUTH=laptop ## up: writes and pictures need a token of the laptop's issuer
# HOURS=72    ## up, create: how long until `make reap` destroys the stack
# FORCE=1     ## recover: also remove the lock of a process that may be at work
# FIRST=1     ## promote: refuse if TO has come up already
# DRY=1       ## reap, promote: only say what would be destroyed, or promoted
# REFRESH=1   ## up: ask the clouds first, and repair what has drifted
# VERBOSE=1   ## up, destroy, down: print all that the engine says, not only what changed
# PLAN=       ## plan, deploy, comment, preview-since: the file of the plan
# JSON=1      ## plan, deploy, drift, check, promote, verify, rollback, status, prune: print the result as JSON (with make -s)
# PORT=5000   ## dev: the port of the app
# CASES=20    ## contract: cases for each operation
# EXAMPLES=   ## fuzz: random inputs for each test
# SEEDS=500   ## prove: seeds of each proof
# CLOUD=aws   ## rehearse: on this cloud alone
# BUILDS=late ## rehearse: these builds alone: good, errors, writes, dead, slow, late
# PEERS=      ## compare: these alone: us, botocore, chalice, flask, ... (nothing is stored)
# ROUNDS=16   ## compare: how often each is measured (another number: nothing is stored)
# UPDATE=1    ## compare: store the results even if a ratio got worse
# TIME=60     ## load: seconds, up to 600
# USERS=4     ## load: how many for each stack, up to 100
# RATE=8      ## load: requests a second to each stack, up to 200; 2 to a URL
# UI=1        ## load: locust's own page instead
# DOCS=1      ## load: also renew what `make docs` draws of a load
# JOBS=2      ## test-app (default: 0, no others) and test-stacks (default: 2): processes at the same time

.PHONY: up
up: setup ## bring stacks aws and gcp, or STACK="aws-prod gcp-prod", up on the laptop's clouds and print their URLs
	@set -f; $(PYTHON) -m local up $${AUTH:+--auth="$$AUTH"} $${REFRESH:+--refresh} $${VERBOSE:+--verbose} \
	  $${ROLLOUT:+--rollout="$$ROLLOUT"} $${ARTIFACT:+--artifact="$$ARTIFACT"} \
	  $${HOURS:+--hours="$$HOURS"} -- $${STACK:-}

.PHONY: dev
dev: setup ## run the app with reload on stack aws's store and cache, or STACK=gcp's; bring the stack up if it is not
	@$(PYTHON) -m local dev $${PORT:+--port="$$PORT"} -- $${STACK:+"$$STACK"}

.PHONY: preview
preview: setup ## show what up would change: make preview STACK=aws
	@$(need_stack)$(PYTHON) -m local preview $${ARTIFACT:+--artifact="$$ARTIFACT"} -- "$$STACK"

.PHONY: drift
drift: deployment ## report what in the cloud differs from what up left, and fail if anything does: make drift STACK=aws
	@$(need_stack)set -f; $(PYTHON) -m ops drift $(json) -- $$STACK

.PHONY: outputs
outputs: setup ## print all stacks' outputs as JSON (make -s outputs)
	@$(PYTHON) -m local outputs

.PHONY: check
check: deployment ## check that a deployment works: make check STACK=aws, or URL=https://... (WRITE=1: also create users)
	@$(PYTHON) -m ops check $(json) $${STACK:+--stack "$$STACK"} $${URL:+--url "$$URL"} $(if $(filter 1,$(WRITE)),--write)

.PHONY: plan
plan: deployment ## plan what pulumi up would change, with all that it depends on: make plan STACK="aws gcp" PLAN=build/plan.json
	@$(need_stack)set -f; $(PYTHON) -m ops preview $(json) $${PLAN:+--out "$$PLAN"} $${ARTIFACT:+--artifact "$$ARTIFACT"} -- $$STACK

.PHONY: deploy
deploy: deployment ## deploy a plan, and refuse if anything has changed since: make deploy PLAN=build/plan.json (DIGEST=: the approved one)
	@$(need_plan)$(PYTHON) -m ops deploy $(json) --plan "$$PLAN" $${DIGEST:+--digest "$$DIGEST"}

.PHONY: comment
comment: deployment ## print a plan as Markdown: make comment PLAN=build/plan.json (HEAD=OWNER:BRANCH COMMIT=: on its pull request)
	@$(need_plan)$(PYTHON) -m ops comment $(json) --plan "$$PLAN" $${HEAD:+--head "$$HEAD"} $${COMMIT:+--commit "$$COMMIT"}

.PHONY: preview-since
preview-since: setup ## plan what has changed since a commit, on the laptop's clouds: make preview-since BASE=main STACK="aws gcp"
	@$(need_stack)$(if $(value BASE),,$(error name the commit: make preview-since BASE=main)) set -f; \
	  local/cli/preview_since.sh "$$BASE" "$${PLAN:-build/plan.json}" $$STACK

.PHONY: promote
promote: deployment ## roll out an artifact of one stack on another, step by step, without a build: make promote FROM=aws TO=aws-prod
	@$(if $(and $(value FROM),$(value TO)),,$(error name two stacks: make promote FROM=aws TO=aws-prod)) \
	  $(PYTHON) -m ops promote $(json) $${ARTIFACT:+--artifact "$$ARTIFACT"} \
	  $(if $(filter-out 0,$(FIRST)),--first) $(if $(filter-out 0,$(DRY)),--dry-run) -- "$$FROM" "$$TO"

.PHONY: rollback
rollback: deployment ## give all requests to the stable version, or to the release before it: make rollback STACK=aws
	@$(need_stack)$(PYTHON) -m ops rollback $(json) $${ARTIFACT:+--to "$$ARTIFACT"} -- "$$STACK"

.PHONY: verify
verify: deployment ## check the newest version alone, whatever its share of the requests: make verify STACK=aws
	@$(need_stack)$(PYTHON) -m ops verify $(json) -- "$$STACK"

.PHONY: status
status: deployment ## say what runs and what is being rolled out: make status STACK="aws gcp" (MEND=1: roll back what is overdue)
	@$(need_stack)set -f; $(PYTHON) -m ops status $(json) $(if $(filter 1,$(MEND)),--mend) -- $$STACK

.PHONY: prune
prune: deployment ## delete the versions of an AWS stack's function that no rollback needs: make prune STACK=aws
	@$(need_stack)$(PYTHON) -m ops prune $(json) -- "$$STACK"

.PHONY: create
create: deployment ## make a stack with a time to live in the backend: make create STACK=pr-12 HOURS=72
	@$(need_stack)$(PYTHON) -m ops create $(json) $${HOURS:+--hours "$$HOURS"} -- "$$STACK"

.PHONY: reap
reap: deployment ## destroy the stacks whose time to live is over (DRY=1: only say which)
	@$(PYTHON) -m ops reap $(json) $(if $(filter-out 0,$(DRY)),--dry-run)

.PHONY: recover
recover: deployment ## unlock and settle a stack after its update was killed: make recover STACK=aws (FORCE=1: whoever holds the lock)
	@$(need_stack)$(PYTHON) -m ops recover $(json) $(if $(filter 1,$(FORCE)),--force) -- "$$STACK"

.PHONY: token
token: setup ## print a token for `make up AUTH=laptop`: make -s token USER=1 (ADMIN=1: may write every user)
	@$(PYTHON) -m local token $${ADMIN:+--admin} -- "$(if $(filter command,$(origin USER)),$$USER,$(error name the user: make token USER=1))"

.PHONY: destroy
destroy: setup ## destroy a stack on the laptop's clouds: make destroy STACK=aws
	@$(need_stack)set -f; $(PYTHON) -m local destroy $${VERBOSE:+--verbose} -- $$STACK

.PHONY: down
down: setup ## destroy all stacks and stop the laptop's clouds
	@$(PYTHON) -m local down $${VERBOSE:+--verbose}

.PHONY: artifact
artifact: deployment ## build the artifact; print its digest, sizes, SBOM and largest packages
	@$(PYTHON) -m stacks.artifact

.PHONY: dist
dist: deployment ## put the artifact's archives and SBOM into build/dist
	@$(PYTHON) -m stacks.artifact build/dist

.PHONY: release
release: ## publish build/dist as a release of GitHub: make release TAG=v1.0.0
	@$(if $(value TAG),,$(error name the tag: make release TAG=v1.0.0)) gh release create "$$TAG" build/dist/* --verify-tag --generate-notes

# `make test` shows every behaviour once; `make prove` also runs what is marked `prove`. Either consists of three runs,
# which can be started alone: `make test-e2e` for the first tier, `make test-e2e TIER=` for both. They run at the same
# time, since test-e2e, two or three processes with clouds of their own, waits as much as it works. Five processes end at
# about the same time on two cores. Each run is printed when it ends.
TIER := -m 'not prove'

.PHONY: test
test: setup ## run the first tier of tests: test-app, test-stacks and test-e2e
	@echo "Running test-e2e, test-stacks and test-app at the same time ..." >&2
	@$(MAKE) --no-print-directory --jobs=3 --output-sync=target TIER="$(TIER)" test-e2e test-stacks test-app

.PHONY: prove
prove: ## run all tests with all stores, faults and seeds (SEEDS=500: with that many seeds)
	@$(MAKE) --no-print-directory test TIER=

.PHONY: test-app
test-app: setup ## test the app and the daemon of the laptop's clouds
	@$(PYTHON) -m local.cli.tools test
	app/.venv/bin/python -m pytest -n "$${JOBS:-0}" $(TIER) --hypothesis-profile $(if $(TIER),test,prove) tests/app tests/cloud

.PHONY: test-stacks
test-stacks: setup ## test the stacks, the bootstrap of accounts, the policy, the providers, ops and the benchmarks, without a cloud
	$(PYTHON) -m pytest -n "$${JOBS:-2}" $(TIER) tests/benchmarks tests/bootstrap tests/stacks tests/policy tests/momento tests/local tests/ops

.PHONY: test-e2e
test-e2e: setup ## test both stacks on the laptop's clouds
	$(PYTHON) -m pytest -n $(if $(TIER),2,3) $(TIER) tests/e2e

.PHONY: fuzz
fuzz: setup ## try random input and operations, and print how many: make fuzz EXAMPLES=2000
	@$(PYTHON) -m local.cli.tools test
	@FUZZ_EXAMPLES="$${EXAMPLES:-2000}" app/.venv/bin/python -m pytest -q -s -m fuzz --hypothesis-profile fuzz tests/app

.PHONY: bench
bench: setup ## count calls and bytes, and measure times, as followers and concurrency grow (on an idle machine)
	@$(PYTHON) -m local.cli.tools test
	@app/.venv/bin/python -m benchmarks.growth

.PHONY: load
load: setup benchmarks/.venv/ready ## put load on both stacks, or STACK="aws-prod gcp-prod", or URL=https://..., and compare with and without the cache
	@set -f; $(PYTHON) -m benchmarks.load $${URL:+--url="$$URL"} $${TIME:+--time="$$TIME"} $${USERS:+--users="$$USERS"} \
	  $${RATE:+--rate="$$RATE"} $(if $(filter 1,$(UI)),--ui) $(if $(filter 1,$(DOCS)),--docs) -- $${STACK:-}

.PHONY: compare
compare: setup ## measure the app and its peers, on an idle machine, and update docs/performance.md unless a ratio got worse
	@$(PYTHON) -m stacks.artifact build/compare/artifact >/dev/null
	@set -f; app/.venv/bin/python -m benchmarks.compare $${PEERS:+--peers $$PEERS} $${ROUNDS:+--rounds "$$ROUNDS"} \
	  $(if $(filter 1,$(UPDATE)),--update)

.PHONY: wait
wait: setup ## measure how long make up and make preview take (on an idle machine); print the table of docs/performance.md
	@$(PYTHON) -m benchmarks.waiting

.PHONY: rehearse
rehearse: setup ## promote good and bad builds under traffic on the laptop's clouds: make rehearse CLOUD=aws BUILDS="good late"
	@set -f; $(PYTHON) -m rehearsal $${CLOUD:+--cloud $$CLOUD} $${BUILDS:+--builds $$BUILDS}

.PHONY: docs
docs: setup ## draw the pictures of the docs, and compute the tables of docs/costs.md and docs/deployer.md
	@$(PYTHON) -m docs

.PHONY: openapi
openapi: setup ## update openapi.json
	@app/.venv/bin/python -m tests.app.openapi_file

.PHONY: snapshots
snapshots: setup ## update the stacks' snapshots after an intended change
	@$(PYTHON) -m tests.stacks.test_snapshots

.PHONY: contract
contract: setup ## run schemathesis against aws, gcp and flask run, and print how many cases ran: make contract CASES=20
	@CONTRACT_CASES="$${CASES:-20}" $(PYTHON) -m pytest -q -s tests/e2e/test_contract.py

.PHONY: lint
lint: setup lint-workflows ## ruff, import-linter and pyright, and lint-workflows
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports --no-cache --no-logo
	.venv/bin/pyright --warnings
	.venv/bin/pyright --warnings -p app
	.venv/bin/pyright --warnings -p pulumi_momento
	.venv/bin/pyright --warnings -p policy

.PHONY: lint-workflows
lint-workflows: setup ## zizmor and actionlint, on the workflows of GitHub Actions
	.venv/bin/zizmor --offline --quiet --persona pedantic --strict-collection .github
	actionlint="$$($(PYTHON) -m local.cli.tools lint)"; "$$actionlint" -shellcheck .venv/bin/shellcheck -pyflakes ''

.PHONY: setup
setup: deployment app/.venv/ready build/lambda-runtime/ready ## install everything into the checkout and the cache
	@$(PYTHON) -m local.cli.tools
# Most of the time of a set-up, which a deployment would not make up for: it imports few of the modules.
setup: export UV_COMPILE_BYTECODE := 1

.PHONY: setup-deploy
setup-deploy: deployment ## install what deployments need, such as on a CI server; the Pulumi CLI must be on PATH
	@$(PYTHON) -m local.cli.tools deploy

# The environments of `pulumi up`, of ops and of the artifact.
.PHONY: deployment
deployment: .venv/ready pulumi_momento/.venv/ready policy/.venv/ready

# Python prints a traceback on Ctrl-C, so only make handles it while the environment of pip is created.
build/uv/ready: local/cli/uv.txt
	@libc="$$(getconf GNU_LIBC_VERSION 2>/dev/null || echo 'another libc than glibc')"; \
	  [ "$$(uname -sm)" = "Linux x86_64" ] && printf '%s\n' "glibc 2.28" "$$libc" | sort -VC || \
	  { echo "This is $$(uname -sm) with $$libc: use Linux on x86-64 with glibc 2.28 or newer; WSL 2 and the dev container work" >&2; exit 1; }
	@trap '' INT; python3 -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "python3 or its venv package is missing: install them, e.g. apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing uv ..." >&2
	@mkdir -p build && rm -rf build/uv
	@trap '' INT; python3 -m venv build/uv
	@build/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement local/cli/uv.txt
	@touch $@

build/python: .python-version build/uv/ready
	@"$$UV" python find --quiet 3.13 >/dev/null 2>&1 || "$$UV" python install --quiet 3.13 2>/dev/null || \
	  { echo "Python 3.13 is missing: install it with pyenv, your package manager or https://www.python.org/downloads/" >&2; exit 1; }
	@touch $@

# Start over if an earlier run was interrupted, since uv considers a package installed once its metadata exist.
define sync
@[ -e $@ ] || rm -rf $(@D)
@rm -f $@
@"$$UV" sync --quiet --locked --project $(dir $(@D)) $(only_group)
@touch $@
endef

.venv/ready: pyproject.toml uv.lock pulumi_momento/pyproject.toml build/python
	@echo "Installing Pulumi and the stacks' packages ..." >&2
	$(sync)

app/.venv/ready: app/pyproject.toml app/uv.lock build/python
	@echo "Installing the app's packages ..." >&2
	$(sync)

pulumi_momento/.venv/ready: pulumi_momento/pyproject.toml pulumi_momento/uv.lock build/python
	@echo "Installing the momento plugin's packages ..." >&2
	$(sync)

policy/.venv/ready: policy/pyproject.toml policy/uv.lock build/python
	@echo "Installing the policy pack's packages ..." >&2
	$(sync)

# Only `make load` needs it.
benchmarks/.venv/ready: only_group := --only-group load
benchmarks/.venv/ready: benchmarks/pyproject.toml benchmarks/uv.lock build/python
	@echo "Installing locust ..." >&2
	$(sync)

build/lambda-runtime/ready: app/.venv/ready
	@echo "Installing AWS's Lambda runtime client ..." >&2
	@rm -rf build/lambda-runtime
	@"$$UV" export --quiet --locked --project app --only-group lambda-runtime --no-emit-project --output-file build/lambda-runtime.txt >/dev/null
	@"$$UV" pip install --quiet --python app/.venv/bin/python --require-hashes --target build/lambda-runtime --requirement build/lambda-runtime.txt
	@touch $@
