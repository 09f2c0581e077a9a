/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: fuzz targets. What all of them need. */

#ifndef REGRESS_FUZZ_FUZZ_H
#define REGRESS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NITEMS(table) (sizeof(table) / sizeof((table)[0]))

/* Called by libFuzzer with each input. What must not be ends with abort(). */
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#endif
