// LinuxSandbox: the guest runs in a jailed worker process.
//
// The sandbox keeps registers, gas, heap and pages in its own memory; a run copies what the worker needs into
// a shared page and, after the stop, what it claims out of another one, once, and checks it. Registers other
// than a0 … a3 are copied when somebody asks for them. Guest memory is a file that both map, so the
// host's reads and writes are plain memory accesses; with MemoryStrategy::kImage, the initial RW data is the
// worker's own copy, and the host goes through /proc/<pid>/mem for it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "sandbox/backend/compiled_sandbox.h"
#include "sandbox/backend/linux/guest_file.h"
#include "sandbox/backend/linux/worker.h"
#include "sandbox/backend/linux/worker_source.h"
#include "sandbox/compiler/module_image.h"

namespace sandglass {

class LinuxSandbox final : public CompiledSandbox {
 public:
  static Result<std::unique_ptr<Sandbox>> create(std::shared_ptr<const Module> module,
                                                 const SandboxOptions& options);
  ~LinuxSandbox() override;

  const Worker& worker() const { return *worker_; }
  std::chrono::nanoseconds cpu_time() const override;

 protected:
  const Error* resume(const RunLimits& limits, Interrupt& stop) override;
  void kick() override;
  Status fetch(uint32_t address, std::span<uint8_t> out) const override;
  Status store(uint32_t address, std::span<const uint8_t> bytes) override;
  Status store_zeroes(uint32_t address, uint64_t size_bytes) override;
  Status heap_opened(const GuestRange& pages) override;
  Status aux_changed() override;
  Status set_pages(const GuestRange& pages, std::optional<Protection> protection, bool zeroed) override;
  Status fill_pages(const GuestRange& pages, std::span<const uint8_t> content,
                    Protection protection) override;
  Status reset_storage() override;
  void fetch_regs(Reg wanted) const override;

 private:
  LinuxSandbox(std::shared_ptr<const Module> module, const SandboxOptions& options,
               std::shared_ptr<WorkerSource> source, std::unique_ptr<Worker> worker,
               std::unique_ptr<VmContext> context);

  Status load(const ModuleImage& image);
  Status leave_last_module();
  Status begin_mapping(const ModuleImage& image);
  Status load_content(bool is_first);
  Status track_writes();
  GuestFile guest_file() const;
  // One turn of the worker: false when it has failed, with the reason in failure_.
  bool take_turn(WorkerCommand command);
  void ask_to_stop();
  bool look_at_limits();
  bool step_to_boundary();
  bool is_stop_by_request() const;
  bool run_until_stop(Interrupt& stop);
  void begin_limits(const RunLimits& limits);
  bool is_cpu_time_over();
  void send_context();
  uint16_t send_changed_regs();
  void receive_context();
  void copy_regs(uint32_t which, const uint64_t* from, uint32_t first) const;
  bool explain(Interrupt& stop);
  bool has_credible_gas(int64_t gas_before) const;
  bool fail(const Error& error);
  bool fail_claim();
  Status checked(Status status);
  uint64_t fetch_static(uint32_t address, std::span<uint8_t> out) const;
  template <typename Direct, typename Indirect>
  Status access_pieces(uint32_t address, uint64_t size_bytes, Direct direct, Indirect indirect) const;
  Status write_to_worker(uint64_t address, const uint8_t* bytes, uint64_t size_bytes);

  std::shared_ptr<WorkerSource> source_;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<VmContext> own_context_;
  // kImage: the part of guest memory that is the worker's own copy, and whether it can differ from the image.
  GuestRange image_data_;
  bool is_image_data_touched_ = false;
  std::optional<Error> failure_;
  std::atomic<bool> is_running_{false};

  // Of the run that is going on.
  uint64_t wall_deadline_ns_ = 0;
  uint64_t deadline_ns_ = 0;  // when to look at the limits
  uint64_t kill_ns_ = 0;      // the worker has been asked to stop; then it is killed
  std::chrono::nanoseconds cpu_limit_{0};
  uint64_t cpu_begin_ns_ = 0;
  // What the worker's own context holds, unless it plays with it: those that have been copied since the stop,
  // one bit each.
  mutable uint64_t workers_regs_[kRegCount] = {};
  mutable uint32_t copied_regs_ = 0;
};

}  // namespace sandglass
