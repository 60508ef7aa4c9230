#include "loadgen/user.h"

#include "base/must.h"
#include "loadgen/worker.h"

static void on_header(struct transfer *x, struct str name, struct str value)
{
	struct user *u = container_of(x, struct user, transfer);
	vm_header(&u->vm, name, value);
}

static void on_body(struct transfer *x, struct str bytes)
{
	struct user *u = container_of(x, struct user, transfer);
	vm_body(&u->vm, bytes);
}

static void on_done(struct transfer *x)
{
	struct user *u = container_of(x, struct user, transfer);
	u->state = USER_DONE;
	worker_push_ready(u->worker, u);
}

/* Who listens to what: a step that reads no body does not hear it. */
static const struct transfer_ear ears[2][2] = {
	{ { NULL, NULL, on_done }, { NULL, on_body, on_done } },
	{ { on_header, NULL, on_done }, { on_header, on_body, on_done } },
};

int user_init(struct user *u, struct worker *w, uint32_t executor, uint32_t number, struct err *err)
{
	*u = (struct user){ .worker = w, .executor = executor, .number = number };
	if (transport_attach(w->transport, &u->transfer, err) < 0)
		return -1;
	vm_init(&u->vm, &w->shared, w->plan.program->executors[executor].first_user + number);
	return 0;
}

void user_finish(struct user *u)
{
	transport_detach(u->worker->transport, &u->transfer);
	vm_finish(&u->vm);
}

static enum run_error error_of_net(enum net_error e)
{
	switch (e) {
	case NET_DNS:
		return RUN_ERROR_DNS;
	case NET_CONNECT:
	case NET_LOCAL:
		return RUN_ERROR_CONNECT;
	case NET_TLS:
		return RUN_ERROR_TLS;
	case NET_RESET:
		return RUN_ERROR_RESET;
	case NET_TIMEOUT:
		return RUN_ERROR_TIMEOUT;
	case NET_PROTOCOL:
	case NET_CANCELLED:
	case NET_NONE:
		break;
	}
	return RUN_ERROR_PROTOCOL;
}

static void measure_set_up(struct meter *m, const struct transfer *x)
{
	const dur_ns parts[SET_UP_PARTS] = { x->dns, x->connect, x->tls };
	meter_record_set_up(m, parts);
}

/* Why the request failed, if it did, with what its sample would say. */
static bool has_failed(const struct user *u, enum run_error *ret_error, const char **ret_text)
{
	const struct transfer *x = &u->transfer;
	const struct vm_outcome *outcome = &u->vm.outcome;
	if (x->error != NET_NONE) {
		*ret_error = error_of_net(x->error);
		*ret_text = x->detail;
		return true;
	}
	*ret_error = outcome->failure == VM_STATUS_FAILED ? RUN_ERROR_STATUS : RUN_ERROR_CHECK;
	*ret_text = outcome->text;
	return outcome->failure != VM_PASSED;
}

/* What came of the request, into the meter. Warm-up by the intended start: a request belongs to the phase in which
 * its client wanted it. */
static void measure(struct user *u, uint32_t step, bool cut)
{
	const struct transfer *x = &u->transfer;
	struct meter *m = u->worker->meter;
	const struct worker_plan *plan = &u->worker->plan;
	const char *text = "";
	struct measurement r = {
		.step = step,
		.response = mono_since(x->end, u->intended),
		.service = mono_since(x->end, u->first_sent),
		.lag = mono_since(u->first_sent, u->able),
		.censored = cut || x->error == NET_TIMEOUT,
		.by_replay = x->carried_by == TRANSPORT_REPLAY,
	};
	r.failed = !cut && has_failed(u, &r.error, &text);
	m->bytes_sent += x->bytes_sent + u->bytes_sent;
	m->bytes_received += x->bytes_received + u->bytes_received;
	m->connections += x->new_connection || u->connected;
	m->local_failures += x->error == NET_LOCAL;
	if (u->intended.ns < plan->measured_from.ns) {
		meter_record_warmup(m, &r);
		return;
	}
	if (x->new_connection)
		measure_set_up(m, x);
	if (r.failed)
		meter_sample(m, r.error, r.step, text);
	r.exceeded = r.failed || r.censored || (plan->exceed_limit && r.response > plan->exceed_limit);
	meter_record(m, &r);
}

static void count_checks(struct user *u)
{
	const struct vm_outcome *outcome = &u->vm.outcome;
	const struct step *s = &u->worker->plan.program->steps[outcome->step];
	struct check_meter *checks = u->worker->meter->checks + s->first_check;
	if (!outcome->checked || u->intended.ns < u->worker->plan.measured_from.ns)
		return;
	for (uint32_t i = 0; i < s->check_count; i++) {
		const uint64_t failed = outcome->failed_checks >> i & 1;
		checks[i].failed += failed;
		checks[i].passed += !failed;
	}
}

/* What the calendar says, as steady as the monotonic clock. */
static struct wall wall_at(const struct user *u, struct mono t)
{
	return (struct wall){ t.ns + u->worker->wall_ahead };
}

