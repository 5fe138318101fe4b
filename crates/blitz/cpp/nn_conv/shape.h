// A convolution that nn_conv.cpp computes itself: stride 1, no padding, one group, images and kernels
// that are square or not.
#pragma once

#include <cstdint>

namespace blitz::conv {

struct Shape {
  int64_t images, in_channels, height, width;
  int64_t out_channels, kernel_height, kernel_width;

  int64_t out_height() const { return height - kernel_height + 1; }
  int64_t out_width() const { return width - kernel_width + 1; }
  int64_t in_plane() const { return height * width; }
  int64_t out_plane() const { return out_height() * out_width(); }
  int64_t taps() const { return in_channels * kernel_height * kernel_width; }
};

// How libtorch's own kernels round, which differs between processors. Every output is a chain of fused
// multiply-adds in this order:
//
//   forward            over the kernel's rows, its columns, the input's channels
//   gradient of weight over the images, the output's rows, its columns
//   gradient of input  over blocks of the output's channels, the kernel's rows, its columns, the
//                      channels within the block
struct Order {
  // Whether a chain begins with the bias, or the bias is added to its end.
  bool bias_first;
  // Output channels of a block.
  int64_t block;
};

}  // namespace blitz::conv
