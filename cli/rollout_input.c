#include "cli/rollout_input.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/command.h"

char *rollout_folder(const char *store_path, const struct plan *plan, struct err *err)
{
	char *store = store_path ? xstrdup(store_path) : store_default_path(err);
	if (!store)
		return NULL;
	/* Beside the store, so that every terminal that reaches the one reaches the other; absolute, for the balancer
	 * runs elsewhere. */
	char *slash = strrchr(store, '/');
	if (slash)
		*slash = '\0';
	char *absolute = realpath(slash ? (store[0] ? store : "/") : ".", NULL);
	char *folder = xasprintf("%s/balancer/%s-%s", absolute ? absolute : store, plan->service, plan->environment);
	free(absolute);
	free(store);
	return folder;
}

int rollout_input_read(struct rollout_input *in)
{
	if (doc_ok(&in->doc))
		in->plan = plan_read(&in->doc);
	return in->plan ? 0 : fail_diagnostics(&in->doc.diags);
}

int rollout_input_open(struct rollout_input *in, const char *store_path)
{
	const struct transport_options verified = { .insecure = false };
	struct err err;
	in->folder = rollout_folder(store_path, in->plan, &err);
	if (!in->folder || file_make_folder(in->folder, &err) < 0 || loop_init(&in->loop, &err) < 0)
		return fail(&err);
	in->driver = driver_create(&in->loop, in->plan, in->folder, &err);
	if (!in->driver)
		return fail(&err);
	in->source = live_source_create(&in->loop, in->plan, in->folder, &err);
	if (!in->source)
		return fail(&err);
	if (in->plan->guard_count > 0) {
		in->transport = transport_curl_create(&in->loop, &verified, &err);
		if (!in->transport)
			return fail(&err);
	}
	return 0;
}

void rollout_input_finish(struct rollout_input *in)
{
	transport_destroy(in->transport);
	live_source_destroy(in->source);
	driver_destroy(in->driver);
	loop_finish(&in->loop);
	free(in->folder);
	plan_destroy(in->plan);
	doc_finish(&in->doc);
}

struct stopping {
	bool done;
	struct err err;
};

static void on_stopped(void *arg, const struct err *err_or_null)
{
	struct stopping *s = arg;
	s->done = true;
	if (err_or_null)
		s->err = *err_or_null;
}

int rollout_input_stop(struct rollout_input *in)
{
	struct stopping s = { .done = false };
	in->driver->ops->stop(in->driver, on_stopped, &s);
	while (!s.done)
		loop_turn(&in->loop, LOOP_WAIT);
	if (s.err.kind == ERR_NONE)
		return 0;
	err_wrap(&s.err, "end the balancer");
	return fail(&s.err);
}
