/* skeleton.h: the driver to begin a new one with, see skeleton.c. Not in the table: no plan can ask for it. */
#ifndef WEIR_CANARY_DRIVERS_SKELETON_H
#define WEIR_CANARY_DRIVERS_SKELETON_H

#include "canary/driver.h"

struct driver *skeleton_create(struct loop *loop, const struct plan *plan, const char *folder, struct err *err);

#endif
