#include "observe/http_ask.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "observe/answers.h"
#include "observe/sampler.h"

/* A little before the sampler gives up, so that its reason is told. */
#define LIMIT (SAMPLER_LIMIT - 50 * MILLISECOND)
#define QUESTION_BYTES_MAX 65536

static void on_body(struct transfer *x, struct str bytes)
{
	buf_add(&container_of(x, struct http_ask, transfer)->answer, bytes);
}

static void on_done(struct transfer *x)
{
	struct http_ask *a = container_of(x, struct http_ask, transfer);
	struct err err = { .kind = ERR_NONE };
	if (x->error != NET_NONE)
		err_set(&err, ERR_UNREACHABLE, "%s: %s", a->place, x->detail[0] ? x->detail : net_error_text(x->error));
	else if (buf_overflowed(&a->answer))
		err_set(&err, ERR_LIMIT, "%s: an answer of more than %u bytes", a->place, ANSWER_BYTES_MAX);
	else if (!a->any_status && (x->status < 200 || x->status > 299))
		err_set(&err, ERR_UNREACHABLE, "%s: status %d", a->place, x->status);
	const bool failed = err.kind != ERR_NONE;
	a->answered(a, failed ? (struct str){ NULL, 0 } : buf_str(&a->answer), failed ? &err : NULL);
}

static const struct transfer_ear ear = { .body = on_body, .done = on_done };
static const struct str_pair form_header[] = {
	{ { "Content-Type", 12 }, { "application/x-www-form-urlencoded", 33 } },
};

void http_ask_init(struct http_ask *a, struct transport *transport, const char *url, const char *place,
                   http_answered *answered)
{
	a->transport = transport;
	a->url = xstrdup(url);
	a->place = place;
	a->answered = answered;
	buf_init(&a->question, QUESTION_BYTES_MAX);
	buf_init(&a->answer, ANSWER_BYTES_MAX);
}

void http_ask_finish(struct http_ask *a)
{
	if (!a->url)
		return;
	http_ask_stop(a);
	buf_finish(&a->question);
	buf_finish(&a->answer);
	free(a->url);
	a->url = NULL;
}

int http_ask_start(struct http_ask *a, struct err *err)
{
	if (!a->attached) {
		a->transfer = (struct transfer){ 0 };
		if (transport_attach(a->transport, &a->transfer, err) < 0)
			return -1;
		a->attached = true;
	}
	buf_clear(&a->answer);
	a->transfer.method = a->form ? "POST" : "GET";
	a->transfer.url = a->url;
	a->transfer.headers = form_header;
	a->transfer.header_count = a->form ? ARRAY_LEN(form_header) : 0;
	a->transfer.has_body = a->form;
	a->transfer.body = a->form ? buf_str(&a->question) : (struct str){ NULL, 0 };
	a->transfer.timeout = LIMIT;
	a->transfer.ear = &ear;
	transport_start(a->transport, &a->transfer);
	return 0;
}

void http_ask_stop(struct http_ask *a)
{
	if (a->attached)
		transport_detach(a->transport, &a->transfer);
	a->attached = false;
}
