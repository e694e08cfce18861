#!/bin/sh
#
# setup.sh - installs what is missing for demo, check, fuzz, bench or
# lint.
#
# With apt as root (or through sudo); elsewhere, or where that may not be,
# it says what is to be installed.
set -eu

purpose=${1:-demo}
debian='gcc libc6-dev pkg-config libbsd-dev libmd-dev libevent-dev
    libsodium-dev libcrypt-dev libgnutls28-dev procps'
# Delivery agents that tests race against.  A test whose agent is not there is
# skipped; so these are not waited for where they cannot be installed.
agents=
case $purpose in
demo) ;;
check)
	debian="$debian kyua libatf-dev atf-sh libseccomp-dev binutils openssl
    gnutls-bin"
	agents='procmail maildrop'
	;;
# libclang-rt of clang's own version: libFuzzer and the sanitizers.
fuzz) debian="$debian clang libclang-rt-dev kyua libatf-dev
    libseccomp-dev" ;;
bench)
	debian="$debian iproute2 util-linux"
	agents=dovecot-pop3d
	;;
lint) debian="$debian libseccomp-dev clang clang-tidy cppcheck mandoc
    shellcheck" ;;
ci)
	debian="$debian kyua libatf-dev atf-sh libseccomp-dev binutils clang
    clang-tidy cppcheck mandoc shellcheck bmake make git openssl gnutls-bin"
	agents='procmail maildrop curl fetchmail mpop getmail6 python3 perl mutt
    libio-socket-ssl-perl bsdutils dovecot-pop3d nmh'
	# It would take another mail server's place: only where there is none.
	command -v sendmail >/dev/null 2>&1 || agents="$agents postfix"
	;;
*) echo "usage: setup.sh demo|check|fuzz|bench|lint|ci" >&2; exit 2 ;;
esac

[ "$(uname -s)" = Linux ] || {
	echo "setup: on OpenBSD: pkg_add libsodium gnutls kyua atf" >&2
	exit 0
}

if ! command -v dpkg-query >/dev/null 2>&1; then
	cat >&2 <<'EOF'
setup: no apt here.  Needed: a C11 compiler, make, pkg-config, and the
development files of libbsd, libmd, libevent, libsodium, libxcrypt and GnuTLS;
for the tests also libseccomp, kyua, atf, openssl and gnutls-cli.  Names
elsewhere:
  Fedora    gcc pkgconf libbsd-devel libmd-devel libevent-devel
            libseccomp-devel libsodium-devel libxcrypt-devel gnutls-devel kyua
            libatf-c-devel
  Alpine    build-base pkgconf libbsd-dev libmd-dev libevent-dev
            libseccomp-dev libsodium-dev libxcrypt-dev gnutls-dev kyua atf-dev
  Arch      base-devel libbsd libmd libevent libseccomp libsodium libxcrypt
            gnutls
EOF
	exit 0
fi

not_installed() {
	for package; do
		state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) ||
		    state=
		[ "$state" = 'install ok installed' ] ||
		    printf ' %s' "$package"
	done
}
# popa3d cannot be installed beside Dovecot's POP3, so it is only unpacked, for
# the test that holds the two servers side by side.
if [ "$purpose" = ci ] && [ ! -x build/peers/popa3d ]; then
	scratch=$(mktemp -d)
	if (cd "$scratch" && apt-get download -q popa3d >/dev/null 2>&1 &&
	    dpkg -x popa3d_*.deb .); then
		mkdir -p build/peers
		cp "$scratch/usr/sbin/popa3d" build/peers/popa3d
	else
		echo "setup: no popa3d; its tests are skipped" >&2
	fi
	rm -rf "$scratch"
fi
# shellcheck disable=SC2086
missing=$(not_installed $debian)
# shellcheck disable=SC2086
wanted=$(not_installed $agents)
[ -n "$missing$wanted" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root='env'
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	as_root='sudo env'
else
	echo "setup: please install as root: apt-get install$missing$wanted" >&2
	[ -z "$missing" ]
	exit
fi
echo "setup: installing$missing$wanted"
$as_root apt-get update -q >/dev/null
# shellcheck disable=SC2086
[ -z "$missing" ] || $as_root DEBIAN_FRONTEND=noninteractive apt-get install \
    -y -q --no-install-recommends $missing >/dev/null
case $wanted in
*postfix*)	# Installed, but neither configured nor started.
	echo 'postfix postfix/main_mailer_type select No configuration' |
	    $as_root debconf-set-selections || true
	;;
esac
# shellcheck disable=SC2086
[ -z "$wanted" ] || $as_root DEBIAN_FRONTEND=noninteractive apt-get install \
    -y -q --no-install-recommends $wanted >/dev/null ||
    echo "setup: not installed:$wanted; their tests are skipped" >&2
