# SPDX-License-Identifier: GPL-2.0-only

# What the tool itself needs, and what its tests use besides.
TOOL_PACKAGES = libarchive-dev librpm-dev libdpkg-dev libmd-dev liblzma-dev libzstd-dev libbz2-dev zlib1g-dev \
	pkg-config git xz-utils zstd gzip bzip2 curl gpgv gpg gpg-agent patch \
	bubblewrap rpm
TEST_PACKAGES = dkms mmdebstrap linux-source-6.12 util-linux gcc make linux-headers-amd64 kmod python3 lintian rpm2cpio cpio \
	qemu-system-x86 busybox-static slurm-wlm munge shellcheck licensecheck

LRELEASE = .build/debug/lrelease

# For make install: where to, and how lrelease is built for it. It then needs no Swift where it runs.
PREFIX = /usr/local
DESTDIR =
CONFIGURATION = release
STATIC = --static-swift-stdlib
DATA = $(DESTDIR)$(PREFIX)/share

.PHONY: all release bench example check test same-bytes fuzz test-lustre test-packages test-native site-kills site-in-use \
	qualify qualify-lustre setup lint man install clean

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

# What needs neither root nor network, for every change: under a minute after the build.
CHECK = FilesTests|FuzzTests|ProcessesTests|ModelTests|ReleasesTests|AssemblerTests|ReportsTests|StoredVerdictTests|KernelLogTests|LogTests \
	|AuditTests|BuildLogTests|CTests|DebPackageTests|RPMPackageTests|ReleaseVersionTests|ScriptTests|PinnedBytesTests \
	|BadInputTests|DiffTests|LicenceRuleTests|SPDXExpressionTests
EMPTY =
check:
	swift build --build-tests
	swift test --skip-build --filter '$(subst $(EMPTY) ,,$(CHECK))'

# libFuzzer on every reader of what strangers write, for FUZZ_SECONDS each, JOBS at once; READERS chooses. See Tests/fuzz.
FUZZ = LRELEASE_FUZZ=1 nice -n 19 swift build -c release --scratch-path .build-fuzz --product lrelease-fuzz \
	-Xswiftc -sanitize=fuzzer,address -Xswiftc -enable-testing \
	-Xswiftc -use-ld=lld -Xcxx -fsanitize=fuzzer-no-link,address
READERS =
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
	shellcheck --shell=sh Sources/*/Scripts/*.sh Tests/fuzz
	shellcheck --shell=bash Sources/*/Scripts/*.bash Tests/site-in-use Tests/site-kills/*

# The man pages, into man/. The plugin of swift-argument-parser writes them from the declarations of the commands;
# sed sets its blank and indented lines as paragraphs and displays, and names the pages as man(1) looks for subcommands.
man: MAN_DATE ?= $(shell git log -1 --format=%cs 2>/dev/null || date +%F)
man: setup
	rm -rf man
	mkdir man
	swift package --allow-writing-to-package-directory generate-manual --configuration debug \
		--multi-page --date $(MAN_DATE) --output-directory man
	rm man/lrelease.help.1
	sed -i -s -e '/^\.Xr lrelease\.help/d' -e '/^\.\(Dt\|Xr\)/s/\([A-Za-z]\)\.\([A-Za-z]\)/\1-\2/g' \
		-e '/^\.Nd/s/\.\("\?\)$$/\1/' -e 's/^  \(.*\)/.Bd -literal -offset indent\n\1\n.Ed/' \
		-e '/^[^. ]/s/\. \([A-Z]\)/.\n\1/g' \
		-e 's/^$$/.Pp/' -e '$$a\' man/*.1
	sed -i -s -z -e 's/\n\.Ed\n\.Bd[^\n]*//g' -e 's/\n\.Pp\(\n\.\(It\|Bl\|Bd\)\)/\1/g' man/*.1
	cd man && for page in *.*.1; do mv "$$page" "$$(echo "$${page%.1}" | tr . -).1"; done

# Manifests name specs, debian folders and overlays as ../specs, ../debian, ../overlays, so they stay neighbours.
install: man
	swift build -c $(CONFIGURATION) --product lrelease $(STATIC)
	install -s -D .build/$(CONFIGURATION)/lrelease $(DESTDIR)$(PREFIX)/bin/lrelease
	for page in man/*.1; do install -D -m 644 "$$page" "$(DATA)/man/man1/$${page##*/}" || exit; done
	mkdir -p $(DATA)/bash-completion/completions $(DATA)/zsh/site-functions $(DATA)/fish/vendor_completions.d
	.build/$(CONFIGURATION)/lrelease --generate-completion-script bash > $(DATA)/bash-completion/completions/lrelease
	.build/$(CONFIGURATION)/lrelease --generate-completion-script zsh > $(DATA)/zsh/site-functions/_lrelease
	.build/$(CONFIGURATION)/lrelease --generate-completion-script fish > $(DATA)/fish/vendor_completions.d/lrelease.fish
	find manifests specs debian overlays targets Examples -type f ! -name '*.o' ! -name '*.ko' | while read -r file; do \
		if [ -x "$$file" ]; then mode=755; else mode=644; fi; \
		install -D -m "$$mode" "$$file" "$(DATA)/lrelease/$$file" || exit; done
	for file in README.md docs/*.md; do install -D -m 644 "$$file" "$(DATA)/doc/lrelease/$$file" || exit; done

clean:
	rm -rf .build out man
