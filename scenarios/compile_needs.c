/* compile_needs.c: "defaults": how requests are made and what they ask of the transport. */
#include "scenarios/compile.h"

#include "base/must.h"
#include "scenarios/target.h"

const char *const http_words[] = { "auto", "replay", "curl", "1.1", "2", NULL };
static const char *const connection_words[] = { "per-user", "shared", NULL };
static const char *const auth_words[] = { "basic", "digest", NULL };

struct defaults_text {
	struct request_text request;
	const char *connections;
};

const struct field defaults_fields[] = {
	REQUEST_FIELDS(struct defaults_text, request, "10s", "auto", "0", "true", "false"),
	{ .key = "headers", .type = FIELD_NODE, .help = "Sent with every request." },
	{ .key = "proxy", .type = FIELD_NODE, .help = "The URL of an HTTP proxy; none from the environment is used." },
	{ .key = "connect_to", .type = FIELD_NODE, .help = "\"HOST:PORT\" to connect to in place of the target's." },
	{ .key = "tls", .type = FIELD_NODE, .help = "Certificates." },
	{ .key = "connections",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct defaults_text, connections),
	  .def = "per-user",
	  .choices = connection_words,
	  .help = "Of HTTP/2: one for each user's request, or \"shared\" by up to 64 users, a stream for each request." },
	{ 0 },
};

struct tls_text {
	bool insecure;
};

const struct field tls_fields[] = {
	{ .key = "ca", .type = FIELD_NODE, .help = "A file of authorities (PEM) in place of the system's." },
	{ .key = "cert", .type = FIELD_NODE, .help = "A file with the client's certificate (PEM)." },
	{ .key = "key", .type = FIELD_NODE, .help = "A file with the key of \"cert\" (PEM)." },
	{ .key = "insecure",
	  .type = FIELD_BOOLEAN,
	  .offset = offsetof(struct tls_text, insecure),
	  .def = "false",
	  .help = "Certificates are not verified." },
	{ 0 },
};

struct auth_text {
	const char *kind;
};

const struct field auth_fields[] = {
	{ .key = "kind",
	  .type = FIELD_STRING,
	  .offset = offsetof(struct auth_text, kind),
	  .def = "basic",
	  .choices = auth_words,
	  .help = "How the password is shown." },
	{ .key = "user", .type = FIELD_NODE, .required = true, .help = "The name." },
	{ .key = "password", .type = FIELD_NODE, .required = true, .help = "The password." },
	{ 0 },
};

const char *constant_member(struct compiler *c, const struct node *n, const char *key)
{
	struct node member;
	struct str text;
	if (!node_get(n, key, &member) || !compile_constant(c, &member, &text))
		return NULL;
	if (text.len == 0 || memchr(text.p, '\0', text.len)) {
		node_error(&member, NULL, "\"%s\" must not be empty and must not hold a NUL byte", key);
		return NULL;
	}
	return text.p;
}

