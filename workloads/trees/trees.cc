// Many small objects on the heap: workloads/trees/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>

#include <map>
#include <unordered_map>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

// --- plain trees: built whole, walked, freed ---------------------------------------------------------------

struct Node {
  Node* left;
  Node* right;
  uint64_t number;
};

Node* build(int depth, uint64_t number) {
  if (depth == 0) return new Node{nullptr, nullptr, number};
  return new Node{build(depth - 1, 2 * number), build(depth - 1, 2 * number + 1), number};
}

uint64_t sum(const Node* node) {
  return node ? node->number + 3 * sum(node->left) + 5 * sum(node->right) : 0;
}

void destroy(Node* node) {
  if (!node) return;
  destroy(node->left);
  destroy(node->right);
  delete node;
}

// One tree stays while many small ones come and go, so that the heap is never empty.
void grow_trees(uint64_t seed, Checksum& checksum) {
  constexpr int kTallDepth = 12, kShortDepth = 4, kShortTrees = 128;
  Node* tall = build(kTallDepth, seed);
  for (uint64_t i = 0; i < kShortTrees; i++) {
    Node* tree = build(kShortDepth, seed + i);
    checksum.add(sum(tree));
    destroy(tree);
  }
  checksum.add(sum(tall));
  destroy(tall);
}

// --- maps: inserted, looked up, erased at random
// ------------------------------------------------------------

constexpr int kSteps = 8000;
constexpr uint32_t kKeys = 4096;

struct Visits {
  uint64_t first_step;
  uint64_t count;
};

// The same steps for both kinds of map: three in four count a visit, one in four forgets a key.
template <typename Map>
void count_visits(Map& map, uint64_t seed) {
  Random random(seed);
  for (uint64_t step = 0; step < kSteps; step++) {
    const uint64_t key = random.below(kKeys) * uint64_t{0x9e3779b1};
    if (random.below(4) == 0) {
      map.erase(key);
      continue;
    }
    map.try_emplace(key, Visits{step, 0}).first->second.count++;
  }
}

void use_ordered_map(uint64_t seed, Checksum& checksum) {
  std::map<uint64_t, Visits> map;
  count_visits(map, seed);
  for (const auto& [key, visits] : map) {
    checksum.add(key);
    checksum.add(visits.first_step);
    checksum.add(visits.count);
  }
}

// The order of a hash table is its own affair: what is found by key counts.
void use_hash_map(uint64_t seed, Checksum& checksum) {
  std::unordered_map<uint64_t, Visits> map;
  count_visits(map, seed + 1);
  for (uint64_t key = 0; key < kKeys; key++) {
    const auto found = map.find(key * 0x9e3779b1);
    if (found != map.end()) checksum.add(found->second.first_step * found->second.count);
  }
  uint64_t total = 0;
  for (const auto& [key, visits] : map) total += key * visits.count;
  checksum.add(total);
  checksum.add(map.size());
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  Checksum checksum;
  for (uint64_t round = 0; round < rounds; round++) {
    grow_trees(1 + round, checksum);
    use_ordered_map(2 * round, checksum);
    use_hash_map(2 * round, checksum);
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
