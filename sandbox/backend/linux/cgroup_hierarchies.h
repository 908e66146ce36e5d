// Which cgroup hierarchies are mounted: one of version 2, any number of version 1, or both.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sandglass {

struct CgroupHierarchy {
  int version = 2;
  std::string controllers;          // that children of the parent can have; with a comma between two
  std::string parent;               // its folder
  std::vector<std::string> needed;  // for whoever looks for controllers
};

// Those in which `parent` (CgroupOptions::parent) is a group.
std::vector<CgroupHierarchy> mounted_cgroup_hierarchies(const std::string& parent);

// The names in a file like cgroup.controllers, with a comma between two.
std::string read_controllers(const std::string& path);
bool lists_controller(const std::string& commas, std::string_view controller);

}  // namespace sandglass
