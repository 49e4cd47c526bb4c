#!/bin/sh
# The command that npm links → the launcher for this machine; where that link can be replaced, it leads there from now on.
package=$(readlink -f -- "$0") && package=${package%/bin/*}
machine=$(uname -m)
case $machine in
amd64) machine=x86_64 ;;
arm64) machine=aarch64 ;;
i[345]86) machine=i686 ;;
esac
own=dist/$machine-linux/nix-run-foreign
if [ ! -x "$package/$own" ]; then
	echo "nix-run-foreign: there is no launcher for this machine (${machine:-unknown})" >&2
	echo "  there are some for x86_64, aarch64 and i686; for another build it from its sources with a C compiler" >&2
	exit 125
fi
link=$(readlink -- "$0")
case $link in
*/bin/nix-run-foreign.sh)
	if [ -w "${0%/*}" ] && ln -s -- "${link%/bin/*}/$own" "$0.$$"; then
		mv -f -- "$0.$$" "$0" || rm -f -- "$0.$$"
	fi
	# For starts without PATH: the Node that this package was installed with.
	if [ -w "$package/dist" ] && [ ! -e "$package/dist/node" ]; then
		node=$(node -p 'parseInt(process.versions.node) < 24 ? "" : process.execPath')
		[ -z "$node" ] || ln -s -f -- "$node" "$package/dist/node"
	fi
	;;
esac 2>/dev/null
exec "$package/$own" "$@"
