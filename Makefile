# make demo | make study | make test | make quick | make docs | make tutorial: each sets up .venv on
# its own; a second run installs nothing.
# PYTHON=python3.12 make demo   picks the interpreter (3.10 to 3.13).

PYTHON ?= python3
TORCH  ?= torch==2.13.0
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
LOCKS  := $(wildcard requirements/locks/*.txt)
DATA   := data/demo
WORK   := work_dirs/demo
CROP   := $(BIN)/python tools/crop_dataset.py --array configs/_base_/study_pictures.py
STUDY  := $(BIN)/python tools/ablate.py configs/ablations
SEEDS  ?= 0 1
JOBS   ?= 2
RUNS    = --seeds $(SEEDS) --jobs $(JOBS)
QUICK  := tests/ops tests/layers tests/placement tests/config tests/test_configs.py

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Threads that wait for others sleep, for they would take a busy machine's cores from who works.
export OMP_WAIT_POLICY := PASSIVE

.PHONY: install demo study-data study test quick tables docs tutorial lock matrix clean

install: $(STAMP)

$(STAMP): $(LOCKS) pyproject.toml
	$(PYTHON) -c 'import sys; (3, 10) <= sys.version_info[:2] <= (3, 13) or sys.exit("dyrelu_pose needs Python 3.10 to 3.13, this is %s: set PYTHON, as in PYTHON=python3.11 make demo" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --no-deps --require-hashes -r requirements/locks/hashed.txt
	$(BIN)/python -m pip install -q $(TORCH) -r requirements/locks/platform.txt
	$(BIN)/python -m pip install -q --no-deps --require-hashes -r requirements/locks/openmmlab.txt
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	touch $@

# A small network with ReLU and with DyReLU, trained side by side on drawn people: both APs, both
# curves, predictions of both on the same pictures, and what one site does.
demo: $(STAMP)
	$(BIN)/python tools/make_synthetic_coco.py $(DATA) --train 5000 --val 400 --array
	rm -rf $(WORK)
	$(BIN)/python tools/ablate.py configs/ablations/demo.py --jobs 2 --work-dir $(WORK) --out $(WORK)
	$(BIN)/python tools/draw_predictions.py $(DATA)/annotations/person_keypoints_val.json \
	    $(WORK)/ReLU.keypoints.json $(WORK)/C.keypoints.json --names ReLU DyReLU-C \
	    --images $(DATA)/val --out $(WORK)/pictures
	$(BIN)/python tools/visualize_dyrelu.py $(WORK)/C/seed0-*/config.py \
	    $$(cat $(WORK)/C/seed0-*/last_checkpoint) --sites 'backbone.layer3.0.*' --out $(WORK)/sites

# What the study trains on: 40,000 drawn people and, where DYRELU_DATA says where COCO-mini and
# LSP-extended are, 10,447 crops of people in photographs.
study-data: $(STAMP)
	$(BIN)/python tools/make_synthetic_coco.py data/drawn --train 24000 --val 700 --array
ifdef DYRELU_DATA
	$(CROP) data/study_crops/coco_mini
	$(CROP) data/study_crops/lspet --cfg-options \
	    train_dataloader.dataset.data_root=$(DYRELU_DATA)/lspet/ \
	    train_dataloader.dataset.ann_file=annotations/person_keypoints_lspet.json \
	    train_dataloader.dataset.data_prefix.img=images/
endif

# The study, JOBS trainings side by side on SEEDS: interrupted, it goes on where it was.
study: study-data
	$(STUDY)/study_resnet18.py $(RUNS)
	$(STUDY)/study_mobilenetv2.py $(RUNS)
ifdef DYRELU_DATA
	$(STUDY)/study_resnet18.py --base configs/study/resnet18-8_real.py $(RUNS)
	$(STUDY)/study_mobilenetv2.py --base configs/study/mobilenetv2-x025_real.py $(RUNS)
endif

# A process per core, of one thread: busy processes side by side lose more to waiting threads than
# they gain. A file stays in one process, which makes what its tests share once.
test: $(STAMP) $(VENV)/.docs-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/basedpyright --level error
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# The core's tests alone, for a first answer: ops, layers, placement, configs.
quick: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto $(QUICK)

# The tables of the pages and the model index, from results/.
tables: $(STAMP)
	$(BIN)/python tools/dev/readme_tables.py
	$(BIN)/python tools/dev/model_index.py

# The pages of docs/ and the reference, in site/.
docs: $(VENV)/.docs-installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Runs docs/tutorial.ipynb anew and keeps its outputs in it: minutes, on a machine without other work.
tutorial: $(VENV)/.docs-installed
	rm -rf work_dirs/tutorial
	$(BIN)/python tools/dev/run_tutorial.py

$(VENV)/.docs-installed: requirements/docs.txt $(STAMP)
	$(BIN)/python -m pip install -q -r requirements/docs.txt
	touch $@

# The exact versions that `make` installs, anew from the requirement files. Needs Python 3.11.
lock: $(VENV)/.dev-installed
	$(BIN)/python tools/dev/lock.py --torch "$(TORCH)"

# The tests of what depends on versions, with the oldest and the newest of them: results/compatibility.csv.
matrix: $(VENV)/.dev-installed
	$(BIN)/nox

$(VENV)/.dev-installed: requirements/dev.txt $(STAMP)
	$(BIN)/python -m pip install -q -r requirements/dev.txt
	touch $@

clean:
	rm -rf $(VENV) .nox $(WORK) $(DATA) site
