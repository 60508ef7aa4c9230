/* token.h: who is asking, without a session: a token is the user's name and its HMAC-SHA-256.
 *
 * Nothing is stored, so every instance behind a balancer accepts the tokens of every other. The key is in the source:
 * this is a demonstration, it guards nothing. Threads: [any]. */
#ifndef WEIR_DEMO_TOKEN_H
#define WEIR_DEMO_TOKEN_H

#include "base/str.h"

#define TOKEN_USER_MAX 64
#define TOKEN_TEXT_BYTES (TOKEN_USER_MAX + 1 + 32 + 1)

/* 1 to TOKEN_USER_MAX letters, digits and ". _ - @ +". */
bool token_user_valid(struct str user);

/* <user> is valid. */
void token_make(struct str user, char ret_token[TOKEN_TEXT_BYTES]);

/* The user is a part of <token>. False: not one of ours. */
bool token_check(struct str token, struct str *ret_user);

/* The value of an Authorization header: "Bearer TOKEN". */
bool token_check_bearer(struct str header, struct str *ret_user);

#endif
