# Fanfare: what can be built, checked and measured. `make` alone prints the list.
#
# `make test` is what CI runs. It installs what is missing and says so; steps that fail soonest
# come first; nothing else runs while browsers do.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# The steps share two cores with real-time media: one at a time.
.NOTPARALLEL:

STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOTESTSUM   := go run gotest.tools/gotestsum@v1.13.0
PLATFORMS   := darwin/arm64 windows/amd64 linux/arm64
RELEASES    := linux/amd64 linux/arm64 darwin/arm64 darwin/amd64 windows/amd64
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# Each fuzz target runs this many inputs in `make test`; `make fuzz FUZZ=10m` hunts.
FUZZ ?= 5000x

say = @printf '\n\033[1m== %s\033[0m\n' "$(1)"

.PHONY: help
help: ## This list
	@echo 'Fanfare. Run it:    go run ./cmd/fanfare serve --demo'
	@echo '         Check it:  make test'
	@echo
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- Everything ---------------------------------------------------------------------------------

.PHONY: test
test: tools lint web go fuzz cross deploy e2e ## Everything that CI runs, from lint to real browsers

.PHONY: build
build: ## The program for this machine: bin/fanfare
	go build -trimpath -o bin/fanfare ./cmd/fanfare

.PHONY: dist
dist: ## Release archives for every platform, with checksums: dist/
	rm -rf dist && mkdir -p dist
	for p in $(RELEASES); do .ci/release "$$p" "$(VERSION)"; done
	cd dist && sha256sum fanfare-* > SHA256SUMS && cat SHA256SUMS

# --- Tools --------------------------------------------------------------------------------------

.PHONY: tools
tools: web/node_modules/.installed web/e2e/node_modules/.installed ## Installs what the checks need and is missing (browsers, ffmpeg, npm packages)
	@.ci/tools chromium:chromium firefox-esr:firefox-esr ffmpeg:ffmpeg

# npm says where it is; run again only when the lock has changed.
%/node_modules/.installed: %/package-lock.json
	$(call say,npm ci in $*: the packages of its lock)
	npm ci --prefix $* --no-progress
	@touch $@

# --- Steps --------------------------------------------------------------------------------------

.PHONY: lint
lint: web/node_modules/.installed web/e2e/node_modules/.installed ## Format, vet, staticcheck, tidy, generated files, types and lint of the pages
	$(call say,gofmt)
	@files=$$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l); [ -z "$$files" ] || { echo "gofmt -w $$files"; exit 1; }
	$(call say,go mod tidy)
	go mod tidy -diff
	$(call say,go vet)
	go vet ./...
	$(call say,staticcheck)
	$(STATICCHECK) ./...
	$(call say,generated files)
	@.ci/generated
	$(call say,types and lint of the pages and of the browser tests)
	npm run --prefix web check
	npm run --prefix web lint
	npm run --prefix web/e2e check

.PHONY: web
web: web/node_modules/.installed ## Unit tests of the pages; web/dist must be the build of web/src
	$(call say,unit tests of the pages)
	npm test --prefix web
	$(call say,web/dist is the build of web/src)
	npm run --prefix web verify-dist

.PHONY: go
go: ## Go tests with the race detector, in random order (go vet is a part of lint)
	$(call say,go test -race)
	$(GOTESTSUM) --format pkgname-and-test-fails --hide-summary skipped -- -race -shuffle=on -vet=off -timeout 10m ./...
	$(call say,without the race detector: allocations, of which it makes some of its own; whole files in virtual time, which it makes slow)
	go test -vet=off -run Alloc ./media/... ./sfu/...
	go test -vet=off -run AgainstBound ./compare/files

.PHONY: fuzz
fuzz: web/node_modules/.installed ## Every fuzz target, of the program and of the pages, for FUZZ=5000x inputs, or for a time: make fuzz FUZZ=10m
	$(call say,fuzz targets: $(FUZZ) each)
	@.ci/fuzz $(FUZZ)
	$(call say,fuzz targets of the pages: $(FUZZ) each)
	FANFARE_FUZZ=$(FUZZ) npm run --silent --prefix web fuzz

.PHONY: cross
cross: ## Compiles and vets for macOS, Windows and Linux on ARM
	$(call say,cross-compile)
	@.ci/cross $(PLATFORMS)

.PHONY: deploy
deploy: ## The container file, compose file and systemd unit, as far as a machine without them can check
	$(call say,deploy)
	go test ./deploy/
	@if command -v systemd-analyze > /dev/null; then .ci/unit deploy/fanfare.service; else echo 'systemd-analyze is not here: the unit is read by the Go test alone'; fi

.PHONY: e2e
e2e: tools ## Real Chromium and real Firefox against a real server; E2E='pattern' runs some
	$(call say,browsers)
	cd web/e2e && FANFARE_E2E_ONLY='$(E2E)' npm test --silent

# --- Long versions ------------------------------------------------------------------------------

.PHONY: prove
prove: tools build ## Runs the long measurements and writes docs/BENCHMARKS.md
	go run ./bench/prove -fanfare bin/fanfare -out docs/BENCHMARKS.md

# Flags of the bench: BENCH='-quick', BENCH='-only joins', BENCH=-h for all.
BENCH ?=

.PHONY: bench
bench: ## Fan-out, joins and memory against the baseline and the floor, written to docs/BENCHMARKS.md: 25 quiet minutes, or BENCH=-quick; fails when a promise is missed
	go run ./bench/fanout $(BENCH)

# The samples.json of a comparison, and the commit of the program that made it; without FROM the figures there are.
FROM   ?=
COMMIT ?=

.PHONY: compared
compared: ## The tables of docs/COMPARISON.md from docs/comparison.json, or anew: make compared FROM=compared/samples.json COMMIT=1234567
	go run ./bench/compared -from '$(FROM)' -commit '$(COMMIT)'

.PHONY: screenshots
screenshots: tools ## Takes the pictures of the pages in docs/images
	cd web/e2e && npm run --silent screenshots

.PHONY: pages
pages: web/node_modules/.installed ## Builds web/dist from web/src
	npm run --prefix web build

.PHONY: clean
clean: ## Removes what was built and cached here (not npm packages)
	rm -rf bin dist .cache web/e2e/out web/e2e/fixtures
