// Belongs to src/distributed/nccl.rs. A library of its own, as graph.cpp is: NCCL's half of c10d is in
// libtorch_cuda.
#include "distributed/process_group.h"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <utility>

extern "C" {

// Exchanges the tensors of GPU `device` by NCCL.
char* blitz_nccl_use(blitz::ProcessGroup* group, int device) {
  return blitz::guard([&] {
    auto options = c10d::ProcessGroupNCCL::Options::create();
    options->timeout = group->timeout;
    auto& made = *group->group;
    auto store = c10::make_intrusive<c10d::PrefixStore>("nccl", group->store);
    auto backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(
        store, made.getRank(), made.getSize(), std::move(options));
    backend->setBoundDeviceId(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device)));
    made.setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL, backend);
    made.setDefaultBackend(c10d::ProcessGroup::BackendType::NCCL);
  });
}

}  // extern "C"
