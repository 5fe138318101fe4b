// Belongs to src/distributed/process_group.rs: what the files here share.
#pragma once

#include "blitz.h"

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>

namespace blitz {

// The processes of a training: where they meet, and what carries their tensors.
struct ProcessGroup {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroup> group;
  std::chrono::milliseconds timeout;
};

}  // namespace blitz
