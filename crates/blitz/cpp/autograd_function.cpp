// Belongs to src/autograd/function.rs: the graph's node of a function written in Rust. It follows
// torch/csrc/autograd/custom_function.h (Function<T>::apply and CppNode<T>), which wants one C++
// class for each function.
#include "autograd_closure.h"

#include <torch/csrc/autograd/custom_function.h>

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

using torch::autograd::Node;
using torch::autograd::SavedVariable;
using torch::autograd::variable_list;
using NodePtr = std::shared_ptr<Node>;

namespace {

struct FunctionNode;

// Lends the gradients of the outputs; writes one gradient per input, null where there is none.
using Backward = char* (*)(
    void* data,
    FunctionNode* node,
    at::Tensor* const* gradients,
    size_t gradient_count,
    const bool* needs_input_grad,
    size_t input_count,
    at::Tensor** results);

struct FunctionNode : Node {
  std::string name_;
  std::vector<SavedVariable> saved_;
  bool freed_ = false;
  std::unique_ptr<blitz::Closure> closure_;
  Backward backward_ = nullptr;

  std::string name() const override {
    return name_;
  }

  variable_list apply(variable_list&& gradients) override {
    std::vector<at::Tensor*> lent;
    for (size_t index = 0; index < gradients.size(); ++index) {
      // No gradient reached this output. The user's function sees zeros.
      if (!gradients[index].defined()) {
        gradients[index] = input_metadata(index).zeros_like();
      }
      lent.push_back(&gradients[index]);
    }
    const size_t count = num_outputs();
    std::unique_ptr<bool[]> needs(new bool[count]);
    for (size_t index = 0; index < count; ++index) {
      needs[index] = task_should_compute_output(index);
    }
    std::vector<at::Tensor*> made(count, nullptr);
    variable_list results(count);
    auto collect = [&] {
      for (size_t index = 0; index < count; ++index) {
        std::unique_ptr<at::Tensor> owned(made[index]);
        if (owned) {
          results[index] = std::move(*owned);
        }
      }
    };
    closure_->call([&](void* data) {
      char* message = backward_(
          data, this, lent.data(), lent.size(), needs.get(), count, made.data());
      collect();
      return message;
    });
    return results;
  }

  void release_variables() override {
    std::vector<SavedVariable> released;
    std::lock_guard<std::mutex> lock(mutex_);
    released.swap(saved_);
    freed_ = true;
  }

  variable_list unpack() {
    std::lock_guard<std::mutex> lock(mutex_);
    TORCH_CHECK(!freed_, torch::autograd::ERR_BACKWARD_TWICE);
    variable_list result;
    for (const auto& saved : saved_) {
      result.push_back(saved.unpack(shared_from_this()));
    }
    return result;
  }
};

// Tensors lent by Rust.
struct Tensors {
  at::Tensor* const* first;
  size_t count;

  variable_list list() const {
    variable_list result;
    for (size_t index = 0; index < count; ++index) {
      result.push_back(*first[index]);
    }
    return result;
  }

  std::unordered_set<at::TensorImpl*> set() const {
    std::unordered_set<at::TensorImpl*> result;
    for (size_t index = 0; index < count; ++index) {
      result.insert(first[index]->unsafeGetTensorImpl());
    }
    return result;
  }
};

variable_list wrap(
    const NodePtr& node, Tensors inputs, Tensors outputs, Tensors dirty, Tensors constant) {
  for (auto* impl : dirty.set()) {
    impl->bump_version();
  }
  std::vector<std::optional<at::Tensor>> raw;
  for (const auto& output : outputs.list()) {
    raw.emplace_back(output);
  }
  auto jvp = [](const variable_list&, const variable_list&) -> variable_list {
    TORCH_CHECK(false, "forward mode is not implemented for functions written in Rust");
  };
  auto view_as_self = [](const at::Tensor& tensor) { return tensor.view_as(tensor); };
  auto wrapped = torch::autograd::_wrap_outputs(
      inputs.list(), constant.set(), dirty.set(), raw, node, jvp, {}, view_as_self, false);
  variable_list result;
  for (auto& output : wrapped) {
    result.push_back(std::move(output.value()));
  }
  return result;
}

}  // namespace

extern "C" {

// Makes the node, or null where no gradient is wanted. To be called before the forward runs.
char* blitz_function_begin(
    const char* name, at::Tensor* const* inputs, size_t input_count, NodePtr** result) {
  return blitz::guard([&] {
    const auto variables = Tensors{inputs, input_count}.list();
    *result = nullptr;
    if (!at::GradMode::is_enabled() || !torch::autograd::any_variable_requires_grad(variables)) {
      return;
    }
    std::shared_ptr<FunctionNode> node(new FunctionNode(), torch::autograd::deleteNode);
    node->name_ = name;
    node->set_next_edges(torch::autograd::collect_next_edges(variables));
    *result = new NodePtr(std::move(node));
  });
}

// Joins the outputs to the node (or to none), and saves tensors in it. Takes `data` in any case.
char* blitz_function_finish(
    NodePtr* node,
    Tensors inputs,
    Tensors outputs,
    Tensors saved,
    Tensors dirty,
    Tensors constant,
    void* data,
    Backward backward,
    void (*drop)(void*),
    at::Tensor** results) {
  return blitz::guard([&] {
    auto closure = std::make_unique<blitz::Closure>(data, drop);
    NodePtr shared = node ? *node : nullptr;
    auto wrapped = wrap(shared, inputs, outputs, dirty, constant);
    if (shared) {
      auto& function = static_cast<FunctionNode&>(*shared);
      function.closure_ = std::move(closure);
      function.backward_ = backward;
      for (const auto& tensor : saved.list()) {
        const bool is_output = tensor.grad_fn() == shared;
        function.saved_.emplace_back(tensor, is_output);
      }
    }
    for (size_t index = 0; index < wrapped.size(); ++index) {
      results[index] = new at::Tensor(std::move(wrapped[index]));
    }
  });
}

// Writes the saved tensors to `results` where there are `expected` of them; `found` says how many
// there are.
char* blitz_function_saved(
    FunctionNode* node, size_t expected, size_t* found, at::Tensor** results) {
  return blitz::guard([&] {
    auto tensors = node->unpack();
    *found = tensors.size();
    for (size_t index = 0; index < expected && expected == tensors.size(); ++index) {
      results[index] = new at::Tensor(std::move(tensors[index]));
    }
  });
}

}  // extern "C"
