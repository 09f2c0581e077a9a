/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: every process. Pure. */

#ifndef PROTO_VERSION_H
#define PROTO_VERSION_H

/* The same as VERSION in the Makefile. */
#define PYSPF_VERSION "4.0.0"

#endif
