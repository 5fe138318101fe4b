// What every file of this layer uses. Each .cpp file belongs to the Rust module that its first line
// names, which declares its functions. Most add what tch lacks; three do what tch has with the same
// bits in less time: nn_conv.cpp (small convolutions), nn_pool.cpp (max pooling), and
// optim_sgd_update.cpp (the optimizer's step).
//
// The headers are those that libtorch installs, but not all that they declare is meant for others:
// nn_conv.cpp and nn_pool.cpp make nodes whose classes are generated
// (torch/csrc/autograd/generated/), array.cpp asks torch::autograd::impl what a view is of, and
// cuda/graph.cpp at::cuda::detail for a generator. tch fits one version of libtorch, and build.rs
// compiles against that one.
//
// Conventions. Functions are `extern "C"` and begin with `blitz_`. They return null, or a message
// made with malloc that Rust frees (src/ffi.rs). Tensors cross as tch passes them: a pointer to a
// torch::Tensor on the heap, lent when it comes in, owned by Rust when it goes out. No exception
// leaves a function, and no Rust panic enters one.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstdlib>
#include <cstring>
#include <exception>

namespace blitz {

// Runs `body`; an exception becomes its message, without libtorch's C++ backtrace.
template <class Body>
char* guard(Body&& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const c10::Error& error) {
    return strdup(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return strdup(error.what());
  } catch (...) {
    return strdup("an exception of unknown type");
  }
}

}  // namespace blitz
