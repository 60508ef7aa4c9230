/* dump.c: a program as text, for people and for golden tests. */
#include <inttypes.h>

#include "base/must.h"
#include "scenarios/pause.h"
#include "scenarios/program.h"

static const char hidden[] = "***";

/* <label>, and the duration as one would write it in the file. */
static void dump_duration(const char *label, dur_ns d, struct buf *out)
{
	buf_add(out, str_from(label));
	pause_write(&(struct pause){ .kind = PAUSE_FIXED, .low = d, .high = d }, out);
}

/* A literal of a URL: the values of query parameters with secret names are hidden. <in_secret> goes on over slots. */
static void dump_url_literal(struct str s, bool *in_query, bool *in_secret, struct buf *out)
{
	size_t start = 0;
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.p[i];
		if (c == '?' || c == '&') {
			*in_query = true;
			*in_secret = false;
			start = i + 1;
		}
		if (!*in_secret)
			buf_add_char(out, c);
		if (c != '=' || !*in_query || *in_secret)
			continue;
		if (secret_name((struct str){ s.p + start, i - start })) {
			*in_secret = true;
			buf_add(out, str_from(hidden));
		}
	}
}

static void dump_template(const struct template *t, struct buf *out)
{
	bool in_query = false, in_secret = false;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct segment *s = &t->segments[i];
		if (s->kind == SEGMENT_LITERAL && s->secret)
			buf_add(out, str_from(hidden));
		else if (s->kind == SEGMENT_LITERAL && t->escape == ESCAPE_URL)
			dump_url_literal(s->text, &in_query, &in_secret, out);
		else
			buf_add(out, s->text);
	}
}

static void dump_body(const struct step *step, struct buf *out)
{
	size_t bytes = 0, slots = 0;
	if (!step->has_body)
		return;
	if (!step->body_is_text) {
		buf_add(out, STR("      json "));
		dump_template(&step->body, out);
		buf_add_char(out, '\n');
		return;
	}
	/* Nobody can say what in a text is a secret. */
	for (uint32_t i = 0; i < step->body.count; i++) {
		if (step->body.segments[i].kind == SEGMENT_LITERAL)
			bytes += step->body.segments[i].text.len;
		else
			slots++;
	}
	buf_printf(out, "      body %zu bytes, %zu slots\n", bytes, slots);
}

static void dump_needs(const struct transfer_needs *n, struct buf *out)
{
	static const char *const http[] = { "auto", "replay", "curl", "1.1", "2" };
	if (n)
		buf_printf(out, "      needs http %s%s%s\n", http[n->http], n->compression ? " compression" : "",
		           n->user ? " digest" : "");
}

static void dump_route(const struct transfer_route *r, struct buf *out)
{
	const struct {
		const char *name, *value;
	} texts[] = { { "proxy", r->proxy },
		      { "connect_to", r->connect_to ? r->connect_to + 2 : NULL },
		      { "ca", r->ca },
		      { "cert", r->cert },
		      { "key", r->key } };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].value)
			buf_printf(out, "  %s %s\n", texts[i].name, texts[i].value);
	if (r->insecure)
		buf_add(out, STR("  insecure\n"));
	if (r->shared)
		buf_add(out, STR("  connections shared\n"));
}

static void dump_retry(const struct program *p, const struct retry *r, struct buf *out)
{
	if (r->attempts < 2)
		return;
	buf_printf(out, "      retry %u on%s", r->attempts, r->on_transport ? " transport" : "");
	for (uint32_t i = 0; i < r->range_count; i++)
		buf_printf(out, " %u-%u", r->ranges[i].low, r->ranges[i].high);
	if (r->pause != PROGRAM_NONE) {
		buf_add(out, STR(" delay "));
		pause_write(&p->pauses[r->pause], out);
	}
	buf_add_char(out, '\n');
}

static void dump_step(const struct program *p, uint32_t number, struct buf *out)
{
	const struct step *s = &p->steps[number];
	buf_printf(out, "request %u \"%s\" %s ", number, s->name, s->method);
	if (s->target != &p->target)
		buf_add(out, s->target->origin);
	dump_template(&s->path, out);
	dump_duration(" timeout ", s->timeout, out);
	if (s->group != PROGRAM_NONE)
		buf_printf(out, " group %s", p->groups[s->group].name);
	if (!s->cookies)
		buf_add(out, STR(" no cookies"));
	if (s->redirects)
		buf_printf(out, " redirects %u", s->redirects);
	buf_add_char(out, '\n');
	dump_needs(s->needs, out);
	dump_retry(p, &s->retry, out);
	for (uint32_t i = 0; i < s->header_count; i++) {
		buf_printf(out, "      header %s: ", s->headers[i].name.p);
		dump_template(&s->headers[i].value, out);
		buf_add_char(out, '\n');
	}
	dump_body(s, out);
	if (!s->checks_status)
		buf_add(out, STR("      check - status 200-399\n"));
	for (uint32_t i = s->first_check; i < s->first_check + s->check_count; i++)
		buf_printf(out, "      check %u %s\n", i, p->checks[i].text);
	for (uint32_t i = s->first_extract; i < s->first_extract + s->extract_count; i++)
		buf_printf(out, "      extract %s%s%s\n", p->extracts[i].text,
		           p->variables[p->extracts[i].variable].secret ? " (secret)" : "",
		           p->extracts[i].optional ? " (optional)" : "");
}

