#!/bin/sh
# What every commit passes, in two to five minutes: types, lint, format, generated files, unit tests. Run it by `npm run check`.
set -eu
cd "$(dirname "$0")/.."

echo 'types' && tsc -p .
echo 'lint' && oxlint --type-aware src test deploy
echo 'format' && oxfmt --check src test deploy
if [ -f src/main/generate.ts ]; then
	echo 'generated files' && node src/main/generate.ts --check
fi
echo 'unit tests' && vitest run --project unit
