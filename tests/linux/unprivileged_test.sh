#!/usr/bin/env bash
# The Linux backend for an ordinary user: runs the cases of the given test programs that run on it as uid 1000.
set -euo pipefail

if [[ $EUID -ne 0 ]]; then
  as_user=()
else
  as_user=(setpriv --reuid=1000 --regid=1000 --clear-groups)
fi
unset GTEST_OUTPUT
for program in "$@"; do
  # Through the descriptor: the user may not be allowed to walk to the file.
  exec {file}<"$program"
  "${as_user[@]}" "/proc/self/fd/$file" --gtest_filter='*/linux*' --gtest_brief=1
  exec {file}<&-
done
