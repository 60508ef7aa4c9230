/* rollout_find.h: which rollout a person at another terminal means, and who drives it. Shared by the commands that look at a
 * rollout in the store instead of driving it. Threads: [main]. */
#ifndef WEIR_CLI_ROLLOUT_FIND_H
#define WEIR_CLI_ROLLOUT_FIND_H

#include "cli/command.h"
#include "store/store.h"

/* Opens the store, finds the rollout that the command's first argument names (an id, the beginning of one, or a service;
 * without an argument the last one), and lets <act> do the rest. Its exit status, or that of what went wrong, which was told.
 * <store> and <id> are borrowed by <act>. */
int rollout_find(const struct invocation *in,
                 int (*act)(const struct invocation *in, struct store *store, const char *id));

/* The lease of the rollout's service and environment; NULL: nobody ever had one. Borrowed from <leases>. */
const struct lease_row *rollout_lease(const struct lease_list *leases, const struct rollout_record *r);

/* Whether somebody holds it now. False also when the store does not tell. */
bool rollout_is_driven(struct store *store, const struct rollout_record *r);

#endif
