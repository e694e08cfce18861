#!/bin/sh
#
# crash.sh - runs the bench of crashes in a scratch directory: kills, errors
# and power cuts first; then conversions there and back; then races, in which
# real agents deliver while clients read and delete.
set -eu

cd "$(dirname "$0")/.."
scratch=$(mktemp -d "${TMPDIR:-/tmp}/postern-crash.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
regress/crash/crash_bench -v "$scratch"

# The same program as in the tests, with more messages to each of 12 lanes.
# Its results are for Kyua; what is read here are its figures.
program=$(pwd)/regress/crash/race_test
chmod 755 "$scratch"
status=0
race() {
	mkdir "$scratch/$1"
	(cd "$scratch/$1" && "$program" -r "$scratch/result" \
	    -v "messages=$2" "$1" 2>"$scratch/errors") >"$scratch/line" ||
	    status=1
	grep -v '^\*\*\*' "$scratch/line" || true
	cat "$scratch/line" >>"$scratch/lines"
	case $(cat "$scratch/result") in
	passed) ;;
	skipped*) printf '%-17s skipped: %s\n' "$1" \
	    "$(sed 's/^skipped: //' "$scratch/result")" ;;
	*) cat "$scratch/result"; grep -v WARNING "$scratch/errors"
	    status=1 ;;
	esac
	rm -rf "${scratch:?}/$1"
}
echo
mkdir "$scratch/forms"
# There and back, with a thousand messages, between any two forms.
(cd "$scratch/forms" && "${program%/crash/*}/mailstore/forms_test" \
    -r "$scratch/result" -v messages=1000 there_and_back >"$scratch/line" \
    2>"$scratch/errors") || status=1
echo "1000 messages converted there and back, 25 ways: $(cat "$scratch/result")"
rm -rf "${scratch:?}/forms"
echo
echo 'agent             store delivered   gone   left unsure  lost doubled damaged kills sessions   busy commits'
race own_agent 250
race own_agent_killed_stores 250
race procmail 84
race procmail_killed_stores 84
race maildrop 84
race maildrop_killed_stores 84
race postfix 84
race postfix_killed_stores 84
race dotlock 250
race mailtxt 250
race mailtxt_killed_stores 250
race procmail_maildir 84
race maildrop_maildir 84
race maildrop_maildir_killed_stores 84
race rcvstore 84
race rcvstore_killed_stores 84
race dovecot_maildir 84
race dovecot_mbox 84
awk '/^(own|procmail|maildrop|postfix|rcvstore|Dovecot)/ {
	sub(/, /, ",")
	for (i = 3; i <= 9; i++) sum[i] += $i
}
END {
	printf "%d messages delivered: %d read and acknowledged, %d left, " \
	    "%d read and gone without an answer; %d lost, %d doubled, " \
	    "%d damaged\n", sum[3], sum[4], sum[5], sum[6], sum[7], sum[8],
	    sum[9]
}' "$scratch/lines"
exit "$status"
