/* A pattern of a person on bytes of a peer: there is always an answer, soon. The first line is the pattern. */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "scenarios/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct str all = { size ? (const char *)data : "", size };
	const size_t line = str_find(all, '\n');
	const struct str subject = str_from_at(all, line + 1);
	char why[120];
	size_t at;
	struct pattern *p = pattern_create(str_first(all, line), &at, why);
	if (!p) {
		must(at <= line && memchr(why, '\0', sizeof(why)));
		return 0;
	}
	struct matcher *m = matcher_create();
	struct str group;
	for (uint32_t g = 0; g <= pattern_group_count(p); g++)
		if (pattern_match(p, m, subject, g, &group) == MATCH_FOUND && group.len)
			must(group.p >= subject.p && group.p + group.len <= subject.p + subject.len);
	matcher_destroy(m);
	pattern_destroy(p);
	return 0;
}
