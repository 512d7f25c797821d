#!/bin/sh
# Fills the mounted template in with the LIMBER_ variables, as nginx's own image does, and runs what it was told to.
set -eu
etc="${1:?folder of the configuration}"
shift
values="$(env | sed -n 's#^\(LIMBER_[A-Z_]*\)=\(.*\)$#s|${\1}|\2|g#p')"
mkdir -p "$etc/conf.d"
sed "$values" "$etc/templates/default.conf.template" > "$etc/conf.d/default.conf"
exec "$@"
