# make demo   compiles a model, runs it on real input, shows the result and the time
# make test   runs all tests
# make short  runs the quick ones, under a minute
# make check  formatting, vet, staticcheck

GO ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: demo test short check llvm fuzz fmt packages

demo: llvm
	$(GO) run ./examples/demo

test: llvm
	$(GO) test -timeout 20m ./...

short: llvm
	$(GO) test -short ./...

llvm:
	@scripts/llvm.sh

fmt:
	gofmt -l -w .

check: llvm
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt: run make fmt"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

FUZZTIME ?= 60s
fuzz:
	@scripts/fuzz.sh $(FUZZTIME)

# packages  real models as executables and Go packages: cross-built, under qemu, with the race detector
packages: llvm
	@scripts/packages.sh
