#!/usr/bin/env bash
# The Linux backend for those who may do little: runs the cases of the given test programs that run on it as uid
# 1000, and as a root without CAP_SYS_ADMIN, who makes no namespace outside of a user namespace of his own. Of
# programs behind --all, every case.
set -euo pipefail
unset GTEST_OUTPUT

run() {
  local program filter='*/linux*'
  for program in "${programs[@]}"; do
    if [[ $program == --all ]]; then
      filter='*'
      continue
    fi
    # Through the descriptor: the user may not be allowed to walk to the file.
    exec {file}<"$program"
    "$@" "/proc/self/fd/$file" --gtest_filter="$filter" --gtest_brief=1
    exec {file}<&-
  done
}

programs=("$@")
if [[ $EUID -ne 0 ]]; then
  run
else
  run setpriv --reuid=1000 --regid=1000 --clear-groups
  run setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin
fi
