#include "gate/gate.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

static bool less(double a, double b)
{
    return a < b;
}

static bool less_equal(double a, double b)
{
    return a <= b;
}

static bool greater(double a, double b)
{
    return a > b;
}

static bool greater_equal(double a, double b)
{
    return a >= b;
}

static bool equal(double a, double b)
{
    return a == b;
}

static bool not_equal(double a, double b)
{
    return a != b;
}

/* A longer sign before its own prefix. */
static const struct {
    const char *sign;
    bool (*holds)(double, double);
} comparisons[] = {
    {"<=", less_equal}, {">=", greater_equal}, {"==", equal},
    {"!=", not_equal},  {"<", less},           {">", greater},
};

enum { COMPARISONS = sizeof comparisons / sizeof *comparisons };

/* Numeric names of a cast that are no figures of the metric table. */
static const struct {
    const char *name;
    enum quantity kind;
} other_names[] = {
    {"bits", QUANTITY_BITS},
    {"scale", QUANTITY_SCALE},
    {"relative_error.exact", QUANTITY_RELATIVE_EXACT},
};

static bool find_metric(const char *name, enum metric_group group, enum metric *metric)
{
    for (int m = 0; m < METRIC_COUNT; m++)
        if (metric_table[m].group == group && metric_table[m].type != TYPE_INDEX &&
            strcmp(metric_table[m].name, name) == 0) {
            *metric = (enum metric)m;
            return true;
        }
    return false;
}

static bool find_rate(const char *name, enum metric *metric)
{
    size_t length = strlen(name), suffix = strlen("_rate");
    char base[32];
    if (length <= suffix || length - suffix >= sizeof base ||
        strcmp(name + length - suffix, "_rate") != 0)
        return false;
    snprintf(base, sizeof base, "%.*s", (int)(length - suffix), name);
    return find_metric(base, GROUP_CAST, metric);
}

static bool find_dotted(const char *name, enum metric *metric)
{
    const char *dot = strchr(name, '.');
    for (int g = 0; dot && g < GROUP_COUNT; g++) {
        const char *group = metric_group_names[g];
        if (*group && strlen(group) == (size_t)(dot - name) &&
            strncmp(group, name, (size_t)(dot - name)) == 0)
            return find_metric(dot + 1, (enum metric_group)g, metric);
    }
    return false;
}

/* A bare name is the cast's own member, else the error's; the rest is a dotted path. */
static bool find_quantity(const char *name, struct gate_rule *rule)
{
    rule->kind = QUANTITY_METRIC;
    if (find_metric(name, GROUP_CAST, &rule->metric) ||
        find_metric(name, GROUP_ERROR, &rule->metric) || find_dotted(name, &rule->metric))
        return true;
    rule->kind = QUANTITY_RATE;
    if (find_rate(name, &rule->metric))
        return true;
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++)
        if (strcmp(other_names[i].name, name) == 0) {
            rule->kind = other_names[i].kind;
            return true;
        }
    return false;
}

