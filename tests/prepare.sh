#!/usr/bin/env bash
# Installs what the tests need beside Python: Node.js from Debian where that is allowed, and the Node SDK.
set -euo pipefail
cd "$(dirname "$0")/clients/node"

if ! command -v npm >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null
  else
    echo "Node.js and npm are missing: the tests of the Node SDK will skip. Install them to run all." >&2
    exit 0
  fi
fi
if [ ! -f node_modules/.ready ] || [ package-lock.json -nt node_modules/.ready ]; then
  npm ci --silent --no-audit --no-fund
  touch node_modules/.ready
fi
