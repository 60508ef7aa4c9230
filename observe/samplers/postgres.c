/* postgres.c: { "postgres": URL }: connections, transactions, cache hits, and query times from pg_stat_statements where it
 * is there. libpq works asynchronously on the loop; only its look-up of a host's name blocks, which is why the samplers
 * have a thread of their own in weir.
 *
 *              start            connected           answered            answered, or no pg_stat_statements
 *   CLOSED ───────────► OPENING ──────────► ASKING ──────────► STATEMENTS ──────────► IDLE
 *                                             ▲                                         │
 *                                             └────────────────── start ────────────────┘
 *   Anything that fails, and the limit, goes to CLOSED; a statement that the server refuses goes to IDLE.
 *
 * Each question is one implicit transaction with SET LOCAL in it: read-only, and ended by the server when it takes too
 * long. Nothing is set for the session, which may belong to a pooler and go to somebody else next.
 *
 * What others do is only shown to members of pg_read_all_stats (pg_monitor is one); for anybody else busy and waiting
 * would read 0, so they are missing then. */
#include <libpq-fe.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/must.h"
#include "observe/conceal.h"
#include "observe/samplers/kinds.h"
#include "observe/statements.h"

/* Before the sampler gives up, so that the reason is the server's own. */
#define LIMITS "SET LOCAL /* weir */ statement_timeout = 700; SET LOCAL /* weir */ transaction_read_only = on; "
#define SECRETS_MAX 4

static const char question[] = LIMITS
	"SELECT (SELECT sum(numbackends) - 1 FROM pg_stat_database),"
	" CASE WHEN r.all_stats THEN (SELECT count(*) FROM pg_stat_activity"
	"  WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()) END,"
	" CASE WHEN r.all_stats THEN (SELECT count(*) FROM pg_stat_activity"
	"  WHERE wait_event_type = 'Lock' AND backend_type = 'client backend') END,"
	" d.xact_commit + d.xact_rollback, d.blks_hit, d.blks_read, current_setting('max_connections'),"
	" (SELECT quote_ident(n.nspname) FROM pg_extension e /* weir */ JOIN pg_namespace n ON n.oid = e.extnamespace"
	"  WHERE e.extname = 'pg_stat_statements' AND r.all_stats)"
	" FROM pg_stat_database d, (SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS all_stats) r"
	" WHERE d.datname = current_database()";
enum { IN_CONNECTIONS, IN_BUSY, IN_WAITING, IN_TRANSACTIONS, IN_HITS, IN_READS, IN_LIMIT, IN_SCHEMA, IN_COLUMNS };

/* Without the statements' texts, which live in a file; at the second and third look with them, to know our own by their
 * comment. A statement is counted when it has ended, so each look sees only those before it: the second sees the question
 * and this one without texts, and the third the one with texts, which the second was. Where the view was reset nothing else
 * would have it known. */
#define STATEMENTS_QUESTION                                                                                   \
	LIMITS "SELECT queryid, sum(calls), sum(total_exec_time), bool_or(%s) FROM %s.pg_stat_statements(%s)" \
	       " WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database() /* weir */)"    \
	       " AND queryid IS NOT NULL GROUP BY 1 ORDER BY 1 LIMIT %d"
#define IS_OURS "query LIKE '%/* weir */%'"
/* Two questions and the two settings in front of them; the second question in both forms. */
#define OWN_MAX 8

enum { CONNECTIONS, BUSY, WAITING, TRANSACTIONS, HITS, QUERY_MEAN, QUERY_P95 };
enum phase { CLOSED, OPENING, ASKING, STATEMENTS, IDLE };

struct postgres_sampler {
	struct sampler base;
	const struct observe_item *item;
	PGconn *conn;
	struct loop_fd watch;
	enum phase phase;
	char *secrets[SECRETS_MAX];
	size_t secret_count;
	char *schema;             /* of pg_stat_statements; NULL: it is not there, or not for us */
	struct err no_statements; /* why they are not asked for any more on this connection */
	struct counter_rate transactions;
	double hits, reads; /* at the last look; NAN: none */
	struct statements before;
	size_t looks; /* at the statements, on this connection */
	int64_t own[OWN_MAX];
	size_t own_count;
};

