// Stands in for gloo's header, of which nothing is needed here: see context.h.
#pragma once
