# Each target is one command that also works without make: python -m carelab …
# Another Python than python3: make lab PYTHON=python3.12
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help lab test doctor build data record lint lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: ## set up once, then open the course in JupyterLab
	@$(PYTHON) -m carelab lab

test: ## run every check of the project
	@$(PYTHON) -m carelab test

doctor: ## look for what could keep the course from running
	@$(PYTHON) -m carelab doctor

build: ## renew everything that is derived from course/
	@$(PYTHON) -m carelab build

data: ## make the synthetic data again
	@$(PYTHON) -m carelab data build

record: ## ask the open model again for answers that notebooks need and nobody has recorded
	@$(PYTHON) -m carelab model record

lint: ## ruff and mypy
	@$(PYTHON) -m carelab test --only lint

lock: ## resolve the packages again and renew both lock files (needs uv)
	@$(PYTHON) -m carelab lock

clean: ## remove caches and test output, never your work
	@$(PYTHON) -m carelab clean
