// Runs spec files; every broken expectation is a GoogleTest failure that names file, line, set and backend.
#pragma once

#include "sandbox/compiler/module.h"
#include "tests/spec/spec_file.h"

namespace sandglass::spec {

// Every case, on every set it asks for; once as it stands, and once with step tracing, where the steps must
// change nothing else.
void run_spec_file(const SpecFile& file, Backend backend);

}  // namespace sandglass::spec
