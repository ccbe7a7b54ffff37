/* --list: what the files hold, none of their elements read. */
#ifndef PRECHECK_CLI_LIST_H
#define PRECHECK_CLI_LIST_H

#include "cli/options.h"
#include "report/listing.h"

/* Adds what the file holds. False with a message where it cannot be opened. `warning` (of 256
 * bytes) is "" or for the user. */
bool list_file(const struct options *options, struct listing *listing, const char *path,
               char *warning, struct error *error);

#endif
