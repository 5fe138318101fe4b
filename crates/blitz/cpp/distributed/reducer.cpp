// Belongs to src/distributed/reducer.rs: c10d's Reducer, the class inside Python's
// DistributedDataParallel, which averages gradients while the backward pass is still running.
#include "process_group.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

// Python's defaults are in DdpOptions (distributed_data_parallel.rs).
struct Options {
  int64_t bucket_bytes;
  int64_t first_bucket_bytes;
  bool finds_unused;
  bool gradients_are_views;
};

// The hooks on the parameters refer to it weakly or by address: it is never copied.
struct Reducer {
  std::shared_ptr<c10d::Reducer> reducer;
};

}  // namespace

extern "C" {

// `parameters` all require gradients; their order is the same in all processes.
char* blitz_distributed_reducer_new(
    blitz::ProcessGroup* group,
    at::Tensor* const* parameters,
    const char* const* names,
    size_t count,
    const Options* options,
    Reducer** made) {
  return blitz::guard([&] {
    std::vector<at::Tensor> all;
    std::unordered_map<size_t, std::string> name_of;
    for (size_t index = 0; index < count; ++index) {
      all.push_back(*parameters[index]);
      name_of[index] = names[index];
    }
    const std::vector<bool> sparse(count, false);
    const std::vector<size_t> limits{
        static_cast<size_t>(options->first_bucket_bytes),
        static_cast<size_t>(options->bucket_bytes)};
    auto [buckets, sizes] = c10d::compute_bucket_assignment_by_size(all, limits, sparse);
    // The last layers' gradients are ready first.
    std::vector<std::vector<size_t>> reversed(buckets.rbegin(), buckets.rend());
    auto reducer = std::make_shared<c10d::Reducer>(
        all, std::move(reversed), group->group, sparse, options->bucket_bytes,
        options->finds_unused, options->gradients_are_views, std::move(name_of),
        options->first_bucket_bytes, /*skip_all_reduce_unused_params=*/false,
        /*use_python_reducer=*/false, std::vector<int64_t>{});
    *made = new Reducer{std::move(reducer)};
  });
}

void blitz_distributed_reducer_free(Reducer* reducer) {
  free(blitz::guard([&] { delete reducer; }));
}

// Before a forward pass. Where its backward pass averages: after the first one, the buckets are made
// anew in the order in which the gradients came.
char* blitz_distributed_reducer_before_forward(Reducer* reducer, bool averages, bool* is_learning) {
  return blitz::guard([&] {
    *is_learning = c10::GradMode::is_enabled();
    if (*is_learning && averages) {
      reducer->reducer->prepare_for_forward();
      reducer->reducer->rebuild_buckets();
    }
  });
}

// After it. `output` matters where unused parameters are looked for.
char* blitz_distributed_reducer_before_backward(
    Reducer* reducer, const at::Tensor* output, bool finds_unused) {
  return blitz::guard([&] {
    std::vector<at::Tensor> outputs;
    if (finds_unused) {
      outputs.push_back(*output);
    }
    reducer->reducer->prepare_for_backward(outputs);
  });
}

}  // extern "C"
