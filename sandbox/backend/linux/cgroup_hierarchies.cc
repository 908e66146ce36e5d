#include "sandbox/backend/linux/cgroup_hierarchies.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace sandglass {
namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

std::string first_of(const std::string& commas) { return commas.substr(0, commas.find(',')); }

// "0::/path" of version 2, "8:pids:/path" of version 1; empty when this process is in none.
std::string own_group(int version, const std::string& controllers) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string here = line.substr(first + 1, second - first - 1);
    const bool is_it = version == 2 ? line.starts_with("0::") : lists_controller(here, first_of(controllers));
    if (is_it) return line.substr(second + 1);
  }
  return {};
}

// Those among the options of a mount, behind the usual ones.
std::string controllers_of(const std::string& options) {
  std::string list;
  std::istringstream stream(options);
  for (std::string item; std::getline(stream, item, ',');) {
    if (item == "rw" || item == "ro" || item.find('=') != std::string::npos) continue;
    list += (list.empty() ? "" : ",") + item;
  }
  return list;
}

// The parent's folder; empty when this process is in no group of the hierarchy. `root` is the group that is
// mounted: where it is a part of the hierarchy, names still begin at the whole one's root.
std::string parent_folder(const std::string& parent, int version, const std::string& controllers,
                          const std::string& root, const std::string& mount_point) {
  std::string name = parent.starts_with('.') ? own_group(version, controllers) : parent;
  if (name.empty()) return {};
  if (parent == "..") name.erase(std::max<size_t>(name.rfind('/'), 1));
  if (root != "/" && name.starts_with(root)) name.erase(0, root.size());
  std::string folder = mount_point + "/" + name;
  while (folder.ends_with('/')) folder.pop_back();
  return folder;
}

}  // namespace

bool lists_controller(const std::string& commas, std::string_view word) {
  std::istringstream stream(commas);
  for (std::string item; std::getline(stream, item, ',');) {
    if (item == word) return true;
  }
  return false;
}

std::string read_controllers(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::replace(line.begin(), line.end(), ' ', ',');
  return line;
}

std::vector<CgroupHierarchy> mounted_cgroup_hierarchies(const std::string& parent) {
  std::vector<CgroupHierarchy> mounted;
  // A line of /proc/self/mountinfo: … root mount-point options … - type source super-options.
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> words = words_of(line);
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.end() - dash < 4 || dash - words.begin() < 6) continue;
    if (dash[1] != "cgroup" && dash[1] != "cgroup2") continue;
    CgroupHierarchy one = {
        .version = dash[1] == "cgroup" ? 1 : 2, .controllers = {}, .parent = {}, .needed = {}};
    if (one.version == 1) one.controllers = controllers_of(dash[3]);
    one.parent = parent_folder(parent, one.version, one.controllers, words[3], words[4]);
    if (one.parent.empty()) continue;
    if (one.version == 2) one.controllers = read_controllers(one.parent + "/cgroup.controllers");
    mounted.push_back(std::move(one));
  }
  return mounted;
}

}  // namespace sandglass
