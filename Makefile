# Every target sets up what it needs: a virtual environment in .venv, installed from requirements.lock.
# Variables: PROFILE=quick|full  PAPER=shallow_convlstm  TABLE=table1  SIGNAL=on|off  WORKERS=1
#            DATA=auto|real|synthetic  MER_DATA=/folder/of/databases

PYTHON  ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
             $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
             2>/dev/null && echo $$p && break; done)
PROFILE ?= quick
SIGNAL  ?= on
WORKERS ?= 1
DATA    ?= auto
PAPER   ?=
BENCH   ?=

BIN    := .venv/bin
STAMP  := .venv/.installed
RUN    := $(BIN)/mer-keras run
TABLE1 := shallow_convlstm/table1 shallow_attention/table1 meranet/table1
# The files in methods/ describe methods; published.yaml holds what a paper prints beside its tables.
ALL    := $(filter-out methods/% %/published,$(patsubst experiments/%.yaml,%,$(sort $(wildcard experiments/*/*.yaml))))
# The public flow set has no stand-in.
DRAWN  := $(filter-out ststnet/% %/megc2019_flow,$(ALL))
# Of a table with several databases, one is enough to see that it runs.
SMOKED := $(filter-out %/table1_as_published meranet/table1 %/table6,$(DRAWN)) \
          meranet/table1/casme2 meranet/table1_as_published/cas_me2 micro_attention/table6/smic
# The notebooks have larger runs of these.
SHOWN  := shallow_convlstm/table1 shallow_attention/table1 micro_attention/table4 \
          meranet/table1/casme2 dense_mixed_attention/table5
CHOSEN := $(if $(PAPER),$(filter $(PAPER)/%,$(TABLE1)),$(TABLE1))
OPTIMISM = $(RUN) $(PAPER)/$(TABLE) --profile $(PROFILE) $(STILL) --workers $(WORKERS)
STILL  := $(if $(filter off,$(SIGNAL)),--data synthetic --set data.synthetic_motion=false,--data $(DATA))

.DEFAULT_GOAL := help
.PHONY: help setup lock reproduce-table1 reproduce reproduce-all reproduce-megc2019 smoke notebooks check-notebooks optimism bench test test-long test-fast faults fuzz lint format clean

help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

setup: $(STAMP)  ## create .venv and install from the lock (nothing to do if it is current)

$(STAMP): requirements.lock setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "needs Python 3.11, 3.12 or 3.13: none found"; exit 2; }
	@echo "installing into .venv (a few minutes the first time)"
	$(PYTHON) -m venv .venv
	@# The lock names every package: if pip had to resolve, it would ask for the newest release of one with extras.
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lock:  ## resolve the dependencies of setup.cfg anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --quiet --extra dev --extra cluster setup.cfg --output-file requirements.lock

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

notebooks: setup  ## run the notebooks from top to bottom and keep what they show (drawn faces)
	$(BIN)/python -m pytest --nbmake --overwrite --nbmake-timeout=600 notebooks

check-notebooks: setup  ## the same, but keep nothing
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=600 notebooks

optimism: setup  ## one method under every rule of choosing the epoch, and with copies tested: PAPER=ststnet TABLE=megc2019
	$(if $(and $(PAPER),$(TABLE)),,$(error give PAPER=... and TABLE=..., such as PAPER=ststnet TABLE=megc2019))
	$(OPTIMISM) --set selection=inner_subjects
	@# Every rule that looks at the tested clips is computed from the epochs that this training records.
	$(OPTIMISM) --set selection=last_epoch --set record_epochs=true
	$(OPTIMISM) --set selection=last_epoch --set train.balance=oversample --set train.augmentation.flip=0.5 \
	  --set evaluate_augmented=true --report results/report-optimism

bench: setup  ## speed and memory beside plain scripts, as ratios within one run (two hours; BENCH=--quick for a minute, BENCH="--only step" for a part)
	$(BIN)/python -m mer_keras.bench $(BENCH)

test: setup  ## all tests but those of test-long
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not long"

test-long: setup  ## kills at random points, isolation, memory over many folds, a whole large table (minutes)
	$(BIN)/python -m pytest -m long

test-fast: setup  ## databases, protocols, features, metrics, configs, audit, run folders: a minute, without TensorFlow
	$(BIN)/python -m pytest -m "not slow and not long" tests/databases tests/protocols tests/features tests/evaluation \
	  tests/config tests/audit tests/runs/test_folder.py

faults: setup  ## try every fault that must be survived, and show what was tried and lost
	$(BIN)/python -m pytest -p tests.faults -k test_fault_ -q

fuzz: setup  ## damaged files by the thousand for every reader, ten minutes each
	$(BIN)/python -m tests.fuzz

lint: setup  ## ruff, format, types, known holes in dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@# Only a known hole fails: where the list of holes can't be reached, a line says so.
	@audit=$$($(BIN)/pip-audit --requirement requirements.lock --disable-pip --progress-spinner off 2>&1) \
	  || case "$$audit" in \
	    *"known vulnerabilit"*) echo "$$audit"; exit 1;; \
	    *) echo "pip-audit could not run: $$(echo "$$audit" | tail -1 | cut -c1-120)";; esac; \
	  echo "pip-audit: $$(echo "$$audit" | grep -c 'could not be audited') dependencies could not be looked up"

format: setup  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove the virtual environment and caches; results stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache *.egg-info build
