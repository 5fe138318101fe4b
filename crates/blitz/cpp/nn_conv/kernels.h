// The three convolutions of a training step for one instruction set: dispatch.h includes this once for
// each, inside a namespace, with
//
//   BLITZ_TARGET   the attribute of its functions
//   Vector, LANES  a register of floats, and how many it holds
//   Mask           the first lanes of one; mask(count) has ones in `count` of them, all or none too
//   zero, spread (one float in all lanes), load, store (also under a mask), added, fused (a * b + c)
//
// Nothing is gathered into a matrix: vectors run along the images' columns (forward, gradient of the
// input) or along the kernel's points of one column (gradient of the weight), so that no lane is
// filled up with channels that are not there. The last block of channels or rows may overlap the one
// before, and computes the same once more.

using blitz::conv::Order;
using blitz::conv::Shape;

// The masks of `V` vectors side by side that hold `count` floats.
template <int V>
BLITZ_TARGET inline __attribute__((always_inline)) void mask_all(
    int64_t count, Mask (&masks)[V]) {
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) {
    masks[v] = mask(count - v * LANES);
  }
}

// Adds to `sums` the pixels at `from`, in rows of `width`, times one factor for each of `N` channels.
template <int ROWS, int N, int V>
BLITZ_TARGET inline __attribute__((always_inline)) void add_products(
    const float* from, int64_t width, const Mask (&masks)[V], const float* factors,
    Vector (&sums)[ROWS][N][V]) {
  Vector pixels[ROWS][V];
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      pixels[r][v] = load(from + r * width + v * LANES, masks[v]);
    }
  }
#pragma GCC unroll 8
  for (int n = 0; n < N; ++n) {
    const auto factor = spread(factors + n);
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        sums[r][n][v] = fused(pixels[r][v], factor, sums[r][n][v]);
      }
    }
  }
}

// Rows of `O` output channels of one image, from row `row`, channel `first` and column `column`.
// `packed` is their weights, [KH, KW, C, O].
template <int ROWS, int O, int V>
BLITZ_TARGET inline void forward_tile(
    const Shape& s, const Order& order, const float* image, const float* packed,
    const float* bias, float* output, int64_t first, int64_t row, int64_t column) {
  Mask masks[V];
  mask_all(s.out_width() - column, masks);
  Vector sums[ROWS][O][V];
#pragma GCC unroll 8
  for (int o = 0; o < O; ++o) {
    const auto begin = order.bias_first ? spread(bias + first + o) : zero();
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        sums[r][o][v] = begin;
      }
    }
  }
  for (int64_t y = 0; y < s.kernel_height; ++y) {
    for (int64_t x = 0; x < s.kernel_width; ++x) {
      const auto* from = image + (row + y) * s.width + column + x;
      for (int64_t c = 0; c < s.in_channels; ++c, from += s.in_plane(), packed += O) {
        add_products(from, s.width, masks, packed, sums);
      }
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < O; ++o) {
    const auto end = order.bias_first ? zero() : spread(bias + first + o);
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; ++r) {
      auto* to = output + ((first + o) * s.out_height() + row + r) * s.out_width() + column;
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const auto sum = order.bias_first ? sums[r][o][v] : added(sums[r][o][v], end);
        store(to + v * LANES, sum, masks[v]);
      }
    }
  }
}

// `output` [N, O, OH, OW] of `images` [N, C, H, W], `weight` [O, C, KH, KW] and `bias` [O]. `packed` has
// room for the weights of `O` channels.
template <int ROWS, int O, int V>
BLITZ_TARGET void forward(
    const Shape& s, const Order& order, const float* images, const float* weight,
    const float* bias, float* packed, float* output) {
  for (int64_t block = 0; block < s.out_channels; block += O) {
    const auto first = least(block, s.out_channels - O);
    pack<O>(s, weight + first * s.taps(), s.taps(), s.in_channels, 1, packed);
    for (int64_t n = 0; n < s.images; ++n) {
      const auto* image = images + n * s.in_channels * s.in_plane();
      auto* to = output + n * s.out_channels * s.out_plane();
      for (int64_t row = 0; row < s.out_height(); row += ROWS) {
        for (int64_t column = 0; column < s.out_width(); column += V * LANES) {
          const auto from_row = least(row, s.out_height() - ROWS);
          forward_tile<ROWS, O, V>(s, order, image, packed, bias, to, first, from_row, column);
        }
      }
    }
  }
}

// The products of `PIXELS` pixels side by side, which share most columns of the image.
template <int PIXELS, int O, int KW>
BLITZ_TARGET inline __attribute__((always_inline)) void weight_pixels(
    const Shape& s, const float* turned, const float* gradient, int64_t at,
    Vector (&all)[O][KW]) {
  const auto column = s.height * s.in_channels;
  Vector points[PIXELS + KW - 1];
#pragma GCC unroll 8
  for (int x = 0; x < PIXELS + KW - 1; ++x) {
    points[x] = load(turned + (at + x) * column);
  }
#pragma GCC unroll 4
  for (int pixel = 0; pixel < PIXELS; ++pixel) {
#pragma GCC unroll 8
    for (int o = 0; o < O; ++o) {
      const auto factor = spread(gradient + o * s.out_plane() + pixel);
#pragma GCC unroll 8
      for (int x = 0; x < KW; ++x) {
        all[o][x] = fused(points[pixel + x], factor, all[o][x]);
      }
    }
  }
}

