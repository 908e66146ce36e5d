// The rows of the attack list about the shared page: a worker that was taken over may write anything into it
// at any time, and the host gives a defined answer.
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "tests/attack/field.h"

namespace sandglass::attack {
namespace {

using std::chrono::milliseconds;

class Protocol : public AttackTest {
 protected:
  struct Case {
    const char* what;
    Move move;
  };
  // P: the host takes the worker for hostile.
  void expect_refused(const Case& bad, const ModuleChoice& choice = ModuleChoice()) {
    SCOPED_TRACE(bad.what);
    Intrusion intrusion = intrude(intrude_with_moves, orders_of({bad.move}), choice);
    expect_kind(intrusion, ErrorKind::kProtocolViolation);
  }

  // T: by the deadline, and then it depends on the worker's own handler of requests to stop, which is still
  // there: it may get the worker back, or answer out of turn, or not be reached.
  void expect_ended(const Result<Interrupt>& stop) {
    if (stop) {
      EXPECT_EQ(stop->kind, InterruptKind::kDeadlineExceeded);
    } else {
      EXPECT_TRUE(stop.error().kind == ErrorKind::kWorkerDied ||
                  stop.error().kind == ErrorKind::kProtocolViolation)
          << to_string(stop.error());
    }
  }

  // Places of the guest whose place the intruder takes, which are the same in every module with this choice.
  struct Places {
    uint64_t call, trap, fill, grow, load, leap;              // behind the instruction
    uint64_t load_begin, trap_begin, leap_begin, call_begin;  // native code
    uint64_t code_end;
    Trampolines routines;
  };
  Places places(const ModuleChoice& choice = ModuleChoice()) {
    Intrusion intrusion = intrude(intrude_with_calls, Orders(), choice);
    const NativeGuest guest(intrusion.module());
    const NativeCode& code = *intrusion.module().native_code();
    return {.call = guest.behind("call"),
            .trap = guest.behind("trap"),
            .fill = guest.behind("fill"),
            .grow = guest.behind("grow"),
            .load = guest.behind("load"),
            .leap = guest.behind("leap"),
            .load_begin = guest.begin("load"),
            .trap_begin = guest.begin("trap"),
            .leap_begin = guest.begin("leap"),
            .call_begin = guest.begin("call"),
            .code_end = worker_space::kCode + code.size_bytes(),
            .routines = code.tables().trampolines};
  }
};

constexpr uint64_t kCode = worker_space::kCode;

// A stop by a signal, with gas that the guest may have.
Move signal(uint32_t number, uint64_t ip, std::initializer_list<Write> others = {}) {
  Move move = claim(ExitReason::kSignal, ip, number);
  for (const Write& write : others) move.writes[move.write_count++] = write;
  return move;
}

Write report_of(Reg reg, uint64_t value) {
  const auto i = static_cast<uint32_t>(reg);
  if (i - kFirstNearReg < kNearRegs) return {SG_FIELD(near_regs) + 8 * (i - kFirstNearReg), value};
  if (i - kFirstNextReg < kNextRegs) return {SG_FIELD(next_regs) + 8 * (i - kFirstNextReg), value};
  return {SG_FIELD(context.regs) + 8 * i, value};
}

// What can be claimed without being caught, or the rows below would prove nothing.

TEST_F(Protocol, ClaimsThatCanBeTrueAreBelieved) {
  const Places at = places();
  {
    Intrusion intrusion = intrude(intrude_with_moves, orders_of({claim(ExitReason::kHostCall, at.call, 7)}));
    const Interrupt stop = intrusion.run().value();
    EXPECT_EQ(stop.kind, InterruptKind::kHostCall);
    EXPECT_EQ(stop.host_call, 7u);
    EXPECT_TRUE(intrusion.run());
  }
  {
    Intrusion intrusion = intrude(intrude_with_moves, orders_of({claim(ExitReason::kTrap, at.trap, 0)}));
    EXPECT_EQ(intrusion.run()->kind, InterruptKind::kTrap);
  }
  {
    Intrusion intrusion =
        intrude(intrude_with_moves, orders_of({signal(SIGSEGV, at.load_begin, {report_of(Reg::a1, 64)})}));
    const Interrupt stop = intrusion.run().value();
    EXPECT_EQ(stop.trap, TrapKind::kMemoryAccess);
    EXPECT_EQ(stop.fault.address, 64u);
  }
  {
    Intrusion intrusion = intrude(intrude_with_moves, orders_of({signal(SIGSEGV, at.leap_begin)}));
    EXPECT_EQ(intrusion.run()->trap, TrapKind::kInvalidDynamicJump);
  }
  {
    Intrusion intrusion = intrude(intrude_with_moves, orders_of({claim(ExitReason::kFinished)}));
    EXPECT_EQ(intrusion.run()->kind, InterruptKind::kFinished);
  }
}

// 62. -------------------------------------------------------------------------------------------------------

TEST_F(Protocol, Row62FlippingTheWordGivesADefinedResult) {
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(round);
    Move move = claim(ExitReason::kFinished);
    move.then = Then::kFlip;
    Intrusion intrusion = intrude(intrude_with_moves, orders_of({move}));
    Sandbox& sandbox = intrusion.sandbox();
    std::vector<Status> results;
    const auto note = [&results](const auto& result) {
      results.push_back(result ? Status() : Status(result.error()));
    };
    note(sandbox.run({.deadline = milliseconds(50)}));
    uint8_t bytes[64] = {};
    EXPECT_TRUE(sandbox.read(kOrdersAddress, bytes));
    EXPECT_TRUE(sandbox.write(kOrdersAddress + 0x7000, bytes));
    EXPECT_TRUE(sandbox.zero(kOrdersAddress + 0x7000, 64));
    const uint64_t heap = sandbox.heap_bytes();
    switch (round % 4) {
      case 0:
        if (!sandbox.sbrk(8192)) {
          EXPECT_EQ(sandbox.heap_bytes(), heap);
        }
        break;
      case 1: note(sandbox.set_accessible_aux(4096)); break;
      case 2: note(sandbox.reset_memory()); break;
      case 3: break;
    }
    EXPECT_TRUE(sandbox.prepare_call("main"));
    note(sandbox.run({.deadline = milliseconds(50)}));
    note(sandbox.reset_memory());
    for (const Status& result : results) {
      if (result) continue;
      EXPECT_TRUE(result.error().kind == ErrorKind::kProtocolViolation ||
                  result.error().kind == ErrorKind::kWorkerDied || result.error().kind == ErrorKind::kOs)
          << to_string(result.error());
    }
  }
}

// 63, 64, 68, 69. -------------------------------------------------------------------------------------------

TEST_F(Protocol, Row63NumbersThatNobodyGaveAreRefused) {
  const auto store = [](Then then, uint64_t number) { return Move{.then = then, .number = number}; };
  const Case cases[] = {
      {"born", store(Then::kStore, kWorkerBorn)},
      {"died", store(Then::kStore, kWorkerDied)},
      {"one too much", store(Then::kAnswer, 1)},
      {"two too few", store(Then::kAnswer, ~uint64_t{1})},
      {"half a turn away", store(Then::kAnswer, 0x8000'0000)},
  };
  for (const Case& bad : cases) expect_refused(bad);
}

TEST_F(Protocol, Row63StopsThatCannotBeAreRefused) {
  const Places at = places();
  const auto reason = [](uint32_t number) { return claim(static_cast<ExitReason>(number), 0); };
  const Case cases[] = {
      {"none", reason(0)},
      {"beyond the reasons", reason(10)},
      {"far beyond", reason(0xffff'ffff)},
      {"a signal without a number", signal(0, at.load_begin)},
      {"a signal that is no fault", signal(SIGKILL, at.load_begin)},
      {"an illegal instruction", signal(SIGILL, at.load_begin)},
      {"sbrk at a trap", claim(ExitReason::kSbrk, at.trap)},
      {"sbrk at nothing", claim(ExitReason::kSbrk, 0)},
      {"a step without tracing", claim(ExitReason::kStep, at.trap_begin + 5)},
      {"out of gas at no exit", claim(ExitReason::kOutOfGas, at.trap)},
      {"out of gas at nothing", claim(ExitReason::kOutOfGas, ~uint64_t{0})},
      {"out of gas behind the exits", claim(ExitReason::kOutOfGas, at.code_end + 5)},
      {"memset at a trap", claim(ExitReason::kMemset, at.trap)},
      {"memset at nothing", claim(ExitReason::kMemset, 1)},
      {"interrupted elsewhere", claim(ExitReason::kInterrupted, at.trap_begin)},
      {"interrupted nowhere", claim(ExitReason::kInterrupted, 0)},
      {"a trap of no kind", claim(ExitReason::kTrap, at.trap, 5)},
      {"a trap of a kind that signals make", claim(ExitReason::kTrap, at.trap, 4)},
      {"a trap of a kind that is 0 in 8 bits", claim(ExitReason::kTrap, at.trap, 256)},
      {"a trap instruction that is none", claim(ExitReason::kTrap, at.load, 0)},
      {"a trap at nothing", claim(ExitReason::kTrap, 0, 0)},
  };
  for (const Case& bad : cases) expect_refused(bad);
}

TEST_F(Protocol, Row63StepsAndMemsetsElsewhereAreRefused) {
  const ModuleChoice tracing = {.step_tracing = true};
  const Places traced = places(tracing);
  expect_refused({"a step in the middle", claim(ExitReason::kStep, traced.trap_begin + 6)}, tracing);
  const ModuleChoice free = {.gas = GasMetering::kNone};
  const Places unmetered = places(free);
  expect_refused({"memset out of gas without gas", claim(ExitReason::kMemset, unmetered.fill)}, free);
}

TEST_F(Protocol, Row64HostCallsThatAreNoneAreRefused) {
  const Places at = places();
  const Case cases[] = {
      {"another number", claim(ExitReason::kHostCall, at.call, 8)},
      {"the largest number", claim(ExitReason::kHostCall, at.call, 0xffff'ffff)},
      {"at a trap", claim(ExitReason::kHostCall, at.trap, 7)},
      {"in the middle of the call", claim(ExitReason::kHostCall, at.call - 1, 7)},
      {"at its begin", claim(ExitReason::kHostCall, at.call_begin, 7)},
      {"at nothing", claim(ExitReason::kHostCall, 0, 7)},
      {"in front of the code", claim(ExitReason::kHostCall, kCode, 7)},
      {"4 GiB further on", claim(ExitReason::kHostCall, at.call + (uint64_t{1} << 32), 7)},
      {"in the host", claim(ExitReason::kHostCall, reinterpret_cast<uint64_t>(&at), 7)},
  };
  for (const Case& bad : cases) expect_refused(bad);
}

TEST_F(Protocol, Row68GasThatGrowsIsRefused) {
  const Places at = places();
  for (const int64_t gas : {int64_t{1001}, INT64_MAX, int64_t{-1}, INT64_MIN}) {
    expect_refused({"at a host call", claim(ExitReason::kHostCall, at.call, 7, gas)});
    expect_refused({"at the end", claim(ExitReason::kFinished, 0, 0, gas)});
    expect_refused({"at sbrk", claim(ExitReason::kSbrk, at.grow, 0, gas)});
    expect_refused(
        {"in a report", signal(SIGSEGV, at.load_begin, {{SG_FIELD(gas), static_cast<uint64_t>(gas)}})});
  }
}

TEST_F(Protocol, Row68EndlessGasMeetsTheDeadline) {
  Intrusion intrusion = intrude(intrude_with_endless_gas);
  const uint64_t begin_ns = monotonic_ns();
  const Result<Interrupt> by_wall = intrusion.sandbox().run({.deadline = milliseconds(30)});
  EXPECT_LT(monotonic_ns() - begin_ns, 3'000'000'000u);
  // It stops like a guest, but in code that no guest has.
  ASSERT_FALSE(by_wall);
  EXPECT_EQ(by_wall.error().kind, ErrorKind::kProtocolViolation) << to_string(by_wall.error());

  Intrusion other = intrude(intrude_with_endless_gas);
  const Result<Interrupt> by_cpu = other.sandbox().run({.cpu_time = milliseconds(30)});
  ASSERT_FALSE(by_cpu);
  EXPECT_EQ(by_cpu.error().kind, ErrorKind::kProtocolViolation) << to_string(by_cpu.error());
}

// A worker that answers at once is never waited for.
TEST_F(Protocol, Row68AnswersWithoutEndMeetTheDeadline) {
  const Places at = places();
  Intrusion intrusion = intrude(intrude_with_calls);
  const uint64_t entry = kCode + intrusion.module().native_code()->entry_of(0);
  const Case cases[] = {{"sbrk again and again", claim(ExitReason::kSbrk, at.grow)},
                        {"spurious stops at the entry", claim(ExitReason::kInterrupted, entry)},
                        {"spurious stops by signal", signal(kWorkerStopSignal, at.load_begin)}};
  for (const Case& endless : cases) {
    SCOPED_TRACE(endless.what);
    Intrusion busy = intrude(intrude_with_moves, orders_of({endless.move}));
    const uint64_t begin_ns = monotonic_ns();
    const Result<Interrupt> stop = busy.sandbox().run({.deadline = milliseconds(30)});
    EXPECT_LT(monotonic_ns() - begin_ns, 3'000'000'000u);
    expect_ended(stop);
  }
}

// Nor does it have to look at what it is asked.
TEST_F(Protocol, Row68AnswersWithoutEndCanBeInterrupted) {
  Orders orders = orders_of({claim(ExitReason::kSbrk, places().grow)});
  orders.blocks_signals = 1;
  Intrusion intrusion = intrude(intrude_with_moves, orders);
  std::thread other([&] {
    ::usleep(20'000);
    intrusion.sandbox().interrupt();
  });
  const uint64_t begin_ns = monotonic_ns();
  const Result<Interrupt> stop = intrusion.sandbox().run({.deadline = std::chrono::seconds(20)});
  EXPECT_LT(monotonic_ns() - begin_ns, 3'000'000'000u);
  other.join();
  ASSERT_FALSE(stop);
  EXPECT_EQ(stop.error().kind, ErrorKind::kWorkerDied) << to_string(stop.error());
}

TEST_F(Protocol, Row69PlacesThatAreNoneAreRefused) {
  const Places at = places();
  const uint64_t places_of_nobody[] = {0,
                                       1,
                                       kCode - 1,
                                       kCode,  // the routines belong to no instruction
                                       at.code_end,
                                       at.code_end + 4096,
                                       ~uint64_t{0},
                                       0x8000'0000'0000'0000,
                                       at.load_begin + (uint64_t{1} << 32),
                                       reinterpret_cast<uint64_t>(&at)};
  for (const uint64_t ip : places_of_nobody) {
    SCOPED_TRACE(testing::Message() << std::hex << ip);
    expect_refused({"a fault", signal(SIGSEGV, ip, {report_of(Reg::a1, 64)})});
    expect_refused({"a stop", signal(kWorkerStopSignal, ip)});
    expect_refused({"a step", signal(SIGTRAP, ip)});
  }
  expect_refused({"a fault at a trap", signal(SIGSEGV, at.trap_begin)});
  expect_refused({"a fault at a host call", signal(SIGBUS, at.call_begin)});
}

TEST_F(Protocol, Row69MemsetsThatCannotBeAreRefused) {
  const Places at = places();
  const uint64_t filling = kCode + at.routines.memset_begin;
  const auto memset = [&](uint64_t count, uint64_t missing, uint64_t stack_word) {
    return signal(SIGSEGV, filling,
                  {{SG_FIELD(context.memset_start), 0x20000},
                   {SG_FIELD(context.memset_count), count},
                   {SG_FIELD(temporary), missing},
                   {SG_FIELD(stack_word), stack_word},
                   {SG_FIELD(gas), 0}});
  };
  const Case cases[] = {
      {"more missing than there was", memset(10, 11, at.fill)},
      {"everything missing", memset(10, ~uint64_t{0}, at.fill)},
      {"a count beyond 32 bits", memset(uint64_t{1} << 32, 0, at.fill)},
      {"a count beyond 63 bits", memset(~uint64_t{0}, uint64_t{1} << 63, at.fill)},
      {"more gas than there was", memset(0xffff'ffff, 0xffff'fff0, at.fill)},
      {"called from nowhere", memset(10, 5, 0)},
      {"called from a trap", memset(10, 5, at.trap)},
      {"called from the host", memset(10, 5, reinterpret_cast<uint64_t>(&at))},
      {"no fault where it says", memset(10, 5, at.fill)},
  };
  for (const Case& bad : cases) expect_refused(bad);
}

// 65, 66. ---------------------------------------------------------------------------------------------------

TEST_F(Protocol, Row65WhatHasBeenCheckedDoesNotChange) {
  const Places at = places();
  Move move = claim(ExitReason::kHostCall, at.call, 7);
  move.then = Then::kFlip;
  int host_calls = 0;
  // A busy machine can make the intruder the faster one many times in a row.
  for (int round = 0; round < 40 || (host_calls == 0 && round < 1'000); ++round) {
    Intrusion intrusion = intrude(intrude_with_moves, orders_of({move}));
    const Result<Interrupt> stop = intrusion.sandbox().run({.deadline = milliseconds(50)});
    // It may have been faster than the host, and have claimed something else or what cannot be.
    if (!stop || stop->kind != InterruptKind::kHostCall) continue;
    ++host_calls;
    EXPECT_EQ(stop->host_call, 7u);
    std::vector<uint64_t> registers;
    for (size_t i = 0; i < kRegCount; ++i) registers.push_back(intrusion.sandbox().reg(Reg(i)));
    for (int look = 0; look < 10'000; ++look) {
      const size_t i = static_cast<size_t>(look) % kRegCount;
      ASSERT_EQ(intrusion.sandbox().reg(Reg(i)), registers[i]);
    }
  }
  EXPECT_GT(host_calls, 0);
}

TEST_F(Protocol, Row66PointersOfAHostCallAreChecked) {
  const Places at = places();
  struct Range {
    uint32_t address;
    uint64_t size_bytes;
  };
  const Range ranges[] = {{0xffff'ffff, 1},        {0xffff'ffff, 0xffff'ffff}, {0, 1},
                          {kOrdersAddress, ~0ull}, {kOrdersAddress, 32769},    {kOrdersAddress - 1, 2},
                          {0xffff'fff0, 0x20},     {0xfffd'0000 - 8, 16},      {kOrdersAddress, 1ull << 32},
                          {0xfffe'2000 - 4, 8}};
  for (const Range& range : ranges) {
    Move move = claim(ExitReason::kHostCall, at.call, 7);
    move.writes[move.write_count++] = report_of(Reg::a0, range.address);
    Intrusion intrusion = intrude(intrude_with_moves, orders_of({move}));
    ASSERT_EQ(intrusion.run()->kind, InterruptKind::kHostCall);
    Sandbox& sandbox = intrusion.sandbox();
    const auto address = static_cast<uint32_t>(sandbox.reg(Reg::a0));
    ASSERT_EQ(address, range.address);
    uint8_t byte = 0;
    const std::span<uint8_t> pretended(&byte, range.size_bytes);
    const Status read = sandbox.read(address, pretended);
    const Status written = sandbox.write(address, pretended);
    const Status zeroed = sandbox.zero(address, range.size_bytes);
    for (const Status* status : {&read, &written, &zeroed}) {
      ASSERT_FALSE(*status);
      EXPECT_EQ(status->error().kind, ErrorKind::kOutOfRange);
    }
  }
}

// 67. -------------------------------------------------------------------------------------------------------

TEST_F(Protocol, Row67LastWordsAreCutAndMadePrintable) {
  uint64_t evil;
  std::memcpy(&evil, "\x1b[2J\0\xff\r\n", 8);
  for (const uint64_t length : {0xffff'ffffull, 0x8000'0000ull, 252ull, 253ull, 49ull, 0ull}) {
    Move move = answer({{SG_FIELD(message_bytes), length, 4}});
    for (uint32_t i = 0; i < 16; ++i) {
      move.writes[move.write_count++] = {SG_FIELD(message) + 4 * i, i % 2 == 0 ? evil : evil >> 32, 4};
    }
    move.then = Then::kExit;
    Intrusion intrusion = intrude(intrude_with_moves, orders_of({move}));
    const Error error = error_of(intrusion);
    EXPECT_EQ(error.kind, ErrorKind::kWorkerDied);
    ASSERT_LT(strnlen(error.detail, sizeof error.detail), sizeof error.detail);
    for (const char c : std::string(error.detail)) EXPECT_TRUE(c >= ' ' && c <= '~') << static_cast<int>(c);
  }
}

// 70, 71, 72. -----------------------------------------------------------------------------------------------

TEST_F(Protocol, Row70FaultsAreComparedWithTheHostsMap) {
  const Places at = places();
  // A worker has no say in the address: the register is believed, and then the map asked.
  Intrusion intrusion = intrude(
      intrude_with_moves, orders_of({signal(SIGSEGV, at.load_begin, {report_of(Reg::a1, 0xdead'0000)})}));
  EXPECT_EQ(intrusion.run()->fault.address, 0xdead'0000u);
  expect_refused(
      {"where the guest may read", signal(SIGSEGV, at.load_begin, {report_of(Reg::a1, kOrdersAddress + 8)})});
}

TEST_F(Protocol, Row70PageFaultsAreComparedWithTheHostsMap) {
  const ModuleChoice dynamic = {.dynamic_paging = true};
  const Places at = places(dynamic);
  expect_refused(
      {"of a page that is there", signal(SIGBUS, at.load_begin, {report_of(Reg::a1, kOrdersAddress + 8)})},
      dynamic);
  Intrusion intrusion =
      intrude(intrude_with_moves, orders_of({signal(SIGBUS, at.load_begin, {report_of(Reg::a1, 0x2'5008)})}),
              dynamic);
  const Interrupt stop = intrusion.run().value();
  EXPECT_EQ(stop.kind, InterruptKind::kPageFault);
  EXPECT_EQ(stop.page_address, 0x2'5000u);
}

TEST_F(Protocol, Row71TheHostKnowsTheHeap) {
  const Places at = places();
  Move grow = claim(ExitReason::kSbrk, at.grow);
  grow.writes[grow.write_count++] = report_of(Reg::a1, 0xffff'0000);
  Intrusion intrusion = intrude(intrude_with_moves, orders_of({grow, claim(ExitReason::kFinished)}));
  EXPECT_EQ(intrusion.run()->kind, InterruptKind::kFinished);
  EXPECT_EQ(intrusion.sandbox().heap_bytes(), 0u);
  uint8_t byte = 0;
  EXPECT_FALSE(intrusion.sandbox().read(kOrdersAddress + 32768, {&byte, 1}));
}

TEST_F(Protocol, Row71ErrorsThatCannotBeAreRefused) {
  struct Reported {
    uint64_t error, index;
    ErrorKind kind;
  };
  const Reported reports[] = {{ENOMEM, 0, ErrorKind::kOs},
                              {ENOMEM, 32, ErrorKind::kProtocolViolation},
                              {ENOMEM, 0xffff'ffff, ErrorKind::kProtocolViolation},
                              {4096, 0, ErrorKind::kProtocolViolation},
                              {0xffff'ffff, 0, ErrorKind::kProtocolViolation}};
  for (const Reported& reported : reports) {
    const Move failure =
        answer({{SG_FIELD(change_errno), reported.error, 4}, {SG_FIELD(failed_change), reported.index, 4}});
    Intrusion intrusion = intrude(intrude_with_moves, orders_of({claim(ExitReason::kFinished), failure}));
    ASSERT_TRUE(intrusion.run());
    const Status status = intrusion.sandbox().set_accessible_aux(4096);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, reported.kind) << to_string(status.error());
    expect_kind(intrusion, reported.kind);
  }
}

TEST_F(Protocol, Row72TheHostsPageIsReadOnly) {
  Intrusion intrusion = intrude(intrude_into_host_page);
  const uint32_t looks = intrusion.worker().host().looks;
  const Result<Interrupt> stop = intrusion.run();
  const Orders left = intrusion.orders();
  EXPECT_EQ(left.calls[0].result, -EACCES);
  EXPECT_EQ(left.calls[1].result, -EBADF);
  EXPECT_EQ(intrusion.worker().host().looks, looks);
  EXPECT_NE(intrusion.worker().host().sequence, 77u);
  ASSERT_FALSE(stop);
  EXPECT_EQ(stop.error().kind, ErrorKind::kProtocolViolation);
}

// 73. -------------------------------------------------------------------------------------------------------

TEST_F(Protocol, Row73AnswersBeforeTheirCommandAreRefused) {
  Move early = claim(ExitReason::kFinished);
  early.then = Then::kForecast;
  for (const bool is_run : {true, false}) {
    Intrusion intrusion = intrude(intrude_with_moves, orders_of({early}));
    ASSERT_EQ(intrusion.run()->kind, InterruptKind::kFinished);
    const uint32_t answered = intrusion.worker().shared().sequence;
    Orders orders = intrusion.orders();
    orders.argument = 1;
    intrusion.give(orders);
    const uint32_t* const word = &intrusion.worker().shared().sequence;
    for (int tries = 0; tries < 5000 && __atomic_load_n(word, __ATOMIC_RELAXED) == answered; ++tries)
      ::usleep(1000);
    if (is_run) {
      ASSERT_TRUE(intrusion.sandbox().prepare_call("main"));
    } else {
      EXPECT_FALSE(intrusion.sandbox().set_accessible_aux(4096));
    }
    expect_kind(intrusion, ErrorKind::kProtocolViolation);
  }
}

TEST_F(Protocol, Row73StaleAnswersAreNone) {
  Intrusion intrusion =
      intrude(intrude_with_moves,
              orders_of({claim(ExitReason::kFinished), Move{.then = Then::kAnswer, .number = ~0ull}}));
  ASSERT_TRUE(intrusion.run());
  ASSERT_TRUE(intrusion.sandbox().prepare_call("main"));
  const Result<Interrupt> stop = intrusion.sandbox().run({.deadline = milliseconds(30)});
  expect_ended(stop);
}

TEST_F(Protocol, Row73NothingCountsAfterTheEnd) {
  Intrusion intrusion = intrude(intrude_with_moves, orders_of({claim(static_cast<ExitReason>(77))}));
  expect_kind(intrusion, ErrorKind::kProtocolViolation);
}

}  // namespace
}  // namespace sandglass::attack
