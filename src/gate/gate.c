#include "gate/gate.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/glob.h"

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

/* As many as kinds of figures there are, for each a number of its own. */
enum { FIGURES = (QUANTITY_RELATIVE_EXACT + 1) * METRIC_COUNT };

static size_t figure_number(const struct gate_rule *rule)
{
    return (size_t)rule->kind * METRIC_COUNT + (size_t)rule->metric;
}

struct gate_rule *gates_add(struct gates *gates)
{
    gates->rules = room_for_one(gates->rules, gates->count, sizeof *gates->rules);
    struct gate_rule *rule = &gates->rules[gates->count++];
    *rule = (struct gate_rule){0};
    return rule;
}

void gates_free(struct gates *gates)
{
    for (size_t r = 0; r < gates->count; r++) {
        free(gates->rules[r].text);
        free(gates->rules[r].tensors);
    }
    free(gates->rules);
    *gates = (struct gates){0};
}

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
bool gate_find_figure(const char *name, struct gate_rule *rule)
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

/* As find_metric, find_dotted and find_rate find it. */
static void names_of_metric(const struct metric_row *row,
                            void (*visit)(void *context, const char *name), void *context)
{
    const char *group = metric_group_names[row->group];
    struct buffer name = {0};
    if (row->group == GROUP_CAST || row->group == GROUP_ERROR)
        visit(context, row->name);
    if (*group)
        buffer_printf(&name, "%s.%s", group, row->name);
    else
        buffer_printf(&name, "%s_rate", row->name);
    visit(context, name.data);
    buffer_free(&name);
}

void gate_each_figure(void (*visit)(void *context, const char *name), void *context)
{
    for (int m = 0; m < METRIC_COUNT; m++)
        if (metric_table[m].type != TYPE_INDEX)
            names_of_metric(&metric_table[m], visit, context);
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++)
        visit(context, other_names[i].name);
}

const char *gate_comparison(size_t index)
{
    return index < COMPARISONS ? comparisons[index].sign : NULL;
}

