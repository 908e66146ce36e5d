// A real worker without a module, for tests of what the host does with its guest memory.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include "sandbox/backend/linux/guest_file.h"
#include "sandbox/backend/linux/jail.h"

namespace sandglass {

// Kills the process, and returns when the host has noticed.
inline void end(Worker& worker) {
  worker.kill();
  while (__atomic_load_n(&worker.shared().sequence, __ATOMIC_SEQ_CST) != kWorkerDied) ::usleep(100);
}

class WorkerMemoryTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kPage = kMinPageBytes;
  static constexpr GuestRange kRange = {0x100000, 0x100000 + 1024 * kMinPageBytes};

  // The worker has mapped kRange.
  explicit WorkerMemoryTest(FaultUse faults) {
    jail_ = Jail::launch({}).value();
    worker_ = jail_->spawn(true).value();
    worker_->open_userfaultfd(faults).value();
    change(MemoryChange::Kind::kMapMemory, kRange).value();
  }
  ~WorkerMemoryTest() override { jail_->forget(*worker_); }

  static GuestRange pages(uint64_t first, uint64_t count) {
    return {kRange.begin + first * kPage, kRange.begin + (first + count) * kPage};
  }
  Status change(MemoryChange::Kind kind, const GuestRange& range) {
    const MemoryChange change = {.address = worker_space::kGuestMemory + range.begin,
                                 .size_bytes = range.size(),
                                 .file_offset = range.begin,
                                 .kind = kind,
                                 .protection = 3};  // PROT_READ | PROT_WRITE
    return worker_->change({&change, 1});
  }
  // The worker writes to every page, without changing any.
  bool worker_writes(const GuestRange& range) {
    return change(MemoryChange::Kind::kPopulate, range).has_value();
  }
  uint8_t* memory(const GuestRange& range) { return worker_->memory() + range.begin; }
  int userfaultfd() const { return worker_->userfaultfd(); }

  std::unique_ptr<Jail> jail_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace sandglass
