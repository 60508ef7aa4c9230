#include "loadgen/trial.h"

#include <stdio.h>

#include "base/must.h"
#include "scenarios/redact.h"

#define SHOWN_BYTES_MAX (4u << 20)
/* A scenario may repeat for ever; who looks at it will not. */
#define EXCHANGES_MAX 1000

struct trial {
	const struct trial_options *o;
	struct loop loop;
	struct transport *transport;
	struct transfer transfer;
	struct vm_shared shared;
	struct vm vm;
	struct buf request, headers, body;
	uint64_t body_bytes;
	bool done;
	dur_ns ahead; /* of the monotonic clock: wall clock and pauses that were not waited */
};

static void on_header(struct transfer *x, struct str name, struct str value)
{
	struct trial *t = container_of(x, struct trial, transfer);
	vm_header(&t->vm, name, value);
	redact_header(&t->vm, name, value, &t->headers);
}

static void on_body(struct transfer *x, struct str bytes)
{
	struct trial *t = container_of(x, struct trial, transfer);
	vm_body(&t->vm, bytes);
	t->body_bytes += bytes.len;
	buf_add(&t->body, str_first(bytes, TRIAL_BODY_BYTES - t->body.len));
}

static void on_done(struct transfer *x)
{
	container_of(x, struct trial, transfer)->done = true;
}

static struct wall trial_now(const struct trial *t)
{
	return (struct wall){ mono_now().ns + t->ahead };
}

static void write_request(struct trial *t)
{
	const struct vm_request *r = &t->vm.request;
	buf_clear(&t->request);
	buf_printf(&t->request, "%s ", r->method);
	redact_url(&t->vm, r->url, &t->request);
	buf_add_char(&t->request, '\n');
	for (uint32_t i = 0; i < r->header_count; i++)
		redact_header(&t->vm, r->headers[i].name, r->headers[i].value, &t->request);
	if (!r->has_body)
		return;
	buf_add_char(&t->request, '\n');
	redact_text(&t->vm, str_first(r->body, TRIAL_BODY_BYTES), &t->request);
	buf_add_char(&t->request, '\n');
}

static void exchange(struct trial *t)
{
	static const struct transfer_ear ear = { on_header, on_body, on_done };
	const struct vm_request *r = &t->vm.request;
	struct transfer *x = &t->transfer;
	write_request(t);
	buf_clear(&t->headers);
	buf_clear(&t->body);
	t->body_bytes = 0;
	t->done = false;
	x->method = r->method;
	x->url = r->url.p;
	x->headers = r->headers;
	x->header_count = r->header_count;
	x->body = r->body;
	x->has_body = r->has_body;
	x->timeout = r->timeout;
	x->needs = r->needs;
	x->needs_curl = needs_curl_only(r->needs);
	x->ear = &ear;
	transport_start(t->transport, x);
	while (!t->done)
		loop_turn(&t->loop, LOOP_WAIT);
}

/* The answer is redacted with what is known after it: what was extracted from it may be a secret. */
static enum vm_stop judge(struct trial *t)
{
	const struct transfer *x = &t->transfer;
	const struct vm_reply reply = {
		.transport_failed = x->error != NET_NONE,
		.status = x->status,
		.response_time = mono_since(x->end, x->sent),
	};
	const enum vm_stop stop = vm_resume(&t->vm, &reply, trial_now(t));
	if (t->body.len > 0) {
		buf_add_char(&t->headers, '\n');
		redact_text(&t->vm, buf_str(&t->body), &t->headers);
		buf_add_char(&t->headers, '\n');
	}
	const struct trial_exchange e = {
		.vm = &t->vm,
		.request = buf_str(&t->request),
		.transfer = x,
		.response = buf_str(&t->headers),
		.body_bytes = t->body_bytes,
	};
	t->o->exchanged(t->o->arg, &e);
	return stop;
}

static void run_flow(struct trial *t, struct trial_result *result)
{
	vm_begin(&t->vm, t->o->flow, 0, trial_now(t));
	enum vm_stop stop = vm_resume(&t->vm, NULL, trial_now(t));
	while ((stop == VM_REQUEST && result->exchanges < EXCHANGES_MAX) || stop == VM_PAUSE) {
		if (stop == VM_PAUSE) {
			t->ahead += t->vm.pause_ns;
			stop = vm_resume(&t->vm, NULL, trial_now(t));
			continue;
		}
		exchange(t);
		result->exchanges++;
		stop = judge(t);
	}
	result->failed = t->vm.iteration_failed || stop == VM_FAILED;
	if (stop == VM_FAILED)
		snprintf(result->problem, sizeof(result->problem), "%s", t->vm.problem);
}

int trial_run(const struct trial_options *o, struct trial_result *ret_result, struct err *err)
{
	struct trial t = { .o = o, .ahead = wall_now().ns - mono_now().ns };
	struct trial_result result = { 0 };
	if (loop_init(&t.loop, err) < 0)
		return -1;
	t.transport = transport_create(&t.loop, &o->transport, err);
	const bool ready = t.transport && transport_attach(t.transport, &t.transfer, err) == 0;
	if (ready) {
		buf_init(&t.request, SHOWN_BYTES_MAX);
		buf_init(&t.headers, SHOWN_BYTES_MAX);
		buf_init(&t.body, TRIAL_BODY_BYTES);
		vm_shared_init(&t.shared, o->program, 0, 1, o->seed);
		vm_init(&t.vm, &t.shared, 0);
		run_flow(&t, &result);
		vm_finish(&t.vm);
		vm_shared_finish(&t.shared);
		buf_finish(&t.request);
		buf_finish(&t.headers);
		buf_finish(&t.body);
		transport_detach(t.transport, &t.transfer);
		*ret_result = result;
	}
	transport_destroy(t.transport);
	loop_finish(&t.loop);
	return ready ? 0 : -1;
}
