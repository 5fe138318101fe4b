// Belongs to src/repr.rs: what the printed form of a tensor says beside its numbers.
#include "blitz.h"

#include <torch/csrc/autograd/function.h>

#include <string>

namespace {

// The name as Python's class of the node has it: without the namespace.
std::string grad_fn_name(const at::Tensor& tensor) {
  try {
    const auto& node = tensor.grad_fn();
    if (!node) return "";
    const std::string name = node->name();
    const auto colons = name.rfind("::");
    return colons == std::string::npos ? name : name.substr(colons + 2);
  } catch (const std::exception&) {
    // A view that was made and changed where no gradients are recorded has none.
    return "Invalid";
  }
}

}  // namespace

extern "C" {

// Facts of repr/facts.rs, in the same order. The strings are made with malloc.
struct blitz_repr_facts {
  char* device;   // "cpu", "cuda:0", "meta"
  char* grad_fn;  // empty where there is none
  int32_t scalar_type;
  int32_t layout;
  bool requires_grad;
};

char* blitz_repr_facts_of(const at::Tensor* tensor, blitz_repr_facts* facts) {
  return blitz::guard([&] {
    TORCH_CHECK(!tensor->is_nested(), "a nested tensor has no printed form here");
    const std::string device = tensor->device().str();
    const std::string grad_fn = grad_fn_name(*tensor);
    facts->scalar_type = static_cast<int32_t>(tensor->scalar_type());
    facts->layout = static_cast<int32_t>(tensor->layout());
    facts->requires_grad = tensor->requires_grad();
    facts->device = strdup(device.c_str());
    facts->grad_fn = strdup(grad_fn.c_str());
  });
}

}  // extern "C"
