// Problems: what is wrong with an input, collected, so that one run of the linker tells all of it.
//
// Each says where (section and offset, function), what (relocation, register, symbol) and what to do about
// it.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sandglass::linker {

class Problems {
 public:
  static constexpr size_t kMax = 20;  // the rest is only counted

  void add(std::string text) {
    if (texts_.size() < kMax) {
      texts_.push_back(std::move(text));
    } else {
      ++left_out_;
    }
  }
  bool empty() const { return texts_.empty(); }
  // Time to stop looking.
  bool full() const { return texts_.size() >= kMax; }
  // Everything that was added, and how much was left out.
  std::vector<std::string> take() {
    if (left_out_ > 0) texts_.push_back("and " + std::to_string(left_out_) + " more of this kind");
    return std::move(texts_);
  }

 private:
  std::vector<std::string> texts_;
  size_t left_out_ = 0;
};

}  // namespace sandglass::linker
