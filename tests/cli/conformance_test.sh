#!/bin/sh
# The public PVM test vectors on every backend. They are not ours to keep here: SANDGLASS_CONFORMANCE_DIR names a
# folder that has them. Unset: skipped (status 77). Set: they must be there, all of them, and pass.
# usage: conformance_test.sh SANDGLASS
sandglass=$1
known_vectors=253  # in the public set; it may grow
if [ -z "${SANDGLASS_CONFORMANCE_DIR:-}" ]; then
  echo "skipped: SANDGLASS_CONFORMANCE_DIR is not set"
  exit 77
fi
found=$(find "$SANDGLASS_CONFORMANCE_DIR/" -name '*.json' | wc -l)
if [ "$found" -lt "$known_vectors" ]; then
  echo "$SANDGLASS_CONFORMANCE_DIR has $found vectors, the public set has $known_vectors"
  exit 1
fi
exec "$sandglass" conformance "$SANDGLASS_CONFORMANCE_DIR"