// Adds to `sums` [O, KW, points] the products of one image for `O` output channels and one vector
// of the kernel's points: a column of the kernel, its channels within its rows. `turned` is the
// image as [W, H, C], where those points lie side by side.
template <int O, int KW>
BLITZ_TARGET inline void weight_tile(
    const Shape& s, const float* turned, const float* gradient, float* sums, int64_t stride) {
  Vector all[O][KW];
#pragma GCC unroll 8
  for (int o = 0; o < O; ++o) {
#pragma GCC unroll 8
    for (int x = 0; x < KW; ++x) {
      all[o][x] = load(sums + (o * KW + x) * stride);
    }
  }
  for (int64_t row = 0; row < s.out_height(); ++row) {
    const auto* from = turned + row * s.in_channels;
    const auto* factors = gradient + row * s.out_width();
    int64_t at = 0;
    for (; at + 4 <= s.out_width(); at += 4) {
      weight_pixels<4, O, KW>(s, from, factors + at, at, all);
    }
    for (; at < s.out_width(); ++at) {
      weight_pixels<1, O, KW>(s, from, factors + at, at, all);
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < O; ++o) {
#pragma GCC unroll 8
    for (int x = 0; x < KW; ++x) {
      store(sums + (o * KW + x) * stride, all[o][x]);
    }
  }
}

// `weight` [O, C, KH, KW], the gradient of the weight, of `images` and of `gradient`, that of the
// output. `turned` has room for one image and a vector, `sums` holds zeros for [O, KW, points] where
// the points, KH * C, are rounded up to vectors.
template <int O, int KW>
BLITZ_TARGET void weight_gradient(
    const Shape& s, const float* images, const float* gradient, float* turned, float* sums,
    float* weight) {
  const auto points = s.kernel_height * s.in_channels;
  const auto stride = (points + LANES - 1) / LANES * LANES;
  for (int64_t n = 0; n < s.images; ++n) {
    turn(s, images + n * s.in_channels * s.in_plane(), turned);
    const auto* of_image = gradient + n * s.out_channels * s.out_plane();
    for (int64_t first = 0; first < s.out_channels; first += O) {
      for (int64_t point = 0; point < points; point += LANES) {
        weight_tile<O, KW>(
            s, turned + point, of_image + first * s.out_plane(),
            sums + first * KW * stride + point, stride);
      }
    }
  }
  for (int64_t o = 0; o < s.out_channels; ++o) {
    for (int64_t c = 0; c < s.in_channels; ++c) {
      for (int64_t y = 0; y < s.kernel_height; ++y) {
        for (int64_t x = 0; x < KW; ++x) {
          *weight++ = sums[(o * KW + x) * stride + y * s.in_channels + c];
        }
      }
    }
  }
}

// Rows of `C` input channels' gradient of one image. `padded` is the output's gradient with a border
// of zeros, [O, OH + 2 KH - 2, W + KW - 1], `packed` the weights, [KH, KW, O, C].
template <int ROWS, int C, int V>
BLITZ_TARGET inline void input_tile(
    const Shape& s, const Order& order, const float* padded, const float* packed, float* input,
    int64_t first, int64_t row, int64_t column) {
  const auto height = s.height + s.kernel_height - 1, width = s.width + s.kernel_width - 1;
  // Rows of the kernel outside of these meet the border alone.
  const auto above = row - s.out_height() + 1;
  const auto begin = above > 0 ? above : 0, end = least(s.kernel_height, row + ROWS);
  Mask masks[V];
  mask_all(s.width - column, masks);
  Vector sums[ROWS][C][V];
#pragma GCC unroll 4
  for (int r = 0; r < ROWS; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        sums[r][c][v] = zero();
      }
    }
  }
  for (int64_t block = 0; block < s.out_channels; block += order.block) {
    const auto stop = least(block + order.block, s.out_channels);
    for (int64_t y = begin; y < end; ++y) {
      for (int64_t x = 0; x < s.kernel_width; ++x) {
        const auto* at = packed + ((y * s.kernel_width + x) * s.out_channels + block) * C;
        const auto* from = padded + (block * height + row + s.kernel_height - 1 - y) * width +
            column + s.kernel_width - 1 - x;
        for (int64_t o = block; o < stop; ++o, from += height * width, at += C) {
          add_products(from, width, masks, at, sums);
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int c = 0; c < C; ++c) {
#pragma GCC unroll 4
    for (int r = 0; r < ROWS; ++r) {
      auto* to = input + ((first + c) * s.height + row + r) * s.width + column;
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        store(to + v * LANES, sums[r][c][v], masks[v]);
      }
    }
  }
}

// `input` [N, C, H, W], the gradient of the input, of `gradient`, that of the output. `padded` has
// room for one image's gradient with its border, and holds zeros there; `packed` for the weights of
// `C` channels.
template <int ROWS, int C, int V>
BLITZ_TARGET void input_gradient(
    const Shape& s, const Order& order, const float* gradient, const float* weight,
    float* padded, float* packed, float* input) {
  const auto area = s.kernel_height * s.kernel_width;
  for (int64_t block = 0; block < s.in_channels; block += C) {
    const auto first = least(block, s.in_channels - C);
    pack<C>(s, weight + first * area, area, s.out_channels, s.in_channels, packed);
    for (int64_t n = 0; n < s.images; ++n) {
      pad(s, gradient + n * s.out_channels * s.out_plane(), padded);
      auto* to = input + n * s.in_channels * s.in_plane();
      for (int64_t row = 0; row < s.height; row += ROWS) {
        for (int64_t column = 0; column < s.width; column += V * LANES) {
          const auto from_row = least(row, s.height - ROWS);
          input_tile<ROWS, C, V>(s, order, padded, packed, to, first, from_row, column);
        }
      }
    }
  }
}
