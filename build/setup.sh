#!/bin/sh
#
# setup.sh - installs what is missing for demo, check or lint.
#
# With apt as root (or through sudo); elsewhere, or where that may not be,
# it says what is to be installed.
set -eu

purpose=${1:-demo}
debian='gcc libc6-dev pkg-config libbsd-dev libevent-dev libseccomp-dev
    libsodium-dev libcrypt-dev procps'
case $purpose in
demo) ;;
check) debian="$debian kyua libatf-dev atf-sh binutils" ;;
lint) debian="$debian clang clang-tidy cppcheck mandoc shellcheck" ;;
ci) debian="$debian kyua libatf-dev atf-sh binutils clang clang-tidy cppcheck
    mandoc shellcheck bmake make git curl fetchmail mpop getmail6 python3 perl
    mutt bsdutils dovecot-pop3d" ;;
*) echo "usage: setup.sh demo|check|lint|ci" >&2; exit 2 ;;
esac

[ "$(uname -s)" = Linux ] || {
	echo "setup: on OpenBSD: pkg_add libsodium kyua atf" >&2
	exit 0
}

if ! command -v dpkg-query >/dev/null 2>&1; then
	cat >&2 <<'EOF'
setup: no apt here.  Needed: a C11 compiler, make, pkg-config, and the
development files of libbsd, libevent, libseccomp, libsodium and libxcrypt;
for the tests also kyua and atf.  Names elsewhere:
  Fedora    gcc pkgconf libbsd-devel libevent-devel libseccomp-devel
            libsodium-devel libxcrypt-devel kyua libatf-c-devel
  Alpine    build-base pkgconf libbsd-dev libevent-dev libseccomp-dev
            libsodium-dev libxcrypt-dev kyua atf-dev
  Arch      base-devel libbsd libevent libseccomp libsodium libxcrypt
EOF
	exit 0
fi

missing=
for package in $debian; do
	state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) || state=
	[ "$state" = 'install ok installed' ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root='env'
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	as_root='sudo env'
else
	echo "setup: please install as root: apt-get install$missing" >&2
	exit 1
fi
echo "setup: installing$missing"
$as_root apt-get update -q >/dev/null
# shellcheck disable=SC2086
$as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
    --no-install-recommends $missing >/dev/null
