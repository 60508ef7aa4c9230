/* file.h: whole files, bounded, and replaced so that a crash leaves the old or the new one. Threads: [any]. */
#ifndef WEIR_BASE_FILE_H
#define WEIR_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Adds all of the file at <path> to <out>; ERR_LIMIT when it does not fit, ERR_NOT_FOUND when there is none. */
int file_read(const char *path, struct buf *out, struct err *err);

/* Writes <text> beside <path>, syncs it and renames it into place. Mode 0600 when <secret>, else 0644. A symbolic link stays
 * one; what is no file (/dev/stdout, a named pipe) is written to as it is. */
int file_replace(const char *path, struct str text, bool secret, struct err *err);

/* Makes the folder and its parents, mode 0700 for those it makes. No error when it is there. */
int file_make_folder(const char *path, struct err *err);

#endif
