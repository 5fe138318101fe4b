// Belongs to src/optim.rs.
#include "blitz.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace {

// Forgets the gradients, as PyTorch's zero_grad(set_to_none=True).
void forget_gradients(at::Tensor* const* parameters, size_t count) {
  for (size_t index = 0; index < count; ++index) {
    auto& gradient = parameters[index]->mutable_grad();
    if (gradient.defined()) {
      gradient.reset();
    }
  }
}

}  // namespace

extern "C" {

// As SgdOptions in src/optim.rs.
struct BlitzSgd {
  double lr;
  double momentum;
  double dampening;
  double weight_decay;
  bool nesterov;
};

char* blitz_optim_zero_grad(at::Tensor* const* parameters, size_t count) {
  return blitz::guard([&] { forget_gradients(parameters, count); });
}

// What PyTorch's _single_tensor_sgd does, operation by operation, so that the bits agree. An
// undefined buffer is one that no step has made yet.
char* blitz_optim_sgd_step(
    at::Tensor* const* parameters,
    at::Tensor* const* buffers,
    size_t count,
    const BlitzSgd* sgd) {
  return blitz::guard([&] {
    at::NoGradGuard no_grad;
    for (size_t index = 0; index < count; ++index) {
      auto& parameter = *parameters[index];
      auto gradient = parameter.grad();
      if (!gradient.defined()) {
        continue;
      }
      if (sgd->weight_decay != 0) {
        gradient = gradient.add(parameter, sgd->weight_decay);
      }
      if (sgd->momentum != 0) {
        auto& buffer = *buffers[index];
        if (buffer.defined()) {
          buffer.mul_(sgd->momentum).add_(gradient, 1 - sgd->dampening);
        } else {
          buffer = gradient.detach().clone();
        }
        gradient = sgd->nesterov ? gradient.add(buffer, sgd->momentum) : buffer;
      }
      parameter.add_(gradient, -sgd->lr);
    }
  });
}

// loss.backward() into fresh gradients.
char* blitz_optim_backward(
    at::Tensor* const* parameters, size_t count, const at::Tensor* loss) {
  return blitz::guard([&] {
    forget_gradients(parameters, count);
    torch::autograd::backward({*loss});
  });
}

}  // extern "C"