/* --- the connection ---------------------------------------------------------------------------------------------- */

static void drop_connection(struct postgres_sampler *p)
{
	loop_fd_stop(p->base.loop, &p->watch);
	PQfinish(p->conn);
	p->conn = NULL;
	p->phase = CLOSED;
	p->no_statements.kind = ERR_NONE;
	p->hits = p->reads = NAN;
	p->transactions = (struct counter_rate){ 0 };
	p->looks = 0;
}

/* The first line of what libpq says, without what must not be told. */
static void take_message(const struct postgres_sampler *p, const char *message, enum err_kind kind, struct err *ret)
{
	err_set(ret, kind, "PostgreSQL: %.*s", (int)strcspn(message, "\n"), message);
	for (size_t i = 0; i < p->secret_count; i++)
		conceal_secret(ret->text, sizeof(ret->text), p->secrets[i]);
}

static void fail(struct postgres_sampler *p)
{
	/* Whatever has no reason of its own is missing for this one. */
	p->base.partial = false;
	take_message(p, p->conn ? PQerrorMessage(p->conn) : "no connection", ERR_UNREACHABLE, &p->base.err);
	drop_connection(p);
	sampler_end(&p->base);
}

static void on_ready(struct loop_fd *w, int what);

/* libpq may have another socket behind the same number now, hence anew each time. */
static void wait_for(struct postgres_sampler *p, int what)
{
	loop_fd_stop(p->base.loop, &p->watch);
	loop_fd_watch(p->base.loop, &p->watch, PQsocket(p->conn), what, on_ready);
}

