#!/bin/sh
#
# audit.sh - the lines of code that each program is linked from.
#
# Reads "program: object ..." lines (build.mk's print-objects).  Lines that
# are blank or comment do not count.  Fails when a program that root runs (the
# daemon, the administrator's tools) is over the limit, or when a source file
# does not say in its first comment who runs it, and all programs that have it.
set -eu

limit=1500
cd "$(dirname "$0")/.."
scratch=$(mktemp -d "${TMPDIR:-/tmp}/postern-audit.XXXXXX")
trap 'rm -rf "$scratch"' EXIT INT TERM
cat >"$scratch/objects"
for name in posternd postern-net postern-auth postern-store postern-lock \
    postern-keys postern-config postern-mailbox postern-selfsigned \
    posternctl; do
	if ! grep -q "^$name: privsep\|^$name: .*/" "$scratch/objects"; then
		echo "audit: no list of the objects of $name" >&2
		exit 1
	fi
done

# Code of a C file: comments taken out, then what is not blank.
code() {
	awk '{
		line = $0
		out = ""
		while (line != "") {
			if (inside) {
				end = index(line, "*/")
				if (!end) { line = ""; break }
				line = substr(line, end + 2); inside = 0
			} else {
				begin = index(line, "/*")
				if (!begin) { out = out line; line = "" }
				else {
					out = out substr(line, 1, begin - 1)
					line = substr(line, begin + 2)
					inside = 1
				}
			}
		}
		if (out ~ /[^ \t]/) count++
	} END { print count + 0 }' "$@"
}

sources() {
	sed -n "s/^$1: //p" "$scratch/objects" | tr ' ' '\n' | grep . |
	    sed 's/\.o$/.c/' | sort -u
}

status=0
printf '%-16s %5s  %s\n' program lines 'of which (file: lines)'
sed 's/:.*//' "$scratch/objects" >"$scratch/names"
while read -r name; do
	# shellcheck disable=SC2046
	total=$(code $(sources "$name"))
	detail=$(for file in $(sources "$name"); do
		printf '%s:%d ' "$(basename "$file" .c)" "$(code "$file")"
	done)
	printf '%-16s %5d  %s\n' "$name" "$total" "$detail"
done <"$scratch/names"

# What root runs: the daemon all the time, the tools while they make a file.
for name in posternd posternctl postern-selfsigned; do
	# shellcheck disable=SC2046
	if [ "$(code $(sources $name))" -gt "$limit" ]; then
		echo "audit: $name has more than $limit lines, as root" >&2
		status=1
	fi
done
both=$( { sources posternd; sources posternctl; } | sort -u)
# shellcheck disable=SC2086
printf 'as root: at most %d a program; %d in posternd and posternctl together\n' \
    "$limit" "$(code $both)"

for file in privsep/*.c net/*.c mailstore/*.c; do
	if ! sed '/\*\//q' "$file" | tr '\n' ' ' | grep -Eiq \
	    'linked into|runs[ *]+(as|with|there|in)'; then
		echo "audit: $file does not say who runs it" >&2
		status=1
	fi
done

# "Linked into a, b and c", or "every program", or all but those that follow.
while read -r name; do
	sources "$name" | sed "s/^/$name /"
done <"$scratch/names" >"$scratch/links"
for file in privsep/*.c net/*.c mailstore/*.c; do
	says=$(sed '/\*\//q' "$file" | tr '\n' ' ' | sed 's/  *\* / /g' |
	    grep -o 'Linked into [^;.]*') || continue
	awk -v file="$file" '$2 == file { print $1 }' "$scratch/links" |
	    sort >"$scratch/has"
	[ -s "$scratch/has" ] || continue	# another system's
	echo "$says" | grep -o 'postern[a-z-]*' | sort -u >"$scratch/says"
	case $says in
	*'every program'*)
		sort "$scratch/names" | comm -23 - "$scratch/says" \
		    >"$scratch/all"
		mv "$scratch/all" "$scratch/says" ;;
	esac
	if ! cmp -s "$scratch/has" "$scratch/says"; then
		echo "audit: $file does not name the programs that have it" >&2
		status=1
	fi
done
exit $status
