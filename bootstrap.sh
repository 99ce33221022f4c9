#!/bin/sh
# Makes the checkout ready and runs a command in it: `sh bootstrap.sh node file.ts`.
#
# Installs the locked packages when the lock file differs from the one last installed (5 s the first time, 0.2 s
# afterwards) and puts node_modules/.bin first in PATH. The packages bring their own Node (26.10), so the Node on the
# machine only has to be able to run npm (20 or newer).
set -eu
root=$(cd "$(dirname "$0")" && pwd)
stamp=$root/node_modules/.holdfast-lock
installed() { cmp -s "$root/package-lock.json" "$stamp" 2>/dev/null; }
if ! installed; then
	# One at a time: `npm ci` removes what another start of this script is just using or installing.
	exec 9>"$root/.holdfast-install.lock"
	if command -v flock >/dev/null; then flock 9; fi
	if ! installed; then
		echo "holdfast: installing packages" >&2
		(cd "$root" && npm ci --no-audit --no-fund --loglevel=error 9>&-) >&2
		cp "$root/package-lock.json" "$stamp"
	fi
	exec 9>&-
fi
PATH=$root/node_modules/.bin:$PATH
export PATH
# The Node of the packages wants one library that a slim Debian lacks.
if ! node --version >/dev/null 2>&1 && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "holdfast: installing libatomic1" >&2
	{ apt-get install -qq -y libatomic1 || { apt-get update -qq && apt-get install -qq -y libatomic1; }; } >&2
fi
[ $# -gt 0 ] || exit 0
exec "$@"
