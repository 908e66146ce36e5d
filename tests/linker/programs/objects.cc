// C++: virtual tables, constructors of globals, templates, lambdas, pointers to members.
#include "tests/linker/programs/answer.h"

namespace {

struct Shape {
  virtual uint64_t area() const { return 1; }
  virtual int corners() const { return 0; }
  uint64_t id = 0;
};
struct Square : Shape {
  explicit Square(uint64_t s) : side(s) {}
  uint64_t area() const override { return side * side; }
  int corners() const override { return 4; }
  uint64_t side;
};
struct Circle : Shape {
  explicit Circle(uint64_t r) : radius(r) {}
  uint64_t area() const override { return 3 * radius * radius; }
  uint64_t radius;
};
struct Other {
  virtual uint64_t other() { return 99; }
  uint64_t padding = 7;
};
struct Both : Square, Other {
  Both() : Square(6) {}
  uint64_t other() override { return side + padding; }
};

uint64_t order = 1;
struct Counted {
  explicit Counted(uint64_t n) : value(order = order * 10 + n) {}
  uint64_t value;
};
Counted one(opaque(1)), two(opaque(2)), three(opaque(3));

template <typename F>
__attribute__((noinline)) uint64_t twice(F&& f) {
  return f(1) + f(2);
}

#ifdef __riscv
extern "C" void (*const __init_array_start[])();
extern "C" void (*const __init_array_end[])();
void construct() {
  for (auto* at = __init_array_start; at != __init_array_end; ++at) (*at)();
}
#else
void construct() {}
#endif

}  // namespace

extern "C" uint64_t answer() {
  construct();
  uint64_t sum = mix(mix(order, one.value), two.value + three.value);
  Square square(opaque(5));
  Circle circle(opaque(7));
  Both both;
  const Shape* const shapes[] = {&square, &circle, &both};
  for (const Shape* shape : shapes) sum = mix(sum, shape->area() + static_cast<uint64_t>(shape->corners()));
  Other* other = reinterpret_cast<Other*>(opaque(reinterpret_cast<uint64_t>(static_cast<Other*>(&both))));
  sum = mix(sum, other->other());
  uint64_t (Shape::*member)() const = opaque(1) != 0 ? &Shape::area : nullptr;
  sum = mix(sum, (shapes[opaque(2)]->*member)());
  return mix(sum, twice([&](uint64_t n) { return sum * n + circle.radius; }));
}
