#!/bin/sh
#
# fuzz.sh - lets libFuzzer make inputs up for every target, for a bounded time.
#
# Builds with clang in a tree of its own (build/fuzz-tree/tree); inputs that
# reach something new are kept beside it, in found/TARGET, and those at which
# something does not hold in findings/.  FUZZ_SECONDS (600) is for each target;
# FUZZ_ONLY names the targets to run.  Fails on a finding.
#
# "fuzz.sh merge" then takes into the corpora what was found and adds to
# what they reach.
set -eu

cd "$(dirname "$0")/.."
top=$(pwd)
work=$top/build/fuzz-tree
tree=$work/tree
seconds=${FUZZ_SECONDS:-600}

build() {
	rm -rf "$tree"
	mkdir -p "$tree" "$work/found" "$work/findings"
	tar -cf - --exclude=./build/asan-tree --exclude=./build/fuzz-tree \
	    --exclude=./.git --exclude='*.o' --exclude='*.a' \
	    --exclude='*_test' --exclude='*_fuzz' --exclude=./config.mk . |
	    tar -xf - -C "$tree"
	cd "$tree"
	# An empty list is NULL here, and 0 is added to it: clang's check of
	# pointers takes that for an overflow, and C23's successor allows it.
	./configure SANITIZE=1 CC=clang OUT=config.new \
	    CFLAGS='-O1 -g -fsanitize=fuzzer-no-link'
	sed 's/^HARDENING = .*/& -fno-sanitize=pointer-overflow/' config.new \
	    >config.mk
	rm config.new
	jobs=$(getconf _NPROCESSORS_ONLN)
	${MAKE:-make} -s -j "$jobs" -f build.mk objects
	${MAKE:-make} -s -j "$jobs" -f regress.mk BUILD_DIRECTORY="$tree" \
	    FUZZ_DRIVER=-fsanitize=fuzzer \
	    FUZZ_FLAGS='-O2 -fno-sanitize=fuzzer-no-link' fuzz
	cd "$top"
}

# Where files are made it is fast, and nothing wears out.
scratch=
if [ -d /dev/shm ] && [ -w /dev/shm ]; then
	scratch=$(mktemp -d /dev/shm/postern-fuzz.XXXXXX)
else
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/postern-fuzz.XXXXXX")
fi
running=
trap 'rm -rf "$scratch"' EXIT
trap '[ -z "$running" ] || kill "$running" 2>/dev/null; exit 130' INT TERM

targets=${FUZZ_ONLY:-$(${MAKE:-make} -s -f regress.mk print-fuzz |
    tr ' ' '\n' | sed 's|.*/||; s|_fuzz$||')}
for target in $targets; do
	[ -f "regress/fuzz/${target}_fuzz.c" ] || {
		echo "fuzz: there is no target \"$target\"" >&2
		exit 2
	}
done

# The value of a line that libFuzzer ends with.
stat() {
	sed -n "s/^stat::$1: *//p" "$2"
}

run() {
	status=0
	mkdir -p "$work/found/$1" "$scratch/$1"
	log=$work/$1.log
	(cd "$scratch/$1" && exec "$tree/regress/fuzz/$1_fuzz" \
	    -max_total_time="$seconds" -print_final_stats=1 -timeout=25 \
	    -rss_limit_mb=2048 -artifact_prefix="$work/findings/$1-" \
	    "$work/found/$1" "$top/regress/fuzz/corpus/$1" \
	    >"$log" 2>&1) &
	running=$!
	wait "$running" || status=$?
	running=
	rm -rf "${scratch:?}/$1"
	covered=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)
	printf '%-12s %7s s %11s runs %6s a second %6s branches  %s\n' "$1" \
	    "$seconds" "$(stat number_of_executed_units "$log")" \
	    "$(stat average_exec_per_sec "$log")" "${covered#cov: }" \
	    "$([ "$status" = 0 ] && echo 'nothing found' ||
	    echo "FOUND: $log")"
	return "$status"
}

# What reaches a branch that the corpus does not; its name is its hash.
merge() {
	mkdir -p "$scratch/$1" "$scratch/new"
	(cd "$scratch/$1" && "$tree/regress/fuzz/$1_fuzz" -merge=1 -use_counters=0 \
	    -max_len=2048 "$top/regress/fuzz/corpus/$1" "$work/found/$1" \
	    >"$work/$1.merge.log" 2>&1)
	rm -rf "${scratch:?}/$1"
	printf '%-12s %4s inputs, %7s octets\n' "$1" \
	    "$(find "$top/regress/fuzz/corpus/$1" -type f | wc -l)" \
	    "$(cat "$top/regress/fuzz/corpus/$1"/* | wc -c)"
}

case ${1:-run} in
run)
	build
	found=0
	for target in $targets; do
		run "$target" || found=$((found + 1))
	done
	[ "$found" = 0 ] || {
		echo "fuzz: $found targets found something; the inputs are" \
		    "in $work/findings" >&2
		exit 1
	}
	echo 'fuzz: nothing found'
	;;
merge)
	for target in $targets; do
		merge "$target"
	done
	;;
*) echo 'usage: fuzz.sh [run|merge]' >&2; exit 2 ;;
esac
