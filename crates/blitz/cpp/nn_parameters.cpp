// Belongs to src/nn/parameters.rs.
#include "blitz.h"

#include <ATen/core/Tensor.h>

extern "C" {

// What all handles of one tensor share, and no two tensors that live at the same time.
char* blitz_nn_identity(const at::Tensor* tensor, size_t* identity) {
  return blitz::guard([&] {
    *identity = reinterpret_cast<size_t>(tensor->unsafeGetTensorImpl());
  });
}

// The same for the memory of a tensor, which views share; 0 where there is none (sparse tensors).
char* blitz_nn_storage(const at::Tensor* tensor, size_t* storage) {
  return blitz::guard([&] {
    *storage = tensor->has_storage()
        ? reinterpret_cast<size_t>(tensor->storage().unsafeGetStorageImpl())
        : 0;
  });
}

char* blitz_nn_forget_grad(const at::Tensor* tensor) {
  return blitz::guard([&] {
    if (tensor->grad().defined()) {
      tensor->mutable_grad().reset();
    }
  });
}

}  // extern "C"
