/* The ends of everything that store.h gives, and its words. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "store/ops.h"

const char *operator_verb_text(enum operator_verb v)
{
	static const char *const texts[] = {
#define X(id, text) text,
		OPERATOR_VERBS(X)
#undef X
	};
	must((size_t)v < ARRAY_LEN(texts));
	return texts[v];
}

void run_list_finish(struct run_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->rows[i].name);
	free(l->rows);
	*l = (struct run_list){ 0 };
}

void search_list_finish(struct search_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->rows[i].name);
		free(l->rows[i].answer);
	}
	free(l->rows);
	*l = (struct search_list){ 0 };
}

void baseline_list_finish(struct baseline_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->rows[i].name);
		free(l->rows[i].actor);
		free(l->rows[i].run_name);
	}
	free(l->rows);
	*l = (struct baseline_list){ 0 };
}

void lease_list_finish(struct lease_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->rows[i].service);
		free(l->rows[i].environment);
		free(l->rows[i].holder);
		free(l->rows[i].reason);
	}
	free(l->rows);
	*l = (struct lease_list){ 0 };
}

void rollout_list_finish(struct rollout_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->rows[i].service);
		free(l->rows[i].environment);
		free(l->rows[i].stable_version);
		free(l->rows[i].canary_version);
		free(l->rows[i].actor);
	}
	free(l->rows);
	*l = (struct rollout_list){ 0 };
}

void event_list_finish(struct event_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		event_record_finish(&l->rows[i]);
	free(l->rows);
	*l = (struct event_list){ 0 };
}

void journal_intent_finish(struct journal_intent *i)
{
	free(i->kind);
	json_decref(i->payload);
	*i = (struct journal_intent){ 0 };
}

void operator_request_finish(struct operator_request *r)
{
	free(r->actor);
	free(r->reason);
	*r = (struct operator_request){ 0 };
}

void text_rows_add(struct text_rows *t, int64_t number, const char *text)
{
	if ((t->count & (t->count - 1)) == 0) { /* full at each power of two */
		const size_t room = t->count ? 2 * t->count : 1;
		t->numbers = xreallocarray(t->numbers, room, sizeof(*t->numbers));
		t->texts = xreallocarray(t->texts, room, sizeof(*t->texts));
	}
	t->numbers[t->count] = number;
	t->texts[t->count++] = xstrdup(text);
}

void text_rows_finish(struct text_rows *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->texts[i]);
	free(t->numbers);
	free(t->texts);
	*t = (struct text_rows){ 0 };
}
