#!/usr/bin/env bash
# Installs what the tests need beside Python: Debian's packages where that is allowed, and the SDKs for Node and browsers.
set -euo pipefail
cd "$(dirname "$0")/clients/node"

wanted=()
command -v npm >/dev/null || wanted+=(nodejs npm)
[ -n "${CAUCE_TEST_POSTGRES:-}" ] || command -v initdb >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || wanted+=(postgresql)
command -v java >/dev/null || wanted+=(default-jre-headless)
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || wanted+=(chromium)
if [ ${#wanted[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
  else
    echo "Missing: ${wanted[*]}. Tests that need them will skip; install them to run all." >&2
  fi
fi
command -v npm >/dev/null || exit 0
if [ ! -f node_modules/.ready ] || [ package-lock.json -nt node_modules/.ready ]; then
  npm ci --silent --no-audit --no-fund
  touch node_modules/.ready
fi
