# Makefile - POSIX make; GNU make and bmake.  README.md tells the targets.

.POSIX:

all: config.mk
	@$(MAKE) -s -f build.mk programs

# Again as it was configured before, where it was.
config.mk: configure
	@eval "sh ./configure $$(sed -n 's/^CONFIGURED = *//p' config.mk \
	    2>/dev/null)"

# Installs what is missing (with apt, or says what it is), builds, and shows
# the main job / runs every test.
demo:
	@sh build/setup.sh demo
	@$(MAKE) -s all
	@bash build/demo.sh

check:
	@sh build/setup.sh check
	@$(MAKE) -s all tests
	@sh build/check.sh

tests: all
	@$(MAKE) -s -f build.mk objects
	@$(MAKE) -s -f regress.mk BUILD_DIRECTORY="$$(pwd)" tests

# The whole bench of crashes, with its figures; check has a short one.
crash: all
	@sh build/setup.sh check
	@$(MAKE) -s -f build.mk objects
	@$(MAKE) -s -f regress.mk BUILD_DIRECTORY="$$(pwd)" crash
	@sh build/crash.sh

# Inputs made up for the readers and parsers, FUZZ_SECONDS (600) each; check
# has those that were worth keeping.
fuzz: config.mk
	@sh build/setup.sh fuzz
	@sh build/fuzz.sh

# Speed and memory beside other servers, with their ratios; BENCH=short: a
# part of it.  It needs root, and writes nothing into the tree.
bench: all
	@sh build/setup.sh bench
	@$(MAKE) -s -f regress.mk BUILD_DIRECTORY="$$(pwd)" bench
	@BENCH="$(BENCH)" bash build/bench.sh

lint: config.mk
	@sh build/setup.sh lint
	@sh build/lint.sh

# The same tests with AddressSanitizer and UndefinedBehaviorSanitizer, in a
# tree of its own below build/.
asan:
	@sh build/setup.sh check
	@sh build/asan.sh

audit: config.mk
	@$(MAKE) -s -s -f build.mk print-objects | sh build/audit.sh

install: config.mk
	@PREFIX="$(PREFIX)" sh build/install.sh prepare
	@$(MAKE) -s all
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" sh build/install.sh install

uninstall: config.mk
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" sh build/install.sh uninstall

clean:
	rm -f posternd postern-net postern-auth postern-store postern-lock \
	    postern-keys postern-config postern-mailbox \
	    postern-selfsigned posternctl
	rm -f privsep/*.o net/*.o mailstore/*.o regress/lib/*.o
	rm -f regress/lib/objects.a regress/*/*_test regress/*/*.so
	rm -f regress/crash/*.o regress/crash/crash_bench
	rm -f regress/fuzz/*.o regress/fuzz/*_fuzz
	rm -f regress/bench/*.o regress/bench/bench_load
	rm -rf build/asan-tree build/fuzz-tree

.PHONY: all demo check tests crash fuzz bench lint asan audit install \
    uninstall clean
