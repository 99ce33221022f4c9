#!/bin/sh
# Becomes a program of the node after leaving a record of itself: `launch.sh STATE NAME PROGRAM ARGS…`.
# The record is the process's stat line as the machine sees it; it is there before the program runs, so there is no
# moment at which a program runs unrecorded.
set -eu
state=$1
name=$2
shift 2
read -r stat <"$state/hostproc/self/stat"
echo "$stat" >"$state/run/$name.new"
mv "$state/run/$name.new" "$state/run/$name"
exec "$@" >>"$state/logs/$name.log" 2>&1 </dev/null
