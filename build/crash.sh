#!/bin/sh
#
# crash.sh - runs the bench of crashes in a scratch directory.
set -eu

cd "$(dirname "$0")/.."
scratch=$(mktemp -d "${TMPDIR:-/tmp}/postern-crash.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
regress/crash/crash_bench -v "$scratch"
