// Belongs to src/distributed/process_group.rs and collectives.rs: c10d's store and its process group,
// put together as torch.distributed.init_process_group does it.
#include "process_group.h"
#ifdef __linux__
#include "pair_gloo.h"
#endif

#include <ATen/core/grad_mode.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <sstream>
#include <string>
#include <vector>

using blitz::ProcessGroup;
using WorkPtr = c10::intrusive_ptr<c10d::Work>;

namespace {

// The order of ReduceOp in collectives.rs. gloo has no mean: Rust divides.
c10d::ReduceOp reduce_op(int op) {
  switch (op) {
    case 1:
      return c10d::ReduceOp::MIN;
    case 2:
      return c10d::ReduceOp::MAX;
    default:
      return c10d::ReduceOp::SUM;
  }
}

WorkPtr all_reduce(const ProcessGroup& group, at::Tensor& tensor, int op) {
  std::vector<at::Tensor> tensors{tensor};
  c10d::AllreduceOptions options;
  options.reduceOp = reduce_op(op);
  options.timeout = group.timeout;
  return group.group->allreduce(tensors, options);
}

}  // namespace

extern "C" {

// Where torchrun's processes and those of init_process_group("env://") meet: a TCPStore at the
// address, which the first rank serves where no agent does.
struct Rendezvous {
  const char* address;
  uint16_t port;
  int rank;
  int world_size;
  int restart_count;
  bool has_agent_store;
  // Where the first rank serves the store: a socket that listens, or -1 for one on all interfaces.
  int listening;
  uint64_t timeout_ms;
};

// Serves the meeting place of others, who come to `port` of this machine: `listening` listens there.
char* blitz_distributed_serve(
    int listening, uint16_t port, c10::intrusive_ptr<c10d::Store>** made) {
  return blitz::guard([&] {
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = true;
    options.waitWorkers = false;
    options.masterListenFd = listening;
    *made = new c10::intrusive_ptr<c10d::Store>(
        c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options));
  });
}

void blitz_distributed_serve_end(c10::intrusive_ptr<c10d::Store>* store) {
  delete store;
}

// Meets the others; there is no way to exchange tensors yet.
char* blitz_distributed_join(const Rendezvous* at, ProcessGroup** made) {
  return blitz::guard([&] {
    c10d::TCPStoreOptions options;
    options.port = at->port;
    options.isServer = at->rank == 0 && !at->has_agent_store;
    options.numWorkers = at->world_size;
    options.waitWorkers = false;
    if (at->listening >= 0) {
      options.masterListenFd = at->listening;
    }
    options.timeout = std::chrono::milliseconds(at->timeout_ms);
    c10::intrusive_ptr<c10d::Store> store =
        c10::make_intrusive<c10d::TCPStore>(at->address, options);
    // A store of the agent's is there for all attempts: each has keys of its own.
    const auto attempt = "/worker/attempt_" + std::to_string(at->restart_count);
    store = c10::make_intrusive<c10d::PrefixStore>(attempt + "/blitz", store);
    auto group = c10::make_intrusive<c10d::ProcessGroup>(store, at->rank, at->world_size);
    *made = new ProcessGroup{store, group, options.timeout};
  });
}

// Exchanges the CPU's tensors by gloo. It listens on `interfaces`, whose names have commas between
// them, or, where that is null, on that of `host`.
char* blitz_distributed_use_gloo(ProcessGroup* group, const char* interfaces, const char* host) {
  return blitz::guard([&] {
    auto options = c10d::ProcessGroupGloo::Options::create(group->timeout);
    using Gloo = c10d::ProcessGroupGloo;
    if (interfaces == nullptr) {
      options->devices.push_back(Gloo::createDeviceForHostname(host));
    } else {
      std::istringstream names(interfaces);
      for (std::string name; std::getline(names, name, ',');) {
        options->devices.push_back(Gloo::createDeviceForInterface(name));
      }
      // As Python does: two for each.
      options->threads = static_cast<int>(options->devices.size()) * 2;
    }
    auto store = c10::make_intrusive<c10d::PrefixStore>("gloo", group->store);
    auto& made = *group->group;
    const int rank = made.getRank(), size = made.getSize();
    c10::intrusive_ptr<c10d::Backend> backend;
#ifdef __linux__
    if (size == 2 && host != nullptr) {
      backend = c10::make_intrusive<blitz::PairGloo>(store, rank, options, host);
    }
#endif
    if (!backend) {
      backend = c10::make_intrusive<Gloo>(store, rank, size, options);
    }
    made.setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO, backend);
    made.setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
  });
}

void blitz_distributed_free(ProcessGroup* group) {
  free(blitz::guard([&] { delete group; }));
}

char* blitz_distributed_all_reduce(ProcessGroup* group, at::Tensor* tensor, int op) {
  return blitz::guard([&] {
    at::NoGradGuard no_grad;
    all_reduce(*group, *tensor, op)->wait();
  });
}

// The same without waiting: `tensor` holds the result when the work is done.
char* blitz_distributed_all_reduce_begin(
    ProcessGroup* group, at::Tensor* tensor, int op, WorkPtr** work) {
  return blitz::guard([&] {
    at::NoGradGuard no_grad;
    *work = new WorkPtr(all_reduce(*group, *tensor, op));
  });
}

char* blitz_distributed_work_wait(WorkPtr* work) {
  return blitz::guard([&] { (*work)->wait(); });
}

void blitz_distributed_work_free(WorkPtr* work) {
  free(blitz::guard([&] { delete work; }));
}

char* blitz_distributed_broadcast(ProcessGroup* group, at::Tensor* tensor, int root) {
  return blitz::guard([&] {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> tensors{*tensor};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    options.timeout = group->timeout;
    group->group->broadcast(tensors, options)->wait();
  });
}

// `gathered` has the world's size of tensors, each like `tensor`.
char* blitz_distributed_all_gather(
    ProcessGroup* group, const at::Tensor* tensor, at::Tensor* const* gathered) {
  return blitz::guard([&] {
    at::NoGradGuard no_grad;
    std::vector<std::vector<at::Tensor>> outputs(1);
    for (int rank = 0; rank < group->group->getSize(); ++rank) {
      outputs[0].push_back(*gathered[rank]);
    }
    std::vector<at::Tensor> inputs{*tensor};
    c10d::AllgatherOptions options;
    options.timeout = group->timeout;
    group->group->allgather(outputs, inputs, options)->wait();
  });
}

// The store, for texts: which ranks have come, and what each has.
char* blitz_distributed_store_set(ProcessGroup* group, const char* key, const char* value) {
  return blitz::guard([&] { group->store->set(key, std::string(value)); });
}

char* blitz_distributed_store_has(ProcessGroup* group, const char* key, bool* has) {
  return blitz::guard([&] { *has = group->store->check({key}); });
}

// The text that is there within `timeout_ms`.
char* blitz_distributed_store_get(
    ProcessGroup* group, const char* key, uint64_t timeout_ms, char** value) {
  return blitz::guard([&] {
    group->store->wait({key}, std::chrono::milliseconds(timeout_ms));
    *value = strdup(group->store->get_to_str(key).c_str());
  });
}

}  // extern "C"
