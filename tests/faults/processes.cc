#include "tests/faults/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace sandglass::faults {
namespace {

struct Process {
  pid_t id, parent;
};

std::string read_text(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char part[4096];
  for (ssize_t size; fd && (size = ::read(fd.get(), part, sizeof part)) > 0;)
    text.append(part, static_cast<size_t>(size));
  return text;
}

std::string path_of(pid_t process, const char* file) {
  return "/proc/" + std::to_string(process) + "/" + file;
}

struct Stat {
  char state = '-';
  int parent = 0;
};

Stat stat_of(pid_t process) {
  const std::string text = read_text(path_of(process, "stat"));
  // The name stands in parentheses and may hold anything.
  const size_t name_end = text.rfind(')');
  Stat stat;
  if (name_end == std::string::npos ||
      std::sscanf(text.c_str() + name_end, ") %c %d", &stat.state, &stat.parent) != 2) {
    return {};
  }
  return stat;
}

std::vector<std::string> names_in(const char* folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder), ::closedir);
  while (directory != nullptr) {
    const dirent* const entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  return names;
}

std::vector<Process> all_processes() {
  std::vector<Process> processes;
  for (const std::string& name : names_in("/proc")) {
    const pid_t id = std::atoi(name.c_str());
    if (id > 0) processes.push_back({id, parent_of(id)});
  }
  return processes;
}

std::vector<pid_t> children_of(const std::vector<Process>& processes, pid_t parent) {
  std::vector<pid_t> children;
  for (const Process& process : processes) {
    if (process.parent == parent) children.push_back(process.id);
  }
  return children;
}

// Whether it is the first process of a pid namespace below ours.
bool is_template(pid_t process) {
  const std::string status = read_text(path_of(process, "status"));
  const size_t line = status.find("NSpid:");
  int outer = 0, inner = 0;
  return line != std::string::npos &&
         std::sscanf(status.c_str() + line, "NSpid: %d %d\n", &outer, &inner) == 2 && inner == 1;
}

// "RssAnon:  123 kB"
size_t kib_of(const std::string& status, const char* field) {
  const size_t at = status.find(field);
  return at == std::string::npos ? 0 : std::strtoull(status.c_str() + at + std::strlen(field), nullptr, 10);
}

}  // namespace

pid_t parent_of(pid_t process) { return stat_of(process).parent; }
char state_of(pid_t process) { return stat_of(process).state; }

JailProcesses find_jail_processes() {
  const std::vector<Process> processes = all_processes();
  JailProcesses found;
  for (const pid_t child : children_of(processes, ::getpid())) {
    if (!is_template(child)) continue;
    found.templates.push_back(child);
    for (const pid_t worker : children_of(processes, child)) found.workers.push_back(worker);
  }
  return found;
}

UniqueFd open_child_of(pid_t parent, pid_t process) {
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  if (pidfd && parent_of(process) == parent) return pidfd;
  return {};
}

Holdings count_holdings() {
  ::malloc_trim(0);
  Holdings holdings;
  const struct mallinfo2 heap = ::mallinfo2();
  holdings.allocated_bytes = heap.uordblks + heap.hblkhd;
  holdings.descriptors = names_in("/proc/self/fd").size() - 1;  // the folder itself
  const std::string maps = read_text("/proc/self/maps");
  holdings.mappings = static_cast<size_t>(std::count(maps.begin(), maps.end(), '\n'));
  const std::vector<Process> processes = all_processes();
  for (const pid_t child : children_of(processes, ::getpid()))
    holdings.children += 1 + children_of(processes, child).size();
  const std::string status = read_text("/proc/self/status");
  holdings.resident_bytes = (kib_of(status, "RssAnon:") + kib_of(status, "RssShmem:")) << 10;
  return holdings;
}

}  // namespace sandglass::faults
