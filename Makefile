# make demo | make test: each sets up .venv on its own; a second run installs nothing.
# PYTHON=python3.12 make demo   picks the interpreter (3.10 to 3.13).

PYTHON ?= python3
TORCH  ?= torch==2.13.0
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
REQS   := requirements.txt requirements-openmmlab.txt requirements-test.txt

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export OMP_NUM_THREADS ?= 1  # busy processes side by side lose more to waiting threads than they gain

.PHONY: install demo test lint clean

install: $(STAMP)

$(STAMP): $(REQS) setup.py
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 10) <= sys.version_info[:2] <= (3, 13) else "dyrelu_pose needs Python 3.10 to 3.13, %s is %s: set PYTHON=python3.11 or the like" % (sys.executable, sys.version.split()[0]))'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q $(TORCH) -r requirements.txt -r requirements-test.txt
	$(BIN)/python -m pip install -q --no-deps -r requirements-openmmlab.txt
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	touch $@

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/python -m pytest

clean:
	rm -rf $(VENV) work_dirs
