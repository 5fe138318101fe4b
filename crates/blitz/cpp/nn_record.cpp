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
  const int64_t* shape;
  size_t rank;
  size_t storage;
  bool has_output;
};

struct Record {
  std::string name;
  std::vector<size_t> inputs;
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
  }
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
          record.shape.data(),
          record.shape.size(),
          record.storage,
          record.has_output};
      sink(context, &operation);
    }
  });
}
