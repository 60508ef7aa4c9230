#include "cli/command.h"
#include "cli/commands.h"
#include "store/store.h"

struct audit_flags {
	struct common_options common;
	const char *anchor;
};

static const struct option options[] = {
	{ "anchor", 0, OPTION_STRING, offsetof(struct audit_flags, anchor), "SEQ:HASH", 0, 0,
	  "a head written down earlier: the only proof that nothing was cut off" },
	COMMON_OPTIONS(struct audit_flags),
	{ .type = OPTION_END },
};

static int read_anchor(const char *text, uint64_t *ret_seq, const char **ret_hash)
{
	const struct str all = str_from(text);
	const size_t colon = str_find(all, ':');
	if (!str_to_u64(str_first(all, colon), ret_seq) || all.len - colon != AUDIT_HASH_TEXT_BYTES)
		return fail_with(EXIT_USAGE, "--anchor needs SEQ:HASH as weir audit verify printed it, not '%s'", text);
	*ret_hash = text + colon + 1;
	return 0;
}

static int audit_verify(const struct invocation *in)
{
	const struct audit_flags *f = in->options;
	struct audit_report report;
	struct err err;
	uint64_t seq = 0;
	const char *hash = NULL;
	if (f->anchor && read_anchor(f->anchor, &seq, &hash))
		return EXIT_USAGE;
	struct store *store = store_open(f->common.store, &err);
	if (!store)
		return fail(&err);
	const int r = store_audit_verify(store, (int64_t)seq, hash, &report, &err);
	store_close(store);
	if (r < 0)
		return fail(&err);
	if (f->common.json) {
		const int status = print_json(json_pack("{s:I, s:I, s:s, s:I, s:s}", "events", (json_int_t)report.count,
		                                        "head_seq", (json_int_t)report.head_seq, "head_hash",
		                                        report.head_hash, "bad_seq", (json_int_t)report.bad_seq, "why",
		                                        report.why));
		return status ? status : report.why[0] ? EXIT_NOT_MET : EXIT_MET;
	}
	if (report.why[0]) {
		printf("BROKEN  event %lld: %s\n", (long long)report.bad_seq, report.why);
		return EXIT_NOT_MET;
	}
	printf("SOUND   %lld events; head %lld:%s\n", (long long)report.count, (long long)report.head_seq,
	       report.head_hash);
	return EXIT_MET;
}

const struct command cmd_audit_verify = {
	.noun = "audit",
	.verb = "verify",
	.arguments = "",
	.least_arguments = 0,
	.most_arguments = 0,
	.summary = "check that no recorded event was rewritten",
	.details =
		"  weir audit verify --anchor 117:1f0c...\n\nWrite the head down outside this machine: only with an earlier head\n"
		"can a rewrite of the whole chain be seen. Exit status: 0 sound, 1 broken.",
	.options = options,
	.options_bytes = sizeof(struct audit_flags),
	.main = audit_verify,
};
