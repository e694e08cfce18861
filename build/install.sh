#!/bin/sh
#
# install.sh - make install and make uninstall, with DESTDIR and PREFIX.
#
# Programs and manual pages; users, directories and the configuration are
# the package's or the administrator's business: README.md says how.
set -eu

cd "$(dirname "$0")/.."
setting() {
	sed -n "s/^$1 = *//p" config.mk
}
old=$(setting PREFIX)
prefix=${PREFIX:-$old}
under() {	# the configured directory, below the prefix asked for now
	directory=$(setting "$1")
	case $directory in
	"$old"/*) echo "${DESTDIR:-}$prefix${directory#"$old"}" ;;
	*) echo "${DESTDIR:-}$directory" ;;
	esac
}
sbin=$(under SBINDIR) libexec=$(under LIBEXECDIR) man=$(under MANDIR)

programs='posternd posternctl'
children='postern-net postern-auth postern-store postern-lock
    postern-keys postern-config postern-mailbox postern-selfsigned'
case $1 in
prepare)
	# posternd knows where its children are: it is built for its prefix.
	if [ "$prefix" != "$old" ]; then
		eval "./configure $(setting CONFIGURED) 'PREFIX=$prefix'"
	fi
	;;
install)
	# Whatever the umask is: other users are to get there.
	umask 022
	mkdir -p "$sbin" "$libexec" "$man/man5" "$man/man7" "$man/man8"
	for name in $programs; do install -m 755 "$name" "$sbin/"; done
	for name in $children; do install -m 711 "$name" "$libexec/"; done
	# The pages tell where things are here.
	for page in man/*.[578]; do
		to=$man/man${page##*.}/$(basename "$page")
		rm -f "$to"
		sed -e "s|/usr/local/libexec/postern|$(setting LIBEXECDIR)|" \
		    -e "s|/etc/postern|$(setting SYSCONFDIR)|" \
		    -e "s|/var/lib/postern/state|$(setting STATEDIR)|" \
		    -e "s|/var/lib/postern/empty|$(setting CHROOTDIR)|" \
		    "$page" >"$to"
		chmod 644 "$to"
	done
	;;
uninstall)
	for name in $programs; do rm -f "$sbin/$name"; done
	for name in $children; do rm -f "$libexec/$name"; done
	for page in man/*.[578]; do
		rm -f "$man/man${page##*.}/$(basename "$page")"
	done
	[ ! -d "$libexec" ] || rmdir "$libexec" 2>/dev/null || true
	;;
*)
	echo 'usage: install.sh prepare|install|uninstall' >&2
	exit 2
	;;
esac
