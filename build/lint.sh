#!/bin/sh
#
# lint.sh - clang-tidy, cppcheck, gcc's analyzer, mandoc and shellcheck.
#
# Every finding is an error; what is switched off has its reason here.
set -eu

cd "$(dirname "$0")/.."
scratch=$(mktemp -d "${TMPDIR:-/tmp}/postern-lint.XXXXXX")
trap 'rm -rf "$scratch"' EXIT INT TERM
status=0
setting() {
	sed -n "s/^$1 = *//p" config.mk
}
portable=$(find privsep net mailstore -name '*.c' ! -name '*_openbsd.c' |
    sort)
flags="-std=c11 -Iinclude -Inet -Imailstore -Iprivsep $(setting BSD_FLAGS)"
# What the fuzz targets say must be right too.
targets=$(find regress/fuzz -name '*.c' | sort)
flags="$flags -DBUILD_DIRECTORY=__FILE__"

step() {
	echo "lint: $1"
}
# each_file FILES COMMAND: runs the command for each file, {}, as many at a time
# as there are processors.
each_file() {
	files=$1
	shift
	# shellcheck disable=SC2086
	printf '%s\n' $files | xargs -P "$(getconf _NPROCESSORS_ONLN)" \
	    -I '{}' "$@"
}

step clang-tidy
# Analysis and bug patterns; how code looks is no business of it.
# - easily-swappable-parameters, narrowing: -Wconversion says the true ones
# - DeprecatedOrUnsafeBufferHandling: wants C11 Annex K, which libc has not
# - reserved-identifier: _GNU_SOURCE; multiway-paths: switch with a default
# - assignment-in-if-condition: the field's idiom for calls that can fail
checks='clang-analyzer-*,bugprone-*,cert-*,-bugprone-easily-swappable-parameters'
checks="$checks,-bugprone-narrowing-conversions,-cert-dcl37-c,-cert-dcl51-cpp"
checks="$checks,-bugprone-reserved-identifier,-cert-err33-c"
checks="$checks,-bugprone-assignment-in-if-condition"
# - implicit-widening, sizeof-expression: constants and arrays of pointers
checks="$checks,-bugprone-implicit-widening-of-multiplication-result"
checks="$checks,-bugprone-sizeof-expression"
checks="$checks,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling"
# shellcheck disable=SC2086
each_file "$portable $targets" clang-tidy --quiet --warnings-as-errors='*' \
    --checks="-*,$checks" {} -- $flags 2>"$scratch/noise" || status=1

step cppcheck
# Of the BSD macros it has most, but not this one.
# shellcheck disable=SC2086
cppcheck --quiet --std=c11 --library=bsd --error-exitcode=1 --inline-suppr \
    --enable=warning,portability,performance \
    --suppress=missingIncludeSystem -D__linux__ \
    '-Dtimespeccmp(a,b,op)=((a)->tv_nsec op (b)->tv_nsec)' \
    -Iinclude -Inet -Imailstore -Iprivsep $portable $targets || status=1

step 'gcc -fanalyzer'
# shellcheck disable=SC2086
each_file "$portable" gcc $flags -O2 -Wall -Wextra -Werror -fanalyzer -c {} \
    -o /dev/null || status=1

step mandoc
for page in man/*.[1-9]; do
	mandoc -T lint -W style "$page" >"$scratch/man" 2>&1 || true
	# Pages of other packages are not looked for, nor is their index.
	if grep -Ev 'referenced manual not found|mandoc.db' "$scratch/man"; then
		status=1
	fi
done

step shellcheck
shellcheck configure build/*.sh .ci/run || status=1

step 'names and licence'
# Functions that the field has learnt not to use.
if grep -nE '\b(strcpy|strcat|sprintf|gets|strtok|atoi|alloca|system|popen)\(' \
    privsep/*.c net/*.c mailstore/*.c regress/fuzz/*.c; then
	echo 'lint: an unsafe function' >&2
	status=1
fi
for file in include/*.h privsep/*.c net/*.[ch] mailstore/*.[ch] \
    regress/fuzz/*.[ch]; do
	if expand -t 8 "$file" | awk -v file="$file" 'length($0) > 80 {
		print file ":" NR ": over 80 columns"; bad = 1
	} END { exit !bad }'; then
		status=1
	fi
done
step 'messages between processes'
# Who audits them reads the manual's list.
sed -n 's/^	X(\([A-Z_]*\),.*/\1/p' include/ipc_messages.h | sort -u |
    while read -r name; do
	grep -q "^.It $name Ta" man/postern-privsep.7 || echo "$name"
done >"$scratch/messages"
if grep . "$scratch/messages"; then
	echo 'lint: not in postern-privsep(7)' >&2
	status=1
fi

step 'test programs'
# What is built and not run tells nothing; what is run must be built.
for list in regress/*/Kyuafile; do
	sed -n "s|.*name='\([a-z0-9_]*\)'.*|${list%/Kyuafile}/\1|p" "$list"
done | sort >"$scratch/run"
grep -o 'regress/[a-z0-9]*/[a-z0-9_]*_\(test\|fuzz\)\b' regress.mk | sort -u \
    >"$scratch/built"
diff "$scratch/built" "$scratch/run" || status=1
[ "$status" = 0 ] && echo 'lint: clean'
exit $status
