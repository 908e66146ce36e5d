// Shortest paths in a generated graph, by Dijkstra's algorithm: workloads/dijkstra/README.md.
#include <sandglass/guest.h>
#include <sandglass/workload.h>

#include <functional>
#include <queue>
#include <utility>
#include <vector>

using sandglass::workload::Checksum;
using sandglass::workload::Random;

namespace {

constexpr uint32_t kNodes = 10'000;
constexpr uint32_t kEdges = 5 * kNodes;
constexpr uint32_t kLongestEdge = 1000;
constexpr uint64_t kUnreachable = UINT64_MAX;

struct Edge {
  uint32_t to;
  uint32_t length;
};
using Graph = std::vector<std::vector<Edge>>;

Graph generate(uint64_t seed) {
  Random random(seed);
  Graph graph(kNodes);
  for (uint32_t edge = 0; edge < kEdges; edge++) {
    uint32_t from = random.below(kNodes);
    uint32_t to = random.below(kNodes);
    graph[from].push_back({to, 1 + random.below(kLongestEdge)});
  }
  return graph;
}

// From `source` to every node. A node that got nearer is queued again; the old entry is skipped when it
// comes.
std::vector<uint64_t> distances(const Graph& graph, uint32_t source) {
  using Entry = std::pair<uint64_t, uint32_t>;  // distance, node
  std::vector<uint64_t> nearest(graph.size(), kUnreachable);
  std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> queue;
  nearest[source] = 0;
  queue.push({0, source});
  while (!queue.empty()) {
    const auto [distance, node] = queue.top();
    queue.pop();
    if (distance != nearest[node]) continue;
    for (const Edge& edge : graph[node]) {
      if (distance + edge.length >= nearest[edge.to]) continue;
      nearest[edge.to] = distance + edge.length;
      queue.push({nearest[edge.to], edge.to});
    }
  }
  return nearest;
}

}  // namespace

extern "C" uint64_t run(uint64_t rounds) {
  Checksum checksum;
  for (uint64_t round = 0; round < rounds; round++) {
    const Graph graph = generate(round);
    for (uint64_t distance : distances(graph, static_cast<uint32_t>(round % kNodes))) checksum.add(distance);
  }
  return checksum.value();
}
SANDGLASS_EXPORT(run)
