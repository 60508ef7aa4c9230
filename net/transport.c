#include "net/transport.h"

static const char *const texts[] = {
#define X(id, text) text,
	NET_ERRORS(X)
#undef X
};

const char *net_error_text(enum net_error e)
{
	return texts[e];
}
