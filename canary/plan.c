#include "canary/plan.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/field.h"
#include "base/must.h"
#include "base/units.h"
#include "canary/plan_stages.h"

#define HOST_BYTES_MAX 253
#define URL_BYTES_MAX 2048
#define BASELINE_BYTES_MAX 128
#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static const char *const inconclusive_words[] = { "extend", "hold", "abort", NULL };

const char *plan_inconclusive_text(enum plan_inconclusive i)
{
	return inconclusive_words[i];
}

static int index_of(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	must(!"the reader allows only these words");
	return 0;
}

static bool only(struct str s, const char *set)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == '\0' || !strchr(set, s.p[i]))
			return false;
	return true;
}

/* Names end up in a balancer's configuration, where a blank or a brace would be a new word of it. */
static void check_token(const struct node *parent, const char *key, const char *value)
{
	struct node n;
	if (!value || !node_get(parent, key, &n))
		return;
	const struct str s = str_from(value);
	if (s.len > 0 && s.len <= PLAN_TOKEN_BYTES_MAX && only(s, LETTERS DIGITS "._-") &&
	    only(str_first(s, 1), LETTERS DIGITS))
		return;
	node_error(&n, "letters, digits, \".\", \"_\" and \"-\", beginning with a letter or a digit, at most 64",
	           "\"%s\" is not a safe name", key);
}

/* A key of the format that this version reads but does not do: never silently. */
static void refuse_unsupported(const struct node *parent, const char *key)
{
	struct node n;
	if (node_get(parent, key, &n))
		node_key_error(&n, NULL, "\"%s\" is not supported by this version", key);
}

/* --- addresses --- */

static bool host_valid(struct str host, bool bracketed)
{
	char text[HOST_BYTES_MAX + 1];
	struct in6_addr six;
	struct in_addr four;
	if (host.len == 0 || host.len > HOST_BYTES_MAX)
		return false;
	memcpy(text, host.p, host.len);
	text[host.len] = '\0';
	if (bracketed)
		return inet_pton(AF_INET6, text, &six) == 1;
	if (only(host, DIGITS "."))
		return inet_pton(AF_INET, text, &four) == 1;
	return only(host, LETTERS DIGITS ".-") && only(str_first(host, 1), LETTERS DIGITS);
}

/* "HOST:PORT" or "[IPV6]:PORT". <ret_host> is without brackets and may be empty. */
static bool split_address(struct str s, struct str *ret_host, bool *ret_bracketed, int32_t *ret_port)
{
	uint64_t port;
	size_t colon = s.len;
	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	if (colon == 0 || !str_to_u64(str_from_at(s, colon), &port) || port > 65535)
		return false;
	struct str host = str_first(s, colon - 1);
	*ret_bracketed = host.len >= 2 && host.p[0] == '[' && host.p[host.len - 1] == ']';
	if (*ret_bracketed)
		host = str_first(str_from_at(host, 1), host.len - 2);
	*ret_host = host;
	*ret_port = (int32_t)port;
	return true;
}

static bool read_server(const struct node *n, struct arena *arena, struct plan_server *ret)
{
	struct str host;
	bool bracketed;
	if (!json_is_string(n->value)) {
		node_error(n, "for example \"10.0.0.1:8080\"", "a server must be a string, not %s", node_type_text(n));
		return false;
	}
	const struct str s = node_str(n);
	if (!split_address(s, &host, &bracketed, &ret->port) || ret->port == 0 || !host_valid(host, bracketed)) {
		node_error(n, "for example \"10.0.0.1:8080\", \"app-1:8080\" or \"[::1]:8080\"",
		           "a server must be HOST:PORT");
		return false;
	}
	ret->host = arena_strndup(arena, host.p, host.len);
	ret->text = arena_strndup(arena, s.p, s.len);
	return true;
}

static bool listed(const struct plan_arm *arm, const struct plan_server *server, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(arm->servers[i].host, server->host) == 0 && arm->servers[i].port == server->port)
			return true;
	return false;
}