static const char *skip_space(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

static bool parse_format(const char **at, struct gate_rule *rule, struct error *error)
{
    const char *colon = strchr(*at, ':');
    if (!colon)
        return true;
    const char *end = colon;
    while (end > *at && isspace((unsigned char)end[-1]))
        end--;
    struct error why;
    rule->format_count = format_find_all(*at, (size_t)(end - *at), rule->formats, &why);
    if (!rule->format_count)
        return fail(error, "rule '%s': %s", rule->text, why.text);
    *at = skip_space(colon + 1);
    return true;
}

static bool parse_bound(const char *at, struct gate_rule *rule, struct error *error)
{
    char *end;
    rule->bound = strtod(at, &end);
    if (end == at || *skip_space(end) || isnan(rule->bound))
        return fail(error, "rule '%s': '%s' is not a number", rule->text, at);
    return true;
}

bool gate_parse(const char *text, struct gate_rule *rule, struct error *error)
{
    *rule = (struct gate_rule){.text = text};
    const char *at = skip_space(text);
    if (!parse_format(&at, rule, error))
        return false;
    size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    char name[64];
    if (length == 0 || length >= sizeof name)
        return fail(error, "rule '%s' names no figure ([FORMAT:] NAME COMPARISON NUMBER)", text);
    snprintf(name, sizeof name, "%.*s", (int)length, at);
    if (!find_quantity(name, rule))
        return fail(error, "rule '%s': there is no figure '%s'", text, name);
    at = skip_space(at + length);
    for (rule->comparison = 0; rule->comparison < COMPARISONS; rule->comparison++) {
        const char *sign = comparisons[rule->comparison].sign;
        if (strncmp(at, sign, strlen(sign)) == 0)
            return parse_bound(skip_space(at + strlen(sign)), rule, error);
    }
    return fail(error, "rule '%s' has no comparison (< <= > >= == !=)", text);
}

static struct value real_of(double real)
{
    return (struct value){.kind = VALUE_REAL, .real = real};
}

static struct value quantity_of(const struct gate_rule *rule, const struct report_tensor *tensor,
                                const struct report_figures *all, size_t c)
{
    const struct report_cast *cast = &all->casts[c];
    const struct value *figures =
        metric_table[rule->metric].group == GROUP_INPUT ? all->input : cast->figures;
    switch (rule->kind) {
    case QUANTITY_RATE:
        return real_of((double)figures[rule->metric].count / (double)tensor->tensor.elements);
    case QUANTITY_BITS:
        return (struct value){.kind = VALUE_COUNT, .count = (uint64_t)cast->cast->format.bits};
    case QUANTITY_SCALE:
        return real_of(ldexp(1, cast->scale));
    case QUANTITY_RELATIVE_EXACT:
        return (struct value){.kind = VALUE_COUNT, .count = cast->relative_exact};
    default:
        return figures[rule->metric];
    }
}

/* A null figure fails; counts are never null. */
static bool passes(const struct gate_rule *rule, struct value value)
{
    if (value.kind == VALUE_NULL)
        return false;
    double number = value.kind == VALUE_REAL ? value.real : (double)value.count;
    return !comparisons[rule->comparison].holds(number, rule->bound);
}

static void judge(const struct gate_rule *rule, struct report *report,
                  const struct report_tensor *tensor, const struct report_figures *figures,
                  size_t c)
{
    struct value value = quantity_of(rule, tensor, figures, c);
    bool pass = passes(rule, value);
    report->gates[report->gate_count++] = (struct report_gate){
        .rule = rule->text, .tensor = tensor, .cast = c, .value = value, .pass = pass};
    report->pass &= pass;
}

static bool is_for(const struct gate_rule *rule, const struct format *format)
{
    bool named = rule->format_count == 0;
    for (size_t i = 0; i < rule->format_count; i++)
        named |= strcmp(rule->formats[i].name, format->name) == 0;
    return named;
}

/* The first of the rule's formats that is not cast to, or NULL. */
static const char *missing_format(const struct gate_rule *rule, const struct report *report)
{
    for (size_t i = 0; i < rule->format_count; i++) {
        bool found = false;
        for (size_t c = 0; c < report->cast_count; c++)
            found |= strcmp(rule->formats[i].name, report->casts[c].format.name) == 0;
        if (!found)
            return rule->formats[i].name;
    }
    return NULL;
}

bool gate_judge(const struct gate_rule *rules, size_t count, struct report *report,
                struct error *error)
{
    if (count == 0)
        return true;
    for (size_t r = 0; r < count; r++) {
        const char *missing = missing_format(&rules[r], report);
        if (missing)
            return fail(error, "rule '%s': %s is not among the formats of --to", rules[r].text,
                        missing);
        enum metric_group group = metric_table[rules[r].metric].group;
        if (!report->has_group[group])
            return fail(error, "rule '%s': there is no '%s' in this report (see --%s)",
                        rules[r].text, metric_group_names[group], metric_group_names[group]);
    }
    report->gates = reallocate(NULL, count * report->tensor_count * report->cast_count + 1,
                               sizeof *report->gates);
    report->pass = !report->incomplete;
    for (size_t t = 0; t < report->tensor_count; t++) {
        const struct report_tensor *tensor = &report->tensors[t];
        struct report_figures room = {0};
        const struct report_figures *figures = report_figures_of(report, tensor, &room);
        for (size_t r = 0; r < count; r++)
            for (size_t c = 0; c < report->cast_count; c++)
                if (tensor->tensor.elements != 0 && is_for(&rules[r], &report->casts[c].format))
                    judge(&rules[r], report, tensor, figures, c);
        report_figures_done(report, &room);
    }
    if (report->gate_count == 0)
        return fail(error, "no tensor has an element to judge");
    report->has_verdict = true;
    return true;
}
