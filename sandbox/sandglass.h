// Sandglass: runs programs that nobody trusts. Start here; the nouns, in the order in which data meets them:
//
// Program (program/program.h). The guest's bytes, checked and immutable: code, data, imports, exports. It
// comes out of Program::parse() for a container, or out of assemble() and Program::from_parts() for text. It
// knows nothing of the machine it will run on and may be shared by any number of threads.
//
// Module (compiler/module.h). A Program made ready for one backend: the memory laid out, gas costs decided,
// and, for every backend but the interpreter, machine code. Making one is the expensive step; it is
// immutable, and all sandboxes that run the same program share it.
//
// Sandbox (backend/sandbox.h). One running instance: thirteen registers, memory, gas and a program counter.
// The host sets registers and memory, calls run(), and looks at what came back. Memory outside of the guest's
// own regions is beyond its reach whatever its code does.
//
// WorkerPool (pool/worker_pool.h). On the Linux backend a sandbox borrows a jailed process and gives it back
// when it goes. Nobody needs to know: there is a pool by default. Those who bound, separate or watch their
// workers make their own and name it in SandboxOptions.
//
// Interrupt (interrupt.h). Why run() came back: finished, host call, trap, out of gas, page fault, step,
// interrupted, deadline exceeded. A guest's fate is a value to switch over, never an error; nothing is called
// back from inside a guest, so nothing of the host ever runs on the guest's stack. HostFunctions
// (backend/host_functions.h) is the usual loop around run(): it serves host calls by their names.
//
// Errors are values too: everything that can refuse returns a Result (base/result.h), nothing throws.
#pragma once

#include "sandbox/backend/host_functions.h"
#include "sandbox/backend/sandbox.h"
#include "sandbox/base/result.h"
#include "sandbox/compiler/module.h"
#include "sandbox/gas/cost_model.h"
#include "sandbox/interrupt.h"
#include "sandbox/pool/worker_pool.h"
#include "sandbox/program/assembler.h"
#include "sandbox/program/disassembler.h"
#include "sandbox/program/program.h"
