#!/bin/sh
# Rebuilds the nano world's drawings from the pinned icon packages. See README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../nano/src/main/resources/io/llava4j/nano/world}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Column 1 is the set, column 4 the exact package version.
packages=$(awk -F '\t' 'NR > 1 { print "@iconify-json/" $1 "@" $4 }' "$here/sets.tsv")
# shellcheck disable=SC2086
(cd "$work" && echo '{"private": true}' > package.json \
    && npm install --silent --no-audit --no-fund --ignore-scripts --save-exact $packages)
node "$here/icons.mjs" "$work/node_modules" "$here/categories.tsv" "$work/svg"
java "$here/PackDrawings.java" "$here/categories.tsv" "$here/sets.tsv" "$work/svg" "$out"
ls -l "$out"
