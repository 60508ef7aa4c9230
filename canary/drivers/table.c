/* table.c: the kinds of data planes that weir knows. A new one is a file here and a row below; begin with skeleton.c. */
#include "canary/driver.h"

#include "base/must.h"
#include "canary/drivers/haproxy_driver.h"

static const struct {
	const char *name;
	struct driver *(*create)(struct loop *, const struct plan *, const char *, struct err *);
} kinds[] = {
	{ "haproxy", haproxy_create },
};

struct driver *driver_create(struct loop *loop, const struct plan *plan, const char *folder, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (str_is(str_from(plan->traffic.driver), kinds[i].name))
			return kinds[i].create(loop, plan, folder, err);
	}
	err_set(err, ERR_USAGE, "there is no driver '%s'", plan->traffic.driver);
	return NULL;
}
