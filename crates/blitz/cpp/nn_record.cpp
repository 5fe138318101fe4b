// Belongs to src/nn/summary/record.rs: which operations run, on what, and what comes out.
#include "blitz.h"

#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>

#include <vector>

namespace {

// As in Rust.
struct Operation {
  const char* name;
  // Pairs of a tensor and its storage, by identity.
  const size_t* inputs;
  size_t input_count;
  // Sides of the window that a convolution or a pooling moves over its input; else empty.
  const int64_t* window;
  size_t window_rank;
  // Where the last input of floating point is, and its kind: that of a layer's parameters.
  int8_t scalar_type;
  int8_t device_type;
  int8_t device_index;
  const int64_t* shape;
  size_t rank;
  size_t storage;
  bool has_output;
};

struct Record {
  std::string name;
  std::vector<size_t> inputs;
  std::vector<int64_t> window;
  at::ScalarType scalar_type = at::kFloat;
  at::Device device = at::kCPU;
  std::vector<int64_t> shape;
  size_t storage = 0;
  bool has_output = false;
};

struct Recorder {
  std::vector<Record> records;
  int depth = 0;
};

// Callbacks are bare functions, so this is how they find what they write to. It is set only
// while blitz_nn_record runs on the thread.
thread_local Recorder* current = nullptr;

size_t storage_of(const at::Tensor& tensor) {
  return tensor.has_storage()
      ? reinterpret_cast<size_t>(tensor.storage().unsafeGetStorageImpl())
      : 0;
}

void note_input(Record& record, const at::Tensor& tensor) {
  if (tensor.defined()) {
    record.inputs.push_back(reinterpret_cast<size_t>(tensor.unsafeGetTensorImpl()));
    record.inputs.push_back(storage_of(tensor));
    if (tensor.is_floating_point()) {
      record.scalar_type = tensor.scalar_type();
      record.device = tensor.device();
    }
  }
}

// Both kinds of operation have what tells their window second: a weight, or the sides themselves.
std::vector<int64_t> window_of(const std::string& name, const c10::IValue& second) {
  if (name.find("conv") != std::string::npos && second.isTensor() && second.toTensor().defined() &&
      second.toTensor().dim() > 2) {
    return second.toTensor().sizes().slice(2).vec();
  }
  if (name.find("_pool") != std::string::npos && name.find("adaptive") == std::string::npos &&
      second.isIntList()) {
    return second.toIntVector();
  }
  return {};
}

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  if (current == nullptr || current->depth++ > 0) {
    return nullptr;  // Another thread, or an operation inside an operation.
  }
  Record record;
  record.name = function.name();
  for (const c10::IValue& value : function.inputs()) {
    if (value.isTensor()) {
      note_input(record, value.toTensor());
    } else if (value.isTensorList()) {
      for (const at::Tensor& tensor : value.toTensorVector()) {
        note_input(record, tensor);
      }
    }
  }
  if (function.inputs().size() > 1) {
    record.window = window_of(record.name, function.inputs()[1]);
  }
  current->records.push_back(std::move(record));
  return nullptr;
}

void on_end(const at::RecordFunction& function, at::ObserverContext*) {
  if (current == nullptr || --current->depth > 0) {
    return;
  }
  Record& record = current->records.back();
  for (const c10::IValue& value : function.outputs()) {
    // The first of several is the output proper (of lstm: before the states).
    if (value.isTensor() && value.toTensor().defined() && !record.has_output) {
      const at::Tensor& tensor = value.toTensor();
      record.shape = tensor.sizes().vec();
      record.storage = storage_of(tensor);
      record.has_output = true;
    }
  }
}

// Takes the callback away, and gives an outer recording its place back, however this ends.
struct Recording {
  explicit Recording(Recorder& recorder) : outer(current) {
    current = &recorder;
    handle = at::addThreadLocalCallback(at::RecordFunctionCallback(on_start, on_end)
                                            .needsInputs(true)
                                            .needsOutputs(true)
                                            .scopes({at::RecordScope::FUNCTION}));
  }
  ~Recording() {
    at::removeCallback(handle);
    current = outer;
  }
  Recorder* outer;
  at::CallbackHandle handle;
};

}  // namespace

// Runs `body(context)`, which does not unwind, then hands each outermost operation that ran on
// this thread to `sink`, in order.
extern "C" char* blitz_nn_record(
    void (*body)(void*),
    void (*sink)(void*, const Operation*),
    void* context) {
  return blitz::guard([&] {
    Recorder recorder;
    {
      Recording recording(recorder);
      body(context);
    }
    for (const Record& record : recorder.records) {
      const Operation operation{
          record.name.c_str(),
          record.inputs.data(),
          record.inputs.size() / 2,
          record.window.data(),
          record.window.size(),
          static_cast<int8_t>(record.scalar_type),
          static_cast<int8_t>(record.device.type()),
          record.device.index(),
          record.shape.data(),
          record.shape.size(),
          record.storage,
          record.has_output};
      sink(context, &operation);
    }
  });
}
