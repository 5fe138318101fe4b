// Stands in for gloo's header of this name, which PyTorch's wheels do not bring although
// torch/csrc/distributed/c10d/ProcessGroupGloo.hpp includes it. The objects are libtorch's own: this
// layer only passes them on, so what that header names is declared and nothing is defined.
#pragma once

#include <chrono>
#include <memory>

#include "transport/device.h"

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo
