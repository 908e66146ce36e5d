// WorkerTables: the parts of a module's jump table that a worker has from the host's file.
//
// The first pages of the table and the page with the return-to-host entry stay mapped when modules change;
// the host writes the next module's slots over them. The first module maps them, after which the worker
// closes the file; a page of them is opened to the guest when a module needs it first.
#pragma once

#include <cstdint>

#include "sandbox/backend/linux/worker_map.h"
#include "sandbox/compiler/module_image.h"

namespace sandglass {

class WorkerTables {
 public:
  // Puts the module's slots into the host's file, and adds to `changes` what is not mapped yet. The worker
  // must not be in a guest.
  void load(uint8_t* host_file, const ModuleImage& image, ChangeList& changes);

 private:
  bool is_mapped_ = false;
  // Of the table, that the guest can read: each of their slots is the module's or leads nowhere.
  uint64_t pages_ = 0;
};

}  // namespace sandglass
