#include "net/transport.h"

#include <stdio.h>

static const char *const texts[] = {
#define X(id, text) text,
	NET_ERRORS(X)
#undef X
};

const char *net_error_text(enum net_error e)
{
	return texts[e];
}

const char *timeout_text(dur_ns after, uint64_t bytes_received, char ret_text[TIMEOUT_TEXT_BYTES])
{
	snprintf(ret_text, TIMEOUT_TEXT_BYTES, "timed out after %lld milliseconds with %llu bytes received",
	         (long long)(after / MILLISECOND), (unsigned long long)bytes_received);
	return ret_text;
}

/* The table of kinds. */
static const struct {
	const char *name;
	struct transport *(*create)(struct loop *loop, const struct transport_options *options, struct err *err);
} kinds[TRANSPORT_KINDS] = {
	[TRANSPORT_AUTO] = { "auto", transport_auto_create },
	[TRANSPORT_REPLAY] = { "replay", transport_replay_create },
	[TRANSPORT_CURL] = { "curl", transport_curl_create },
};

bool transport_kind_from(struct str text, enum transport_kind *ret_kind)
{
	for (int i = 0; i < TRANSPORT_KINDS; i++) {
		if (str_is(text, kinds[i].name)) {
			*ret_kind = (enum transport_kind)i;
			return true;
		}
	}
	return false;
}

struct transport *transport_create(struct loop *loop, const struct transport_options *options, struct err *err)
{
	return kinds[options->kind].create(loop, options, err);
}
