// What every file of this layer uses. The layer adds to libtorch's C++ interface only what tch
// lacks; each .cpp file belongs to the Rust module of the same name, which declares its functions.
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