static void read_servers(const struct node *n, struct plan *p, enum arm arm)
{
	struct plan_arm *a = &p->arms[arm];
	if (!node_expect(n, JSON_ARRAY, "a list of HOST:PORT"))
		return;
	const size_t count = node_count(n);
	if (count == 0 || count > PLAN_SERVERS_MAX) {
		node_error(n, NULL, "\"servers\" must have from 1 to %d servers", PLAN_SERVERS_MAX);
		return;
	}
	a->servers = arena_array(&p->arena, struct plan_server, count);
	for (size_t i = 0; i < count; i++) {
		const struct node item = node_item(n, i);
		struct plan_server *s = &a->servers[a->server_count];
		if (!read_server(&item, &p->arena, s))
			continue;
		if (listed(a, s, a->server_count))
			node_error(&item, NULL, "server \"%s\" is listed twice", s->text);
		else if (arm == ARM_CANARY && listed(&p->arms[ARM_STABLE], s, p->arms[ARM_STABLE].server_count))
			node_error(&item, NULL, "server \"%s\" is in both arms", s->text);
		else
			a->server_count++;
	}
}

static void read_arm(const struct node *parent, struct plan *p, enum arm arm)
{
	static const struct field fields[] = {
		{ "version", FIELD_STRING, offsetof(struct plan_arm, version), .required = true,
		  .help = "the version that these servers run" },
		{ "commit", FIELD_STRING, offsetof(struct plan_arm, commit), .help = "its commit" },
		{ "servers", FIELD_NODE, 0, .required = true, .help = "a list of HOST:PORT" },
		{ 0 },
	};
	struct node n, servers;
	if (!node_get(parent, arm_text(arm), &n) || !fields_read(&n, fields, &p->arena, &p->arms[arm]))
		return;
	check_token(&n, "version", p->arms[arm].version);
	check_token(&n, "commit", p->arms[arm].commit);
	if (node_get(&n, "servers", &servers))
		read_servers(&servers, p, arm);
}

/* --- traffic --- */

struct traffic_words {
	const char *driver, *mode, *listen, *death;
	dur_ns lease;
};

static void read_listen(const struct node *parent, struct plan *p)
{
	struct node n;
	struct str host;
	bool bracketed;
	if (!node_get(parent, "listen", &n) || !json_is_string(n.value))
		return;
	if (!split_address(node_str(&n), &host, &bracketed, &p->traffic.listen_port) ||
	    (host.len > 0 && !host_valid(host, bracketed)) || (host.len == 0 && bracketed)) {
		node_error(&n, "for example \":8000\" or \"127.0.0.1:8000\"", "\"listen\" must be :PORT or HOST:PORT");
		return;
	}
	p->traffic.listen_host = arena_strndup(&p->arena, host.p, host.len);
}

static void read_sticky(const struct node *parent, struct plan *p)
{
	static const struct field fields[] = {
		{ "cookie", FIELD_STRING, offsetof(struct plan_traffic, cookie), .required = true,
		  .help = "the name of the cookie that tells users apart" },
		{ 0 },
	};
	struct node n;
	if (!node_get(parent, "sticky", &n) || !fields_read(&n, fields, &p->arena, &p->traffic))
		return;
	check_token(&n, "cookie", p->traffic.cookie);
}

