#!/bin/bash
#
# demo.sh - the main job, shown: a daemon, a mailbox, a POP2 and a POP1
# session.
#
# Everything is in one directory below /tmp and on loopback, and goes when
# the demonstration ends: at once where standard input is no terminal, else
# with Ctrl-C.
set -euo pipefail

cd "$(dirname "$0")/.."
top=$(pwd)
home=$(mktemp -d "${TMPDIR:-/tmp}/postern-demo.XXXXXX")
daemon=

clean_up() {
	trap '' INT TERM
	if [ -n "$daemon" ]; then
		kill "$daemon" 2>/dev/null || true
		wait "$daemon" 2>/dev/null || true
	fi
	rm -rf "$home"
}
trap clean_up EXIT
trap 'exit 0' INT TERM

chmod 755 "$home"
mkdir "$home/empty" "$home/state" "$home/spool" "$home/libexec" \
    "$home/fred" "$home/fred/mail"
cp postern-net postern-auth postern-store postern-lock postern-config \
    "$home/libexec/"
if [ "$(id -u)" = 0 ]; then
	echo "demo: as root: each process gets a user of its own"
	user=64103 group=64103
	chgrp 64104 "$home/spool"
	chmod 2775 "$home/spool"
	identity="net-user 64101:64101
auth-user 64102:64102
lock-user 64104:64104
chroot $home/empty"
else
	echo "demo: as $(id -un): all processes share this user; no chroot"
	user=$(id -u) group=$(id -g)
	identity="unprivileged
minimum-uid 1"
fi
cat >"$home/posternd.conf" <<EOF
hostname demo.example.org
listen auto 127.0.0.1 port 0
auth passwd $home/passwd
mailbox $home/spool/%u
state $home/state
net-processes 1
$identity
EOF
cat >"$home/spool/fred" <<'EOF'
From smith@example.org Sat Nov 21 09:00:00 2026
From: Smith <smith@example.org>
To: fred@demo.example.org
Subject: the workstation

It has a mailbox on the server now.

From jones@example.org Sat Nov 21 09:05:00 2026
From: Jones <jones@example.org>
To: fred@demo.example.org
Subject: lunch

At noon?

EOF
chmod 600 "$home/spool/fred"
[ "$(id -u)" != 0 ] || chown -R "$user:$group" "$home/spool/fred" "$home/fred"

echo secret | ./posternctl passwd -c "$home/posternd.conf" \
    -v "$user:$group:$home/fred:" fred
"$top/posternd" -d -l "$home/libexec" -f "$home/posternd.conf" 2>"$home/log" &
daemon=$!
for _ in $(seq 100); do
	grep -q event=ready "$home/log" && break
	kill -0 "$daemon" 2>/dev/null || break
	sleep 0.1
done
grep -q event=ready "$home/log" || { cat "$home/log" >&2; exit 1; }
port=$(sed -n 's/.*event=listen.*port=//p' "$home/log")

# Says a command, shows the reply; the count of a reply "=n" or "#n" is kept.
say() {
	printf 'client: %s\n' "$*"
	printf '%s\r\n' "$*" >&3
	hear
}
hear() {
	local line
	IFS= read -r -t 10 line <&3 || { echo 'demo: no reply' >&2; exit 1; }
	printf 'server: %s\n' "${line%$'\r'}"
	line=${line#[=#]}
	count=${line%%[^0-9]*}
}
# Asks for so many octets of mail, and shows them.
fetch() {
	printf 'client: %s\n' "$1"
	printf '%s\r\n' "$1" >&3
	head -c "$2" <&3 | tr -d '\r' | sed 's/^/server| /'
}
begin() {
	printf '\n--- %s, port %s\n' "$1" "$port"
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	hear
}

begin 'POP2 (RFC 937): reads two messages, deletes the first'
say HELO fred secret
say READ
fetch RETR "$count"
say ACKD
fetch RETR "$count"
say ACKS
say QUIT
exec 3>&-

begin 'POP1 (RFC 918): fetches the mailbox as it is now'
say USER fred
say PASS secret
say RETR INBOX
fetch RCEV "$count"
say RCVD
say QUIT
exec 3>&-

printf '\n--- the processes\n'
ps -o user:12,pid,args --ppid "$daemon" -p "$daemon" | sed "s|$home|...|g"
printf '\n--- the log\n'
sed "s|$home|...|g" "$home/log"

cat <<EOF

To try it by hand:  telnet 127.0.0.1 $port
                    HELO fred secret      (or USER fred, PASS secret)
The mailbox is      $home/spool/fred
EOF
if [ -t 0 ]; then
	echo 'Ctrl-C ends the demonstration and removes all of it.'
	wait "$daemon"
fi
