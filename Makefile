# SPDX-License-Identifier: GPL-2.0-only

# What the tool itself needs, and what its tests use besides.
TOOL_PACKAGES = libarchive-dev librpm-dev libdpkg-dev libmd-dev liblzma-dev libzstd-dev libbz2-dev zlib1g-dev \
	pkg-config git xz-utils zstd gzip bzip2 curl gpgv gpg gpg-agent patch \
	bubblewrap rpm python3
TEST_PACKAGES = dkms mmdebstrap linux-source-6.12 util-linux gcc make linux-headers-amd64 kmod lintian rpm2cpio cpio \
	qemu-system-x86 busybox-static slurm-wlm munge openssl shellcheck licensecheck python3-jsonschema

LRELEASE = .build/debug/lrelease

# For make install: where to, and how lrelease is built for it. It then needs no Swift where it runs.
PREFIX = /usr/local
DESTDIR =
CONFIGURATION = release
STATIC = --static-swift-stdlib
DATA = $(DESTDIR)$(PREFIX)/share

# What 'lrelease --version' says of the build, where there is git to ask.
LRELEASE_BUILD ?= $(shell git describe --tags --always --dirty 2>/dev/null)
ifneq ($(LRELEASE_BUILD),)
export LRELEASE_BUILD
endif

# STRICT=1: warnings are errors, as in CI. It compiles everything anew when it changes.
ifeq ($(STRICT),1)
export LRELEASE_STRICT = 1
endif

# How many tests run at once. Without a limit all begin together: hundreds of processes, and more open files than a
# machine may allow.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 16

.PHONY: all release bench example check test same-bytes fuzz test-lustre test-packages test-sites test-native site-kills \
	site-in-use qualify qualify-lustre setup lint licences man man-lint install deb test-deb clean

all: setup
	swift build

# For daily use. A debug build is there sooner, and libraries do what takes long in it as fast.
release: setup
	swift build -c release --static-swift-stdlib --product lrelease
	swift build -c release --static-swift-stdlib --product lrelease-bench

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

# Whether another lrelease, such as one built before a change, writes the same bytes: make same-bytes BEFORE=path.
same-bytes: all
	Tests/same-bytes $(BEFORE) $(LRELEASE)

# What needs neither root nor network, for every change: 75 s after the build.
CHECK = FilesTests|FuzzTests|ProcessesTests|ModelTests|ReleasesTests|AssemblerTests|ReportsTests|StoredVerdictTests|KernelLogTests|LogTests \
	|AuditTests|BuildLogTests|CTests|DebPackageTests|RPMPackageTests|ReleaseVersionTests|[.]ScriptTests|PinnedBytesTests \
	|BadInputTests|ManifestCheckTests|DiffTests|LicenceRuleTests|SPDXExpressionTests
EMPTY =
check:
	swift build --build-tests
	swift test --skip-build --filter '$(subst $(EMPTY) ,,$(CHECK))'

# libFuzzer on every reader of what strangers write, for FUZZ_SECONDS each, JOBS at once; READERS chooses. See Tests/fuzz.
FUZZ = LRELEASE_FUZZ=1 nice -n 19 swift build -c release --scratch-path .build-fuzz --product lrelease-fuzz \
	-Xswiftc -sanitize=fuzzer,address -Xswiftc -enable-testing \
	-Xswiftc -use-ld=lld -Xcxx -fsanitize=fuzzer-no-link,address
fuzz: setup
	$(FUZZ)
	Tests/fuzz $(READERS)

# Lustre itself, with all its modules built on two kernels: a quarter of an hour.
test-lustre: all
	LRELEASE_LUSTRE_GIT=$(LUSTRE_GIT) swift test --filter LustreTests

# The sample's .debs judged by lintian, piuparts and autopkgtest: a minute or two.
test-packages: PACKAGES = $(TOOL_PACKAGES) $(TEST_PACKAGES) piuparts autopkgtest
test-packages: all
	LRELEASE_TEST_PACKAGES=1 swift test --filter DebianToolsTests

# The sample on a stand-in for a distribution with RPM, and on an archive like Debian's with a key of its own: a few
# minutes. See docs/targets.md.
test-sites: PACKAGES = $(TOOL_PACKAGES) $(TEST_PACKAGES) dnf createrepo-c apt-utils
test-sites: all
	LRELEASE_TEST_SITES=1 swift test --filter 'StandInTests|OwnArchiveTests'

# The sample's packages on machines of sites: roots of Debian, kept in SITES.
SITES = /var/tmp/lrelease-tests/sites
$(SITES)/root-%:
	mkdir -p $(SITES)
	rm -rf $@.new
	mmdebstrap --quiet --variant=apt --include=dkms,linux-headers-amd64,linux-image-amd64,gcc,make,rpm,kmod,openssl,xz-utils,ccache \
		$* $@.new
	mv $@.new $@

# Installations, upgrades and removals killed at 20 moments each, .deb and .rpm, on two versions of dkms: an hour.
SUITES = bookworm trixie
site-kills: PACKAGES = $(TOOL_PACKAGES) $(TEST_PACKAGES)
site-kills: all $(SUITES:%=$(SITES)/root-%)
	Tests/site-kills/all $(LRELEASE) $(SITES) $(SUITES)

