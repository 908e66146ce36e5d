#include <unistd.h>

#include <vector>

#include "bench/crowds.h"
#include "bench/tiny_program.h"

namespace sandglass::bench {
namespace {

static_assert(kProcessesBefore + CrowdCase{}.processes <= kMostForksKept);

int sleep_in_child(void*) {
  for (;;) pause();
}

class Forks : public Crowd {
 public:
  Status add_one() override {
    children_.push_back(SG_TRY(Child::fork(sleep_in_child, nullptr)));
    return {};
  }
  Status disperse() override {
    children_.clear();
    return {};
  }

 private:
  std::vector<Child> children_;
};

class Programs : public Crowd {
 public:
  Programs(TinyProgram program, uint64_t namespaces)
      : program_(std::move(program)), namespaces_(namespaces) {}
  Status add_one() override {
    children_.push_back(SG_TRY(program_.start_idler("pause", namespaces_)));
    return {};
  }
  Status disperse() override {
    children_.clear();
    return {};
  }

 private:
  TinyProgram program_;
  uint64_t namespaces_;
  std::vector<Child> children_;
};

class SmallForks : public Crowd {
 public:
  explicit SmallForks(std::unique_ptr<ForkServer> server) : server_(std::move(server)) {}
  Status add_one() override { return request('k'); }
  Status disperse() override { return request('d'); }

 private:
  Status request(char what) {
    SG_TRY(server_->request(what));
    return {};
  }

  std::unique_ptr<ForkServer> server_;
};

using CrowdOr = Result<std::unique_ptr<Crowd>>;

template <uint64_t kNamespaces>
CrowdOr programs() {
  TinyProgram program = SG_TRY(TinyProgram::create());
  return std::unique_ptr<Crowd>(new Programs(std::move(program), kNamespaces));
}

constexpr CrowdCase kCrowds[] = {
    {"fork_this_process", []() -> CrowdOr { return std::unique_ptr<Crowd>(new Forks); }},
    {"fork_small_process",
     []() -> CrowdOr {
       auto server = SG_TRY(ForkServer::create());
       return std::unique_ptr<Crowd>(new SmallForks(std::move(server)));
     }},
    {"program", programs<0>},
    {"program_net", programs<CLONE_NEWUSER | CLONE_NEWNET>},
    {"program_all", programs<kAllNamespaces>},
};

}  // namespace

std::span<const CrowdCase> raw_crowds() { return kCrowds; }

}  // namespace sandglass::bench
