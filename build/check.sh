#!/bin/sh
#
# check.sh - runs all tests with Kyua, and says how many there were.
#
# The results are written to the directory CHECK_RESULTS (default: one that
# is removed).  The last line is "N passed, N failed, N skipped".
set -eu

cd "$(dirname "$0")/.."
top=$(pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/postern-check.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
results=${CHECK_RESULTS:-$scratch}
mkdir -p "$results"

if [ "$(id -u)" = 0 ]; then
	echo "check: as root: real uids, capabilities and chroot"
else
	echo "check: as an ordinary user: what needs root is skipped"
fi

# Kyua's own configuration would be the user's; this is what tests need.
kyua="kyua --config=none --variable=architecture=$(uname -m)"
kyua="$kyua --variable=platform=$(uname -m) --variable=parallelism=2"
export HOME="$scratch"
status=0
# shellcheck disable=SC2086
$kyua test --kyuafile="$top/regress/Kyuafile" \
    --results-file="$results/results.db" ${CHECK_ONLY:+"$CHECK_ONLY"} ||
    status=$?
kyua --config=none report \
    --results-file="$results/results.db" --verbose \
    --results-filter=broken,failed >"$results/report.txt" || true
[ "$status" = 0 ] || cat "$results/report.txt"
kyua --config=none report --results-file="$results/results.db" \
    --results-filter=skipped,broken,failed,xfail >"$results/summary.txt" ||
    true
sed -n '/^===> Skipped/,/^===>/p' "$results/summary.txt" | grep -v '^===>' ||
    true
awk '/^Test cases:/ {
	for (i = 1; i <= NF; i++) {
		if ($i ~ /^total/) total = $(i - 1)
		if ($i ~ /^skipped/) skipped = $(i - 1)
		if ($i ~ /^broken/) broken = $(i - 1)
		if ($i ~ /^failed/) failed = $(i - 1)
	}
	found = 1
}
END {
	if (!found) { print "check: no results"; exit 1 }
	printf "%d passed, %d failed, %d skipped\n",
	    total - skipped - broken - failed, failed + broken, skipped
}' "$results/summary.txt"
exit "$status"
