// Belongs to src/autograd.rs.
#include "blitz.h"