bool gate_find_comparison(const char *sign, struct gate_rule *rule)
{
    for (rule->comparison = 0; rule->comparison < COMPARISONS; rule->comparison++)
        if (strcmp(comparisons[rule->comparison].sign, sign) == 0)
            return true;
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

bool gate_parse(const char *text, struct gates *gates, struct error *error)
{
    struct gate_rule *rule = gates_add(gates);
    rule->text = copy_string(text);
    const char *at = skip_space(text);
    if (!parse_format(&at, rule, error))
        return false;
    size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    char name[64];
    if (length == 0 || length >= sizeof name)
        return fail(error, "rule '%s' names no figure ([FORMAT:] NAME COMPARISON NUMBER)", text);
    snprintf(name, sizeof name, "%.*s", (int)length, at);
    if (!gate_find_figure(name, rule))
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

/* Which rules are for what, looked up once. */
struct judgement {
    const struct gates *gates;
    struct report *report;
    bool *for_cast;            /* [rule * cast_count + cast] */
    unsigned char *for_tensor; /* a bit each: [tensor * rule_count + rule] */
    bool *chosen;              /* of each rule: whether it is judged of the present cast */
    uint64_t turn;             /* counts casts of tensors, from 1 */
    uint64_t settled[FIGURES]; /* the last turn at which a rule of the policy was found */
    size_t *next;              /* where the next gate of each rule goes */
    /* Those of the present tensor, where they were needed. */
    const struct report_figures *figures;
    struct report_figures room;
};

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

static bool match_casts(struct judgement *j, size_t r, struct error *error)
{
    const struct gate_rule *rule = &j->gates->rules[r];
    const struct report *report = j->report;
    const char *missing = missing_format(rule, report);
    enum metric_group group = metric_table[rule->metric].group;
    if (missing && !rule->optional)
        return fail(error, "rule '%s': %s is not among the formats of --to", rule->text, missing);
    if (!report->has_group[group] && !rule->optional)
        return fail(error, "rule '%s': there is no '%s' in this report (see --%s)", rule->text,
                    metric_group_names[group], metric_group_names[group]);
    for (size_t c = 0; report->has_group[group] && c < report->cast_count; c++)
        j->for_cast[r * report->cast_count + c] = is_for(rule, &report->casts[c].format);
    return true;
}

static bool match_tensors(struct judgement *j, size_t r, struct error *error)
{
    const struct gate_rule *rule = &j->gates->rules[r];
    bool matched = false;
    for (size_t t = 0; t < j->report->tensor_count; t++) {
        const struct tensor *tensor = &j->report->tensors[t].tensor;
        size_t bit = t * j->gates->count + r;
        if (tensor->elements && (!rule->tensors || glob_matches(rule->tensors, tensor->name))) {
            j->for_tensor[bit / 8] |= (unsigned char)(1 << bit % 8);
            matched = true;
        }
    }
    return matched || rule->optional ||
           fail(error, "rule '%s': no tensor with elements has such a name", rule->text);
}

/* The rules that count for this cast of this tensor. */
static void choose(struct judgement *j, size_t tensor, size_t cast)
{
    size_t count = j->gates->count;
    j->turn++;
    for (size_t r = count; r-- > 0;) {
        const struct gate_rule *rule = &j->gates->rules[r];
        size_t bit = tensor * count + r;
        bool chosen = (j->for_tensor[bit / 8] >> bit % 8 & 1) &&
                      j->for_cast[r * j->report->cast_count + cast];
        if (chosen && rule->in_policy) {
            uint64_t *settled = &j->settled[figure_number(rule)];
            chosen = *settled != j->turn;
            *settled = j->turn;
        }
        j->chosen[r] = chosen && rule->level != GATE_OFF;
    }
}

static void judge(const struct gate_rule *rule, struct report *report,
                  const struct report_figures *figures, size_t tensor, size_t cast,
                  struct report_gate *gate)
{
    const struct report_tensor *of = &report->tensors[tensor];
    struct value value = quantity_of(rule, of, figures, cast);
    *gate = (struct report_gate){.rule = rule->text,
                                 .tensor = of,
                                 .cast = cast,
                                 .value = value,
                                 .pass = passes(rule, value),
                                 .level = rule->level};
    report->pass &= gate->pass || gate->level == GATE_WARN;
}

/* Calls for every gate, in the order of tensors, casts and rules. */
static void each_gate(struct judgement *j,
                      void (*body)(struct judgement *, size_t rule, size_t tensor, size_t cast))
{
    for (size_t t = 0; t < j->report->tensor_count; t++) {
        for (size_t c = 0; c < j->report->cast_count; c++) {
            choose(j, t, c);
            for (size_t r = 0; r < j->gates->count; r++)
                if (j->chosen[r])
                    body(j, r, t, c);
        }
        report_figures_done(j->report, &j->room);
        j->figures = NULL;
    }
}

static void count_gate(struct judgement *j, size_t rule, size_t tensor, size_t cast)
{
    (void)tensor;
    (void)cast;
    j->next[rule]++;
}

static void judge_gate(struct judgement *j, size_t rule, size_t tensor, size_t cast)
{
    if (!j->figures)
        j->figures = report_figures_of(j->report, &j->report->tensors[tensor], &j->room);
    judge(&j->gates->rules[rule], j->report, j->figures, tensor, cast,
          &j->report->gates[j->next[rule]++]);
}

/* Counts first, so that the gates can stand in the order of rules. */
static bool judge_all(struct judgement *j, struct error *error)
{
    struct report *report = j->report;
    size_t total = 0;
    each_gate(j, count_gate);
    for (size_t r = 0; r < j->gates->count; r++) {
        size_t count = j->next[r];
        j->next[r] = total;
        total += count;
    }
    if (total == 0)
        return fail(error, "no rule has anything to judge");
    report->gates = reallocate(NULL, total, sizeof *report->gates);
    report->gate_count = total;
    report->pass = !report->incomplete;
    each_gate(j, judge_gate);
    report->has_verdict = true;
    return true;
}

static bool has_elements(const struct report *report)
{
    for (size_t t = 0; t < report->tensor_count; t++)
        if (report->tensors[t].tensor.elements)
            return true;
    return false;
}

bool gate_judge(const struct gates *gates, struct report *report, struct error *error)
{
    if (gates->count == 0)
        return true;
    size_t count = gates->count;
    struct judgement *j = allocate(1, sizeof *j);
    j->gates = gates;
    j->report = report;
    j->for_cast = allocate(count * report->cast_count, sizeof *j->for_cast);
    j->for_tensor = allocate(report->tensor_count, count / 8 + 1);
    j->chosen = allocate(count, sizeof *j->chosen);
    j->next = allocate(count, sizeof *j->next);
    bool ok = true;
    for (size_t r = 0; ok && r < count; r++)
        ok = match_casts(j, r, error);
    if (ok && !has_elements(report))
        ok = fail(error, "no tensor has an element to judge");
    for (size_t r = 0; ok && r < count; r++)
        ok = match_tensors(j, r, error);
    ok = ok && judge_all(j, error);
    free(j->for_cast);
    free(j->for_tensor);
    free(j->chosen);
    free(j->next);
    free(j);
    return ok;
}
