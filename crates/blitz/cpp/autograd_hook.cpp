// Belongs to src/autograd/hook.rs. A handle is a std::shared_ptr<Closure> on the heap, owned by
// Rust; the tensor's list of hooks shares the closure.
#include "autograd_closure.h"

#include <memory>

using blitz::Closure;
using ClosurePtr = std::shared_ptr<Closure>;

// Lends the gradient; writes the tensor that replaces it, or leaves null.
using Hook = char* (*)(void* data, at::Tensor* gradient, at::Tensor** replacement);

extern "C" {

// Takes `data` also where it fails.
char* blitz_hook_register(
    at::Tensor* tensor, void* data, Hook hook, void (*drop)(void*), ClosurePtr** handle) {
  return blitz::guard([&] {
    auto closure = std::make_shared<Closure>(data, drop);
    tensor->register_hook([closure, hook](const at::Tensor& gradient) {
      // The list of hooks may be rebuilt while the hook runs, and this lambda with it.
      ClosurePtr kept = closure;
      std::unique_ptr<at::Tensor> replacement;
      // An undefined gradient stands for zero; Rust's Tensor is always a real one.
      if (gradient.defined()) {
        at::Tensor lent = gradient;
        kept->call([&](void* data) {
          at::Tensor* made = nullptr;
          char* message = hook(data, &lent, &made);
          replacement.reset(made);
          return message;
        });
      }
      return replacement ? std::move(*replacement) : at::Tensor();
    });
    *handle = new ClosurePtr(std::move(closure));
  });
}

void blitz_hook_remove(ClosurePtr* handle) {
  (*handle)->remove();
}

void blitz_hook_free(ClosurePtr* handle) {
  delete handle;
}

}  // extern "C"