# Upgraded and removed while its file system is mounted, in a guest: some minutes.
site-in-use: PACKAGES = $(TOOL_PACKAGES) $(TEST_PACKAGES)
site-in-use: all $(SITES)/root-trixie
	Tests/site-kills/releases $(LRELEASE) $(SITES)/root-trixie $(SITES)/in-use
	Tests/site-in-use $(SITES)/root-trixie $(SITES)/in-use/sample-7.2.1 $(SITES)/in-use/sample-7.2.1+r1

# The whole matrix of the sample, up to a mounted file system on Linux 5.10, 6.1, 6.12 and 7.x, into out/: half an hour.
DEBIAN = debian-11 debian-12 debian-12-6.12 debian-13 debian-13-backports debian-sid
qualify: PACKAGES = $(TOOL_PACKAGES) $(TEST_PACKAGES)
qualify: example
	$(LRELEASE) qualify out/sample-7.2.1 $(DEBIAN:%=--target %)
	$(LRELEASE) export page out/sample-7.2.1.qualification --output out/kernels.html --replace

# The same for Lustre, with the overlays that new kernels need: hours.
qualify-lustre: PACKAGES = $(TOOL_PACKAGES) $(TEST_PACKAGES)
qualify-lustre: all
	$(LRELEASE) cut manifests/lustre.toml --kernel 6.12.117 --with overlays \
		--source lustre-release=$(LUSTRE_GIT) --output out
	$(LRELEASE) qualify out/lustre-6.12.117+and.overlays $(DEBIAN:%=--target %)

# A part of a kernel built in a whole kernel source, which must be configured and prepared (make defconfig
# modules_prepare): some minutes.
test-native: all
	LRELEASE_KERNEL_TREE=$(KERNEL_TREE) swift test --filter NativeBuildTests

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
	shellcheck --shell=sh Sources/*/Scripts/*.sh Tests/fuzz packaging/deb packaging/test-deb
	shellcheck --shell=bash Sources/*/Scripts/*.bash Tests/site-in-use Tests/site-kills/* Tests/stand-in/*

# Whether each file says under which licence it is. Debian's reuse is too old for REUSE.toml: pip has a newer one.
REUSE = .build/reuse
$(REUSE)/bin/reuse:
	python3 -m venv $(REUSE)
	$(REUSE)/bin/pip install --quiet 'reuse>=5,<7'

licences: $(REUSE)/bin/reuse
	$(REUSE)/bin/reuse lint

# The man pages, into man/, from what the program says of itself.
MAN_DATE ?= $(shell git log -1 --format=%cs 2>/dev/null || date +%F)
man: all
	rm -rf man
	packaging/man-pages $(LRELEASE) $(MAN_DATE) man

man-lint: PACKAGES = mandoc groff
man-lint: man
	mandoc -T lint -W warning man/*.1
	for page in man/*.1; do groff -ww -z -mandoc -Tutf8 "$$page" || exit; done

# Manifests name specs, debian folders and overlays as ../specs, ../debian, ../overlays, so they stay neighbours.
install: setup
	swift build -c $(CONFIGURATION) --product lrelease $(STATIC)
	rm -rf man
	packaging/man-pages .build/$(CONFIGURATION)/lrelease $(MAN_DATE) man
	install -s -D .build/$(CONFIGURATION)/lrelease $(DESTDIR)$(PREFIX)/bin/lrelease
	for page in man/*.1; do install -D -m 644 "$$page" "$(DATA)/man/man1/$${page##*/}" || exit; done
	mkdir -p $(DATA)/bash-completion/completions $(DATA)/zsh/site-functions $(DATA)/fish/vendor_completions.d
	.build/$(CONFIGURATION)/lrelease --generate-completion-script bash > $(DATA)/bash-completion/completions/lrelease
	.build/$(CONFIGURATION)/lrelease --generate-completion-script zsh > $(DATA)/zsh/site-functions/_lrelease
	.build/$(CONFIGURATION)/lrelease --generate-completion-script fish > $(DATA)/fish/vendor_completions.d/lrelease.fish
	find manifests specs debian overlays targets Examples -type f ! -name '*.o' ! -name '*.ko' | while read -r file; do \
		if [ -x "$$file" ]; then mode=755; else mode=644; fi; \
		install -D -m "$$mode" "$$file" "$(DATA)/lrelease/$$file" || exit; done
	for file in *.md docs/*.md bench/*.md LICENSES/*; do install -D -m 644 "$$file" "$(DATA)/doc/lrelease/$$file" || exit; done

# A .deb of lrelease itself, into out/. Debian's own tools make it; debian/ holds templates of releases.
deb: setup
	packaging/deb out

# That package in a fresh chroot of Debian, where it cuts the sample. As root; mmdebstrap makes the chroot.
test-deb: PACKAGES = $(TOOL_PACKAGES) mmdebstrap
test-deb: deb
	packaging/test-deb out/lrelease_*_$$(dpkg --print-architecture).deb

clean:
	rm -rf .build out man
