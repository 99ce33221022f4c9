#!/bin/sh
# Builds chunker.wasm of chunker.as.ts (or the file given). The result is the same bytes from any folder; a test compares it with the one checked in.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/chunker.wasm}
cd "$here"
exec asc chunker.as.ts -o "$out" -O3 --noAssert --runtime stub --importMemory --noExportMemory --sharedMemory \
	--initialMemory 1 --maximumMemory 32768 --enable threads
