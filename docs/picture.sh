#!/usr/bin/env bash
# Makes the README's picture, docs/page.png, from a sample session. Needs Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tool=(cargo run --quiet -p scrollback-cli -- --store "$work/demo.redb")
"${tool[@]}" import examples/sessions >"$work/log" 2>&1
"${tool[@]}" export d95bafc8-f2a4-427b-acf4-bb99f4bea973 --format html >"$work/page.html" 2>>"$work/log"
chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" \
    --window-size=900,620 --screenshot="$PWD/docs/page.png" "file://$work/page.html" 2>>"$work/log"
