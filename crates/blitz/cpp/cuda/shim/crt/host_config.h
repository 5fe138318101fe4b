// Stands in for NVIDIA's header of this name, as host_defines.h does: there it only checks the
// compiler's version.
#pragma once
