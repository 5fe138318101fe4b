// Which tensors the loops of this layer read and write without libtorch's operators.
#pragma once

#include <ATen/core/Tensor.h>

namespace blitz {

// Whether a tensor is floats in the CPU's memory, one after the other, that mean what they are.
inline bool is_plain(const at::Tensor& tensor) {
  return tensor.defined() && tensor.is_cpu() && tensor.scalar_type() == at::kFloat &&
      tensor.layout() == at::kStrided && tensor.is_contiguous() && !tensor.is_neg() &&
      !tensor._is_zerotensor();
}

}  // namespace blitz
