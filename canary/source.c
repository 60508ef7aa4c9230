#include "canary/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void source_sample_init(struct source_sample *s)
{
	*s = (struct source_sample){ 0 };
	for (int a = 0; a < ARMS; a++) {
		s->arms[a].latency = xcalloc(1, sizeof(*s->arms[a].latency));
		hist_init_latency(s->arms[a].latency);
	}
}

void source_sample_reset(struct source_sample *s)
{
	for (int a = 0; a < ARMS; a++) {
		struct hist *latency = s->arms[a].latency;
		if (latency)
			hist_reset(latency);
		s->arms[a] = (struct arm_sample){ .latency = latency };
	}
	memset(s->stable, 0, sizeof(s->stable));
	s->lines = s->unreadable = 0;
}

void source_sample_finish(struct source_sample *s)
{
	for (int a = 0; a < ARMS; a++) {
		if (s->arms[a].latency)
			hist_finish(s->arms[a].latency);
		free(s->arms[a].latency);
	}
	*s = (struct source_sample){ 0 };
}
