// Belongs to src/distributed/thread_state.rs: what libtorch keeps for each thread, given to another.
#include "blitz.h"

#include <ATen/ThreadLocalState.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <memory>
#include <optional>

namespace {

struct ThreadState {
  // Gradient mode, inference mode, autocast, observers.
  at::ThreadLocalState state;
  // CUDA keeps its streams for itself. Without one, there is no work queue to go on in.
  std::optional<c10::Stream> stream;
};

}  // namespace

extern "C" {

char* blitz_thread_grad_enabled(bool* enabled) {
  return blitz::guard([&] { *enabled = c10::GradMode::is_enabled(); });
}

// Takes down the calling thread's state; `gpu` is the GPU whose stream belongs to it, or below 0.
char* blitz_thread_state_of_caller(int gpu, void** state) {
  return blitz::guard([&] {
    auto made = std::make_unique<ThreadState>();
    if (gpu >= 0) {
      c10::Device device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(gpu));
      made->stream = c10::impl::VirtualGuardImpl(device.type()).getStream(device);
    }
    *state = made.release();
  });
}

// Makes `state` that of the calling thread.
char* blitz_thread_state_enter(const void* state) {
  return blitz::guard([&] {
    const auto* from = static_cast<const ThreadState*>(state);
    at::ThreadLocalState::setThreadLocalState(from->state);
    if (from->stream) {
      c10::impl::VirtualGuardImpl(from->stream->device_type()).exchangeStream(*from->stream);
    }
  });
}

void blitz_thread_state_free(void* state) { delete static_cast<ThreadState*>(state); }

}  // extern "C"
