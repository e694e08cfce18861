#!/bin/bash
#
# bench.sh - how fast and how small, beside the servers that people use.
#
# Starts posternd, Dovecot (as packaged, and with its high-performance login)
# and popa3d on loopback with the same mailboxes and equally cheap password
# hashes, lets bench_load work with them in turns, and prints medians and
# ratios.  All of it is in a network of its own (no port is anybody else's)
# and in a scratch directory.  Needs root: every server has users of its own.
#
# BENCH=short: a part of it, in under three minutes.  BENCH_ONLY="login fetch"
# does these works alone.  BENCH_RUNS=N: so many runs of each.  Nothing is
# written outside of the scratch directory (5 GB), whose place TMPDIR tells.
set -euo pipefail

cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || {
	echo "bench: needs root: each server runs with users of its own" >&2
	exit 1
}
if [ -z "${BENCH_SCRATCH:-}" ]; then
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/postern-bench.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 130' INT TERM
	mkdir "$scratch/popa3d"
	# It and dovecot-pop3d do not go together: it is unpacked only.
	command -v popa3d >/dev/null || (
		cd "$scratch/popa3d"
		apt-get download -qq popa3d && dpkg -x popa3d_*.deb .
	) >/dev/null 2>&1 || true
	BENCH_SCRATCH=$scratch unshare --net bash build/bench.sh
	exit
fi
ip link set lo up
ulimit -n 100000 2>/dev/null || ulimit -n "$(ulimit -Hn)"
scratch=$BENCH_SCRATCH

load=$(pwd)/regress/bench/bench_load
short=no
[ "${BENCH:-whole}" != short ] || short=yes
only=${BENCH_ONLY:-}
runs=${BENCH_RUNS:-$([ $short = yes ] && echo 3 || echo 5)}
chmod 755 "$scratch"
pids=
# shellcheck disable=SC2317 # by trap
finish() {
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null || true
	wait 2>/dev/null || true
}
trap finish EXIT
trap 'exit 130' INT TERM

if [ $short = no ]; then
	users=2000 logins=2000 logins_small=100 guesses=1000 sessions=200
	connections=20000 held=2000
	all='login fetch large one open delete memory maildir many fair'
else
	users=100 logins=320 logins_small=50 guesses=200 sessions=50
	connections=2000 held=50
	all='login fetch open delete memory'
fi
first_uid=70000
thousand=1000:64000000 large=50000:500000000 one=1:500000000
delete=10000:100000000
wants() {
	[[ " ${only:-$all} " == *" $1 "* ]]
}

# The mailboxes: u1 ... and one user for each of the large ones.  Those who
# log in most stand first in every server's list of users.
{
	for ((i = 1; i <= users; i++)); do
		echo "u$i $((first_uid + i)) 10:20000"
	done
	echo "empty $((first_uid - 1)) 0:0"
	echo "thousand $((first_uid - 2)) $thousand"
	! wants large && ! wants open && ! wants maildir && ! wants fair ||
		echo "large $((first_uid - 3)) $large"
	! wants one || echo "one $((first_uid - 4)) $one"
	! wants delete || echo "delete $((first_uid - 5)) $delete"
} >"$scratch/users"

# Gives each user of the list a mailbox below $1: a file NAME, or a Maildir
# with $2 "count=0".
give_mailboxes() {
	mkdir -p "$1"
	# shellcheck disable=SC2086
	"$load" mailboxes file="$1" ${2:-} <"$scratch/users"
}

