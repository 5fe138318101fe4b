// Belongs to src/autograd.rs and src/autograd/backward.rs.
#include "blitz.h"

#include <torch/csrc/autograd/autograd.h>

#include <optional>
#include <vector>

namespace {

std::vector<at::Tensor> list(at::Tensor* const* tensors, size_t count) {
  std::vector<at::Tensor> result;
  result.reserve(count);
  for (size_t index = 0; index < count; ++index) {
    result.push_back(*tensors[index]);
  }
  return result;
}

}  // namespace

extern "C" {

// Absent gradients and inputs are counts of zero.
char* blitz_autograd_backward(
    at::Tensor* const* tensors,
    size_t tensor_count,
    at::Tensor* const* gradients,
    size_t gradient_count,
    at::Tensor* const* inputs,
    size_t input_count,
    bool retain_graph,
    bool create_graph) {
  return blitz::guard([&] {
    torch::autograd::backward(
        list(tensors, tensor_count),
        list(gradients, gradient_count),
        retain_graph,
        create_graph,
        list(inputs, input_count));
  });
}

// Writes `input_count` tensors to `results`; null for an input that the outputs do not depend on.
char* blitz_autograd_grad(
    at::Tensor* const* outputs,
    size_t output_count,
    at::Tensor* const* inputs,
    size_t input_count,
    at::Tensor* const* gradients,
    size_t gradient_count,
    bool retain_graph,
    bool create_graph,
    at::Tensor** results) {
  return blitz::guard([&] {
    auto found = torch::autograd::grad(
        list(outputs, output_count),
        list(inputs, input_count),
        list(gradients, gradient_count),
        retain_graph,
        create_graph,
        /*allow_unused=*/true);
    for (size_t index = 0; index < input_count; ++index) {
      auto& gradient = found[index];
      results[index] = gradient.defined() ? new at::Tensor(std::move(gradient)) : nullptr;
    }
  });
}

char* blitz_autograd_retain_grad(at::Tensor* tensor) {
  return blitz::guard([&] { tensor->retain_grad(); });
}

}  // extern "C"
