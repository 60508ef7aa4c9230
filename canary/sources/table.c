/* table.c: the kinds of sources that weir knows, by the driver whose traffic they measure. A new one is a file here and a
 * row below. */
#include "canary/source.h"

#include "base/must.h"
#include "canary/sources/haproxy_log.h"

static const struct {
	const char *driver;
	struct live_source *(*create)(struct loop *, const struct plan *, const char *, struct err *);
} kinds[] = {
	{ "haproxy", haproxy_log_create },
};

struct live_source *live_source_create(struct loop *loop, const struct plan *plan, const char *folder, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (str_is(str_from(plan->traffic.driver), kinds[i].driver))
			return kinds[i].create(loop, plan, folder, err);
	}
	err_set(err, ERR_USAGE, "there is no source of measurements for the driver '%s'", plan->traffic.driver);
	return NULL;
}
