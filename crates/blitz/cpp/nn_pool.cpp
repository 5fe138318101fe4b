// Belongs to src/nn/pooling.rs. libtorch's max pooling branches on every pixel, which costs a tenth of
// the classifier's training step. This takes eight windows of 2 x 2 at a time; values, indices,
// graph and gradients are libtorch's own.
#include "blitz.h"
#include "plain.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/generated/Functions.h>

#include <array>
#include <limits>
#include <memory>

#if defined(__x86_64__)
#include <immintrin.h>

namespace {

#define BLITZ_AVX2 __attribute__((target("avx2")))

// Ones in the first `count` lanes, which may be none or all.
BLITZ_AVX2 inline __m256i mask32(int64_t count) {
  const auto lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const auto least = count < 0 ? 0 : count;
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(least < 8 ? static_cast<int>(least) : 8), lanes);
}

BLITZ_AVX2 inline __m256i mask64(int64_t count) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}

// The pixels of eight windows in one row: left ones and right ones.
struct Pixels {
  __m256 left, right;
};

// A shuffle of two registers leaves the four 64-bit pairs in the order 0, 2, 1, 3.
BLITZ_AVX2 inline __m256 order(__m256 mixed) {
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(mixed), 0xd8));
}

BLITZ_AVX2 inline Pixels load(const float* row, int64_t count) {
  const auto a = _mm256_maskload_ps(row, mask32(count));
  const auto b = _mm256_maskload_ps(row + 8, mask32(count - 8));
  return {order(_mm256_shuffle_ps(a, b, 0x88)), order(_mm256_shuffle_ps(a, b, 0xdd))};
}

struct Best {
  __m256 value;
  __m256i index;

  // As libtorch: a larger value is taken, and every NaN.
  BLITZ_AVX2 void offer(__m256 other, __m256i at) {
    const auto larger = _mm256_cmp_ps(other, value, _CMP_GT_OQ);
    const auto take = _mm256_or_ps(larger, _mm256_cmp_ps(other, other, _CMP_UNORD_Q));
    value = _mm256_blendv_ps(value, other, take);
    index = _mm256_blendv_epi8(index, at, _mm256_castps_si256(take));
  }
};

// One row of `count` windows; `first` is the index of its top left pixel, `width` the input's.
BLITZ_AVX2 void pool_row(
    const float* top, int64_t width, int64_t first, int64_t count, float* values,
    int64_t* indices) {
  const auto even = _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14);
  for (int64_t at = 0; at < count; at += 8) {
    const auto left = count - at;
    const auto upper = load(top + 2 * at, 2 * left);
    const auto lower = load(top + width + 2 * at, 2 * left);
    const auto corner = _mm256_add_epi32(even, _mm256_set1_epi32(static_cast<int>(first + 2 * at)));
    const auto below = _mm256_add_epi32(corner, _mm256_set1_epi32(static_cast<int>(width)));
    const auto one = _mm256_set1_epi32(1);
    Best best{upper.left, corner};
    best.offer(upper.right, _mm256_add_epi32(corner, one));
    best.offer(lower.left, below);
    best.offer(lower.right, _mm256_add_epi32(below, one));
    _mm256_maskstore_ps(values + at, mask32(left), best.value);
    auto* out = reinterpret_cast<long long*>(indices + at);
    const auto low = _mm256_castsi256_si128(best.index);
    const auto high = _mm256_extracti128_si256(best.index, 1);
    _mm256_maskstore_epi64(out, mask64(left), _mm256_cvtepi32_epi64(low));
    _mm256_maskstore_epi64(out + 4, mask64(left - 4), _mm256_cvtepi32_epi64(high));
  }
}

bool is_pooled_here(const at::Tensor& input) {
  return blitz::is_plain(input) && input.dim() == 4 && input.size(1) > 0 && input.size(2) >= 2 &&
      input.size(3) >= 2 &&
      input.size(2) * input.size(3) < std::numeric_limits<int>::max() &&
      // A profiler, or this crate's own record of a forward pass, wants to see libtorch's operator.
      !at::hasCallbacks() && __builtin_cpu_supports("avx2");
}

at::Tensor pool(const at::Tensor& input) {
  const auto planes = input.size(0) * input.size(1);
  const auto height = input.size(2), width = input.size(3);
  const auto rows = height / 2, columns = width / 2;
  const auto options = at::TensorOptions().device(at::kCPU);
  const std::array<int64_t, 4> size{input.size(0), input.size(1), rows, columns};
  auto output = at::empty(size, options.dtype(at::kFloat));
  auto indices = at::empty(size, options.dtype(at::kLong));
  const auto* from = input.const_data_ptr<float>();
  auto* values = output.mutable_data_ptr<float>();
  auto* positions = indices.mutable_data_ptr<int64_t>();
  for (int64_t plane = 0; plane < planes; ++plane) {
    for (int64_t row = 0; row < rows; ++row) {
      const auto first = 2 * row * width;
      pool_row(from + plane * height * width + first, width, first, columns, values, positions);
      values += columns;
      positions += columns;
    }
  }
  if (torch::autograd::compute_requires_grad(input)) {
    // As libtorch's own max_pool2d_with_indices notes it (VariableType).
    using Backward = torch::autograd::generated::MaxPool2DWithIndicesBackward0;
    auto node = std::shared_ptr<Backward>(new Backward(), torch::autograd::deleteNode);
    node->set_next_edges(torch::autograd::collect_next_edges(input));
    node->kernel_size = {2, 2};
    node->stride = {2, 2};
    node->padding = {0, 0};
    node->dilation = {1, 1};
    node->ceil_mode = false;
    node->self_ = torch::autograd::SavedVariable(input, false);
    node->result1_ = torch::autograd::SavedVariable(indices, false);
    torch::autograd::set_history(output, node);
  }
  return output;
}

}  // namespace
#endif

extern "C" {

// torch.nn.functional.max_pool2d(input, 2).
char* blitz_nn_max_pool_2x2(const at::Tensor* input, at::Tensor** output) {
  return blitz::guard([&] {
#if defined(__x86_64__)
    if (is_pooled_here(*input)) {
      *output = new at::Tensor(pool(*input));
      return;
    }
#endif
    *output = new at::Tensor(at::max_pool2d(*input, {2, 2}));
  });
}

}  // extern "C"
