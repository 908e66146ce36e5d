#include "sandbox/backend/linux/cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "sandbox/backend/linux/cgroup_hierarchies.h"
#include "sandbox/base/fork_count.h"

namespace sandglass {
namespace {

// Errors. ---------------------------------------------------------------------------------------------------

// Names the end of the path, which says more than its beginning.
Error refused(const char* what, const std::string& path) {
  constexpr size_t kShown = sizeof(Error::detail) - 1;
  Error error = Error::os(what);
  path.copy(error.detail, kShown, path.size() > kShown ? path.size() - kShown : 0);
  return error;
}

constexpr const char* kMake =
    "make a cgroup for the jail: name a parent that this user may write, or start where '.' or '..' is one "
    "(systemd-run --user --scope -p Delegate=yes COMMAND)";
constexpr const char* kEnable =
    "hand a controller down to the jail's cgroup: name a parent that has no processes itself, or the root";
constexpr const char* kLimit = "set a limit of the jail's cgroup";
constexpr const char* kEnter = "open the jail's cgroup";

// Files. ----------------------------------------------------------------------------------------------------

Status write_file(const std::string& path, const std::string& text, const char* what) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return refused(what, path);
  return {};
}

// Limits. --------------------------------------------------------------------------------------------------

// Everything that can be asked for, and the files that do it in each version.
struct Limit {
  std::string_view controller;
  struct File {
    const char* name;  // null: nothing to write
    std::string value;
    bool is_always_there = true;
  };
  bool is_wanted;
  File version1[2], version2[2];
};

std::vector<Limit> limits_of(const CgroupOptions& options) {
  constexpr uint64_t kPeriodUs = 100'000;
  const uint64_t quota_us = options.cpu_max_percent * kPeriodUs / 100;
  const std::string memory = std::to_string(options.memory_max_bytes),
                    pids = std::to_string(options.pids_max);
  // The kernel has no files of swap when it does not count it per group.
  return {{"memory",
           options.memory_max_bytes != 0,
           {{"memory.limit_in_bytes", memory}, {"memory.memsw.limit_in_bytes", memory, false}},
           {{"memory.max", memory}, {"memory.swap.max", "0", false}}},
          {"pids", options.pids_max != 0, {{"pids.max", pids}, {}}, {{"pids.max", pids}, {}}},
          {"cpu",
           options.cpu_max_percent != 0,
           {{"cpu.cfs_period_us", std::to_string(kPeriodUs)}, {"cpu.cfs_quota_us", std::to_string(quota_us)}},
           {{"cpu.max", fmt::format("{} {}", quota_us, kPeriodUs)}, {}}}};
}

Status set(const Limit& limit, int version, const std::string& path) {
  for (const Limit::File& file : version == 1 ? limit.version1 : limit.version2) {
    if (file.name == nullptr) continue;
    const std::string name = path + "/" + file.name;
    if (!file.is_always_there && ::access(name.c_str(), F_OK) != 0) continue;
    SG_TRY(write_file(name, file.value, kLimit));
  }
  return {};
}

// A folder with a name that nobody has: another host may be in a pid namespace with our number.
Result<std::string> make_folder(const std::string& parent) {
  static std::atomic<uint32_t> counter{0};
  for (;;) {
    std::string path = fmt::format("{}/sandglass-{}-{}", parent, ::getpid(), counter++);
    if (::mkdir(path.c_str(), 0755) == 0) return path;
    if (errno != EEXIST) return refused(kMake, path);
  }
}

Status check(const CgroupOptions& options) {
  const bool is_own = options.parent == "." || options.parent == "..";
  if (!is_own && !options.parent.starts_with('/')) {
    return Error::make(ErrorKind::kInvalidArgument,
                       "the parent of cgroups is neither '.' nor '..' nor begins with '/'", Error::kNowhere,
                       options.parent);
  }
  if (options.pids_max == 1)
    return Error::make(ErrorKind::kInvalidArgument, "a limit of one process leaves no place for a worker");
  return {};
}

}  // namespace

Result<Cgroup> Cgroup::create(const CgroupOptions& options) {
  SG_TRY(check(options));
  std::vector<CgroupHierarchy> mounted = mounted_cgroup_hierarchies(options.parent);
  bool is_limited = false;
  for (const Limit& limit : limits_of(options)) {
    if (!limit.is_wanted) continue;
    is_limited = true;
    const auto found = std::ranges::find_if(mounted, [&](const CgroupHierarchy& one) {
      return lists_controller(one.controllers, limit.controller);
    });
    if (found == mounted.end()) {
      return Error::make(
          ErrorKind::kUnsupported,
          "no cgroup hierarchy has this controller at the parent: mount it, or hand it down in the "
          "cgroup.subtree_control of the groups above",
          Error::kNowhere, limit.controller);
    }
    found->needed.emplace_back(limit.controller);
  }
  Cgroup group;
  group.forks_ = fork_count();
  for (const CgroupHierarchy& one : mounted) {
    if (!one.needed.empty() || (!is_limited && one.version == 2)) SG_TRY(group.add(one, options));
  }
  if (group.paths_.empty())
    return Error::make(ErrorKind::kUnsupported, "no cgroup hierarchy of version 2 is mounted");
  return group;
}

Status Cgroup::add(const CgroupHierarchy& hierarchy, const CgroupOptions& options) {
  if (hierarchy.version == 2) {
    const std::string name = hierarchy.parent + "/cgroup.subtree_control";
    for (const std::string& controller : hierarchy.needed) {
      if (!lists_controller(read_controllers(name), controller))
        SG_TRY(write_file(name, "+" + controller, kEnable));
    }
  }
  paths_.push_back(SG_TRY(make_folder(hierarchy.parent)));
  const std::string& path = paths_.back();
  for (const Limit& limit : limits_of(options)) {
    if (limit.is_wanted && std::ranges::find(hierarchy.needed, limit.controller) != hierarchy.needed.end())
      SG_TRY(set(limit, hierarchy.version, path));
  }
  return open(hierarchy, path);
}

Status Cgroup::open(const CgroupHierarchy& hierarchy, const std::string& path) {
  if (hierarchy.version == 2) {
    folder_ = UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return folder_ ? Status() : refused(kEnter, path);
  }
  const std::string name = path + "/cgroup.procs";
  entrances_.emplace_back(::open(name.c_str(), O_WRONLY | O_CLOEXEC));
  return entrances_.back() ? Status() : refused(kEnter, name);
}

Cgroup::Cgroup(Cgroup&& other) noexcept
    : folder_(std::move(other.folder_)),
      entrances_(std::exchange(other.entrances_, {})),
      paths_(std::exchange(other.paths_, {})),
      forks_(other.forks_) {}

Cgroup& Cgroup::operator=(Cgroup&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(entrances_, other.entrances_);
  std::swap(paths_, other.paths_);
  std::swap(forks_, other.forks_);
  return *this;
}

Cgroup::~Cgroup() {
  if (paths_.empty() || forks_ != fork_count()) return;
  // A process that has been reaped is out of its group; one that somebody else has to reap may take a moment.
  constexpr int kAttempts = 100;
  for (const std::string& path : paths_) {
    for (int i = 0; ::rmdir(path.c_str()) != 0 && errno == EBUSY && i < kAttempts; ++i) ::usleep(1000);
  }
}

}  // namespace sandglass
