/*
 * Policy files: rules for tensors by their names, as JSON.
 *   {"version": 1, "rules": [{"tensors": "*norm*", "to": "bf16", "metric": "max_rel", "op": ">",
 *                             "value": 0.001, "level": "warn", "optional": true}]}
 */
#ifndef PRECHECK_GATE_POLICY_H
#define PRECHECK_GATE_POLICY_H

#include "gate/gate.h"

/* Adds the rules of the file, or of the text. On failure some may have been added; the message says
 * where in the file it is, and does not name the file. */
bool policy_load(const char *path, struct gates *gates, struct error *error);
bool policy_parse(const char *text, size_t length, struct gates *gates, struct error *error);

#endif
