/* actor.h: who is at this terminal, for records and events: "user@host". */
#ifndef WEIR_CLI_ACTOR_H
#define WEIR_CLI_ACTOR_H

#define ACTOR_BYTES 160

/* WEIR_ACTOR in the environment when it is set (a pipeline's name), else the user's name and the host's. */
void actor_name(char ret_actor[ACTOR_BYTES]);

#endif
