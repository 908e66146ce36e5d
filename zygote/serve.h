// The template's work: forking workers on request.
#pragma once

namespace sandglass::zygote {

// Serves the host's requests until the control socket closes, then ends, and with it, as the first process of
// their pid namespace, every worker.
[[noreturn]] void serve();

}  // namespace sandglass::zygote