static void flush(struct postgres_sampler *p)
{
	const int left = PQflush(p->conn);
	if (left < 0)
		fail(p);
	else
		wait_for(p, left ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static void ask(struct postgres_sampler *p, enum phase phase, const char *text)
{
	p->phase = phase;
	if (!PQsendQuery(p->conn, text))
		fail(p);
	else
		flush(p);
}

static void miss_statements(struct postgres_sampler *p, const struct err *why)
{
	sampler_miss(&p->base, QUERY_MEAN, why);
	sampler_miss(&p->base, QUERY_P95, why);
}

static void end_asking(struct postgres_sampler *p)
{
	loop_fd_stop(p->base.loop, &p->watch);
	p->phase = IDLE;
	if (p->no_statements.kind != ERR_NONE)
		miss_statements(p, &p->no_statements);
	sampler_end(&p->base);
}

static void drop_notice(void *arg, const PGresult *result)
{
	/* libpq would write it to stderr. */
}

static void open_connection(struct postgres_sampler *p)
{
	/* The first dbname is expanded; what follows overrides nothing that the user wrote. */
	static const char *const keys[] = { "dbname", "fallback_application_name", NULL };
	const char *const values[] = { p->item->url, "weir", NULL };
	p->conn = PQconnectStartParams(keys, values, 1);
	p->phase = OPENING;
	if (!p->conn || PQstatus(p->conn) == CONNECTION_BAD) {
		fail(p);
		return;
	}
	PQsetNoticeReceiver(p->conn, drop_notice, NULL);
	wait_for(p, LOOP_WRITE);
}

static void go_on_opening(struct postgres_sampler *p)
{
	switch (PQconnectPoll(p->conn)) {
	case PGRES_POLLING_READING:
		wait_for(p, LOOP_READ);
		return;
	case PGRES_POLLING_WRITING:
		wait_for(p, LOOP_WRITE);
		return;
	case PGRES_POLLING_OK:
		PQsetnonblocking(p->conn, 1);
		ask(p, ASKING, question);
		return;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		break;
	}
	fail(p);
}

/* --- the answers ------------------------------------------------------------------------------------------------- */

/* NAN when it is NULL or no number. */
static double number_at(const PGresult *result, int row, int column)
{
	double number;
	if (PQgetisnull(result, row, column))
		return NAN;
	return str_to_double(str_from(PQgetvalue(result, row, column)), &number) ? number : NAN;
}

static void take_hits(struct postgres_sampler *p, double hits, double reads)
{
	const double more_hits = hits - p->hits, more_reads = reads - p->reads;
	if (more_hits >= 0 && more_reads >= 0 && more_hits + more_reads > 0)
		p->base.values[HITS] = more_hits / (more_hits + more_reads);
	p->hits = hits;
	p->reads = reads;
}

/* What this server does not tell this user. */
static void say_missing(struct postgres_sampler *p)
{
	struct err why;
	if (isnan(p->base.values[BUSY])) {
		err_set(&why, ERR_NOT_FOUND,
		        "PostgreSQL: this user may not see what others do; grant it the role pg_monitor");
		sampler_miss(&p->base, BUSY, &why);
		sampler_miss(&p->base, WAITING, &why);
		miss_statements(p, &why);
	} else if (!p->schema) {
		err_set(&why, ERR_NOT_FOUND, "PostgreSQL: pg_stat_statements is not in this database");
		miss_statements(p, &why);
	}
}

static void take_figures(struct postgres_sampler *p, const PGresult *result)
{
	double *values = p->base.values;
	if (PQntuples(result) != 1 || PQnfields(result) != IN_COLUMNS) {
		err_set(&p->base.err, ERR_SYNTAX, "PostgreSQL: an answer of %d rows and %d columns", PQntuples(result),
		        PQnfields(result));
		return;
	}
	values[CONNECTIONS] = number_at(result, 0, IN_CONNECTIONS);
	values[BUSY] = number_at(result, 0, IN_BUSY);
	values[WAITING] = number_at(result, 0, IN_WAITING);
	values[TRANSACTIONS] = counter_rate_take(&p->transactions, number_at(result, 0, IN_TRANSACTIONS), mono_now());
	take_hits(p, number_at(result, 0, IN_HITS), number_at(result, 0, IN_READS));
	p->base.series[CONNECTIONS].limit = p->base.series[BUSY].limit = number_at(result, 0, IN_LIMIT);
	free(p->schema);
	p->schema = PQgetisnull(result, 0, IN_SCHEMA) ? NULL : xstrdup(PQgetvalue(result, 0, IN_SCHEMA));
	say_missing(p);
}

static bool is_own(const struct postgres_sampler *p, int64_t id)
{
	for (size_t i = 0; i < p->own_count; i++)
		if (p->own[i] == id)
			return true;
	return false;
}

static void take_statements(struct postgres_sampler *p, const PGresult *result)
{
	struct statements now = { 0 };
	struct statement_times times;
	const int rows = PQntuples(result);
	now.rows = xcalloc((size_t)rows, sizeof(*now.rows));
	for (int i = 0; i < rows; i++) {
		const int64_t id = strtoll(PQgetvalue(result, i, 0), NULL, 10);
		if (PQgetvalue(result, i, 3)[0] == 't' && !is_own(p, id) && p->own_count < OWN_MAX)
			p->own[p->own_count++] = id;
		if (!is_own(p, id))
			now.rows[now.count++] = (struct statement){ id, number_at(result, i, 1),
				                                    number_at(result, i, 2) };
	}
	if (p->looks > 0 && statements_between(&p->before, &now, &times)) {
		p->base.values[QUERY_MEAN] = times.mean_ms;
		p->base.values[QUERY_P95] = times.p95_ms;
	}
	statements_finish(&p->before);
	p->before = now;
	p->looks++;
}

static void take_result(struct postgres_sampler *p, const PGresult *result)
{
	const ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_COMMAND_OK)
		return; /* SET LOCAL */
	if (status != PGRES_TUPLES_OK) {
		take_message(p, PQresultErrorMessage(result), ERR_UNREACHABLE,
		             p->phase == STATEMENTS ? &p->no_statements : &p->base.err);
		return;
	}
	if (p->phase == STATEMENTS)
		take_statements(p, result);
	else
		take_figures(p, result);
}

static void ask_statements(struct postgres_sampler *p)
{
	const bool texts = p->looks == 1 || p->looks == 2;
	char *text = xasprintf(STATEMENTS_QUESTION, texts ? IS_OURS : "false", p->schema, texts ? "true" : "false",
	                       STATEMENTS_MAX);
	ask(p, STATEMENTS, text);
	free(text);
}

static void go_on_reading(struct postgres_sampler *p)
{
	if (!PQconsumeInput(p->conn)) {
		fail(p);
		return;
	}
	while (!PQisBusy(p->conn)) {
		PGresult *result = PQgetResult(p->conn);
		if (!result) {
			if (p->phase == ASKING && p->schema && p->no_statements.kind == ERR_NONE)
				ask_statements(p);
			else
				end_asking(p);
			return;
		}
		take_result(p, result);
		PQclear(result);
	}
	flush(p);
}

static void on_ready(struct loop_fd *w, int what)
{
	struct postgres_sampler *p = container_of(w, struct postgres_sampler, watch);
	if (p->phase == OPENING)
		go_on_opening(p);
	else
		go_on_reading(p);
}

/* --- hooks ------------------------------------------------------------------------------------------------------- */

static void postgres_start(struct sampler *base)
{
	struct postgres_sampler *p = container_of(base, struct postgres_sampler, base);
	if (p->phase == CLOSED)
		open_connection(p);
	else
		ask(p, ASKING, question);
}

static void postgres_give_up(struct sampler *base)
{
	drop_connection(container_of(base, struct postgres_sampler, base));
}

static void postgres_destroy(struct sampler *base)
{
	struct postgres_sampler *p = container_of(base, struct postgres_sampler, base);
	drop_connection(p);
	sampler_finish(base);
	statements_finish(&p->before);
	for (size_t i = 0; i < p->secret_count; i++)
		free(p->secrets[i]);
	free(p->schema);
	free(p);
}

static const struct sampler_ops postgres_ops = { .start = postgres_start,
	                                         .give_up = postgres_give_up,
	                                         .destroy = postgres_destroy };

/* libpq marks with '*' what must not be shown. */
static void keep_secrets(struct postgres_sampler *p, const PQconninfoOption *options)
{
	for (const PQconninfoOption *o = options; o->keyword; o++)
		if (o->val && o->val[0] && o->dispchar[0] == '*' && p->secret_count < SECRETS_MAX)
			p->secrets[p->secret_count++] = xstrdup(o->val);
}

static struct sampler *postgres_create(struct loop *loop, struct transport *transport, const struct observe_item *item,
                                       struct err *err)
{
	PQconninfoOption *options = PQconninfoParse(item->url, NULL);
	if (!options) {
		/* What libpq says about it would hold the text. */
		err_set(err, ERR_USAGE, "\"%s\": this is not a PostgreSQL URL", item->name);
		return NULL;
	}
	struct postgres_sampler *p = xcalloc(1, sizeof(*p));
	sampler_init(&p->base, &postgres_ops, loop);
	p->item = item;
	p->hits = p->reads = NAN;
	keep_secrets(p, options);
	PQconninfoFree(options);
	sampler_add(&p->base, item->name, "connections", UNIT_CONNECTIONS);
	sampler_add(&p->base, item->name, "busy", UNIT_CONNECTIONS);
	sampler_add(&p->base, item->name, "waiting for locks", UNIT_CONNECTIONS);
	sampler_add(&p->base, item->name, "transactions", UNIT_PER_SECOND);
	sampler_add(&p->base, item->name, "cache hits", UNIT_SHARE);
	sampler_add(&p->base, item->name, "query mean", UNIT_MILLISECONDS);
	sampler_add(&p->base, item->name, "query p95", UNIT_MILLISECONDS);
	return &p->base;
}

static void postgres_read(const struct node *n, const struct observe_inputs *inputs, struct arena *arena,
                          struct observe_item *into)
{
	struct node url;
	if (!node_get(n, "postgres", &url))
		return;
	into->url = observe_text(&url, inputs, arena);
	PQconninfoOption *options = into->url ? PQconninfoParse(into->url, NULL) : NULL;
	if (into->url && !options)
		node_error(&url, "postgresql://user@host:5432/database, or \"host=... dbname=...\".",
		           "this is not a PostgreSQL URL");
	PQconninfoFree(options);
}

static const struct field postgres_fields[] = {
	{ "postgres", FIELD_NODE, .required = true, .help = "The URL of a database; best as ${env.NAME}." },
	{ 0 },
};

const struct sampler_kind postgres_kind = {
	.key = "postgres",
	.fields = postgres_fields,
	.nodes = (const char *const[]){ "postgres", "observe-text", NULL },
	.read = postgres_read,
	.create = postgres_create,
};
