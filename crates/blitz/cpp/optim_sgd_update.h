// The whole change of one parameter in one pass over its memory, for cpp/optim_sgd.cpp.
#pragma once

#include <ATen/core/Tensor.h>

namespace blitz {

// As CSgd in src/optim/sgd.rs.
struct Sgd {
  double lr;
  double momentum;
  double dampening;
  double weight_decay;
  bool nesterov;
};

// Does what libtorch's own operations, one after the other, would do to f32 tensors in the CPU's
// memory, with the same bits. Returns false, with nothing done, for other tensors and processors.
bool sgd_pass(
    at::Tensor& parameter, const at::Tensor& gradient, at::Tensor& buffer, const Sgd& sgd);

}  // namespace blitz
