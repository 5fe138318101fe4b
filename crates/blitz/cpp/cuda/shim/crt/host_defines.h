// Stands in for the header of this name in NVIDIA's compiler package, which PyTorch's wheels do not
// bring: what cuda_runtime_api.h needs of it when a host compiler such as g++ reads it. It is last on
// the include path, so that a CUDA toolkit's own goes first.
#pragma once

#define __align__(n) __attribute__((aligned(n)))
#define __builtin_align__(n) __align__(n)
#define __device_builtin__
#define __device_builtin_texture_type__
#define __device_builtin_surface_type__
#define __cudart_builtin__
#define __host__
#define __device__
#define __forceinline__ __inline__ __attribute__((always_inline))
#define CUDARTAPI
#define CUDARTAPI_CDECL
