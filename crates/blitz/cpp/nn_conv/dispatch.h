// The convolutions of kernels.h for the processor that this runs on, and what around them needs no
// vectors. Nothing here knows libtorch.
#pragma once

#include "shape.h"

#include <immintrin.h>

#include <algorithm>
#include <memory>

namespace blitz::conv {

inline int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// One image [C, H, W] as [W, H, C].
inline void turn(const Shape& s, const float* image, float* turned) {
  for (int64_t c = 0; c < s.in_channels; ++c) {
    for (int64_t y = 0; y < s.height; ++y) {
      for (int64_t x = 0; x < s.width; ++x) {
        turned[(x * s.height + y) * s.in_channels + c] = *image++;
      }
    }
  }
}

// One image's gradient into the middle of its border of zeros. (Times an infinite weight they are NaN,
// where libtorch leaves the border out; such a net is lost in both.)
inline void pad(const Shape& s, const float* gradient, float* padded) {
  const auto width = s.width + s.kernel_width - 1, height = s.height + s.kernel_height - 1;
  for (int64_t o = 0; o < s.out_channels; ++o) {
    for (int64_t y = 0; y < s.out_height(); ++y) {
      auto* to = padded + (o * height + y + s.kernel_height - 1) * width + s.kernel_width - 1;
      std::copy_n(gradient, s.out_width(), to);
      gradient += s.out_width();
    }
  }
}

// The weights of `CHANNELS` channels as [KH, KW, others, CHANNELS]: each channel's begin `stride` after
// the one before, each of the `others`' `step` kernels after the one before.
template <int CHANNELS>
void pack(
    const Shape& s, const float* weight, int64_t stride, int64_t others, int64_t step,
    float* packed) {
  const auto area = s.kernel_height * s.kernel_width;
  for (int64_t at = 0; at < area; ++at) {
    for (int64_t other = 0; other < others; ++other) {
      for (int channel = 0; channel < CHANNELS; ++channel) {
        *packed++ = weight[other * step * area + channel * stride + at];
      }
    }
  }
}

// The sums of `gradient` [N, O, OH, OW] over all but the channels, one number after the other. Eight
// channels at once, because each sum waits for the number before; where fewer are left, the last
// one stands for those that are not there.
inline void bias_gradient(const Shape& s, const float* gradient, float* bias) {
  for (int64_t first = 0; first < s.out_channels; first += 8) {
    const auto count = least(8, s.out_channels - first);
    float sums[8] = {};
    for (int64_t n = 0; n < s.images; ++n) {
      const auto* image = gradient + (n * s.out_channels + first) * s.out_plane();
      const float* channels[8];
      for (int64_t o = 0; o < 8; ++o) {
        channels[o] = image + least(o, count - 1) * s.out_plane();
      }
      for (int64_t at = 0; at < s.out_plane(); ++at) {
#pragma GCC unroll 8
        for (int o = 0; o < 8; ++o) {
          sums[o] += channels[o][at];
        }
      }
    }
    std::copy_n(sums, count, bias + first);
  }
}

namespace avx512 {

#define BLITZ_TARGET __attribute__((target("avx512f")))
using Vector = __m512;
using Mask = __mmask16;
constexpr int64_t LANES = 16;

BLITZ_TARGET inline Mask mask(int64_t count) {
  return static_cast<Mask>(count <= 0 ? 0 : count >= 16 ? 0xffff : (1 << count) - 1);
}
BLITZ_TARGET inline Vector zero() { return _mm512_setzero_ps(); }
BLITZ_TARGET inline Vector spread(const float* from) { return _mm512_set1_ps(*from); }
BLITZ_TARGET inline Vector load(const float* from) { return _mm512_loadu_ps(from); }
BLITZ_TARGET inline Vector load(const float* from, Mask mask) {
  return _mm512_maskz_loadu_ps(mask, from);
}
BLITZ_TARGET inline void store(float* to, Vector value) { _mm512_storeu_ps(to, value); }
BLITZ_TARGET inline void store(float* to, Vector value, Mask mask) {
  _mm512_mask_storeu_ps(to, mask, value);
}
BLITZ_TARGET inline Vector added(Vector a, Vector b) { return _mm512_add_ps(a, b); }
BLITZ_TARGET inline Vector fused(Vector a, Vector b, Vector c) {
  return _mm512_fmadd_ps(a, b, c);
}
#include "kernels.h"
#undef BLITZ_TARGET

}  // namespace avx512

namespace avx2 {

#define BLITZ_TARGET __attribute__((target("avx2,fma")))
using Vector = __m256;
using Mask = __m256i;
constexpr int64_t LANES = 8;

BLITZ_TARGET inline Mask mask(int64_t count) {
  const auto ones = static_cast<int>(std::clamp<int64_t>(count, 0, 8));
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(ones), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
BLITZ_TARGET inline Vector zero() { return _mm256_setzero_ps(); }
BLITZ_TARGET inline Vector spread(const float* from) { return _mm256_broadcast_ss(from); }
BLITZ_TARGET inline Vector load(const float* from) { return _mm256_loadu_ps(from); }
BLITZ_TARGET inline Vector load(const float* from, Mask mask) {
  return _mm256_maskload_ps(from, mask);
}
BLITZ_TARGET inline void store(float* to, Vector value) { _mm256_storeu_ps(to, value); }
BLITZ_TARGET inline void store(float* to, Vector value, Mask mask) {
  _mm256_maskstore_ps(to, mask, value);
}
BLITZ_TARGET inline Vector added(Vector a, Vector b) { return _mm256_add_ps(a, b); }
BLITZ_TARGET inline Vector fused(Vector a, Vector b, Vector c) {
  return _mm256_fmadd_ps(a, b, c);
}
#include "kernels.h"
#undef BLITZ_TARGET

}  // namespace avx2

// Whether shape and processor are those that the functions below are for. More channels than these
// fill libtorch's blocks, and its kernels have nothing to lose.
inline bool is_small(const Shape& s) {
  return s.images >= 1 && s.in_channels >= 1 && s.in_channels < 16 && s.out_channels >= 6 &&
      s.out_channels <= 16 && (s.kernel_width == 3 || s.kernel_width == 5) &&
      s.kernel_height >= 1 && s.kernel_height <= 7 && s.out_height() >= 2 && s.out_width() >= 1 &&
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

// Whether input_gradient takes the shape.
inline bool has_input_gradient(const Shape& s) {
  return s.in_channels >= 6;
}

inline bool has_avx512() {
  return __builtin_cpu_supports("avx512f");
}

inline void forward(
    const Shape& s, const Order& order, const float* images, const float* weight,
    const float* bias, float* output) {
  const auto packed = std::make_unique<float[]>(8 * s.taps());
  if (!has_avx512()) {
    avx2::forward<1, 6, 2>(s, order, images, weight, bias, packed.get(), output);
  } else if (s.out_width() > 16) {
    avx512::forward<2, 6, 2>(s, order, images, weight, bias, packed.get(), output);
  } else if (s.out_channels >= 8) {
    avx512::forward<2, 8, 1>(s, order, images, weight, bias, packed.get(), output);
  } else {
    avx512::forward<2, 6, 1>(s, order, images, weight, bias, packed.get(), output);
  }
}

template <int KW>
void weight_gradient(
    const Shape& s, const float* images, const float* gradient, float* turned, float* sums,
    float* weight) {
  const auto all = [&](auto&& gradients) {
    gradients(s, images, gradient, turned, sums, weight);
  };
  const auto rest = s.out_channels % 12;
  if (!has_avx512()) {
    all(rest % 2 == 0 ? avx2::weight_gradient<2, KW> : avx2::weight_gradient<1, KW>);
  } else if (rest % 4 == 0) {
    all(avx512::weight_gradient<4, KW>);
  } else if (rest % 3 == 0) {
    all(avx512::weight_gradient<3, KW>);
  } else {
    all(rest % 2 == 0 ? avx512::weight_gradient<2, KW> : avx512::weight_gradient<1, KW>);
  }
}

inline void weight_gradient(
    const Shape& s, const float* images, const float* gradient, float* weight) {
  const auto points = (s.kernel_height * s.in_channels + 15) / 16 * 16;
  // Vectors of the last points read beyond the image.
  const auto turned = std::make_unique<float[]>(s.in_channels * s.in_plane() + 64);
  const auto sums = std::make_unique<float[]>(s.out_channels * s.kernel_width * points);
  (s.kernel_width == 5 ? weight_gradient<5> : weight_gradient<3>)(
      s, images, gradient, turned.get(), sums.get(), weight);
}

inline void input_gradient(
    const Shape& s, const Order& order, const float* gradient, const float* weight,
    float* input) {
  const auto packed = std::make_unique<float[]>(6 * s.out_channels * s.kernel_height * s.kernel_width);
  const auto padded = std::make_unique<float[]>(
      s.out_channels * (s.height + s.kernel_height - 1) * (s.width + s.kernel_width - 1));
  if (!has_avx512()) {
    avx2::input_gradient<1, 6, 2>(s, order, gradient, weight, padded.get(), packed.get(), input);
  } else if (s.width > 16) {
    avx512::input_gradient<2, 6, 2>(s, order, gradient, weight, padded.get(), packed.get(), input);
  } else {
    avx512::input_gradient<2, 6, 1>(s, order, gradient, weight, padded.get(), packed.get(), input);
  }
}

}  // namespace blitz::conv
