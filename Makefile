# SPDX-License-Identifier: GPL-2.0-only

# What the tool itself needs, and what its tests use besides.
TOOL_PACKAGES = libarchive-dev librpm-dev libdpkg-dev libmd-dev liblzma-dev libzstd-dev libbz2-dev zlib1g-dev \
	pkg-config git xz-utils zstd gzip bzip2 curl gpgv patch bubblewrap rpm
TEST_PACKAGES = dkms gcc make linux-headers-amd64 kmod gpg lintian rpm2cpio cpio

LRELEASE = .build/debug/lrelease

.PHONY: all release bench example test setup lint man clean

all: setup
	swift build

# For daily use. A debug build is there sooner, and libraries do what takes long in it as fast.
release: setup
	swift build -c release --static-swift-stdlib

# Beside its peers: see bench/README.md. RUN="--runs 3 tarball" and the like choose.
bench: release
	bench/run $(RUN)

# Cuts the sample release, with packages, into out/.
example: all
	$(LRELEASE) cut manifests/sample.toml --source linux=Examples/sample/linux --output out

test: PACKAGES = $(TOOL_PACKAGES) $(TEST_PACKAGES)
test: setup lint
	swift build
	swift test

PACKAGES ?= $(TOOL_PACKAGES)
setup:
	@command -v swift >/dev/null || { echo "lrelease: Swift 6.2 or newer is needed: see swift.org" >&2; exit 1; }
	@missing=$$(for p in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ]; then \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing; \
	else echo "lrelease: missing packages, install them as root:" $$missing >&2; exit 1; fi

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

clean:
	rm -rf .build out
