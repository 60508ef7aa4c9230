/* rig.h: what the tests of drivers need around a real data plane: two arms of tiny HTTP servers, users, a folder.
 *
 * Each arm is one thread that answers every request with its own letter, "S" or "C". Users speak HTTP/1.1 over blocking
 * sockets. Everything is on 127.0.0.1 at free ports and gone after rig_finish. */
#ifndef WEIR_TESTS_CANARY_RIG_H
#define WEIR_TESTS_CANARY_RIG_H

#include <pthread.h>
#include <stdatomic.h>

#include "canary/driver.h"
#include "canary/plan.h"
#include "net/loop.h"

struct rig_arm {
	pthread_t thread;
	int listener, stop_fd;
	int32_t port;
	char letter;
	atomic_int status; /* that it answers with; 200. 0: it hears and never answers */
	atomic_long served;
	char host_port[32];
	struct plan_server server;
};

struct rig {
	struct loop loop;
	struct plan plan; /* two arms, cookie "uid", lease 2 s */
	struct rig_arm arms[ARMS];
	char folder[64];
};

void rig_init(struct rig *r);
void rig_finish(struct rig *r);

/* Only the listening socket of an arm, at a free port. */
void rig_arm_listen(struct rig_arm *a);

/* Turns the loop until *flag or until <limit> passed; returns *flag. */
bool rig_wait(struct rig *r, const bool *flag, dur_ns limit);

/* One driver call and its answer. False: failed, with <ret_err>. */
bool rig_prepare(struct rig *r, struct driver *d, struct err *ret_err);
bool rig_set(struct rig *r, struct driver *d, int32_t basis_points, int64_t fence, struct err *ret_err);
bool rig_renew(struct rig *r, struct driver *d, struct err *ret_err);
bool rig_keep(struct rig *r, struct driver *d, struct err *ret_err);
bool rig_cut(struct rig *r, struct driver *d, struct err *ret_err);
bool rig_stop(struct rig *r, struct driver *d, struct err *ret_err);
bool rig_observe(struct rig *r, struct driver *d, struct driver_observation *ret, struct err *ret_err);

/* Observes again and again until both arms are in service. */
void rig_wait_for_arms(struct rig *r, struct driver *d);

/* A user's connection. rig_ask sends one request with cookie uid=<user> (NULL: none) and returns the letter of the arm
 * that answered, '5' for a 5xx, 0 when the connection broke. */
int rig_connect(int32_t port);
int rig_try_connect(int32_t port); /* -1: nobody listens */
char rig_ask(int fd, const char *user);

#endif
