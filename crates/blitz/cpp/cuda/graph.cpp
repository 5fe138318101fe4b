// Belongs to src/train/step/cuda_graph.rs. A library of its own, because it needs libtorch_cuda,
// which programs load only where there is one (src/device.rs); build.rs compiles it where CUDA's
// headers are.
#include "blitz.h"

#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <mutex>
#include <optional>

namespace {

using c10::cuda::CUDAStream;

// A stream beside the current one, for warming up and capturing, and the graph captured there.
struct Graph {
  explicit Graph(c10::DeviceIndex device)
      : side(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device)) {}

  CUDAStream current() const {
    return c10::cuda::getCurrentCUDAStream(side.device_index());
  }

  // Gives back what a capture that failed keeps: the allocator would go on collecting for it, and
  // the random generator would refuse to draw outside of it. Each may be done already.
  void abandon() {
    const auto device = side.device_index();
    graph.reset();
    namespace allocator = c10::cuda::CUDACachingAllocator;
    free(blitz::guard([&] { allocator::endAllocateToPool(device, pool); }));
    free(blitz::guard([&] { allocator::releasePool(device, pool); }));
    free(blitz::guard([&] {
      auto generator = at::cuda::detail::getDefaultCUDAGenerator(device);
      std::lock_guard<std::mutex> lock(generator.mutex());
      // A copy of the state is not part of any capture.
      generator.graphsafe_set_state(generator.clone());
    }));
  }

  CUDAStream side;
  std::optional<at::cuda::CUDAGraph> graph;
  // Where the graph's tensors are.
  at::cuda::MempoolId_t pool{0, 0};
  // While work goes to the side stream: what was current before.
  std::optional<c10::cuda::CUDAStreamGuard> guard;
};

}  // namespace

extern "C" {

char* blitz_cuda_graph_new(int device, Graph** graph) {
  return blitz::guard([&] { *graph = new Graph(static_cast<c10::DeviceIndex>(device)); });
}

// From here to `leave`, this thread's work goes to the side stream. Both wait for what was begun on
// the other stream: they happen a few times in a training, so that costs nothing.
char* blitz_cuda_graph_enter(Graph* graph) {
  return blitz::guard([&] {
    graph->current().synchronize();
    graph->guard.emplace(graph->side);
  });
}

char* blitz_cuda_graph_leave(Graph* graph) {
  return blitz::guard([&] {
    graph->guard.reset();
    graph->side.synchronize();
  });
}

// After `enter`: work is recorded instead of done, until `capture_end`. Other threads may go on
// using the GPU meanwhile.
char* blitz_cuda_graph_capture_begin(Graph* graph) {
  return blitz::guard([&] {
    graph->graph.emplace();
    graph->pool = at::cuda::graph_pool_handle();
    graph->graph->capture_begin(graph->pool, cudaStreamCaptureModeThreadLocal);
  });
}

char* blitz_cuda_graph_capture_end(Graph* graph) {
  auto* message = blitz::guard([&] { graph->graph->capture_end(); });
  if (message != nullptr) {
    graph->abandon();
  }
  return message;
}

// Does the recorded work on the current stream.
char* blitz_cuda_graph_replay(Graph* graph) {
  return blitz::guard([&] { graph->graph->replay(); });
}

void blitz_cuda_graph_free(Graph* graph) {
  // The GPU may still be at a replay.
  free(blitz::guard([&] { graph->current().synchronize(); }));
  free(blitz::guard([&] { delete graph; }));
}

}  // extern "C"
