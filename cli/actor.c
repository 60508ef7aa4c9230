#include "cli/actor.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void actor_name(char ret_actor[ACTOR_BYTES])
{
	char host[64] = "localhost";
	const char *given = getenv("WEIR_ACTOR");
	const struct passwd *user = getpwuid(geteuid());
	if (given && given[0]) {
		snprintf(ret_actor, ACTOR_BYTES, "%s", given);
		return;
	}
	gethostname(host, sizeof(host) - 1);
	snprintf(ret_actor, ACTOR_BYTES, "%.80s@%s", user ? user->pw_name : "unknown", host);
}
