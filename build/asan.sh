#!/bin/sh
#
# asan.sh - all tests under AddressSanitizer and UndefinedBehaviorSanitizer.
#
# Builds in a tree of its own (build/asan-tree), so that the programs here
# stay as they are.
set -eu

cd "$(dirname "$0")/.."
top=$(pwd)
tree=$top/build/asan-tree
rm -rf "$tree"
mkdir -p "$tree"
tar -cf - --exclude=./build/asan-tree --exclude=./.git --exclude='*.o' \
    --exclude=./build/fuzz-tree --exclude='*.a' --exclude='*_test' \
    --exclude='*_fuzz' --exclude=./config.mk . |
    tar -xf - -C "$tree"
cd "$tree"
./configure SANITIZE=1 CFLAGS='-O1 -g' ${CC:+"CC=$CC"}
${MAKE:-make} -s -j "$(getconf _NPROCESSORS_ONLN)" all tests
# What leaks is found by the tests themselves, which count.
sh build/check.sh