static void send_request(struct user *u)
{
	struct transfer *x = &u->transfer;
	const struct vm_request *r = &u->vm.request;
	const struct step *s = &u->worker->plan.program->steps[r->step];
	x->method = r->method;
	x->url = r->url.p; /* NUL behind its end: it stands in a struct buf */
	x->headers = r->headers;
	x->header_count = r->header_count;
	x->body = r->body;
	x->has_body = r->has_body;
	x->timeout = r->timeout;
	x->needs = r->needs;
	x->needs_curl = needs_curl_only(r->needs);
	x->ear = &ears[s->reads_headers][s->reads_body];
	u->state = USER_SENDING;
	u->worker->in_flight++;
	u->worker->meter->started += !r->continues;
	transport_start(u->worker->transport, x);
	if (r->continues)
		return;
	u->first_sent = x->sent;
	u->bytes_sent = u->bytes_received = 0;
	u->connected = false;
}

static void end_iteration(struct user *u, struct mono now)
{
	struct flow_meter *f = &u->worker->meter->flows[u->vm.flow];
	if (u->began.ns >= u->worker->plan.measured_from.ns) {
		f->iterations++;
		f->failed += u->vm.iteration_failed;
		hist_record(&f->iteration, mono_since(now, u->began));
	}
	u->state = USER_IDLE;
	worker_iteration_ended(u->worker, u, now);
}

/* An exchange of a step that goes on: its time is part of the step's, its connection and bytes are added. */
static void count_exchange(struct user *u)
{
	const struct transfer *x = &u->transfer;
	struct meter *m = u->worker->meter;
	u->bytes_sent += x->bytes_sent;
	u->bytes_received += x->bytes_received;
	u->connected = u->connected || x->new_connection;
	if (u->intended.ns < u->worker->plan.measured_from.ns)
		return;
	if (x->new_connection)
		measure_set_up(m, x);
	m->retries += u->vm.outcome.retried;
	m->redirects += !u->vm.outcome.retried;
}

static void pause_user(struct user *u)
{
	/* The pause before a new attempt belongs to the request; any other lies between two. */
	const struct mono from = u->vm.pause_in_step ? u->transfer.end : u->intended;
	u->wake = mono_after(from, u->vm.pause_ns);
	if (!u->vm.pause_in_step) {
		u->intended = u->wake;
		/* Whoever waited for a user cannot be sent before that one was free, pause or not (decision 0001). */
		if (u->wake.ns > u->able.ns)
			u->able = u->wake;
	}
	u->state = USER_PAUSING;
	worker_push_sleeper(u->worker, u);
}

/* The run is over in the middle of a step. */
static void cut_step(struct user *u)
{
	u->transfer.bytes_sent = u->transfer.bytes_received = 0;
	u->transfer.new_connection = false;
	measure(u, u->vm.request.step, true);
}

/* Where the program stopped, until the world is needed again. */
static void follow(struct user *u, enum vm_stop stop)
{
	switch (stop) {
	case VM_REQUEST:
		if (u->worker->sending) {
			send_request(u);
			return;
		}
		/* The run is over: the iteration stays unfinished. */
		if (u->vm.request.continues)
			cut_step(u);
		u->state = USER_IDLE;
		return;
	case VM_PAUSE:
		pause_user(u);
		return;
	case VM_STOPPED:
		u->state = USER_STOPPED;
		worker_user_stopped(u->worker, u);
		return;
	case VM_FAILED:
		/* Not the target's fault and no request: shown as a sample, so that nobody has to guess. */
		meter_sample(u->worker->meter, RUN_ERROR_CHECK, u->vm.request.step, u->vm.problem);
		/* fall through */
	case VM_ITERATION_END:
		end_iteration(u, u->intended);
		return;
	}
}

void user_begin(struct user *u, const struct arrival *a)
{
	must(u->state == USER_IDLE);
	const struct executor_plan *plan = &u->worker->plan.program->executors[u->executor];
	u->began = u->intended = a->intended;
	u->able = a->able;
	vm_begin(&u->vm, vm_pick_flow(&u->vm, plan), a->number, wall_at(u, a->able));
	follow(u, vm_resume(&u->vm, NULL, wall_at(u, a->able)));
}

static void take_answer(struct user *u)
{
	const struct transfer *x = &u->transfer;
	u->worker->in_flight--;
	const struct vm_reply reply = {
		.transport_failed = x->error != NET_NONE,
		.status = x->status,
		.response_time = mono_since(x->end, u->intended),
	};
	/* The program runs on to its next stop in the same call; the request that was answered is the outcome's. */
	const enum vm_stop stop = vm_resume(&u->vm, &reply, wall_at(u, x->end));
	if (!u->vm.outcome.is_final) {
		count_exchange(u);
	} else {
		measure(u, u->vm.outcome.step, false);
		count_checks(u);
		u->intended = u->able = x->end;
	}
	follow(u, stop);
}

void user_resume(struct user *u)
{
	if (u->state == USER_DONE)
		take_answer(u);
	else
		follow(u, vm_resume(&u->vm, NULL, wall_at(u, u->wake)));
}

void user_cut(struct user *u, struct mono now)
{
	const bool in_step = u->state == USER_SENDING || (u->state == USER_PAUSING && u->vm.pause_in_step);
	if (u->state == USER_SENDING)
		u->worker->in_flight--;
	if (in_step) {
		u->transfer.end = now;
		cut_step(u);
	}
	u->state = USER_IDLE;
}
