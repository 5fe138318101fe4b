// Belongs to src/distributed/engine.rs: gloo between two processes.
#pragma once

#include "pair_socket.h"

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace blitz {

// gloo, but for small sums of two: gloo's ring takes four rounds through two further threads of each
// process, each of which has to be woken, and that is longer than the tutorial's net computes. Here
// each sends the other what it has, from the thread that asks, and adds. a + b is b + a in every bit, so
// the sums are those of the ring.
class PairGloo final : public c10d::ProcessGroupGloo {
 public:
  PairGloo(
      const c10::intrusive_ptr<c10d::Store>& store,
      int rank,
      c10::intrusive_ptr<Options> options,
      const std::string& host)
      : ProcessGroupGloo(store, rank, 2, options),
        timeout_(options->timeout),
        socket_(PairSocket::connect(*store, rank, host, timeout_)) {}

  c10::intrusive_ptr<c10d::Work> allreduce(
      std::vector<at::Tensor>& tensors,
      const c10d::AllreduceOptions& options) override {
    if (!is_small_sum(tensors, options)) {
      return ProcessGroupGloo::allreduce(tensors, options);
    }
    auto& own = tensors[0];
    if (!other_.defined() || other_.scalar_type() != own.scalar_type() ||
        other_.numel() != own.numel()) {
      other_ = at::empty({own.numel()}, own.options());
    }
    const auto timeout = options.timeout == c10d::kUnsetTimeout ? timeout_ : options.timeout;
    const auto bytes = static_cast<size_t>(own.numel() * own.element_size());
    socket_->exchange(own.const_data_ptr(), other_.mutable_data_ptr(), bytes, timeout);
    own.view({-1}).add_(other_);
    return c10::make_intrusive<Done>(tensors);
  }

 private:
  // Work that is done already.
  class Done final : public c10d::Work {
   public:
    explicit Done(std::vector<at::Tensor> tensors)
        : future_(c10::make_intrusive<c10::ivalue::Future>(
              c10::ListType::create(c10::TensorType::get()))) {
      future_->markCompleted(c10::IValue(std::move(tensors)));
      finish();
    }
    c10::intrusive_ptr<c10::ivalue::Future> getFuture() override {
      return future_;
    }

   private:
    c10::intrusive_ptr<c10::ivalue::Future> future_;
  };

  // Larger ones travel while the backward pass goes on.
  static constexpr int64_t kSmallBytes = 512 * 1024;

  static bool is_small_sum(
      const std::vector<at::Tensor>& tensors, const c10d::AllreduceOptions& options) {
    if (options.reduceOp != c10d::ReduceOp::SUM || tensors.size() != 1) {
      return false;
    }
    const auto& tensor = tensors[0];
    return tensor.layout() == at::kStrided && tensor.device().is_cpu() &&
        tensor.is_contiguous() && at::isFloatingType(tensor.scalar_type()) &&
        tensor.numel() > 0 && tensor.numel() * tensor.element_size() <= kSmallBytes;
  }

  const std::chrono::milliseconds timeout_;
  const std::unique_ptr<PairSocket> socket_;
  at::Tensor other_;
};

}  // namespace blitz