static void dump_pause(const struct program *p, const char *word, uint32_t number, struct buf *out)
{
	buf_printf(out, "%s ", word);
	pause_write(&p->pauses[number], out);
	buf_add_char(out, '\n');
}

/* Numbers in front only where something jumps to. */
static bool is_target(const struct program *p, const struct flow *f, uint32_t at)
{
	for (uint32_t i = f->first_instruction; i < f->first_instruction + f->instruction_count; i++) {
		const struct instruction *code = &p->code[i];
		if (code->op == OP_UNLESS && p->conditions[code->operand].target == at)
			return true;
		if (code->op == OP_AGAIN && p->repeats[code->operand].first == at)
			return true;
	}
	return false;
}

static void dump_instruction(const struct program *p, const struct flow *f, uint32_t at, struct buf *out)
{
	const struct instruction i = p->code[at];
	if (is_target(p, f, at))
		buf_printf(out, "   %u:\n", at - f->first_instruction);
	buf_add(out, STR("    "));
	switch (i.op) {
	case OP_REQUEST:
		dump_step(p, i.operand, out);
		break;
	case OP_PAUSE:
		dump_pause(p, "pause", i.operand, out);
		break;
	case OP_PACE:
		dump_pause(p, "pace", i.operand, out);
		break;
	case OP_UNLESS:
		buf_printf(out, "if %s else go to %u\n", p->conditions[i.operand].text,
		           p->conditions[i.operand].target - f->first_instruction);
		break;
	case OP_REPEAT:
		buf_printf(out, "repeat %u\n", p->repeats[i.operand].count);
		break;
	case OP_AGAIN:
		buf_printf(out, "again from %u\n", p->repeats[i.operand].first - f->first_instruction);
		break;
	case OP_END:
		buf_add(out, STR("end\n"));
		break;
	}
}

static void dump_flow(const struct program *p, const struct flow *f, struct buf *out)
{
	buf_printf(out, "  flow \"%s\" weight %u\n", f->name, f->weight);
	for (uint32_t i = f->first_instruction; i < f->first_instruction + f->instruction_count; i++)
		dump_instruction(p, f, i, out);
}

static void dump_feed(const struct feed *f, struct buf *out)
{
	static const char *const picks[] = { "sequential", "random", "unique", "per-user" };
	buf_printf(out, "  feed %s = %s: %u rows, %s%s, columns", f->name, f->file, f->row_count, picks[f->pick],
	           f->pick == PICK_RANDOM ? ""
	           : f->stops             ? ", stop"
	                                  : ", wrap");
	for (uint32_t i = 0; i < f->column_count; i++)
		buf_printf(out, " %.*s", STR_ARG(f->columns[i]));
	buf_add_char(out, '\n');
}

static void dump_executor(const struct program *p, const struct executor_plan *x, struct buf *out)
{
	const bool rate = x->kind == EXECUTOR_RATE;
	buf_printf(out, "  executor %s", x->name);
	dump_duration(" start ", x->start, out);
	buf_printf(out, " users %u", x->users);
	if (rate)
		buf_printf(out, " arrivals %s late %s", x->poisson ? "poisson" : "uniform",
		           x->late == LATE_DROP ? "drop" : "queue");
	if (x->iterations)
		buf_printf(out, " iterations %" PRIu64, x->iterations);
	buf_add(out, STR(" flows"));
	for (uint32_t i = 0; i < x->flow_count; i++)
		buf_printf(out, " %s:%u", p->flows[x->flows[i].flow].name, x->flows[i].weight);
	buf_add_char(out, '\n');
	for (uint32_t i = 0; i < x->segment_count; i++) {
		buf_printf(out, "    %g -> %g%s", x->segments[i].from, x->segments[i].to, rate ? "/s" : " users");
		dump_duration(" over ", x->segments[i].duration, out);
		buf_add_char(out, '\n');
	}
}

static void dump_threshold(const struct threshold *t, struct buf *out)
{
	buf_printf(out, "  threshold %.*s", STR_ARG(t->that));
	if (t->over)
		dump_duration(" over ", t->over, out);
	if (t->aborts)
		dump_duration(" abort, grace ", t->grace, out);
	buf_add_char(out, '\n');
}

void program_dump(const struct program *p, struct buf *out)
{
	buf_printf(out, "scenario \"%s\" %016" PRIx64 "\n", p->name, p->hash);
	buf_printf(out, "  target %s\n", p->target.url);
	dump_duration("  duration ", p->duration, out);
	dump_duration(" warmup ", p->warmup, out);
	buf_add_char(out, '\n');
	dump_route(&p->route, out);
	for (uint32_t i = 0; i < p->feed_count; i++)
		dump_feed(&p->feeds[i], out);
	for (uint32_t i = 0; i < p->variable_count; i++) {
		const struct variable *v = &p->variables[i];
		buf_printf(out, "  variable %s", v->name);
		if (v->has_value) {
			buf_add(out, STR(" = "));
			if (v->secret)
				buf_add(out, str_from(hidden));
			else
				dump_template(&v->value, out);
		}
		buf_add_char(out, '\n');
	}
	for (uint32_t i = 0; i < p->flow_count; i++)
		dump_flow(p, &p->flows[i], out);
	for (uint32_t i = 0; i < p->executor_count; i++)
		dump_executor(p, &p->executors[i], out);
	for (uint32_t i = 0; i < p->threshold_count; i++)
		dump_threshold(&p->thresholds[i], out);
}