# Waits until something listens on a port.
wait_for() {
	local tries
	for ((tries = 0; tries < 200; tries++)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
		sleep 0.05
	done
	echo "bench: $2 does not answer" >&2
	return 1
}

# Each server: its port, the process at the root of its tree, its mailboxes.
declare -A port tree spool
servers=

# $1: its name; $2, $3: its ports; $4: what mailboxes there are.
start_postern() {
	local directory=$scratch/$1 hash name uid
	mkdir -p "$directory/empty" "$directory/state" "$directory/libexec"
	chmod 755 "$directory"/*
	cp postern-* "$directory/libexec/"
	hash=$("$load" hash)
	while read -r name uid _; do
		echo "$name:$hash:$uid:$uid:/nonexistent:"
	done <"$scratch/users" >"$directory/passwd"
	chown 0:64102 "$directory/passwd"
	chmod 640 "$directory/passwd"
	spool[$1]=$directory/spool
	give_mailboxes "$directory/spool" "${4:-}"
	chown 0:8 "$directory/spool"
	chmod 2775 "$directory/spool"
	cat >"$directory/conf" <<-EOF2
	hostname post.example.org
	listen pop3 127.0.0.1 port $2
	listen auto 127.0.0.1 port $3
	auth passwd $directory/passwd
	mailbox $directory/spool/%u
	state $directory/state
	net-user 64101:64101
	auth-user 64102:64102
	lock-user 64104:8
	chroot $directory/empty
	EOF2
	./posternd -d -f "$directory/conf" -l "$directory/libexec" \
	    2>"$directory/log" &
	tree[$1]=$!
	port[$1]=$2
	pids="$pids $!"
	wait_for "$2" "$1"
	servers+=" $1"
}

# $1: its name; $2: its port; $3: where mail is; $4: more configuration; $5:
# what mailboxes there are.
start_dovecot() {
	local directory=$scratch/$1 name uid
	command -v dovecot >/dev/null || {
		echo "bench: no dovecot (Debian: dovecot-pop3d): skipped"
		return 0
	}
	mkdir -p "$directory/home"
	spool[$1]=$directory/spool
	give_mailboxes "$directory/spool" "${5:-}"
	chmod 1777 "$directory/spool"
	while read -r name uid _; do
		mkdir "$directory/home/$name"
		chown "$uid:$uid" "$directory/home/$name"
		echo "$name:{PLAIN}secret:$uid:$uid::$directory/home/$name::"
	done <"$scratch/users" >"$directory/passwd"
	chmod 644 "$directory/passwd"
	cat >"$directory/conf" <<-EOF2
	base_dir = $directory/run
	state_dir = $directory/state
	log_path = $directory/log
	protocols = pop3
	ssl = no
	disable_plaintext_auth = no
	listen = 127.0.0.1
	mail_location = $3
	first_valid_uid = 100
	passdb {
	  driver = passwd-file
	  args = $directory/passwd
	}
	userdb {
	  driver = passwd-file
	  args = $directory/passwd
	}
	service pop3-login {
	  inet_listener pop3 {
	    port = $2
	  }
	  inet_listener pop3s {
	    port = 0
	  }
	}
	service imap-login {
	  process_min_avail = 0
	}
	$4
	EOF2
	dovecot -F -c "$directory/conf" &
	tree[$1]=$!
	port[$1]=$2
	pids="$pids $!"
	wait_for "$2" "$1"
	servers+=" $1"
}

# popa3d finds its users, mail and PAM settings where they always are: so it
# gets a view of the file system of its own.
start_popa3d() {
	local directory=$scratch/popa3d name uid hash program
	program=$(command -v popa3d || true)
	mkdir -p "$directory/pam.d"
	[ -n "$program" ] || program=$directory/usr/sbin/popa3d
	[ -x "$program" ] || {
		echo "bench: no popa3d (Debian: popa3d): skipped"
		return 0
	}
	spool[popa3d]=$directory/mail
	give_mailboxes "$directory/mail"
	hash=$("$load" crypt)
	while read -r name uid _; do
		echo "$name:x:$uid:$uid::/nonexistent:/bin/sh" >&3
		echo "$name:$hash:19000:0:99999:7:::" >&4
	done <"$scratch/users" 3>"$directory/passwd" 4>"$directory/shadow"
	cat /etc/passwd >>"$directory/passwd"
	cat /etc/shadow >>"$directory/shadow"
	chmod 640 "$directory/shadow"
	cp /etc/group "$directory/group"
	echo 'popa3d:x:64105:64105::/nonexistent:/usr/sbin/nologin' \
	    >>"$directory/passwd"
	echo 'popa3d:x:64105:' >>"$directory/group"
	printf '%s required pam_unix.so\n' auth account \
	    >"$directory/pam.d/popa3d"
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -euc '
		for file in passwd shadow group pam.d; do
			mount --bind "$1/$file" "/etc/$file"
		done
		mount --bind "$1/mail" /var/mail
		mount -t tmpfs none /var/lib
		mkdir /var/lib/popa3d
		exec "$3" inetd port=4110 file="$2"
	' popa3d "$directory" "$program" "$load" &
	tree[popa3d]=$!
	port[popa3d]=4110
	pids="$pids $!"
	wait_for 4110 popa3d
	servers+=' popa3d'
}

# What a server remembers of the mailbox that is to be opened first.
forget_index() {
	[ "$1" != postern ] || rm -rf "$scratch/postern/state"/*.large
	rm -rf "$scratch/$1/home/large/mail"
}

# The mailbox that loses its messages, as it was.
restore_mailbox() {
	rm -rf "$scratch/$1/home/delete/mail"
	grep '^delete ' "$scratch/users" |
	    "$load" mailboxes file="${spool[$1]}"
	# Mail that came long ago is on the disk.
	sync -f "${spool[$1]}"
}

# Lets the servers do a work in turns: measure NAME "SERVERS" WORK ARGUMENTS
measure() {
	local name=$1 run server line
	local of=$2
	shift 2
	for ((run = 0; run < runs; run++)); do
		for server in $of; do
			[[ "$servers " == *" $server "* ]] || continue
			[ -z "${forget:-}" ] || forget_index "$server"
			[ -z "${restore:-}" ] || restore_mailbox "$server"
			line=$("$load" "${1}" port="${port[$server]}" \
			    tree="${tree[$server]}" "${@:2}" 2>&1) || {
				echo "FAILED: $name: $server: $line"
				failed=1
				continue
			}
			for figure in $line; do
				echo "$name $server ${figure/=/ }"
			done >>"$scratch/figures"
		done
	done
	table "$name"
}

# What a work came to: each figure's best, median and worst run, and the ratio
# of the medians, postern's to each peer's.
table() {
	sed -n "s/^$1 //p" "$scratch/figures" | LC_ALL=C sort -s -k2,2 -k1,1 |
	    awk -v name="$1" -v servers="$servers" -v postern="$ours" '
	{ values[$2, $1] = values[$2, $1] " " $3; figures[$2] = 1 }
	function median(list, sorted, n, i, j, t) {
		n = split(list, sorted, " ")
		for (i = 2; i <= n; i++)
			for (j = i; j > 1 && \
			    sorted[j - 1] + 0 > sorted[j] + 0; j--) {
				t = sorted[j]; sorted[j] = sorted[j - 1]
				sorted[j - 1] = t
			}
		least = sorted[1]; most = sorted[n]
		return sorted[int((n + 1) / 2)]
	}
	END {
		count = split(servers, order, " ")
		for (figure in figures) {
			ours = values[figure, postern] == "" ? "" : \
			    median(values[figure, postern])
			for (i = 1; i <= count; i++) {
				if (values[figure, order[i]] == "")
					continue
				m = median(values[figure, order[i]])
				printf "%-18s %-13s %-16s %10s %10s %10s", \
				    name, figure, order[i], least, m, most
				if (order[i] != postern && ours != "" && \
				    m > 0)
					printf " %8.2f", ours / m
				printf "\n"
			}
		}
	}' | LC_ALL=C sort -s -k2,2
}

failed=0
ours=postern
start_postern postern 1110 1109
start_dovecot dovecot 2110 \
    "mbox:~/mail:INBOX=$scratch/dovecot/spool/%u" ''
start_dovecot dovecot-fast 3110 \
    "mbox:~/mail:INBOX=$scratch/dovecot-fast/spool/%u" "
service pop3-login {
  service_count = 0
  process_min_avail = $(nproc)
  client_limit = 12000
  vsz_limit = 1G
}
service pop3 {
  process_limit = 2100
}
service auth {
  client_limit = 30000
}
service anvil {
  client_limit = 5000
}
service stats {
  client_limit = 5000
}" 2>/dev/null
start_popa3d
echo "bench: $(uname -sr), $(nproc) processors," \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1);" \
    "$runs runs in turns"
printf '%-18s %-13s %-16s %10s %10s %10s %8s\n' work figure server least \
    median most postern/peer

if wants login; then
	for threads in 16 64; do
		measure "login-$threads" "$servers" login threads="$threads" \
		    count=$logins
	done
fi
if wants fetch; then
	measure fetch-quick "$servers" fetch user=thousand set=$thousand
	# popa3d takes half a minute for it, of which most is waiting.
	measure fetch-delayed 'postern dovecot-fast' fetch user=thousand \
	    set=$thousand quick=0
	runs=1 measure fetch-delayed1 popa3d fetch user=thousand \
	    set=$thousand quick=0
fi
if wants large; then
	measure large-pop3 'postern dovecot-fast popa3d' fetch user=large \
	    set=$large
	measure large-pop2 postern fetch user=large set=$large protocol=2 \
	    port=1109
	# A client that asks for the next message where it acknowledges one.
	measure large-pop2-acks postern fetch user=large set=$large protocol=2 \
	    port=1109 at_once=1
fi
if wants one; then
	measure one-pop3 'postern popa3d' fetch user=one set=$one
	measure one-pop1 postern fetch user=one set=$one protocol=1 port=1109
	"$load" wire file="$scratch/wire" set=$one
	measure one-raw postern raw file="$scratch/wire" set=$one
	measure one-relay postern relay file="$scratch/wire" set=$one
	rm "$scratch/wire"
fi
if wants open; then
	measure open-empty "$servers" open user=empty set=0:0
	forget=yes measure open-first 'postern dovecot-fast popa3d' open \
	    user=large set=$large
	measure open-again 'postern dovecot-fast popa3d' open user=large \
	    set=$large
fi
if wants delete; then
	restore=yes measure delete 'postern dovecot-fast popa3d' delete \
	    user=delete set=$delete
fi
if wants memory; then
	measure memory-before 'postern dovecot-fast popa3d' hold count=400
	measure memory-after 'postern dovecot-fast popa3d' sessions \
	    count=$sessions
fi
if wants maildir; then
	start_postern postern-maildir 5110 5109 count=0
	start_dovecot dovecot-maildir 6110 \
	    "maildir:$scratch/dovecot-maildir/spool/%u" '' count=0
	ours=postern-maildir
	both='postern-maildir dovecot-maildir'
	measure maildir-fetch "$both" fetch user=thousand set=$thousand
	measure maildir-large "$both" fetch user=large set=$large
	measure maildir-again "$both" open user=large set=$large
	ours=postern
fi
if wants many; then
	runs=1 measure many-before postern hold count=$connections
	runs=1 measure many-after postern sessions count=$held
fi
if wants fair; then
	measure fair 'postern dovecot-fast' fair user=large set=$large \
	    count=$logins_small threads=$guesses
fi
exit $failed
