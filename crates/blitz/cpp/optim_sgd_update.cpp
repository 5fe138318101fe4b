// A small net's optimizer step is mostly the calls: up to four operators for each parameter. Here it
// is one loop. To give the same bits it rounds where libtorch's vector kernels do: `x.mul_(a)`
// rounds once, and `x.add_(y, a)` is one fused multiply-add, x + a * y.
#include "optim_sgd_update.h"
#include "plain.h"

#include <ATen/Version.h>

#include <string>

#if defined(__x86_64__)
#include <immintrin.h>

namespace {

using blitz::Sgd;

#define BLITZ_FMA __attribute__((target("avx2,fma")))

// Eight numbers, or the last ones of a tensor, of which `mask` tells how many there are.
struct Block {
  float *parameter, *buffer;
  const float* gradient;
  __m256i mask;
};

BLITZ_FMA inline __m256i mask_of(int64_t count) {
  const auto lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count < 8 ? static_cast<int>(count) : 8), lanes);
}

BLITZ_FMA inline __m256 factor(double value) {
  return _mm256_set1_ps(static_cast<float>(value));
}

BLITZ_FMA inline void step(const Block& block, const Sgd& sgd, bool is_first) {
  auto parameter = _mm256_maskload_ps(block.parameter, block.mask);
  auto change = _mm256_maskload_ps(block.gradient, block.mask);
  if (sgd.weight_decay != 0) {
    change = _mm256_fmadd_ps(parameter, factor(sgd.weight_decay), change);
  }
  if (sgd.momentum != 0) {
    auto buffer = change;
    if (!is_first) {
      buffer = _mm256_maskload_ps(block.buffer, block.mask);
      buffer = _mm256_mul_ps(buffer, factor(sgd.momentum));
      buffer = _mm256_fmadd_ps(change, factor(1 - sgd.dampening), buffer);
    }
    _mm256_maskstore_ps(block.buffer, block.mask, buffer);
    change = sgd.nesterov ? _mm256_fmadd_ps(buffer, factor(sgd.momentum), change) : buffer;
  }
  parameter = _mm256_fmadd_ps(change, factor(-sgd.lr), parameter);
  _mm256_maskstore_ps(block.parameter, block.mask, parameter);
}

BLITZ_FMA void pass(
    float* parameter, const float* gradient, float* buffer, int64_t count, const Sgd& sgd,
    bool is_first) {
  for (int64_t at = 0; at < count; at += 8) {
    auto* of_buffer = buffer == nullptr ? nullptr : buffer + at;
    step({parameter + at, of_buffer, gradient + at, mask_of(count - at)}, sgd, is_first);
  }
}

// Whether libtorch's kernels are those that fuse; ATEN_CPU_CAPABILITY may forbid them.
bool libtorch_fuses() {
  const auto capability = at::get_cpu_capability();
  return capability == "AVX2" || capability == "AVX512";
}

}  // namespace

bool blitz::sgd_pass(
    at::Tensor& parameter, const at::Tensor& gradient, at::Tensor& buffer, const Sgd& sgd) {
  const bool has_momentum = sgd.momentum != 0;
  const bool is_first = !buffer.defined();
  if (!is_plain(parameter) || !is_plain(gradient) || gradient.sizes() != parameter.sizes() ||
      (has_momentum && !is_first && (!is_plain(buffer) || buffer.sizes() != parameter.sizes())) ||
      !libtorch_fuses()) {
    return false;
  }
  if (has_momentum && is_first) {
    buffer = gradient.detach().clone();
  }
  pass(
      parameter.mutable_data_ptr<float>(), gradient.const_data_ptr<float>(),
      has_momentum ? buffer.mutable_data_ptr<float>() : nullptr, parameter.numel(), sgd, is_first);
  // So that a backward pass through a graph that saved them is refused, as after libtorch's own.
  parameter.unsafeGetTensorImpl()->bump_version();
  if (has_momentum) {
    buffer.unsafeGetTensorImpl()->bump_version();
  }
  return true;
}

#else

bool blitz::sgd_pass(at::Tensor&, const at::Tensor&, at::Tensor&, const Sgd&) {
  return false;
}

#endif