static void read_traffic(const struct node *parent, struct plan *p)
{
	static const char *const drivers[] = { "haproxy", NULL };
	static const char *const deaths[] = { "rollback", "hold", NULL };
	static const struct field fields[] = {
		{ "driver", FIELD_STRING, offsetof(struct traffic_words, driver), .required = true, .choices = drivers,
		  .help = "the load balancer that moves the traffic" },
		{ "mode", FIELD_STRING, offsetof(struct traffic_words, mode), .def = "managed",
		  .help = "who starts the balancer" },
		{ "listen", FIELD_STRING, offsetof(struct traffic_words, listen), .required = true,
		  .help = "where the balancer takes requests, such as \":8000\"" },
		{ "sticky", FIELD_NODE, 0, .help = "how users stay on their arm" },
		{ "on_controller_death", FIELD_STRING, offsetof(struct traffic_words, death), .choices = deaths,
		  .def = "rollback", .help = "what the data plane does when nobody drives it" },
		{ "lease", FIELD_DURATION, offsetof(struct traffic_words, lease), .min = 2.0 * SECOND,
		  .max = 10.0 * MINUTE, .def = "10s", .help = "how long the data plane obeys without renewal" },
		{ 0 },
	};
	struct node n, mode;
	struct traffic_words words = { 0 };
	if (!node_get(parent, "traffic", &n) || !fields_read(&n, fields, &p->arena, &words))
		return;
	if (strcmp(words.mode, "managed") != 0 && node_get(&n, "mode", &mode))
		node_error(&mode, "leave it out or write \"managed\"",
		           "\"mode\" other than \"managed\" is not supported by this version");
	p->traffic.driver = words.driver;
	p->traffic.lease = words.lease;
	p->traffic.on_controller_death = (enum controller_death)index_of(deaths, words.death);
	read_listen(&n, p);
	read_sticky(&n, p);
}

/* --- compare --- */

/* "p95 < 500ms" */
static bool parse_slo(struct str s, struct plan_compare *c)
{
	struct str left;
	double percent;
	size_t at;
	const size_t less = str_find(s, '<');
	if (less == s.len || s.len < 2 || s.p[0] != 'p')
		return false;
	left = str_trim(str_from_at(str_first(s, less), 1));
	if (!only(left, DIGITS ".") || !str_to_double(left, &percent) || percent < 1 || percent > 99.99)
		return false;
	if (!duration_parse(str_trim(str_from_at(s, less + 1)), &c->slo_limit, &at) || c->slo_limit == 0)
		return false;
	c->slo_quantile = percent / 100;
	return true;
}

static void read_errors(const struct node *parent, struct plan *p)
{
	static const struct field fields[] = {
		{ "ratio", FIELD_NUMBER, offsetof(struct plan_compare, errors_ratio), .min = 1.1, .max = 100,
		  .def = "1.5", .help = "how many times stable's error rate is too much" },
		{ "slack", FIELD_SHARE, offsetof(struct plan_compare, errors_slack), .max = 0.5, .def = "0.1%",
		  .help = "this share of requests may fail on top" },
		{ 0 },
	};
	struct node n;
	p->compare.errors_ratio = 1.5;
	p->compare.errors_slack = 0.001;
	if (node_get(parent, "errors", &n))
		fields_read(&n, fields, &p->arena, &p->compare);
}

static void read_latency(const struct node *parent, struct plan *p)
{
	static const struct field fields[] = {
		{ "ratio", FIELD_NUMBER, offsetof(struct plan_compare, latency_ratio), .min = 1.1, .max = 100,
		  .def = "1.5", .help = "how many times stable's latency is too much" },
		{ "margin", FIELD_SHARE, offsetof(struct plan_compare, latency_margin), .def = "10%",
		  .help = "slower by less than this is not looked at" },
		{ "slo", FIELD_NODE, 0, .help = "an absolute limit" },
		{ 0 },
	};
	struct node n, inner;
	p->compare.latency_ratio = 1.5;
	p->compare.latency_margin = 0.1;
	if (!node_get(parent, "latency", &n) || !fields_read(&n, fields, &p->arena, &p->compare))
		return;
	if (p->compare.latency_margin >= p->compare.latency_ratio - 1 &&
	    (node_get(&n, "margin", &inner) || node_get(&n, "ratio", &inner)))
		node_error(&inner, NULL, "\"margin\" (%g%%) must be less than \"ratio\" allows (%g%%)",
		           p->compare.latency_margin * 100, (p->compare.latency_ratio - 1) * 100);
	if (node_get(&n, "slo", &inner) && !(json_is_string(inner.value) && parse_slo(node_str(&inner), &p->compare)))
		node_error(&inner, "for example \"p95 < 500ms\"", "\"slo\" must be a quantile and its limit");
}

