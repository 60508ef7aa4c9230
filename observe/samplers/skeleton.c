/* skeleton.c: a sampler of nothing, to begin a new one with.
 *
 * It keeps all promises of observe/sampler.h and passes tests/conform/test_samplers.c. To write a sampler: copy this
 * file, add a row to table.c, kinds.h and observe/meson.build, replace the bodies, and let the suite tell what is
 * missing. What each hook has to keep in mind:
 *
 *   read     The item's own keys: report every mistake with node_error and go on. A text that may be a secret is read
 *            with observe_text (it knows ${env.NAME}) and never shown again.
 *   create   Make the series: their number and names stay the same for life, also when the place cannot be reached
 *            yet; a place that is not there is no reason to fail here. NULL only for what can never work.
 *   start    Ask without blocking. When the answer is there, fill s->values (they are NAN before), fill s->err when
 *            something that should be there is not, and call sampler_end, once. It may be called at once: the answer is
 *            given in the next turn. Never put 0 where nothing was read.
 *   give_up  The limit passed, and the answer was given without you: drop what is under way, so that the next start
 *            finds everything idle. NULL when start always ends at once, as here.
 *   destroy  Also with an answer under way. sampler_finish, then free. */
#include "observe/samplers/skeleton.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"

struct skeleton_sampler {
	struct sampler base; /* first, so that both have one address */
	double next;
	struct counter_rate rate;
};

static void skeleton_start(struct sampler *base)
{
	struct skeleton_sampler *s = container_of(base, struct skeleton_sampler, base);
	base->values[0] = s->next;
	base->values[1] = counter_rate_take(&s->rate, s->next, mono_now());
	s->next++;
	sampler_end(base);
}

static void skeleton_destroy(struct sampler *base)
{
	sampler_finish(base);
	free(container_of(base, struct skeleton_sampler, base));
}

static const struct sampler_ops skeleton_ops = { .start = skeleton_start, .destroy = skeleton_destroy };

static struct sampler *skeleton_create(struct loop *loop, struct transport *transport, const struct observe_item *item,
                                       struct err *err)
{
	struct skeleton_sampler *s = xcalloc(1, sizeof(*s));
	sampler_init(&s->base, &skeleton_ops, loop);
	s->next = (double)item->pid;
	sampler_add(&s->base, item->name, "count", "");
	sampler_add(&s->base, item->name, "pace", UNIT_PER_SECOND);
	return &s->base;
}

static void skeleton_read(const struct node *n, const struct observe_inputs *inputs, struct arena *arena,
                          struct observe_item *into)
{
	/* Everything is in the fields. */
}

/* A row of type FIELD_NODE would be read by the function above, and have its definition in .nodes and schema.c. */
static const struct field skeleton_fields[] = {
	{ "skeleton", FIELD_INTEGER, offsetof(struct observe_item, pid), .required = true, .help = "Where to start." },
	{ 0 },
};

const struct sampler_kind skeleton_kind = {
	.key = "skeleton",
	.fields = skeleton_fields,
	.read = skeleton_read,
	.create = skeleton_create,
};
