// The tables of workloads and stop snippets. tests/workloads/expected_results_test.py computes the expected
// results in another language; the instruction counts are the interpreter's.
#include "workloads/workloads.h"

#include <algorithm>

#include "workloads/embedded_text.h"
#include "workloads/programs.h"
#include "workloads/twins/twins.h"

namespace sandglass {
namespace {

using namespace embedded;

constexpr uint32_t kBaseBehindRoData = 0x30000;  // where RW data starts when there is RO data as well
constexpr uint64_t kSeed = 0x9e3779b97f4a7c15;

// 1, 2, .. 255, 0, 1, ..: no two neighbours are equal, and the first 8 bytes are known to the table below.
std::vector<uint8_t> counting_bytes(const WorkloadSize& size) {
  std::vector<uint8_t> bytes(size.arguments[0]);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i + 1);
  return bytes;
}

// A million times the letter a is the third test vector of FIPS 180-2.
std::vector<uint8_t> letters_a(const WorkloadSize& size) {
  return std::vector<uint8_t>(size.arguments[0], uint8_t{'a'});
}

constexpr Workload kWorkloads[] = {
    {
        .name = "noop",
        .stresses = "nothing: what a call costs",
        .assembly = text_of_noop,
        .quick = {.arguments = {42}, .expected = 42, .instructions = 1},
        .full = {.arguments = {42}, .expected = 42, .instructions = 1},
        .twin = twins::noop,
    },
    {
        .name = "loop_add",
        .stresses = "the shortest loop",
        .assembly = text_of_loop_add,
        .quick = {.arguments = {10'000}, .expected = 50'005'000, .instructions = 30'004},
        .full = {.arguments = {100'000'000}, .expected = 5'000'000'050'000'000, .instructions = 300'000'004},
        .twin = twins::loop_add,
    },
    {
        .name = "loop_arith",
        .stresses = "a chain of shifts, xors and a multiplication",
        .assembly = text_of_loop_arith,
        .quick = {.arguments = {10'000}, .expected = 12'766'792'170'206'702'728u, .instructions = 90'005},
        .full = {.arguments = {30'000'000},
                 .expected = 10'314'537'518'362'685'251u,
                 .instructions = 270'000'005},
        .twin = twins::loop_arith,
    },
    {
        .name = "divloop",
        .stresses = "64-bit division and remainder",
        .assembly = text_of_divloop,
        .quick = {.arguments = {10'000}, .expected = 16'101'037'822'019'147'060u, .instructions = 60'005},
        .full = {.arguments = {20'000'000},
                 .expected = 16'102'028'701'722'498'703u,
                 .instructions = 120'000'005},
        .twin = twins::divloop,
    },
    {
        .name = "jumptable",
        .stresses = "dynamic jumps",
        .assembly = text_of_jumptable,
        .quick = {.arguments = {10'000}, .expected = 20'000, .instructions = 40'007},
        .full = {.arguments = {50'000'000}, .expected = 100'000'000, .instructions = 200'000'007},
        .twin = twins::jumptable,
    },
    {
        .name = "fib",
        .stresses = "calls, returns, the stack",
        .assembly = text_of_fib,
        .quick = {.arguments = {16}, .expected = 987, .instructions = 30'333},
        .full = {.arguments = {32}, .expected = 2'178'309, .instructions = 66'966'972},
        .twin = twins::fib,
    },
    {
        .name = "sieve",
        .stresses = "byte loads and stores, short branches",
        .assembly = text_of_sieve,
        .quick = {.arguments = {10'000, 2}, .expected = 1'229, .instructions = 270'704},
        .full = {.arguments = {1'000'000, 10}, .expected = 78'498, .instructions = 150'986'754},
        .twin = twins::sieve,
        .memory_bytes = MiB(1),
    },
    {
        .name = "memset",
        .stresses = "8-byte stores in order: memory bandwidth",
        .assembly = text_of_memset,
        .quick = {.arguments = {KiB(64), 2}, .expected = 0x0202020202020202, .instructions = 20'497},
        .full = {.arguments = {MiB(16), 8}, .expected = 0x0808080808080808, .instructions = 20'971'567},
        .twin = twins::memset,
        .memory_bytes = MiB(16),
    },
    {
        .name = "memcpy",
        .stresses = "8-byte loads and stores in order: memory bandwidth",
        .assembly = text_of_memcpy,
        .quick = {.arguments = {KiB(64), 2}, .expected = 0x0807060504030201, .instructions = 45'071},
        .full = {.arguments = {MiB(8), 8}, .expected = 0x0807060504030201, .instructions = 23'068'717},
        .twin = twins::memcpy,
        .memory_bytes = MiB(16),
        .input = counting_bytes,
    },
    {
        .name = "sort",
        .stresses = "dependent loads, branches nobody can predict",
        .assembly = text_of_sort,
        .quick = {.arguments = {2'000, kSeed},
                  .expected = 2'799'278'152'378'923'252,
                  .instructions = 371'169},
        .full = {.arguments = {200'000, kSeed},
                 .expected = 14'039'066'831'943'679'720u,
                 .instructions = 57'696'976},
        .twin = twins::sort,
        .memory_bytes = MiB(2),
    },
    {
        .name = "sha256",
        .stresses = "32-bit arithmetic, rotations, all registers",
        .assembly = text_of_sha256,
        .quick = {.arguments = {1'000, 2}, .expected = 0x41edece42d63e8d9, .instructions = 109'564},
        .full = {.arguments = {1'000'000, 8}, .expected = 0xcdc76e5c9914fb92, .instructions = 427'279'346},
        .twin = twins::sha256,
        .memory_base = kBaseBehindRoData,
        .memory_bytes = MiB(1) + KiB(4),
        .input = letters_a,
    },
    {
        .name = "state_machine",
        .stresses = "byte loads, many small blocks, branches nobody can predict",
        .assembly = text_of_state_machine,
        .quick = {.arguments = {10'000, 2}, .expected = 16'736'379'917'547'331'951u, .instructions = 224'338},
        .full = {.arguments = {1'000'000, 8},
                 .expected = 7'587'155'873'112'781'957,
                 .instructions = 66'937'724},
        .twin = twins::state_machine,
        .memory_base = kBaseBehindRoData,
        .memory_bytes = MiB(1) + KiB(4),
    },
    {
        .name = "host_call_loop",
        .stresses = "the way to the host and back",
        .assembly = text_of_host_call_loop,
        .quick = {.arguments = {1'000}, .expected = 1'000, .stops = 1'000, .instructions = 3'005},
        .full =
            {.arguments = {1'000'000}, .expected = 1'000'000, .stops = 1'000'000, .instructions = 3'000'005},
        .twin = twins::host_call_loop,
        .host_call = 0,
    },
    {
        .name = "trap_loop",
        .stresses = "traps, and going on after them",
        .assembly = text_of_trap_loop,
        .quick = {.arguments = {1'000}, .expected = 1'000, .stops = 1'000, .instructions = 3'006},
        .full = {.arguments = {200'000}, .expected = 200'000, .stops = 200'000, .instructions = 600'006},
        .twin = twins::trap_loop,
        .resume_at = "resume",
    },
    {
        .name = "touch_pages",
        .stresses = "the first touch of a page",
        .assembly = text_of_touch_pages,
        .quick = {.arguments = {256}, .expected = 256, .instructions = 1'028},
        .full = {.arguments = {32'768}, .expected = 32'768, .instructions = 131'076},
        .twin = twins::touch_pages,
        .memory_bytes = MiB(128),
        .needs_fresh_memory = true,
    },
};

constexpr StopSnippet kStopSnippets[] = {
    {.name = "trap", .assembly = text_of_trap, .trap = TrapKind::kInstruction},
    {.name = "bad_jump", .assembly = text_of_bad_jump, .trap = TrapKind::kInvalidDynamicJump},
    {.name = "segv_store", .assembly = text_of_segv_store, .trap = TrapKind::kMemoryAccess},
    {.name = "spin", .assembly = text_of_spin, .kind = InterruptKind::kOutOfGas},
};

template <typename Row>
const Row* find_row(std::span<const Row> rows, std::string_view name) {
  const auto row = std::ranges::find(rows, name, &Row::name);
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace

const char* name_of(WorkloadKind kind) {
  switch (kind) {
    case WorkloadKind::kAssembly: return "assembly";
    case WorkloadKind::kKernel: return "kernel";
    case WorkloadKind::kProgram: return "program";
    case WorkloadKind::kSoftFloat: return "soft float";
  }
  return "unknown";
}

std::span<const Workload> workloads() {
  static const std::vector<Workload> all = [] {
    std::vector<Workload> rows(std::begin(kWorkloads), std::end(kWorkloads));
    rows.insert(rows.end(), guest_programs().begin(), guest_programs().end());
    return rows;
  }();
  return all;
}
const Workload* find_workload(std::string_view name) { return find_row(workloads(), name); }

std::span<const StopSnippet> stop_snippets() { return kStopSnippets; }
const StopSnippet* find_stop_snippet(std::string_view name) { return find_row(stop_snippets(), name); }

}  // namespace sandglass
