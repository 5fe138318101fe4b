// Belongs to src/tensor/repr.rs: what the printed form of a tensor says beside its numbers.
#include "blitz.h"

#include <string>

extern "C" {

// Facts of repr/facts.rs, in the same order. The string is made with malloc.
struct blitz_repr_facts {
  char* device;  // "cpu", "cuda:0", "meta"
  int32_t scalar_type;
  int32_t layout;
  bool requires_grad;
};

char* blitz_repr_facts_of(const at::Tensor* tensor, blitz_repr_facts* facts) {
  return blitz::guard([&] {
    TORCH_CHECK(!tensor->is_nested(), "a nested tensor has no printed form here");
    const std::string device = tensor->device().str();
    facts->scalar_type = static_cast<int32_t>(tensor->scalar_type());
    facts->layout = static_cast<int32_t>(tensor->layout());
    facts->requires_grad = tensor->requires_grad();
    facts->device = strdup(device.c_str());
  });
}

}  // extern "C"
