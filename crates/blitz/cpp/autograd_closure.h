// A Rust closure that libtorch's graph owns: a hook, or the backward of a user-defined function.
#pragma once

#include "blitz.h"

#include <mutex>
#include <stdexcept>
#include <string>

namespace blitz {

// The closure is `Send` but not `Sync` in Rust, and backward passes of several threads may meet it,
// so calls take turns. The lock is recursive, because a closure may itself run a backward pass that
// meets it again. It is C++'s and not Rust's: the caller may be the code of another notebook cell,
// whose copy of Rust's standard library numbers the threads differently.
class Closure {
 public:
  Closure(void* data, void (*drop)(void*)) : data_(data), drop_(drop) {}
  Closure(const Closure&) = delete;
  Closure& operator=(const Closure&) = delete;
  ~Closure() {
    drop();
  }

  // Runs `body` with the closure's data, unless the closure has been removed. Where `body` returns
  // a message, throws it, so that libtorch carries it to whoever started the backward pass.
  template <class Body>
  void call(Body&& body) {
    std::lock_guard<std::recursive_mutex> turn(mutex_);
    if (removed_) {
      return;
    }
    ++running_;
    char* message = body(data_); // Rust; does not throw
    --running_;
    if (removed_ && running_ == 0) {
      drop();
    }
    if (message != nullptr) {
      std::string text(message);
      std::free(message);
      throw std::runtime_error(text);
    }
  }

  // The closure is not called any more. A closure that removes itself is dropped when it returns.
  void remove() {
    std::lock_guard<std::recursive_mutex> turn(mutex_);
    removed_ = true;
    if (running_ == 0) {
      drop();
    }
  }

 private:
  void drop() {
    if (data_ != nullptr) {
      drop_(data_);
      data_ = nullptr;
    }
  }

  std::recursive_mutex mutex_;
  void* data_;
  void (*drop_)(void*);
  bool removed_ = false;
  int running_ = 0;
};

}  // namespace blitz