static void add_base64(struct buf *out, struct str s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < s.len; i += 3) {
		uint32_t bits = 0;
		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (i + k < s.len ? (unsigned char)s.p[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			buf_add_char(out, i + k > s.len ? '=' : letters[bits >> (18 - 6 * k) & 63]);
	}
}

/* Basic needs no transport that knows it: it is a header. */
static void add_basic(struct compiler *c, const char *user, const char *password, struct rows *headers)
{
	struct weaver w;
	struct buf text;
	buf_init(&text, DOC_BYTES_MAX);
	buf_add(&text, STR("Basic "));
	add_base64(&text, str_from(arena_printf(c->arena, "%s:%s", user, password)));
	weaver_init(&w, c, ESCAPE_HEADER);
	weave_literal(&w, buf_str(&text), true);
	buf_finish(&text);
	const struct header_template h = { .name = STR("Authorization"), .value = weaver_finish(&w), .secret = true };
	put_header(headers, &h);
}

void compile_auth(struct compiler *c, const struct node *n, struct transfer_needs *needs, struct rows *headers)
{
	struct auth_text text = { 0 };
	struct node member;
	if (!read_fields(c, n, auth_fields, &text))
		return;
	const char *user = constant_member(c, n, "user"), *password = constant_member(c, n, "password");
	if (!user || !password || !text.kind)
		return;
	if (strchr(user, ':') && node_get(n, "user", &member)) {
		node_error(&member, NULL, "a user name cannot hold a colon here");
		return;
	}
	if (strcmp(text.kind, "basic") == 0) {
		needs->user = needs->password = NULL;
		add_basic(c, user, password, headers);
		return;
	}
	drop_header(headers, "Authorization");
	needs->user = user;
	needs->password = password;
}

/* libcurl reads these itself, when it connects. */
static const char *file_member(struct compiler *c, const struct node *n, const char *key)
{
	const char *name = constant_member(c, n, key);
	if (!name || name[0] == '/' || !c->in->folder)
		return name;
	return arena_printf(c->arena, "%s/%s", c->in->folder, name);
}

static void compile_tls(struct compiler *c, const struct node *n, struct transfer_route *route)
{
	struct tls_text text = { 0 };
	struct node member;
	if (!read_fields(c, n, tls_fields, &text))
		return;
	route->ca = file_member(c, n, "ca");
	route->cert = file_member(c, n, "cert");
	route->key = file_member(c, n, "key");
	route->insecure = text.insecure;
	if (node_get(n, "key", &member) && !node_get(n, "cert", &(struct node){ 0 }))
		node_key_error(&member, "\"cert\": the file of the certificate", "a \"key\" goes with a \"cert\"");
}

static void compile_proxy(struct compiler *c, const struct node *n, struct transfer_route *route)
{
	struct target parts;
	struct node member;
	size_t at;
	const char *why;
	route->proxy = constant_member(c, n, "proxy");
	if (route->proxy && node_get(n, "proxy", &member) &&
	    !target_parse(str_from(route->proxy), c->arena, &parts, &at, &why))
		node_error(&member, "for example \"http://127.0.0.1:3128\"", "this is no proxy: %s", why);
}

static void compile_connect_to(struct compiler *c, const struct node *n, struct transfer_route *route)
{
	struct node member;
	uint64_t port;
	const char *text = constant_member(c, n, "connect_to");
	if (!text || !node_get(n, "connect_to", &member))
		return;
	const char *colon = strrchr(text, ':');
	if (!colon || colon == text || !str_to_u64(str_from(colon + 1), &port) || port == 0 || port > 65535)
		node_error(&member, "for example \"10.0.0.7:8080\"", "this is not \"HOST:PORT\"");
	route->connect_to = arena_printf(c->arena, "::%s", text);
}

void compile_defaults(struct compiler *c, const struct node *n)
{
	struct defaults_text text = { 0 };
	struct node member;
	if (!read_fields(c, n, defaults_fields, &text))
		return;
	c->defaults = text.request;
	if (node_get(n, "headers", &member))
		compile_headers(c, &member, &c->default_headers);
	if (node_get(n, "auth", &member))
		compile_auth(c, &member, &c->default_needs, &c->default_headers);
	if (node_get(n, "tls", &member))
		compile_tls(c, &member, &c->program->route);
	c->program->route.shared = text.connections && strcmp(text.connections, "shared") == 0;
	compile_proxy(c, n, &c->program->route);
	compile_connect_to(c, n, &c->program->route);
}

void apply_request(struct compiler *c, const struct node *n, const struct request_text *text,
                   struct transfer_needs *needs)
{
	for (int i = 0; text->http && http_words[i]; i++)
		if (strcmp(text->http, http_words[i]) == 0)
			needs->http = (enum need_http)i;
	needs->compression = text->compression;
	const bool plain_proxy = c->program->route.proxy && !str_starts(c->program->target.origin, STR("https:"));
	if (needs->http == NEED_HTTP_REPLAY && (needs_curl_only(needs) || plain_proxy))
		node_error(
			n, "\"http\": \"auto\" takes what fits",
			"the replay transport has no compression, no digest authentication, and proxies only for https");
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_needs(const struct transfer_needs *a, const struct transfer_needs *b)
{
	return a->http == b->http && a->compression == b->compression && same_text(a->user, b->user) &&
	       same_text(a->password, b->password);
}

const struct transfer_needs *settle_needs(struct compiler *c, const struct transfer_needs *needs)
{
	static const struct transfer_needs none;
	if (same_needs(needs, &none))
		return NULL;
	for (uint32_t i = 0; i < c->needs.count; i++)
		if (same_needs(needs, *rows_at(&c->needs, struct transfer_needs *, i)))
			return *rows_at(&c->needs, struct transfer_needs *, i);
	struct transfer_needs *kept = arena_new(c->arena, struct transfer_needs);
	*kept = *needs;
	rows_add(&c->needs, &kept);
	return kept;
}
