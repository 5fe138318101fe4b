// Belongs to src/checkpoint/generator.rs.
#include "blitz.h"

#include <ATen/Context.h>
#include <ATen/core/Generator.h>

#include <mutex>

namespace {

// The generator that random operations on the CPU (`gpu` < 0) or a GPU draw from.
at::Generator generator_of(int gpu) {
  const auto device = gpu < 0 ? at::Device(at::kCPU)
                              : at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(gpu));
  return at::globalContext().defaultGenerator(device);
}

}  // namespace

extern "C" {

// torch.get_rng_state(), torch.cuda.get_rng_state(gpu)
char* blitz_checkpoint_generator_state(int gpu, at::Tensor** state) {
  return blitz::guard([&] {
    auto generator = generator_of(gpu);
    std::lock_guard<std::mutex> lock(generator.mutex());
    *state = new at::Tensor(generator.get_state());
  });
}

// torch.set_rng_state(state), torch.cuda.set_rng_state(state, gpu)
char* blitz_checkpoint_set_generator_state(int gpu, const at::Tensor* state) {
  return blitz::guard([&] {
    auto generator = generator_of(gpu);
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(*state);
  });
}

}  // extern "C"
