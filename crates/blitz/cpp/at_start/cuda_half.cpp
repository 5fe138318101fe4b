// Belongs to src/device/cuda_backend.rs. An archive of its own, which is linked as a whole into
// whatever links the crate (build.rs), whether something of it is called or not. It is small and
// needs the C library only, so that a notebook's cell links and loads as fast as without it.
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

namespace {

const char LIBTORCH[] = "/libtorch_cpu.so";
const char CUDA_HALF[] = "/libtorch_cuda.so";

struct Directory {
  char* path;
  size_t room;
};

int look(struct dl_phdr_info* info, size_t, void* data) {
  const char* name = info->dlpi_name;
  const char* file = name == nullptr ? nullptr : strrchr(name, '/');
  if (file == nullptr || strcmp(file, LIBTORCH) != 0) {
    return 0;
  }
  auto* directory = static_cast<Directory*>(data);
  const auto length = static_cast<size_t>(file - name);
  if (length >= directory->room) {
    return 0;
  }
  memcpy(directory->path, name, length);
  directory->path[length] = '\0';
  return 1;  // ends the walk
}

}  // namespace

// Puts the directory of the libtorch that is in this process, wherever it was compiled, into `path`,
// which has room for `room` bytes. Returns false where there is no libtorch.
extern "C" bool blitz_device_libtorch_lib(char* path, size_t room) {
  Directory directory{path, room};
  return dl_iterate_phdr(look, &directory) != 0;
}

namespace {

// What the dynamic linker calls when it has loaded the program, or a cell's library. The libraries
// that these need have been loaded and initialised by then. Without libtorch there are no tensors;
// a CUDA half that is not there or cannot be loaded is told to who asks for a GPU.
__attribute__((constructor)) void load_cuda_half() {
  char path[PATH_MAX];
  if (blitz_device_libtorch_lib(path, sizeof path - sizeof CUDA_HALF)) {
    strcat(path, CUDA_HALF);
    // Never closed: its kernels are registered with libtorch from here on.
    if (dlopen(path, RTLD_LAZY | RTLD_GLOBAL) == nullptr) {
      dlerror();  // takes the message, so that nobody else finds it
    }
  }
}

}  // namespace
