// The pipeline model against a cycle-by-cycle simulation, and against blocks worked out by hand.
#include "sandbox/gas/pipeline_model.h"

#include <gtest/gtest.h>

#include "sandbox/gas/cost_model.h"
#include "tests/gas/random_block.h"
#include "tests/gas/reference_pipeline.h"

namespace sandglass {
namespace {

template <typename Model>
uint32_t cost_of_first_block(const Program& program, Model& model) {
  for (uint32_t pc = 0;;) {
    const Instruction in = program.decode(pc);
    model.feed(in);
    if (info_of(in.opcode).flow != Flow::Next) return model.finish();
    pc = in.next_pc;
  }
}

std::string describe(const Program& program) {
  std::string text;
  for (uint32_t pc = 0;;) {
    const Instruction in = program.decode(pc);
    text += std::to_string(pc) + ": " + std::string(name_of(in.opcode));
    if (const auto dst = test::destination_of(in)) text += " " + std::string(name_of(*dst)) + " <-";
    for (Reg source : test::sources_of(in)) text += " " + std::string(name_of(source));
    text += "\n";
    if (info_of(in.opcode).flow != Flow::Next) return text;
    pc = in.next_pc;
  }
}

// Most of these blocks stay in CoreSchedule, the long and crowded ones go on to CoreSimulator.
TEST(PipelineModelTest, CostsWhatACycleByCycleSimulationSays) {
  std::mt19937_64 random(20240607);
  for (int i = 0; i < 120'000; ++i) {
    const auto program = test::random_block(random, test::random_shape(random));
    const auto load_cycles = static_cast<uint32_t>(i % 2 == 0 ? 25 : 1 + random() % (i % 4 == 1 ? 127 : 8));
    PipelineModel model(*program, load_cycles);
    test::ReferencePipeline reference(*program, static_cast<int>(load_cycles));
    ASSERT_EQ(cost_of_first_block(*program, model), cost_of_first_block(*program, reference))
        << "block " << i << ", M = " << load_cycles << ", " << name_of(program->instruction_set()) << "\n"
        << describe(*program);
  }
}

TEST(PipelineModelTest, StartsEveryBlockAfresh) {
  std::mt19937_64 random(7);
  test::BlockShape shape = {.max_instructions = 60, .registers = 3};
  for (int i = 0; i < 2'000; ++i) {
    const auto program = test::random_block(random, shape);
    PipelineModel used(*program, 25), fresh(*program, 25);
    const uint32_t first = cost_of_first_block(*program, used);
    ASSERT_EQ(cost_of_first_block(*program, used), first);
    ASSERT_EQ(cost_of_first_block(*program, fresh), first);
  }
}

}  // namespace
}  // namespace sandglass