static void read_compare(const struct node *parent, struct plan *p)
{
	static const struct field fields[] = {
		{ "errors", FIELD_NODE, 0, .help = "limits of the error rate" },
		{ "latency", FIELD_NODE, 0, .help = "limits of the latency" },
		{ "alpha", FIELD_NUMBER, offsetof(struct plan_compare, alpha), .min = 1e-6, .max = 0.2, .def = "0.01",
		  .help = "chance to roll back a healthy canary, for the whole rollout" },
		{ "warmup", FIELD_DURATION, offsetof(struct plan_compare, warmup), .max = 1.0 * HOUR, .def = "20s",
		  .help = "evidence begins this long after the canary's first request" },
		{ 0 },
	};
	struct node n;
	struct node nothing = { .doc = parent->doc, .value = json_object() };
	const bool given = node_get(parent, "compare", &n);
	if (!given)
		n = nothing; /* reads the defaults from the one table */
	if (fields_read(&n, fields, &p->arena, &p->compare)) {
		read_errors(&n, p);
		read_latency(&n, p);
	}
	json_decref(nothing.value);
}

/* --- guards --- */

static bool url_valid(struct str url)
{
	struct str rest;
	if (url.len > URL_BYTES_MAX)
		return false;
	for (size_t i = 0; i < url.len; i++)
		if (url.p[i] <= ' ' || url.p[i] == 0x7f)
			return false;
	if (str_starts(url, STR("http://")))
		rest = str_from_at(url, 7);
	else if (str_starts(url, STR("https://")))
		rest = str_from_at(url, 8);
	else
		return false;
	return rest.len > 0 && !strchr("/:?#", rest.p[0]);
}

struct guard_words {
	const char *http;
	dur_ns every;
	int64_t fails;
};

static void read_guard(const struct node *n, struct plan *p, struct plan_guard *ret)
{
	static const struct field fields[] = {
		{ "http", FIELD_STRING, offsetof(struct guard_words, http), .help = "the URL of a health check" },
		{ "every", FIELD_DURATION, offsetof(struct guard_words, every), .min = 100.0 * MILLISECOND,
		  .max = 1.0 * HOUR, .def = "2s", .help = "time between two checks" },
		{ "fails", FIELD_INTEGER, offsetof(struct guard_words, fails), .min = 1, .max = 1000, .def = "3",
		  .help = "so many failures in a row fire the guard" },
		{ "resource", FIELD_NODE, 0, .help = "not supported by this version" },
		{ "from", FIELD_NODE, 0, .help = "not supported by this version" },
		{ "max", FIELD_NODE, 0, .help = "not supported by this version" },
		{ 0 },
	};
	struct node http, resource;
	struct guard_words words = { 0 };
	if (!fields_read(n, fields, &p->arena, &words))
		return;
	refuse_unsupported(n, "resource");
	refuse_unsupported(n, "from");
	refuse_unsupported(n, "max");
	if (!node_get(n, "http", &http)) {
		if (!node_get(n, "resource", &resource))
			node_error(n, "the URL of a health check", "\"http\" is missing");
	} else if (words.http && !url_valid(str_from(words.http))) {
		node_error(&http, "for example \"http://10.0.0.9:8080/health\"",
		           "\"http\" must be an http or https URL");
	}
	*ret = (struct plan_guard){ .url = words.http, .every = words.every, .fails = (int32_t)words.fails };
}

static void read_guards(const struct node *parent, struct plan *p)
{
	struct node n;
	if (!node_get(parent, "guards", &n) || !node_expect(&n, JSON_ARRAY, "a list of guards"))
		return;
	const size_t count = node_count(&n);
	if (count > PLAN_GUARDS_MAX) {
		node_error(&n, NULL, "\"guards\" must have at most %d guards", PLAN_GUARDS_MAX);
		return;
	}
	p->guards = arena_array(&p->arena, struct plan_guard, count);
	p->guard_count = count;
	for (size_t i = 0; i < count; i++) {
		const struct node item = node_item(&n, i);
		read_guard(&item, p, &p->guards[i]);
	}
}

/* --- the whole --- */

struct plan_words {
	const char *schema, *service, *environment, *baseline, *on_inconclusive;
	dur_ns keep_old;
	bool accept_low_power;
};

