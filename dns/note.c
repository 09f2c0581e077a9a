/* Copyright (c) 2026 The pyspf-milter authors; ISC licence, see LICENSE. */
/* Runs in: dns. */

#include <stdarg.h>
#include <stdio.h>

#include "../privsep/log.h"
#include "note.h"

#define NOTE_SECONDS	60

int
note(struct note *n, const char *fmt, ...)
{
	struct timespec ts;
	char text[256];
	va_list ap;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (n->last != 0 && ts.tv_sec - n->last < NOTE_SECONDS) {
		n->suppressed++;
		return 0;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n->suppressed > 0)
		log_warnx("%s (%lu more since the last time)", text,
		    n->suppressed);
	else
		log_warnx("%s", text);
	n->last = ts.tv_sec == 0 ? 1 : ts.tv_sec;
	n->suppressed = 0;
	return 1;
}
