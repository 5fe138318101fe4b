// Belongs to src/autograd/node.rs. A node is a std::shared_ptr<Node> on the heap, owned by Rust.
#include "blitz.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <memory>
#include <string>

using torch::autograd::AccumulateGrad;
using torch::autograd::Node;
using NodePtr = std::shared_ptr<Node>;

extern "C" {

char* blitz_node_of(at::Tensor* tensor, NodePtr** result) {
  return blitz::guard([&] {
    NodePtr node = tensor->defined() ? tensor->grad_fn() : nullptr;
    *result = node ? new NodePtr(std::move(node)) : nullptr;
  });
}

NodePtr* blitz_node_clone(const NodePtr* node) {
  return new NodePtr(*node);
}

void blitz_node_free(NodePtr* node) {
  delete node;
}

const Node* blitz_node_address(const NodePtr* node) {
  return node->get();
}

uint64_t blitz_node_sequence_nr(const NodePtr* node) {
  return (*node)->sequence_nr();
}

// The name as C++ has it, made with malloc.
char* blitz_node_name(const NodePtr* node, char** result) {
  return blitz::guard([&] { *result = strdup((*node)->name().c_str()); });
}

size_t blitz_node_edge_count(const NodePtr* node) {
  return (*node)->num_outputs();
}

char* blitz_node_edge(const NodePtr* node, size_t index, NodePtr** function, uint32_t* input_nr) {
  return blitz::guard([&] {
    const auto& edge = (*node)->next_edges().at(index);
    *function = edge.function ? new NodePtr(edge.function) : nullptr;
    *input_nr = edge.input_nr;
  });
}

// The name decides, not RTTI, which may differ between notebook cells.
char* blitz_node_variable(const NodePtr* node, at::Tensor** result) {
  return blitz::guard([&] {
    *result = nullptr;
    if ((*node)->name() == "torch::autograd::AccumulateGrad") {
      const auto& variable = static_cast<const AccumulateGrad&>(**node).variable;
      *result = variable.defined() ? new at::Tensor(variable) : nullptr;
    }
  });
}

}  // extern "C"
