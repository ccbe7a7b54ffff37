#include "gate/policy.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/decimal.h"
#include "base/glob.h"

enum { SIZE_LIMIT = 16 << 20, VERSION = 1 };

/* How much of a string a message shows. */
enum { SHOWN = 60 };

static bool fail_type(const char *key, const char *type, struct error *error)
{
    return fail(error, "'%s' is not %s", key, type);
}

/* The members of a rule. Each takes one, which comes once at most. */

static bool take_tensors(const json_t *value, struct gate_rule *rule, struct error *error)
{
    const char *pattern = json_string_value(value);
    if (!pattern)
        return fail_type("tensors", "a string", error);
    rule->tensors = copy_string(pattern);
    return glob_valid(pattern, error);
}

static bool take_format(const json_t *value, struct gate_rule *rule, struct error *error)
{
    const char *name = json_string_value(value);
    if (!name)
        return fail_type("to", "a string", error);
    rule->format_count = format_find_all(name, strlen(name), rule->formats, error);
    return rule->format_count;
}

static bool take_metric(const json_t *value, struct gate_rule *rule, struct error *error)
{
    const char *name = json_string_value(value);
    if (!name)
        return fail_type("metric", "a string", error);
    return gate_find_figure(name, rule) || fail(error, "there is no figure '%.*s'", SHOWN, name);
}

static bool take_comparison(const json_t *value, struct gate_rule *rule, struct error *error)
{
    const char *sign = json_string_value(value);
    if (!sign)
        return fail_type("op", "a string", error);
    return gate_find_comparison(sign, rule) ||
           fail(error, "'%.*s' is no comparison (< <= > >= == !=)", SHOWN, sign);
}

static bool take_bound(const json_t *value, struct gate_rule *rule, struct error *error)
{
    const char *text = json_string_value(value);
    if (json_is_number(value))
        rule->bound = json_number_value(value);
    else if (text && strcmp(text, "inf") == 0)
        rule->bound = INFINITY;
    else if (text && strcmp(text, "-inf") == 0)
        rule->bound = -INFINITY;
    else
        return fail_type("value", "a number, \"inf\" or \"-inf\"", error);
    return true;
}

static bool take_level(const json_t *value, struct gate_rule *rule, struct error *error)
{
    const char *name = json_string_value(value);
    for (int level = 0; name && level <= GATE_OFF; level++)
        if (strcmp(gate_level_names[level], name) == 0) {
            rule->level = (enum gate_level)level;
            return true;
        }
    return fail_type("level", "\"off\", \"warn\" or \"error\"", error);
}

static bool take_optional(const json_t *value, struct gate_rule *rule, struct error *error)
{
    if (!json_is_boolean(value))
        return fail_type("optional", "true or false", error);
    rule->optional = json_is_true(value);
    return true;
}

static const struct {
    const char *key;
    bool (*take)(const json_t *value, struct gate_rule *rule, struct error *error);
} members[] = {
    {"tensors", take_tensors},   {"to", take_format},   {"metric", take_metric},
    {"op", take_comparison},     {"value", take_bound}, {"level", take_level},
    {"optional", take_optional},
};

static bool fail_key(const char *key, struct error *error)
{
    return fail(error, "unknown key '%.*s'", SHOWN, key);
}

static bool take_member(const char *key, const json_t *value, struct gate_rule *rule,
                        struct error *error)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i].key, key) == 0)
            return members[i].take(value, rule, error);
    return fail_key(key, error);
}

/* The rule as the report shows it: as one of --fail-on, with the pattern in front. */
static char *rule_text(const json_t *object, const struct gate_rule *rule)
{
    const char *prefixes[] = {json_string_value(json_object_get(object, "tensors")),
                              json_string_value(json_object_get(object, "to"))};
    struct buffer text = {0};
    for (int i = 0; i < 2; i++)
        if (prefixes[i])
            buffer_printf(&text, "%s: ", prefixes[i]);
    buffer_puts(&text, json_string_value(json_object_get(object, "metric")));
    if (rule->level == GATE_OFF) {
        buffer_puts(&text, " off");
        return text.data;
    }
    buffer_printf(&text, " %s ", json_string_value(json_object_get(object, "op")));
    decimal_put(&text, rule->bound);
    return text.data;
}

/* With level off there is nothing to compare. */
static bool is_complete(const json_t *object, const struct gate_rule *rule, struct error *error)
{
    static const char *const needed[] = {"metric", "op", "value"};
    size_t count = rule->level == GATE_OFF ? 1 : 3;
    for (size_t i = 0; i < count; i++)
        if (!json_object_get(object, needed[i]))
            return fail(error, "no '%s'", needed[i]);
    return true;
}

static bool take_rule(json_t *object, struct gate_rule *rule, struct error *error)
{
    const char *key;
    json_t *value;
    rule->in_policy = true;
    if (!json_is_object(object))
        return fail(error, "not an object");
    json_object_foreach (object, key, value)
        if (!take_member(key, value, rule, error))
            return false;
    if (!is_complete(object, rule, error))
        return false;
    rule->text = rule_text(object, rule);
    return true;
}

static bool take_rules(json_t *rules, struct gates *gates, struct error *error)
{
    if (!json_is_array(rules))
        return rules ? fail_type("rules", "an array", error) : fail(error, "no 'rules'");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        struct error why;
        if (!take_rule(json_array_get(rules, i), gates_add(gates), &why))
            return fail(error, "rule %zu: %s", i + 1, why.text);
    }
    return json_array_size(rules) || fail(error, "no rule");
}

static bool check_version(const json_t *version, struct error *error)
{
    if (!json_is_integer(version))
        return version ? fail_type("version", "an integer", error) : fail(error, "no 'version'");
    if (json_integer_value(version) != VERSION)
        return fail(error, "version %" JSON_INTEGER_FORMAT " is unknown (%d is known)",
                    json_integer_value(version), VERSION);
    return true;
}

static bool take_policy(json_t *root, struct gates *gates, struct error *error)
{
    const char *key;
    json_t *value;
    if (!json_is_object(root))
        return fail(error, "a policy is a JSON object");
    if (!check_version(json_object_get(root, "version"), error))
        return false;
    json_object_foreach (root, key, value)
        if (strcmp(key, "version") != 0 && strcmp(key, "rules") != 0)
            return fail_key(key, error);
    return take_rules(json_object_get(root, "rules"), gates, error);
}

bool policy_parse(const char *text, size_t length, struct gates *gates, struct error *error)
{
    json_error_t why;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return fail(error, "line %d, column %d: %s", why.line, why.column, why.text);
    bool ok = take_policy(root, gates, error);
    json_decref(root);
    return ok;
}

static bool read_file(FILE *file, struct buffer *text, struct error *error)
{
    char part[16384];
    size_t got;
    buffer_puts(text, ""); /* of an empty file too */
    while ((got = fread(part, 1, sizeof part, file)) != 0) {
        buffer_add(text, part, got);
        if (text->length > SIZE_LIMIT)
            return fail(error, "is longer than %d bytes", SIZE_LIMIT);
    }
    return !ferror(file) || fail(error, "%s", strerror(errno));
}

bool policy_load(const char *path, struct gates *gates, struct error *error)
{
    struct buffer text = {0};
    FILE *file = fopen(path, "re");
    if (!file)
        return fail(error, "%s", strerror(errno));
    bool ok = read_file(file, &text, error) && policy_parse(text.data, text.length, gates, error);
    fclose(file);
    buffer_free(&text);
    return ok;
}
