// Belongs to src/optim/sgd.rs.
#include "blitz.h"
#include "optim_sgd_update.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

namespace {

using blitz::Sgd;

// Forgets the gradients, as PyTorch's zero_grad(set_to_none=True); returns how many there were.
size_t forget_gradients(at::Tensor* const* parameters, size_t count) {
  size_t forgotten = 0;
  for (size_t index = 0; index < count; ++index) {
    auto& gradient = parameters[index]->mutable_grad();
    if (gradient.defined()) {
      gradient.reset();
      ++forgotten;
    }
  }
  return forgotten;
}

// Moves the momentum to where its parameter is now: VarStore::set_device moves parameters alone.
void follow(at::Tensor& buffer, const at::Tensor& parameter) {
  if (buffer.defined() && buffer.device() != parameter.device()) {
    buffer = buffer.to(parameter.device());
  }
}

// What PyTorch's _single_tensor_sgd does, operation by operation, so that the bits agree. An
// undefined buffer is one that no step has made yet.
void step_one(at::Tensor& parameter, at::Tensor gradient, at::Tensor& buffer, const Sgd& sgd) {
  if (blitz::sgd_pass(parameter, gradient, buffer, sgd)) {
    return;
  }
  if (sgd.weight_decay != 0) {
    gradient = gradient.add(parameter, sgd.weight_decay);
  }
  if (sgd.momentum != 0) {
    if (buffer.defined()) {
      buffer.mul_(sgd.momentum).add_(gradient, 1 - sgd.dampening);
    } else {
      buffer = gradient.detach().clone();
    }
    gradient = sgd.nesterov ? gradient.add(buffer, sgd.momentum) : buffer;
  }
  parameter.add_(gradient, -sgd.lr);
}

// Lists for libtorch's fused kernel.
struct Lists {
  std::vector<at::Tensor> parameters, gradients, buffers;

  void step(const Sgd& sgd, const at::Tensor& lr, bool is_first) {
    if (!parameters.empty()) {
      at::_fused_sgd_(
          parameters, gradients, buffers, sgd.weight_decay, sgd.momentum, lr, sgd.dampening,
          sgd.nesterov, /*maximize=*/false, is_first);
    }
  }
};

}  // namespace

extern "C" {

char* blitz_optim_zero_grad(at::Tensor* const* parameters, size_t count, size_t* forgotten) {
  return blitz::guard([&] { *forgotten = forget_gradients(parameters, count); });
}

// `changed` is for the number of parameters that had a gradient.
char* blitz_optim_sgd_step(
    at::Tensor* const* parameters,
    at::Tensor* const* buffers,
    size_t count,
    const Sgd* sgd,
    size_t* changed) {
  return blitz::guard([&] {
    at::NoGradGuard no_grad;
    for (size_t index = 0; index < count; ++index) {
      const auto& gradient = parameters[index]->grad();
      if (gradient.defined()) {
        follow(*buffers[index], *parameters[index]);
        step_one(*parameters[index], gradient, *buffers[index], *sgd);
        ++*changed;
      }
    }
  });
}

// The same in one kernel per device instead of three per parameter, with the learning rate (f32,
// no dimensions) read from the device's memory: what a GPU likes, and what a CUDA graph can repeat
// with another rate. All parameters are on lr's device. Rounds now and then in another way.
char* blitz_optim_sgd_fused_step(
    at::Tensor* const* parameters,
    at::Tensor* const* buffers,
    size_t count,
    const Sgd* sgd,
    const at::Tensor* lr,
    size_t* changed) {
  return blitz::guard([&] {
    at::NoGradGuard no_grad;
    Lists begun, fresh;
    for (size_t index = 0; index < count; ++index) {
      const auto& parameter = *parameters[index];
      const auto& gradient = parameter.grad();
      if (!gradient.defined()) {
        continue;
      }
      ++*changed;
      auto& buffer = *buffers[index];
      follow(buffer, parameter);
      auto& lists = sgd->momentum != 0 && !buffer.defined() ? fresh : begun;
      if (sgd->momentum != 0) {
        if (!buffer.defined()) {
          buffer = at::empty_like(parameter.detach());
        }
        lists.buffers.push_back(buffer);
      }
      lists.parameters.push_back(parameter);
      lists.gradients.push_back(gradient);
    }
    begun.step(*sgd, *lr, /*is_first=*/false);
    fresh.step(*sgd, *lr, /*is_first=*/true);
  });
}

// loss.backward() into fresh gradients.
char* blitz_optim_backward(
    at::Tensor* const* parameters, size_t count, const at::Tensor* loss) {
  return blitz::guard([&] {
    forget_gradients(parameters, count);
    torch::autograd::backward({*loss});
  });
}

}  // extern "C"
