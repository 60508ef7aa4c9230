#include "cli/rollout_find.h"

#include <string.h>

int rollout_find(const struct invocation *in,
                 int (*act)(const struct invocation *in, struct store *store, const char *id))
{
	const struct common_options *common = in->options;
	char id[ID_TEXT_BYTES];
	struct err err;
	int status;
	struct store *store = store_open(common->store, &err);
	if (!store)
		return fail(&err);
	if (store_rollout_find(store, in->argument_count ? in->arguments[0] : "last", id, &err) < 0)
		status = fail(&err);
	else
		status = act(in, store, id);
	store_close(store);
	return status;
}

const struct lease_row *rollout_lease(const struct lease_list *leases, const struct rollout_record *r)
{
	for (size_t i = 0; i < leases->count; i++)
		if (strcmp(leases->rows[i].service, r->service) == 0 &&
		    strcmp(leases->rows[i].environment, r->environment) == 0)
			return &leases->rows[i];
	return NULL;
}

bool rollout_is_driven(struct store *store, const struct rollout_record *r)
{
	struct lease_list leases;
	struct err err;
	if (store_lease_list(store, &leases, &err) < 0)
		return false;
	const struct lease_row *lease = rollout_lease(&leases, r);
	const bool held = lease && lease->held;
	lease_list_finish(&leases);
	return held;
}
