#include "sandbox/compiler/module.h"

#include <algorithm>
#include <unordered_set>

#include "sandbox/compiler/compiler.h"
#include "sandbox/compiler/module_image.h"

namespace sandglass {

std::string_view name_of(Backend backend) {
  switch (backend) {
    case Backend::kInterpreter: return "interpreter";
    case Backend::kGeneric: return "generic";
    case Backend::kLinux: return "linux";
  }
  return "unknown";
}

std::optional<Backend> backend_named(std::string_view name) {
  for (Backend backend : kAllBackends) {
    if (name_of(backend) == name) return backend;
  }
  return std::nullopt;
}

namespace {

Status check_strictly(const Program& program) {
  const auto bad = [](const char* what, uint64_t where, std::string_view detail = {}) {
    return Error::make(ErrorKind::kBadProgram, what, where, detail);
  };
  const ProgramParts& parts = program.parts();
  for (size_t i = 0; i < parts.imports.size(); ++i) {
    if (!parts.imports[i]) return bad("strict: a malformed import", i);
  }
  std::unordered_set<std::string_view> names;
  for (const Export& entry : parts.exports) {
    if (entry.pc >= program.code_bytes())
      return bad("strict: an export outside of the code", entry.pc, entry.name);
    if (!names.insert(entry.name).second)
      return bad("strict: an export twice of the same name", entry.pc, entry.name);
  }
  for (uint32_t target : parts.jump_table) {
    if (target >= program.code_bytes()) return bad("strict: a jump-table entry outside of the code", target);
  }
  return {};
}

}  // namespace

Module::Module() = default;
Module::~Module() = default;

Result<const ModuleImage*> Module::image() const {
  const std::lock_guard lock(image_mutex_);
  if (image_ == nullptr) image_ = SG_TRY(ModuleImage::create(*this));
  return image_.get();
}

Result<std::shared_ptr<const Module>> Module::create(std::shared_ptr<const Program> program,
                                                     const ModuleOptions& options) {
  if (program == nullptr) return Error::make(ErrorKind::kInvalidArgument, "a module needs a program");
  if (options.strict) SG_TRY(check_strictly(*program));
  SG_TRY(program->validate_code());
  const ProgramParts& parts = program->parts();
  std::shared_ptr<Module> module(new Module);
  module->memory_map_ = SG_TRY(MemoryMap::create(options.page_bytes, {.ro_data_bytes = parts.ro_data_bytes,
                                                                      .rw_data_bytes = parts.rw_data_bytes,
                                                                      .stack_bytes = parts.stack_bytes,
                                                                      .aux_bytes = options.aux_bytes}));
  module->options_ = options;
  module->program_ = std::move(program);
  if (options.backend != Backend::kInterpreter) {
    module->native_code_ = SG_TRY(compile(*module->program_, options));
  }
  return std::shared_ptr<const Module>(std::move(module));
}

std::optional<uint32_t> Module::gas_cost(uint32_t pc) const {
  if (pc < program_->code_bytes() && !program_->is_jump_target(pc)) return std::nullopt;
  return block_cost(*program_, pc, options_.cost_model);
}

}  // namespace sandglass
