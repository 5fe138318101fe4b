// Belongs to src/tensor/array.rs: whose a tensor's memory is, and tensors over memory of Rust's.
#include "blitz.h"

#include <ATen/ops/from_blob.h>
#include <torch/csrc/autograd/variable.h>

#include <atomic>

namespace {

// A view (`x.view(...)`, `x.t()`) keeps its base alive for autograd. Where nobody else has the
// base, that is no second user of the memory.
bool holds_base_alone(const at::Tensor& tensor) {
  const auto* meta = torch::autograd::impl::get_view_autograd_meta(tensor);
  if (meta == nullptr || !meta->has_bw_view()) return false;
  const at::Tensor& base = meta->get_backward_view().base_;
  size_t held = 1;
  if (meta->has_fw_view() && !meta->shared_view_info()) {
    if (!meta->get_forward_view().base_.is_same(base)) return false;
    held += 1;
  }
  const bool is_same_memory = base.has_storage() &&
      base.unsafeGetTensorImpl()->unsafe_storage().unsafeGetStorageImpl() ==
          tensor.unsafeGetTensorImpl()->unsafe_storage().unsafeGetStorageImpl();
  return is_same_memory && base.use_count() == held;
}

}  // namespace

extern "C" {

// Memory of array/memory.rs, in the same order.
struct blitz_array_memory {
  void* data;
  bool is_alone;
  bool is_conj;
  bool is_neg;
};

// `tensor` is strided and on the CPU.
char* blitz_array_memory_of(const at::Tensor* tensor, blitz_array_memory* memory) {
  return blitz::guard([&] {
    memory->is_conj = tensor->is_conj();
    memory->is_neg = tensor->is_neg();
    memory->data = tensor->mutable_data_ptr();
    const size_t own = holds_base_alone(*tensor) ? 2 : 1;
    memory->is_alone = tensor->use_count() == 1 && tensor->storage().use_count() == own;
    // What other threads wrote before they dropped their handles is seen from here on.
    std::atomic_thread_fence(std::memory_order_acquire);
  });
}

// A tensor over `data`. `owner` is the tensor's from here on, also where this fails, and is given
// to `release` when nothing needs the memory any more.
char* blitz_array_tensor(
    void* data,
    int64_t dims,
    const int64_t* shape,
    const int64_t* strides,
    int32_t scalar_type,
    void* owner,
    void (*release)(void*),
    at::Tensor** tensor) {
  return blitz::guard([&] {
    const auto count = static_cast<size_t>(dims);
    auto maker = at::for_blob(data, at::IntArrayRef(shape, count));
    maker.context(owner, release)
        .strides(at::IntArrayRef(strides, count))
        .options(at::TensorOptions().dtype(static_cast<at::ScalarType>(scalar_type)))
        .target_device(at::Device(at::kCPU));
    *tensor = new at::Tensor(maker.make_tensor());
  });
}

}  // extern "C"
