#!/bin/sh
# Installs the npm packages of the lockfile into node_modules, unless they are there already. This is the one step
# that cannot be TypeScript: before it there is no Node that runs it.
set -eu
cd "$(dirname "$0")/../.."
stamp=node_modules/.llmbridge-lockfile
wanted=$(sha256sum package-lock.json | cut -d' ' -f1)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0

if ! command -v npm >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing npm ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends npm >/dev/null
  elif command -v apt-get >/dev/null 2>&1; then
    echo "npm is missing and only root may install it; run: sudo apt-get install --no-install-recommends npm" >&2
    exit 1
  else
    echo "npm is missing; install Node.js with npm by the means of this distribution." >&2
    exit 1
  fi
fi

echo "Installing npm packages ..."
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
printf '%s' "$wanted" >"$stamp"