static const struct field plan_fields[] = {
	{ "$schema", FIELD_STRING, offsetof(struct plan_words, schema), .required = true,
	  .help = "\"" PLAN_SCHEMA "\"" },
	{ "service", FIELD_STRING, offsetof(struct plan_words, service), .required = true,
	  .help = "the name of the service" },
	{ "environment", FIELD_STRING, offsetof(struct plan_words, environment), .def = "production",
	  .help = "where it runs" },
	{ "stable", FIELD_NODE, 0, .required = true, .help = "the version that serves now" },
	{ "canary", FIELD_NODE, 0, .required = true, .help = "the version to be tried" },
	{ "traffic", FIELD_NODE, 0, .required = true, .help = "how traffic is moved" },
	{ "stages", FIELD_NODE, 0, .required = true,
	  .help = "a list of stages, or one of \"canary\", \"linear:10%\", \"blue-green\"" },
	{ "compare", FIELD_NODE, 0, .help = "what counts as worse" },
	{ "baseline", FIELD_STRING, offsetof(struct plan_words, baseline),
	  .help = "the canary must have been load-tested and not be worse than this stored run" },
	{ "guards", FIELD_NODE, 0, .help = "rules that act at once" },
	{ "gates", FIELD_NODE, 0, .help = "not supported by this version" },
	{ "hooks", FIELD_NODE, 0, .help = "not supported by this version" },
	{ "on_inconclusive", FIELD_STRING, offsetof(struct plan_words, on_inconclusive), .choices = inconclusive_words,
	  .def = "extend", .help = "what to do at a stage's \"max\" without a verdict" },
	{ "keep_old", FIELD_DURATION, offsetof(struct plan_words, keep_old), .max = 365.0 * 24 * HOUR, .def = "24h",
	  .help = "so long after the promotion \"weir canary abort\" goes back to the old version" },
	{ "accept_low_power", FIELD_BOOLEAN, offsetof(struct plan_words, accept_low_power),
	  .help = "go on although the traffic is too little to see what the plan guards against" },
	{ 0 },
};

static void check_words(const struct node *root, const struct plan_words *words)
{
	struct node n;
	if (words->schema && strcmp(words->schema, PLAN_SCHEMA) != 0 && node_get(root, "$schema", &n))
		node_error(&n, NULL, "\"$schema\" must be \"" PLAN_SCHEMA "\"");
	check_token(root, "service", words->service);
	check_token(root, "environment", words->environment);
	const struct str baseline = str_from(words->baseline);
	if (words->baseline && node_get(root, "baseline", &n) &&
	    (baseline.len == 0 || baseline.len > BASELINE_BYTES_MAX || !only(baseline, LETTERS DIGITS "._@:/+-")))
		node_error(&n, "for example \"critical-flows@1.4.1\"", "\"baseline\" is not a baseline's name");
}

struct plan *plan_read(struct doc *doc)
{
	if (!doc_ok(doc))
		return NULL;
	struct plan *p = xcalloc(1, sizeof(*p));
	struct plan_words words = { 0 };
	struct node stages;
	arena_init(&p->arena);
	const struct node root = doc_root(doc);
	if (fields_read(&root, plan_fields, &p->arena, &words)) {
		check_words(&root, &words);
		read_arm(&root, p, ARM_STABLE);
		read_arm(&root, p, ARM_CANARY);
		read_traffic(&root, p);
		if (node_get(&root, "stages", &stages))
			plan_stages_read(&stages, p);
		read_compare(&root, p);
		read_guards(&root, p);
		refuse_unsupported(&root, "gates");
		refuse_unsupported(&root, "hooks");
		p->on_inconclusive = (enum plan_inconclusive)index_of(inconclusive_words, words.on_inconclusive);
	}
	p->service = words.service;
	p->environment = words.environment;
	p->baseline = words.baseline;
	p->keep_old = words.keep_old;
	p->accept_low_power = words.accept_low_power;
	if (doc_ok(doc))
		return p;
	plan_destroy(p);
	return NULL;
}

void plan_destroy(struct plan *p)
{
	if (!p)
		return;
	arena_finish(&p->arena);
	free(p);
}
