// Belongs to src/graph/walk.rs.
// Each operation's own header instead of all of them: compiles in a tenth of the time.
#define AT_PER_OPERATOR_HEADERS
#include "blitz.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/variable.h>

#include <string>
#include <unordered_map>
#include <vector>

using torch::autograd::AccumulateGrad;
using torch::autograd::Edge;
using torch::autograd::Node;

// Hands the nodes behind `tensor` to `on_node`, the nearest first, and then their edges, by the
// nodes' positions, to `on_edge`. Nothing is handed over for a tensor without a history. A leaf is
// the receiver's.
extern "C" char* blitz_graph_walk(
    const at::Tensor* tensor,
    void (*on_node)(void*, size_t id, const char* name, at::Tensor* leaf),
    void (*on_edge)(void*, size_t from, size_t to, uint32_t input_nr),
    void* context) {
  return blitz::guard([&] {
    if (!tensor->defined() || tensor->is_leaf()) {
      return;
    }
    // The tensor keeps the nodes alive.
    std::vector<Node*> nodes{tensor->grad_fn().get()};
    std::unordered_map<Node*, size_t> positions{{nodes[0], 0}};
    for (size_t next = 0; next < nodes.size(); ++next) {
      Node* node = nodes[next];
      for (const Edge& edge : node->next_edges()) {
        if (edge.is_valid() && positions.emplace(edge.function.get(), nodes.size()).second) {
          nodes.push_back(edge.function.get());
        }
      }
      const std::string name = node->name();
      const auto* accumulate = dynamic_cast<AccumulateGrad*>(node);
      at::Tensor* leaf = accumulate == nullptr ? nullptr : new at::Tensor(accumulate->variable);
      on_node(context, reinterpret_cast<size_t>(node), name.c_str(), leaf);
    }
    for (size_t from = 0; from < nodes.size(); ++from) {
      for (const Edge& edge : nodes[from]->next_edges()) {
        if (edge.is_valid()) {
          on_edge(context, from, positions.at(edge.function.get()), edge.input_nr);
        }
      }
    }
  });
}
