#include <sys/resource.h>

#include <vector>

#include "bench/crowds.h"
#include "bench/guests.h"
#include "bench/jailed_guests.h"
#include "sandbox/backend/linux/jail.h"
#include "workloads/workloads.h"

namespace sandglass::bench {
namespace {

constexpr size_t kManyProcesses = 1000;
constexpr rlim_t kDescriptorsPerWorker = 4;

// Hundreds of workers need more descriptors than a process has by default. Gives the old limit back.
class DescriptorLimit {
 public:
  static Result<std::unique_ptr<DescriptorLimit>> raise_for(size_t workers) {
    rlimit old;
    if (getrlimit(RLIMIT_NOFILE, &old) != 0) return Error::os("ask for the limit of descriptors");
    const rlim_t wanted = 256 + kDescriptorsPerWorker * workers;
    if (old.rlim_max < wanted) {
      return Error::make(ErrorKind::kUnsupported, "needs a higher limit of descriptors", wanted);
    }
    const rlimit raised = {std::max(old.rlim_cur, wanted), old.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) != 0) return Error::os("raise the limit of descriptors");
    return std::unique_ptr<DescriptorLimit>(new DescriptorLimit(old));
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &old_); }

 private:
  explicit DescriptorLimit(const rlimit& old) : old_(old) {}

  rlimit old_;
};

class Workers : public Crowd {
 public:
  Workers(std::unique_ptr<DescriptorLimit> limit, std::unique_ptr<SeatedJail> jail)
      : limit_(std::move(limit)), jail_(std::move(jail)) {}
  Status add_one() override {
    workers_.push_back(SG_TRY(jail_->jail().spawn(false)));
    return {};
  }
  bool is_well() override {
    return std::ranges::all_of(workers_, [](auto& worker) { return worker->change({}).has_value(); });
  }
  Status disperse() override {
    for (const auto& worker : workers_) jail_->jail().forget(*worker);
    workers_.clear();
    return {};
  }

 private:
  std::unique_ptr<DescriptorLimit> limit_;
  std::unique_ptr<SeatedJail> jail_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

// Reads and writes a page, and says how often it has been called.
constexpr std::string_view kCountingGuest = R"(
%rw_data_size = 4096
pub @main:
    t0 = 0x20000
    a0 = u64 [t0]
    a0 = a0 + 1
    u64 [t0] = a0
    ret
)";

class Guests : public Crowd {
 public:
  Guests(std::unique_ptr<DescriptorLimit> limit, std::unique_ptr<JailedGuests> guests,
         std::shared_ptr<const Module> module, uint32_t pc)
      : limit_(std::move(limit)), guests_(std::move(guests)), module_(std::move(module)), pc_(pc) {}
  Status add_one() override {
    sandboxes_.push_back(SG_TRY(guests_->sandbox(module_)));
    return runs_for_the(1, *sandboxes_.back())
               ? Status()
               : Error::make(ErrorKind::kProtocolViolation, "the guest gives a wrong answer");
  }
  bool is_well() override {
    return std::ranges::all_of(sandboxes_, [this](auto& sandbox) { return runs_for_the(2, *sandbox); });
  }
  Status disperse() override {
    sandboxes_.clear();
    return {};
  }

 private:
  bool runs_for_the(uint64_t time, Sandbox& sandbox) const {
    return call(sandbox, pc_) && sandbox.reg(Reg::a0) == time;
  }

  std::unique_ptr<DescriptorLimit> limit_;
  std::unique_ptr<JailedGuests> guests_;
  std::shared_ptr<const Module> module_;
  uint32_t pc_;
  std::vector<std::unique_ptr<Sandbox>> sandboxes_;
};

using CrowdOr = Result<std::unique_ptr<Crowd>>;

CrowdOr gather_workers() {
  auto limit = SG_TRY(DescriptorLimit::raise_for(kProcessesBefore + kManyProcesses));
  std::unique_ptr<SeatedJail> jail = SG_TRY(SeatedJail::create(kAnywhere));
  return std::unique_ptr<Crowd>(new Workers(std::move(limit), std::move(jail)));
}

CrowdOr gather_guests() {
  auto limit = SG_TRY(DescriptorLimit::raise_for(kProcessesBefore + kManyProcesses));
  auto guests = SG_TRY(JailedGuests::create(kAnywhere, {.max_idle = 0, .max_live = 2 * kManyProcesses}));
  const auto program = SG_TRY(load(kCountingGuest));
  const uint32_t pc = SG_TRY(export_of(*program, "main"));
  auto module = SG_TRY(Module::create(program, {.backend = Backend::kLinux}));
  return std::unique_ptr<Crowd>(new Guests(std::move(limit), std::move(guests), std::move(module), pc));
}

constexpr CrowdCase kCrowds[] = {
    {"worker", gather_workers},
    {"loaded", gather_guests},
    {"loaded_1000", gather_guests, kManyProcesses},
};

}  // namespace

std::span<const CrowdCase> jailed_crowds() { return kCrowds; }

}  // namespace sandglass::bench
